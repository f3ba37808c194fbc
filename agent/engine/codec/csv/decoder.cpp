#include "codec/csv/decoder.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "codec/text/line_framing.h"

namespace leat {
namespace {

constexpr size_t kTypicalRow = 64;  // bytes, to size arrays

char* find(char* p, char* end, char c) {
  return static_cast<char*>(std::memchr(p, c, static_cast<size_t>(end - p)));
}

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Turns doubled quotes into single ones, in place; returns the new length.
size_t unescape(char* text, size_t size, char quote) {
  size_t kept = 0;
  for (size_t i = 0; i < size; ++i) {
    text[kept++] = text[i];
    if (text[i] == quote) ++i;  // the second of the pair
  }
  return kept;
}

std::string header_name(const CsvField& field, char quote) {
  std::string name(field.view());
  if (field.doubled) name.resize(unescape(name.data(), name.size(), quote));
  if (field.quoted) return name;
  size_t first = name.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return name.substr(first, name.find_last_not_of(" \t") + 1 - first);
}

}  // namespace

std::string_view CsvDecoder::Row::text() const {
  return without_line_end(view());
}

CsvDecoder::CsvDecoder(CsvDialect dialect) : dialect_(std::move(dialect)), reader_(dialect_) {
  if (!dialect_.header && !dialect_.columns.empty() && !dialect_.others)
    columns_table_ = csv_table_for_columns(dialect_);
}

CsvDecoder::Progress CsvDecoder::first_progress() const {
  Progress progress;
  progress.skip = dialect_.start_row - 1;
  progress.header = dialect_.header;
  progress.table = columns_table_;
  return progress;
}

Result<Turn> CsvDecoder::decode(Batch& batch, DeadLetters& dead) {
  ++batch_number_;
  Status status;
  if (batch.content == Content::kBytes) {
    status = decode_stream(batch, dead);
  } else {
    decode_slices(batch, dead);
  }
  batch.content = Content::kRecords;
  batch.bytes = {};
  batch.slices.clear();
  if (!status) return fail(status.error());
  return Turn::kDone;
}

Status CsvDecoder::decode_stream(Batch& batch, DeadLetters& dead) {
  auto [entry, fresh] = partitions_.try_emplace(batch.begin.partition);
  Progress& progress = entry->second;
  if (fresh || batch.preamble) progress = first_progress();
  if (batch.preamble) {
    progress.preamble_only = true;
    progress.preamble_end = batch.begin.offset + batch.bytes.size();
  } else if (std::exchange(progress.preamble_only, false) && !progress.at_rows() &&
             batch.begin.offset != progress.preamble_end) {
    // Going on would take data for a header, or skip it.
    return fail(ErrorKind::kUsage,
                "csv: on resume, the header was not found at the start of the input: is startRow "
                "too large?");
  }
  Work work{.batch = batch,
            .dead = dead,
            .values = ValueRun(batch.arena),
            .progress = progress,
            .input = dialect_.text.is_utf16() ? utf16_.stream(batch) : InputText(batch.bytes)};
  if (!batch.preamble) batch.records.reserve(batch.bytes.size() / kTypicalRow + 16);
  read(work);
  if (!batch.preamble) batch.end.line = batch.begin.line + work.lines;
  if (batch.end.last) partitions_.erase(entry);  // not when there is a rest
  utf16_.done(batch);
  return {};
}

void CsvDecoder::decode_slices(Batch& batch, DeadLetters& dead) {
  batch.records.reserve(batch.slices.size());
  for (const Slice& slice : batch.slices) {
    Progress progress = first_progress();
    // The slice's bytes are the batch's own, which a decoder may overwrite.
    InputText input({const_cast<char*>(slice.data), slice.size});
    if (dialect_.text.is_utf16()) input = Utf16Reader::message(slice.view(), batch.arena);
    Work work{.batch = batch,
              .dead = dead,
              .values = ValueRun(batch.arena),
              .progress = progress,
              .input = input,
              .slice = &slice};
    read(work);
    size_t next = static_cast<size_t>(&slice - batch.slices.data()) + 1;
    if (work.stop && batch.may_cut(next)) {
      batch.leave_slices(next);
      break;
    }
  }
  if (!batch.slices.empty()) batch.end.line = batch.begin.line + batch.slices.back().end_line;
}

void CsvDecoder::read(Work& work) {
  Progress& progress = work.progress;
  char* p = work.input.begin();
  char* const end = work.input.end();
  reader_.begin(end, work.batch.arena);
  while (p < end && !(work.batch.preamble && progress.at_rows())) {
    bool skipping = progress.skip > 0;
    Row row = skipping ? next_line(p, end) : next_row(p, end);
    p = row.end;
    row.begin_offset = work.input.last_offset();
    row.end_offset = work.input.offset_of(p);
    work.lines += row.lines;
    bool empty = fields_.empty() && row.problem == nullptr;  // blank, or a comment
    if (skipping) {
      --progress.skip;
    } else if (empty) {
      continue;
    } else if (progress.header) {
      learn_header(work, row);
    } else {
      if (position_after(work, row).offset > progress.rows_from) add_record(work, row);
      if (work.stop && work.slice == nullptr && p < end) {
        work.batch.leave_bytes(row.end_offset, work.lines);
        return;
      }
      continue;
    }
    if (work.batch.preamble && progress.at_rows())
      progress.rows_from = position_after(work, row).offset;
  }
}

Position CsvDecoder::position_after(const Work& work, const Row& row) const {
  const Batch& batch = work.batch;
  if (work.slice != nullptr)
    return {batch.begin.partition, batch.begin.offset + work.slice->end_offset,
            batch.begin.line + work.slice->end_line};
  return {batch.begin.partition, batch.begin.offset + row.end_offset,
          batch.begin.line + work.lines};
}

CsvDecoder::Row CsvDecoder::next_line(char* p, char* end) const {
  char* newline = find(p, end, '\n');
  return {.start = p, .end = newline == nullptr ? end : newline + 1};
}

// Finds the fields of the next row. None for a blank line or a comment.
CsvDecoder::Row CsvDecoder::next_row(char* p, char* end) {
  fields_.clear();
  if (dialect_.is_comment({p, static_cast<size_t>(end - p)})) return next_line(p, end);
  Row row{.start = p};
  for (;;) {
    if (dialect_.quoting && p < end && *p == dialect_.quote) {
      p = quoted_field(row, p, end);
      if (p == nullptr) return row;
    } else {
      auto* stop = const_cast<char*>(swar::find_either(p, end, dialect_.delimiter, '\n'));
      if (fields_.size() <= kMaxFields)
        fields_.push_back({p, static_cast<uint32_t>(stop - p), false, false});
      p = stop;
    }
    if (p == end || *p == '\n') break;
    ++p;  // the delimiter
  }
  row.end = p == end ? end : p + 1;
  CsvField& last = fields_.back();
  if (!last.quoted && last.size > 0 && last.data[last.size - 1] == '\r') --last.size;
  if (fields_.size() == 1 && last.size == 0 && !last.quoted) fields_.clear();
  if (fields_.size() > kMaxFields) row.problem = "more than 16384 fields";
  return row;
}

// `open` is at an opening quote. Returns the place behind the field: a delimiter, '\n' or `end`.
// Null when the quotes are bad; then `row` is the line they are in and says why.
char* CsvDecoder::quoted_field(Row& row, char* open, char* end) {
  CsvQuoted quoted = csv_quoted(dialect_, open, end);
  if (quoted.found != CsvQuoted::Found::kClosed) {
    row.end = next_line(open, end).end;
    row.problem = quoted.found == CsvQuoted::Found::kFollowedByText ? "text behind a closing quote"
                                                                    : "a quote is never closed";
    return nullptr;
  }
  char* close = open + (quoted.close - open);
  if (fields_.size() <= kMaxFields)
    fields_.push_back({open + 1, static_cast<uint32_t>(close - open - 1), true, quoted.doubled});
  row.lines += count_newlines(open, close);
  char* p = close + 1;
  return p < end && *p == '\r' ? p + 1 : p;
}

void CsvDecoder::learn_header(Work& work, const Row& row) {
  Progress& progress = work.progress;
  progress.header = false;
  std::string problem = row.problem ? row.problem : "";
  std::vector<std::string> names;
  TextReader text = dialect_.text;
  for (const CsvField& field : fields_) {
    if (!problem.empty()) break;
    std::optional<std::string> name = text.name(header_name(field, dialect_.quote));
    if (name) names.push_back(std::move(*name));
    if (!name) problem = text.problem();
  }
  if (!problem.empty()) {
    progress.bad_header = true;
    problem += known_content(row.view(), true);
    if (!work.batch.preamble) reject(work, row, "header: " + problem);
    return;
  }
  if (header_table_ == nullptr || header_text_ != row.text()) {
    header_text_ = row.text();
    header_table_ = csv_table_for_header(dialect_, std::move(names), header_missing_);
  }
  progress.table = header_table_;
  // Said once for each input; the rows are read without those columns.
  if (!header_missing_.empty() && !work.batch.preamble)
    reject(work, row, header_missing_ + ": not in the header");
}

CsvTable* CsvDecoder::table_for(Work& work) {
  if (work.progress.table != nullptr) return work.progress.table.get();
  auto found = width_tables_.find(fields_.size());
  if (found != width_tables_.end()) return found->second.get();
  width_fields_ += fields_.size();
  if (width_fields_ > kMaxFields) {  // so many widths are noise
    width_tables_.clear();
    width_fields_ = fields_.size();
  }
  auto made = csv_table_for_width(dialect_, fields_.size());
  return width_tables_.emplace(fields_.size(), std::move(made)).first->second.get();
}

void CsvDecoder::add_record(Work& work, const Row& row) {
  if (row.problem != nullptr) return reject(work, row, row.problem);
  if (work.progress.bad_header) return reject(work, row, "the header is not readable");
  CsvTable* table = table_for(work);
  size_t count = table->shape->size();
  Value* values = work.values.reserve(count);
  if (!fill(row, *table, values)) return reject(work, row, reason_);
  unescape_doubled();
  Batch& batch = work.batch;
  if (table->adopted_batch != batch_number_) {
    batch.adopt(table->shape);
    table->adopted_batch = batch_number_;
  }
  uint32_t end_offset = work.slice ? work.slice->end_offset : row.end_offset;
  uint32_t end_line = work.slice ? work.slice->end_line : work.lines;
  batch.records.push_back({table->shape.get(), values, batch.arrival_us, end_offset, end_line});
  work.values.commit(count);
}

// False when the row does not fit the table; then reason_ says why. The input is left as it was.
bool CsvDecoder::fill(const Row& row, const CsvTable& table, Value* values) {
  doubled_.clear();
  const std::vector<CsvTarget>& targets = table.targets;
  const bool too_few = fields_.size() < targets.size();
  const bool too_many = fields_.size() > targets.size() && table.exact;
  if (too_many || (too_few && !dialect_.missing_is_null)) {
    reason_ = "the row has " + std::to_string(fields_.size()) +
              (fields_.size() == 1 ? " field, not " : " fields, not ") +
              (table.exact ? "" : "at least ") + std::to_string(targets.size());
    return false;
  }
  if (too_few) std::fill_n(values, table.shape->size(), Value::null());
  bool clean = dialect_.text.is_plain(row.view());
  size_t count = std::min(fields_.size(), targets.size());
  for (size_t i = 0; i < count; ++i) {
    const CsvTarget& target = targets[i];
    if (target.field < 0) continue;
    Value& value = values[target.field];
    if (!reader_.read(target, fields_[i], clean, value)) {
      reason_ = "column ";
      reason_ += excerpt(table.shape->name(static_cast<size_t>(target.field)));
      reason_ += ": " + reader_.problem();
      return false;
    }
    if (fields_[i].doubled) doubled_.push_back(&value);
  }
  return true;
}

// Only once the whole row is known to be good, since a dead letter shows it as it came.
void CsvDecoder::unescape_doubled() {
  for (Value* value : doubled_) {
    if (value->type != Type::kString && value->type != Type::kBytes) continue;
    size_t size = unescape(const_cast<char*>(value->text), value->size, dialect_.quote);
    value->size = static_cast<uint32_t>(size);
  }
}

void CsvDecoder::reject(Work& work, const Row& row, std::string_view reason) {
  work.dead.add_text(work.input.original(row.text(), row.begin_offset, row.end_offset),
                     position_after(work, row), reason);
  work.stop = work.batch.in_turns() && work.dead.full();
}

}  // namespace leat
