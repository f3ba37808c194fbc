#include "connectors/postgres/rows.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "connectors/postgres/statements.h"

namespace leat::postgres {
namespace {

constexpr size_t kPiece = 64 * 1024;
constexpr size_t kInsertBytes = 256 * 1024;

}  // namespace

bool Target::staged() const {
  return config->mode == WriteMode::kUpsert || config->mode == WriteMode::kMerge;
}

bool Target::numbered() const {
  return config->mode == WriteMode::kUpsert ||
         (config->mode == WriteMode::kMerge && names_row_number(merge_sql));
}

std::string Target::relation_in_errors() const {
  return staged() ? std::string(kStaging) : layout.name;
}

Rows::Rows(const Target& target, FieldText& text, const Delivery& delivery, std::string first,
           std::string after_copy, std::string last)
    : target_(target),
      text_(text),
      delivery_(delivery),
      first_(std::move(first)),
      after_copy_(std::move(after_copy)),
      last_(std::move(last)),
      used_(target.layout.columns.size()),
      in_key_(target.layout.columns.size()),
      insert_(target.config->mode == WriteMode::kInsert),
      format_(insert_ ? kInsertRow : kCopyRow),
      numbered_(target.numbered()) {
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
  }
  while (!at_end() && delivery_.parts[part_].count == 0) ++part_;
  if (fit_as_they_are()) {
    pass_ = rows_of(delivery);
  } else {
    open_rows(delivery);
  }
}

// Every field goes into a column of just its type; and what could make a single record bad is left
// to the server to find, which then refuses all of them.
bool Rows::fit_as_they_are() {
  const BinaryRows* sent = rows_of(delivery_);
  if (sent == nullptr || at_end() || insert_ || missing_ != nullptr) return false;
  const ShapePlan& plan = target_.mapping->plan(batch(), *record().shape);
  run_.assign(sent->fields().size(), -1);
  for (size_t i = 0; i < plan.field_of.size(); ++i) {
    const Column& column = target_.layout.columns[i];
    // Where a null is a key, a record is bad, and no constraint says so.
    if (target_.config->mode == WriteMode::kUpsert && in_key_[i] && !column.not_null) return false;
    if (plan.field_of[i] < 0) continue;
    const auto field = static_cast<size_t>(plan.field_of[i]);
    if (column.type != sent->fields()[field].type) return false;
    run_[field] = static_cast<int>(i);
  }
  return std::ranges::find(run_, -1) == run_.end();
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
  if (pass_ != nullptr) return;
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
  return copy_sql(target_.staged() ? "" : target_.table, target_.layout, run_, numbered_,
                  pass_ != nullptr);
}

// What follows a COPY: its rows go on from the staging table, and the next run or the end.
std::string Rows::end_of_run() {
  std::string sql = after_copy_;
  if (target_.config->mode == WriteMode::kUpsert)
    sql += upsert_sql(target_.table, target_.layout, run_, target_.config->key) + ";";
  if (at_end()) {
    complete_ = true;
    if (target_.config->mode == WriteMode::kMerge) sql += target_.merge_sql + "\n;";
    return sql + layout_check_sql(target_.layout, used_) + ";" + last_;
  }
  if (target_.config->mode == WriteMode::kUpsert)
    sql += "TRUNCATE pg_temp." + std::string(kStaging) + ";";
  return sql + "SET LOCAL statement_timeout = 0;" + run_sql();
}

CopySource::Piece Rows::next_of_source(Buffer& out) {
  const size_t start = out.size();
  if (!std::exchange(begun_, true)) out.append(kCopyHeader);
  const auto count = static_cast<int16_t>(run_.size() + (numbered_ ? 1 : 0));
  for (; !at_end() && out.size() - start < kPiece; advance()) {
    const Part& part = delivery_.parts[part_];
    const Slice& row = part.batch->slices[part.first + in_part_];
    out.append_int16(count);
    out.append(row.view().substr(sizeof count));
    if (!numbered_) continue;
    out.append_int32(sizeof(int64_t));
    out.append_int64(index_);
  }
  if (!at_end()) return {};
  out.append(kCopyTrailer);
  return {Piece::Kind::kEnd, end_of_run(), false};
}

