#include "transform/sql_query.h"

#include <algorithm>

#include "base/text.h"
#include "base/time_format.h"
#include "base/units.h"
#include "codec/text/json_scanner.h"
#include "options/option_errors.h"
#include "transform/sql_value.h"

namespace leat {
namespace {

// What the rows of one batch may take: a join that multiplies its rows must not eat the machine.
constexpr size_t kMaxResult = 8 << 20;

int64_t latest(const Batch& batch, size_t from, size_t to) {
  int64_t time_us = batch.records[from].time_us;
  for (size_t i = from + 1; i < to; ++i) time_us = std::max(time_us, batch.records[i].time_us);
  return time_us;
}

// A value that SQL gave back may be that of such a field. In a UNION it need not be: SQLite names a
// column after the first SELECT, and the rows of the others are anything.
bool can_be(Type type, const Value& value) {
  if (type == Type::kJson) {
    Result<Value> json =
        value.type == Type::kString ? value_of_json(value.view()) : Result<Value>();
    return json && json->type == Type::kJson;
  }
  if (value.type != Type::kInteger) return false;
  return type == Type::kBool ? value.integer == 0 || value.integer == 1
                             : can_be_written(value.integer);
}

}  // namespace

Result<std::unique_ptr<SqlQuery>> SqlQuery::make(std::string query, std::string path,
                                                 int64_t max_steps) {
  auto engine = SqlEngine::open(SqlEngine::Scope::kBatch, max_steps);
  if (!engine) return fail(engine.error());
  std::unique_ptr<SqlQuery> made(
      new SqlQuery(std::move(query), std::move(path), std::move(*engine)));
  Result<bool> star = made->engine_->has_star(made->text());
  if (!star) return fail(star.error());
  made->star_ = *star;
  if (Status status = made->prepare(); !status) return fail(status.error());
  if (!made->engine_->sandbox().usage().table)
    return fail_option(made->path_, "the query does not read from input");
  Status status = made->engine_->dry_run(made->statement_.get(), made->path_);
  if (!status) return fail(status.error());
  return made;
}

Status SqlQuery::prepare() {
  statement_.reset();
  auto statement = engine_->prepare(text());
  if (!statement) return fail(statement.error());
  outputs_.clear();
  std::vector<std::string_view> names;
  bool has_event_time = false;
  for (int i = 0; i < sqlite3_column_count(statement->get()); ++i) {
    std::string_view name = sqlite3_column_name(statement->get(), i);
    Output output{.plain_column = InputTable::plain_column(statement->get(), i)};
    output.event_time = name == InputTable::kEventTimeColumn;
    outputs_.push_back(output);
    bool twice = output.event_time ? std::exchange(has_event_time, true)
                                   : std::find(names.begin(), names.end(), name) != names.end();
    if (twice)
      return fail_option(path_, "two columns of the result are named " + json_quoted(name) +
                                    "; rename one with AS");
    if (!output.event_time) names.push_back(name);
  }
  shape_ = std::make_shared<const Shape>(names);
  statement_ = std::move(*statement);
  return {};
}

Status SqlQuery::follow_fields(const Batch& batch) {
  if (!star_) return {};
  if (!engine_->table().show_fields_of(batch) && statement_) return {};
  statement_.reset();
  engine_->columns_changed();
  return prepare();
}

Result<BatchRef> SqlQuery::run(Batch& in, size_t from, size_t to) {
  BatchRef out = BatchRef::make(in.pool(), Content::kRecords);
  out->begin = in.begin;
  out->end = in.end;
  out->arrival_us = in.arrival_us;
  out->adopt(shape_);
  engine_->table().show(in, from, to);
  too_large_ = false;
  most_ = most(in, to - from);
  Status status = collect(*out, latest(in, from, to));
  if (status) restore_types(*out);
  size_t read = static_cast<size_t>(in.end.offset - in.begin.offset);
  out->made = std::max(out->arena.footprint(), read) - read;
  engine_->table().hide();
  if (!status) return fail(status.error());
  return out;
}

Status SqlQuery::collect(Batch& out, int64_t default_time_us) {
  Status status;
  int code;
  while ((code = sqlite3_step(statement_.get())) == SQLITE_ROW) {
    status = read_row(out, default_time_us);
    if (!status) break;
  }
  std::string reason =
      code == SQLITE_ROW || code == SQLITE_DONE ? "" : engine_->sandbox().error_text();
  sqlite3_reset(statement_.get());
  if (!status || code == SQLITE_DONE) return status;
  if (code == SQLITE_NOMEM) return fail(ErrorKind::kFatal, "out of memory in a query");
  return fail(ErrorKind::kData, reason);
}

Status SqlQuery::read_row(Batch& out, int64_t default_time_us) {
  Record record;
  record.shape = shape_.get();
  record.values = out.arena.array<Value>(shape_->size());
  record.time_us = default_time_us;
  // A row may be made from any record of the batch, so all rows end where the batch ends: that is
  // acknowledged only when the last of them is delivered.
  record.end_offset = static_cast<uint32_t>(out.end.offset - out.begin.offset);
  record.end_line = static_cast<uint32_t>(out.end.line - out.begin.line);
  size_t field = 0;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    sqlite3_value* const result = sqlite3_column_value(statement_.get(), static_cast<int>(i));
    Result<Value> value = read_result(result, out.arena);
    if (!value) return fail(value.error());
    const Type given = outputs_[i].plain_column < 0 ? Type::kAbsent : type_given(result);
    if (given != Type::kAbsent && can_be(given, *value)) value->type = given;
    if (!outputs_[i].event_time) {
      record.values[field++] = *value;
    } else if (std::optional<int64_t> time_us = event_time_of(*value)) {
      record.time_us = *time_us;
    } else if (value->type != Type::kNull) {
      return fail(ErrorKind::kData, std::string(kNoEventTime));
    }
  }
  out.records.push_back(record);
  too_large_ = out.arena.footprint() + out.records.size() * sizeof(Record) > most_;
  if (too_large_)
    return fail(ErrorKind::kData,
                "the result is larger than " + format_bytes(static_cast<int64_t>(most_)));
  return {};
}

// Where the batch can be cut there is no need for much at once.
size_t SqlQuery::most(const Batch& in, size_t records) const {
  if (!in.in_turns() || records == 1) return kMaxResult;
  return std::min(kMaxResult, 4 * in.quantum);
}

bool SqlQuery::too_large() const {
  return too_large_ || engine_->sandbox().memory_limit_reached();
}

// SQL has neither booleans nor times nor, behind a sort, JSON. What a result column shows of an
// input column knows by itself what it was given as (type_given()), but behind a sort: there it has
// the type of what was read of the column, if that was of one such type.
void SqlQuery::restore_types(Batch& out) {
  constexpr uint32_t kNothing =
      InputTable::type_bit(Type::kAbsent) | InputTable::type_bit(Type::kNull);
  size_t field = 0;
  for (const Output& output : outputs_) {
    if (output.event_time) continue;
    size_t at = field++;
    if (output.plain_column < 0) continue;
    uint32_t read =
        engine_->table().types_read(static_cast<size_t>(output.plain_column)) & ~kNothing;
    for (Type type : {Type::kBool, Type::kTime, Type::kJson}) {
      if (read != InputTable::type_bit(type)) continue;
      for (Record& record : out.records)
        if (can_be(type, record.values[at])) record.values[at].type = type;
    }
  }
}

}  // namespace leat
