#include "codec/csv/encoder.h"

#include "base/text.h"

namespace leat {
namespace {

bool needs_quotes(std::string_view text, char delimiter, char quote) {
  const swar::Word delimiters = swar::each(static_cast<unsigned char>(delimiter));
  const swar::Word quotes = swar::each(static_cast<unsigned char>(quote));
  const char* p = text.data();
  const char* const end = p + text.size();
  for (; end - p >= swar::kSize; p += swar::kSize) {
    swar::Word word = swar::load(p);
    if ((swar::equal_to(word, delimiters) | swar::equal_to(word, quotes) |
         swar::equal_to(word, swar::each('\n')) | swar::equal_to(word, swar::each('\r'))) != 0)
      return true;
  }
  for (; p < end; ++p)
    if (*p == delimiter || *p == quote || *p == '\n' || *p == '\r') return true;
  return false;
}

bool may_be_in_number(char c) {
  return std::string_view("+-.0123456789Ee").find(c) != std::string_view::npos;
}

void append_quoted(std::string& out, std::string_view text, char quote) {
  out += quote;
  for (char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  out += quote;
}

}  // namespace

CsvEncoder::CsvEncoder(CsvDialect dialect, std::vector<std::string> columns, std::string null)
    : dialect_(std::move(dialect)),
      null_(std::move(null)),
      numbers_are_plain_(!may_be_in_number(dialect_.delimiter) &&
                         !may_be_in_number(dialect_.quote) &&
                         (null_.empty() || json_number_length(null_) != null_.size())),
      columns_(std::move(columns)) {
  if (!columns_.empty() && dialect_.header) (void)write_header();  // the dialect has looked
}

Result<BatchRef> CsvEncoder::encode(const Batch& in, DeadLetters& dead) {
  BatchRef out = batch_like(in);
  SliceWriter writer(out->arena);
  size_t made = 0;
  for (size_t i = 0; i < in.records.size(); ++i) {
    const Record& record = in.records[i];
    bool stop = false;
    if (row_of(in, record, writer) && recode(writer)) {
      out->slices.push_back(writer.finish(record.end_offset, record.end_line));
      made += out->slices.back().size;
      stop = made >= in.quantum;
    } else {
      writer.discard();
      dead.add(in, i, reason_);
      stop = dead.full();
    }
    if (stop && in.may_cut(i + 1)) return stop_behind(i, in, std::move(out));
  }
  shapes_.trim(in);
  return out;
}

// False where the encoding has no such characters; then reason_ says which.
bool CsvEncoder::recode(SliceWriter& writer) {
  if (!dialect_.written.converts()) return true;
  const Result<size_t> size = dialect_.written.write(writer.start(), writer.size());
  if (size)
    writer.advance_to(writer.start() + *size);
  else
    reason_ = size.error().message();
  return size.has_value();
}

// False when the record cannot be expressed; then reason_ says why.
bool CsvEncoder::row_of(const Batch& in, const Record& record, SliceWriter& writer) {
  if (columns_.empty() && !choose_columns(record)) return false;
  const Fields& fields =
      shapes_.get(in, record.shape, [this](const Shape& s) { return map_shape(s); });
  return write_row(record, fields, writer);
}

bool CsvEncoder::choose_columns(const Record& first) {
  for (size_t i = 0; i < first.shape->size(); ++i)
    if (first.values[i].type != Type::kAbsent) columns_.emplace_back(first.shape->name(i));
  for (const std::string& name : columns_) {
    if (!dialect_.header || dialect_.can_name(name)) continue;
    reason_ = excerpt(name) + ": the name has a delimiter or line break in it, and quotes are off";
    columns_.clear();
    return false;
  }
  if (!dialect_.header || write_header()) return true;
  columns_.clear();
  return false;
}

// As row_of().
bool CsvEncoder::write_header() {
  header_.clear();
  for (const std::string& name : columns_) {
    if (&name != &columns_.front()) header_ += dialect_.delimiter;
    if (dialect_.quoting && needs_quotes(name, dialect_.delimiter, dialect_.quote)) {
      append_quoted(header_, name, dialect_.quote);
    } else {
      header_ += name;
    }
  }
  // As a row of one empty field would.
  if (header_.empty() && !columns_.empty() && dialect_.quoting) header_.append(2, dialect_.quote);
  if (!columns_.empty()) header_ += '\n';
  if (!dialect_.written.converts()) return true;
  const Result<size_t> size = dialect_.written.write(header_.data(), header_.size());
  if (!size) reason_ = "the names of the columns: " + size.error().message();
  header_.resize(size.value_or(0));
  return size.has_value();
}

CsvEncoder::Fields CsvEncoder::map_shape(const Shape& shape) const {
  Fields fields;
  fields.columns.reserve(columns_.size());
  std::vector<bool> is_column(shape.size());
  for (const std::string& column : columns_) {
    // Nearly always the fields come in the order of the columns.
    size_t next = fields.columns.size();
    bool in_order = next < shape.size() && shape.name(next) == column;
    int field = in_order ? static_cast<int>(next) : shape.find(column);
    fields.columns.push_back(field);
    if (field >= 0) is_column[static_cast<size_t>(field)] = true;
  }
  for (size_t i = 0; i < shape.size(); ++i)
    if (!is_column[i]) fields.others.push_back(i);
  return fields;
}

// False when the row cannot express the record; then reason_ says why.
bool CsvEncoder::write_row(const Record& record, const Fields& fields, SliceWriter& writer) {
  for (size_t other : fields.others) {
    if (record.values[other].type == Type::kAbsent) continue;
    reason_ = excerpt(record.shape->name(other)) + ": not among the columns of this CSV";
    return false;
  }
  for (size_t i = 0; i < fields.columns.size(); ++i) {
    if (i > 0) writer.append(dialect_.delimiter);
    int field = fields.columns[i];
    const Value value = field < 0 ? Value::absent() : record.values[field];
    if (!write_value(value, writer)) {
      reason_ = excerpt(columns_[i]) + ": has a delimiter or line break in it, and quotes are off";
      return false;
    }
  }
  // A row of one empty field would read as a blank line.
  if (writer.size() == 0 && !dialect_.quoting) {
    reason_ = "a row of one empty field is a blank line, and quotes are off";
    return false;
  }
  if (writer.size() == 0) {
    writer.append(dialect_.quote);
    writer.append(dialect_.quote);
  }
  writer.append('\n');
  return true;
}

bool CsvEncoder::write_value(const Value& value, SliceWriter& writer) {
  if (value.type == Type::kAbsent || value.type == Type::kNull) {
    writer.append(null_);
    return true;
  }
  bool escaped = value.type == Type::kString && value.form == Form::kText;
  if (value.form == Form::kText && !escaped && numbers_are_plain_) {
    writer.append(value.view());
    return true;
  }
  bool copied = value.is_text() && value.type != Type::kBytes && !escaped;
  if (copied) return write_text(value.view(), writer);
  scratch_.clear();
  append_text(scratch_, value);
  return write_text(scratch_, writer);
}

bool CsvEncoder::write_text(std::string_view text, SliceWriter& writer) {
  // With quoting off, a quote is an ordinary character.
  char quote = dialect_.quoting ? dialect_.quote : dialect_.delimiter;
  bool must = needs_quotes(text, dialect_.delimiter, quote);
  bool looks_null = text == null_;
  if (must && !dialect_.quoting) return false;
  if (!dialect_.quoting || (!must && !looks_null)) {
    writer.append(text);
    return true;
  }
  std::string quoted;
  append_quoted(quoted, text, dialect_.quote);
  writer.append(quoted);
  return true;
}

}  // namespace leat
