// `map`: sets, renames and drops fields. Values that are not computed are moved as they are, 16
// bytes each, so a number keeps its exact text.
#include <algorithm>

#include "base/text.h"
#include "transform/map_plan.h"
#include "transform/map_rules.h"
#include "transform/number_comparisons.h"
#include "transform/on_error.h"
#include "transform/sql_value.h"
#include "transform/types.h"

namespace leat {
namespace {

using From = ValueSource::From;

class MapTransform final : public Transform {
 public:
  MapTransform(const Options& options, MapProgram program)
      : program_(std::move(program)), on_error_(options, "map"), path_(options.path("set")) {
    for (const auto& [name, expression] : options.map("set"))
      comparisons_.emplace_back(expression, path_ + "." + name);
  }

  Status run(BatchRef& batch, DeadLetters& dead) override {
    std::vector<Record>& records = batch->records;
    if (records.empty()) return {};
    begin(*batch);
    size_t kept = 0;
    size_t next = records.size();  // that this turn does not come to
    const size_t made_before = batch->made;
    auto stop_behind = [&, this](size_t row) {
      if (!batch->may_cut(row + 1)) return;
      next = row + 1;
      if (program_.engine) program_.engine->stop_scan();
    };
    auto give_up = [&, this](size_t row, const std::string& reason) {
      Status status = on_error_.record_failed(*batch, row, reason, dead, dropped_);
      // What a limit has ended fails as a whole: it is not begun anew.
      bool limit = program_.engine && program_.engine->sandbox().limit_reached();
      if (!limit && dead.full()) stop_behind(row);
      return status;
    };
    auto apply = [&, this](size_t row) -> Status {
      Record record = records[row];
      if (!set_event_time(*batch, record)) return give_up(row, std::string(kNoEventTime));
      rebuild(*batch, record);
      records[kept++] = record;
      if (batch->made - made_before >= batch->quantum) stop_behind(row);
      return {};
    };
    Status status = program_.statement ? evaluate(*batch, apply, give_up) : each(next, apply);
    if (!status) return status;
    plans_.trim(*batch);
    // Where records were lost before it, the last kept one lies before where this turn ends.
    if (next < records.size()) batch->leave_records(next);
    records.resize(kept);
    return {};
  }

  size_t held() const override {
    return plans_.held() + (program_.engine ? program_.engine->table().held() : 0);
  }

 private:
  // What is known about the records of one shape.
  struct Plan {
    MapPlan map;
    ValueSource event_time;
    uint64_t adopted_in = 0;  // number of the batch that keeps map.shape alive

    size_t heap_bytes() const {
      return map.shape->footprint() + heap_bytes_of(map.slots) + heap_bytes_of(map.set);
    }
  };

  void begin(Batch& batch) {
    ++batch_number_;
    constants_.clear();
    for (const MapProgram::Constant& constant : program_.constants) {
      Value value = constant.value;
      // Once per batch, whose records then share the text.
      if (value.is_text()) value.text = batch.arena.copy(constant.text).data();
      constants_.push_back(value);
    }
  }

  template <typename Apply>
  static Status each(const size_t& end, Apply& apply) {
    for (size_t row = 0; row < end; ++row)
      if (Status status = apply(row); !status) return status;
    return {};
  }

  template <typename Apply, typename GiveUp>
  Status evaluate(Batch& batch, Apply& apply, GiveUp& give_up) {
    sqlite3_stmt* statement = program_.statement.get();
    auto on_row = [&, this](size_t row) -> Status {
      for (size_t i = 0; i < computed_.size(); ++i) {
        Result<Value> value =
            read_result(sqlite3_column_value(statement, static_cast<int>(i)), batch.arena);
        if (!value) return give_up(row, value.error().message());
        computed_[i] = *value;
      }
      return apply(row);
    };
    computed_.resize(static_cast<size_t>(sqlite3_column_count(statement)));
    Status status = program_.engine->scan(statement, batch, on_row, give_up);
    program_.engine->report_unseen_columns(path_);
    for (NumberComparisons& one : comparisons_) one.report(program_.engine->table());
    return status;
  }

