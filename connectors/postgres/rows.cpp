#include "connectors/postgres/rows.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "connectors/postgres/statements.h"

namespace leat::postgres {
namespace {

constexpr size_t kPiece = 64 * 1024;
constexpr size_t kInsertBytes = 256 * 1024;
// https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4: signature, flags, length
// of the header's extension.
constexpr std::string_view kBinaryHeader("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
constexpr int16_t kBinaryEnd = -1;

}  // namespace

std::string Target::relation_in_errors() const {
  bool staged = config->mode == WriteMode::kUpsert || config->mode == WriteMode::kMerge;
  return staged ? std::string(kStaging) : layout.name;
}

Rows::Rows(const Target& target, FieldEncoder& encoder, const Delivery& delivery, std::string first,
           std::string last)
    : target_(target),
      encoder_(encoder),
      delivery_(delivery),
      first_(std::move(first)),
      last_(std::move(last)),
      used_(target.layout.columns.size()),
      in_key_(target.layout.columns.size()),
      insert_(target.config->mode == WriteMode::kInsert) {
  for (size_t i = 0; i < in_key_.size(); ++i)
    in_key_[i] = std::find(target.config->key.begin(), target.config->key.end(),
                           target.layout.columns[i].name) != target.config->key.end();
  for (const Part& part : delivery.parts) target.mapping->add_used(*part.batch, used_);
  empty_ = std::find(used_.begin(), used_.end(), true) == used_.end();
  for (size_t i = 0; i < used_.size(); ++i) {
    const Column& column = target.layout.columns[i];
    if (!used_[i] && column.not_null && !column.has_default && !column.generated &&
        nulls_matter()) {
      if (missing_ == nullptr) missing_ = &column;
      used_[i] = true;  // so that each record is found to lack it
    }
    if (used_[i] && !has_binary_form(column.kind)) binary_ = false;
  }
  if (insert_) binary_ = false;
  while (!at_end() && delivery_.parts[part_].count == 0) ++part_;
}

// A trigger may put something in the place of a null; mergeSql may do anything.
bool Rows::nulls_matter() const {
  return target_.config->mode != WriteMode::kMerge && !target_.layout.before_insert_trigger;
}

const Batch& Rows::batch() const {
  return *delivery_.parts[part_].batch;
}

const Record& Rows::record() const {
  const Part& part = delivery_.parts[part_];
  return part.batch->records[part.first + in_part_];
}

void Rows::advance() {
  ++index_;
  if (++in_part_ < delivery_.parts[part_].count) return;
  in_part_ = 0;
  do ++part_;
  while (!at_end() && delivery_.parts[part_].count == 0);
}

bool Rows::staged() const {
  return target_.config->mode == WriteMode::kUpsert || target_.config->mode == WriteMode::kMerge;
}

// Whether it matters for this column that a field is absent, and not null.
bool Rows::distinguishes(size_t column) const {
  switch (target_.config->mode) {
    case WriteMode::kCopy:
      return target_.layout.columns[column].has_default;
    case WriteMode::kUpsert:
      return !in_key_[column];
    case WriteMode::kInsert:  // it has the word DEFAULT
    case WriteMode::kMerge:
      break;
  }
  return false;
}

bool Rows::fits_run(const ShapePlan& plan, const Record& record) const {
  for (size_t i = 0; i < used_.size(); ++i) {
    if (!used_[i] || !distinguishes(i)) continue;
    int field = plan.field_of[i];
    bool present = field >= 0 && record.value(static_cast<size_t>(field)).type != Type::kAbsent;
    if (present != in_run_[i]) return false;
  }
  return true;
}

// The columns of the run that begins with the current record.
void Rows::choose_columns() {
  run_.clear();
  in_run_.assign(used_.size(), false);
  const ShapePlan& plan = target_.mapping->plan(batch(), *record().shape);
  for (size_t i = 0; i < used_.size(); ++i) {
    if (!used_[i]) continue;
    int field = plan.field_of[i];
    bool present = field >= 0 && record().value(static_cast<size_t>(field)).type != Type::kAbsent;
    if (distinguishes(i) && !present) continue;
    in_run_[i] = true;
    run_.push_back(static_cast<int>(i));
  }
  // A list must not be empty. No row comes of it: append_row() finds the record empty.
  if (run_.empty())
    run_.push_back(static_cast<int>(std::find(used_.begin(), used_.end(), true) - used_.begin()));
}

// --- COPY ---------------------------------------------------------------------------------------

std::string Rows::begin_copy() {
  return first_ + run_sql();
}

std::string Rows::run_sql() {
  choose_columns();
  starts_.push_back(index_);
  header_due_ = binary_;
  return copy_sql(target_.table, target_.layout, run_, binary_, staged());
}

// What follows a COPY: its rows go on from the staging table, and the next run or the end.
std::string Rows::end_of_run() {
  std::string sql = target_.after_copy;
  if (target_.config->mode == WriteMode::kUpsert)
    sql += upsert_sql(target_.table, target_.layout, run_, target_.config->key) + ";";
  if (at_end()) {
    complete_ = true;
    if (target_.config->mode == WriteMode::kMerge) sql += target_.merge_sql + "\n;";
    // In text, the table's own types read the values. The staging table has the types of before.
    if (staged() || binary_) sql += layout_check_sql(target_.layout, used_) + ";";
    return sql + last_;
  }
  if (target_.config->mode == WriteMode::kUpsert)
    sql += "TRUNCATE pg_temp." + std::string(kStaging) + ";";
  return sql + "SET LOCAL statement_timeout = 0;" + run_sql();
}

CopySource::Piece Rows::next(Buffer& out) {
  begun_ = true;
  const size_t start = out.size();
  if (std::exchange(header_due_, false)) out.append(kBinaryHeader);
  size_t scanned = 0;  // of rows that are not sent any more, since one is bad
  while (!at_end() && out.size() - start + scanned < kPiece) {
    const Record& current = record();
    const ShapePlan& plan = target_.mapping->plan(batch(), *current.shape);
    if (bad_.indices.empty() && !fits_run(plan, current)) break;
    size_t before = out.size();
    bool good = append_row(out, plan, current);
    if (!good || !bad_.indices.empty()) {
      scanned += out.size() - before;
      out.cut(before);
    }
    advance();
  }
  if (!bad_.indices.empty()) {
    out.cut(start);
    return {at_end() ? Piece::Kind::kAbort : Piece::Kind::kMore};
  }
  bool run_ends = at_end();
  if (!run_ends) {
    const ShapePlan& plan = target_.mapping->plan(batch(), *record().shape);
    run_ends = !fits_run(plan, record());
  }
  if (!run_ends) return {};
  if (binary_) out.append_int16(kBinaryEnd);
  std::string sql = end_of_run();
  return {Piece::Kind::kEnd, std::move(sql), !complete_};
}

std::string Rows::without_records() const {
  switch (target_.config->mode) {
    case WriteMode::kMerge:
      return target_.merge_sql;
    case WriteMode::kUpsert:
      return upsert_sql(target_.table, target_.layout, run_, target_.config->key);
    case WriteMode::kCopy:
    case WriteMode::kInsert:
      break;
  }
  return insert_nothing_sql(target_.table, target_.layout, run_);
}

int64_t Rows::record_at(size_t copies, uint64_t line) const {
  if (line == 0 || copies >= starts_.size() || insert_) return -1;
  uint64_t index = starts_[copies] + line - 1;
  uint64_t end = copies + 1 < starts_.size() ? starts_[copies + 1] : delivery_.records;
  return index < end ? static_cast<int64_t>(index) : -1;
}

// --- INSERT -------------------------------------------------------------------------------------

bool Rows::next_insert(std::string& sql) {
  if (complete_) return false;
  Buffer out;
  if (!begun_) {
    choose_columns();
    out.append(first_);
  }
  begun_ = true;
  out.append(insert_sql(target_.table, target_.layout, run_));
  bool any = false;
  while (!at_end() && (out.size() < kInsertBytes || !bad_.indices.empty())) {
    const Record& current = record();
    const ShapePlan& plan = target_.mapping->plan(batch(), *current.shape);
    size_t before = out.size();
    if (any) out.append(',');
    bool good = append_row(out, plan, current);
    if (!good || !bad_.indices.empty()) {
      out.cut(before);
    } else {
      any = true;
    }
    advance();
  }
  if (!bad_.indices.empty()) return false;
  out.append(';');
  if (at_end()) {
    complete_ = true;
    out.append(last_);
  }
  sql = out.view();
  return true;
}

// --- rows ---------------------------------------------------------------------------------------

// All that are bad for the same reason are found in one go. A record that is bad for another reason
// is found in the next attempt.
void Rows::spoil(std::string reason) {
  if (bad_.indices.empty())
    bad_.reason = std::move(reason);
  else if (bad_.reason != reason)
    return;
  bad_.indices.push_back(index_);
}

bool Rows::append_row(Buffer& out, const ShapePlan& plan, const Record& record) {
  if (target_.config->reject_unknown && !plan.unknown.empty()) {
    for (int field : plan.unknown) {
      if (record.value(static_cast<size_t>(field)).type == Type::kAbsent) continue;
      spoil("field " + excerpt(plan.shape->name(static_cast<size_t>(field))) +
            " has no column of table " + excerpt(target_.layout.name));
      return false;
    }
  }
  static const Value kAbsent = Value::absent();
  if (binary_) out.append_int16(static_cast<int16_t>(run_.size() + (staged() ? 1 : 0)));
  if (insert_) out.append('(');
  bool first = true;
  bool any_value = false;
  for (int i : run_) {
    const Column& column = target_.layout.columns[static_cast<size_t>(i)];
    int field = plan.field_of[static_cast<size_t>(i)];
    const Value& value = field < 0 ? kAbsent : record.value(static_cast<size_t>(field));
    any_value = any_value || value.type != Type::kAbsent;
    Misfit misfit = Misfit::kNone;
    if (value.type == Type::kNull || value.type == Type::kAbsent) {
      bool default_instead = insert_ && value.type == Type::kAbsent && column.has_default;
      bool key = in_key_[static_cast<size_t>(i)] && target_.config->mode == WriteMode::kUpsert;
      if (key || (nulls_matter() && column.not_null && !default_instead)) misfit = Misfit::kNull;
      if (key) {
        spoil("key column " + excerpt(column.name) + ": the field is " +
              (value.type == Type::kNull ? "null" : "absent"));
        return false;
      }
    }
    if (misfit == Misfit::kNone) {
      if (!binary_ && !std::exchange(first, false)) out.append(insert_ ? ',' : '\t');
      misfit = binary_   ? encoder_.append_binary(out, column, value)
               : insert_ ? append_literal(out, column, value)
                         : append_field(out, column, value);
    }
    if (misfit == Misfit::kNone) continue;
    spoil(reason_of(misfit, value, Mapping::field_name(plan, static_cast<size_t>(i)), column));
    return false;
  }
  if (!any_value) {
    spoil("none of the record's fields has a column of table " + excerpt(target_.layout.name));
    return false;
  }
  if (staged()) {
    if (binary_) {
      out.append_int32(8);
      out.append_int64(index_);
    } else {
      if (!first) out.append('\t');
      out.append(std::to_string(index_));
    }
  }
  if (!binary_) out.append(insert_ ? ')' : '\n');
  return true;
}

// https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2, text format.
Misfit Rows::append_field(Buffer& out, const Column& column, const Value& value) {
  std::string_view text;
  bool null = false;
  Misfit misfit = encoder_.text_form(column, value, text, null);
  if (misfit != Misfit::kNone) return misfit;
  if (null) {
    out.append("\\N");
    return misfit;
  }
  char* at = out.room(2 * text.size());
  char* start = at;
  for (char c : text) {
    switch (c) {
      case '\\':
      case '\t':
      case '\n':
      case '\r':
        *at++ = '\\';
        *at++ = c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c;
        break;
      default:
        *at++ = c;
    }
  }
  out.take(static_cast<size_t>(at - start));
  return misfit;
}

Misfit Rows::append_literal(Buffer& out, const Column& column, const Value& value) {
  if (value.type == Type::kAbsent) {
    out.append("DEFAULT");
    return Misfit::kNone;
  }
  std::string_view text;
  bool null = false;
  Misfit misfit = encoder_.text_form(column, value, text, null);
  if (misfit != Misfit::kNone) return misfit;
  if (null) {
    out.append("NULL");
  } else {
    out.append(quoted_text(text));
  }
  return misfit;
}

std::vector<std::string> unknown_fields(Mapping& mapping, const Delivery& delivery) {
  std::vector<std::string> names;
  const Shape* shape = nullptr;
  std::vector<int> left;  // unknown fields of `shape` that no record so far has had a value for
  for (const Part& part : delivery.parts) {
    for (uint32_t i = 0; i < part.count; ++i) {
      const Record& record = part.batch->records[part.first + i];
      if (record.shape != std::exchange(shape, record.shape))
        left = mapping.plan(*part.batch, *record.shape).unknown;
      std::erase_if(left, [&record, &names](int field) {
        if (record.value(static_cast<size_t>(field)).type == Type::kAbsent) return false;
        std::string name(record.shape->name(static_cast<size_t>(field)));
        if (std::find(names.begin(), names.end(), name) == names.end())
          names.push_back(std::move(name));
        return true;
      });
    }
  }
  return names;
}

}  // namespace leat::postgres