CopySource::Piece Rows::next(Buffer& out) {
  if (pass_ != nullptr) return next_of_source(out);
  begun_ = true;
  const size_t start = out.size();
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
    out.append(layout_check_sql(target_.layout, used_) + ";" + last_);
  }
  sql = out.view();
  return true;
}

// --- rows ---------------------------------------------------------------------------------------

// All that are bad for the same reason are found in one go. A record that is bad for another reason
// is found in the next attempt.
bool Rows::spoil(std::string reason) {
  if (bad_.indices.empty())
    bad_.reason = std::move(reason);
  else if (bad_.reason != reason)
    return false;
  bad_.indices.push_back(index_);
  return false;
}

// Whether the column may get a null, or nothing, from this record.
bool Rows::takes_null(size_t index, Type type) const {
  const Column& column = target_.layout.columns[index];
  bool has_key = target_.config->mode == WriteMode::kUpsert && in_key_[index];
  bool default_instead = insert_ && type == Type::kAbsent && column.has_default;
  return !has_key && (!column.not_null || default_instead || !nulls_matter());
}

bool Rows::has_left_out(const ShapePlan& plan, const Record& record) const {
  return std::any_of(plan.unknown.begin(), plan.unknown.end(), [&](int field) {
    return target_.mapping->may_leave_out(record.value(static_cast<size_t>(field)).type);
  });
}

ConversionError Rows::append_value(Buffer& out, size_t index, const Value& value) {
  if (value.type == Type::kNull || value.type == Type::kAbsent) {
    if (!takes_null(index, value.type)) return ConversionError::kNull;
    out.append(value.type == Type::kNull ? format_.null : format_.absent);
    return ConversionError::kNone;
  }
  std::string_view text;
  ConversionError error = text_.of(target_.layout.columns[index], value, text);
  if (error == ConversionError::kNone) format_.append(out, text);
  return error;
}

std::string Rows::no_columns() const {
  return (target_.config->by_position
              ? "the record has more or fewer fields than there are columns in table "
              : "none of the record's fields has a column of table ") +
         excerpt(target_.layout.name);
}

bool Rows::append_row(Buffer& out, const ShapePlan& plan, const Record& record) {
  if (!plan.fits) return spoil(no_columns());
  if (target_.config->reject_unknown)
    for (int field : plan.unknown)
      if (record.value(static_cast<size_t>(field)).type != Type::kAbsent)
        return spoil("field " + excerpt(plan.shape->name(static_cast<size_t>(field))) +
                     " has no column of table " + excerpt(target_.layout.name));
  static const Value kAbsent = Value::absent();
  bool any_value = false;
  std::string_view before = format_.begin;
  for (int i : run_) {
    auto index = static_cast<size_t>(i);
    int field = plan.field_of[index];
    const Value& value = field < 0 ? kAbsent : record.value(static_cast<size_t>(field));
    any_value = any_value || value.type != Type::kAbsent;
    out.append(std::exchange(before, format_.between));
    ConversionError error = append_value(out, index, value);
    if (error == ConversionError::kNone) continue;
    const Column& column = target_.layout.columns[index];
    if (error == ConversionError::kNull && in_key_[index] &&
        target_.config->mode == WriteMode::kUpsert)
      return spoil("key column " + excerpt(column.name) + ": the field is " +
                   (value.type == Type::kNull ? "null" : "absent"));
    return spoil(reason_of(error, value, Mapping::field_name(plan, index), column));
  }
  if (!any_value && !has_left_out(plan, record)) return spoil(no_columns());
  if (numbered_) {
    out.append(format_.between);
    format_.append(out, std::to_string(index_));
  }
  out.append(format_.end);
  return true;
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
      std::erase_if(left, [&](int field) {
        const Type type = record.value(static_cast<size_t>(field)).type;
        if (type == Type::kAbsent || mapping.may_leave_out(type)) return false;
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