  Plan& plan_for(const Batch& batch, const Record& record) {
    return plans_.get(batch, record.shape, [this](const Shape& shape) {
      Plan plan;
      plan.map = plan_map(program_.rules, shape);
      if (program_.event_time) plan.event_time = resolve(*program_.event_time, shape);
      return plan;
    });
  }

  // False when the expression gave something that is no time. NULL leaves it as it is.
  bool set_event_time(const Batch& batch, Record& record) {
    if (!program_.event_time) return true;
    Value value = value_of(plan_for(batch, record).event_time, record.values, record);
    if (value.type == Type::kAbsent || value.type == Type::kNull) return true;
    std::optional<int64_t> time_us = event_time_of(value);
    if (time_us) record.time_us = *time_us;
    return time_us.has_value();
  }

  // Makes `record` what the plan says. Its old values may be overwritten, unless others see them.
  void rebuild(Batch& batch, Record& record) {
    Plan& plan = plan_for(batch, record);
    const MapPlan& map = plan.map;
    const Value* from = record.values;
    Value* to = record.values;
    size_t first = map.first_changed;
    if (!map.in_place || batch.borrows()) {
      to = batch.arena.array<Value>(map.slots.size());
      std::copy(from, from + first, to);
    } else if (map.needs_copy) {
      original_.assign(from, from + record.shape->size());
      from = original_.data();
    }
    for (size_t i = first; i < map.slots.size(); ++i) {
      const MapPlan::Slot& slot = map.slots[i];
      Value value = value_of(slot.source, from, record);
      if (slot.otherwise && value.type == Type::kAbsent)
        value = value_of(*slot.otherwise, from, record);
      to[i] = value;
    }
    for (uint32_t slot : map.set) batch.made += to[slot].is_text() ? to[slot].size : 0;
    record.values = to;
    record.shape = map.shape.get();
    if (plan.adopted_in != batch_number_) {
      batch.adopt(map.shape);
      plan.adopted_in = batch_number_;
    }
  }

  Value value_of(const ValueSource& source, const Value* fields, const Record& record) const {
    switch (source.from) {
      case From::kField:
        return fields[source.index];
      case From::kConstant:
        return constants_[source.index];
      case From::kComputed:
        return computed_[source.index];
      case From::kEventTime:
        return Value::of_time(record.time_us);
      case From::kNothing:
        break;
    }
    return Value::absent();
  }

  MapProgram program_;
  OnError on_error_;
  std::string path_;
  std::vector<NumberComparisons> comparisons_;  // of each `set`
  ShapeCache<Plan> plans_;
  uint64_t batch_number_ = 0;
  std::vector<Value> constants_;  // their text is in the batch's arena
  std::vector<Value> computed_;   // of the record at hand
  std::vector<Value> original_;
};

constexpr Option kOptions[] = {
    {.name = "set",
     .type = OptionType::kMap,
     .help = "Fields to add or replace, each with an SQL expression over the original fields "
             "({\"tempF\": \"temp * 1.8 + 32\"}). A field name alone copies the value exactly; "
             "\"_time\" sets the event time.",
     .example = "{\"tempF\": \"temp * 1.8 + 32\"}"},
    {.name = "rename",
     .type = OptionType::kMap,
     .help = "Fields to rename, old name to new name, after `set`. A field that had the new name "
             "before is replaced."},
    {.name = "drop", .type = OptionType::kStrings, .help = "Fields to leave out, after `rename`."},
    kOnErrorOption,
    kMaxStepsOption};

Result<std::unique_ptr<Transform>> make(const Options& options) {
  auto program = make_map_program(options);
  if (!program) return fail(program.error());
  return std::make_unique<MapTransform>(options, std::move(*program));
}

}  // namespace

const TransformType kMapTransform{
    .name = "map",
    .help = "Sets, renames and drops fields; all others stay exactly as they are.",
    .options = kOptions,
    .make = make,
    .parallel = [](const Options&) { return true; }};

}  // namespace leat
