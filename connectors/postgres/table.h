// The user's table: looked at, created, given further columns, and the staging table beside it;
// until it is what a delivery needs.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "connectors/postgres/mapping.h"
#include "connectors/postgres/rows.h"
#include "connectors/postgres/session.h"
#include "connectors/postgres/step.h"
#include "connectors/postgres/widening.h"

namespace leat::postgres {

struct TableConfig {
  TableName name;
  MappingConfig mapping;
  std::string merge_sql;
};

class Table {
 public:
  // All outlive this; `shown`, the server's name, and `pipeline` are for the log.
  Table(const TableConfig& config, Session& session, const std::string& shown,
        const std::string& pipeline)
      : config_(config), session_(session), shown_(shown), pipeline_(pipeline) {}

  // For a delivery that is new: each thing is tried once for it.
  void begin_delivery() { created_ = widened_ = false; }
  bool ready_for(const Delivery& delivery);
  // A step on the way to it.
  void prepare(const Delivery& delivery, StepEnd end);
  // Whether values of the delivery that do not fit would fit wider columns (widening.h).
  bool can_widen(const Delivery& delivery, FieldText& text);
  // Makes them so. `refused`: the server does not want to; they are not asked for again.
  void widen(StepEnd end, std::function<void()> refused);
  // It may have changed.
  void forget();
  // Whether it still has the columns it had when it was looked at.
  void compare(std::function<void(bool same)> then);

  // When it is ready.
  Target& target() { return *target_; }
  bool known() const { return target_.has_value(); }
  // Fields that are left out: once for each name.
  void tell_unknown_fields(const Delivery& delivery);

 private:
  void look(const Delivery& delivery, StepEnd end);
  void looked(const Delivery& delivery, const Reply& reply, StepEnd end);
  void create(const Delivery& delivery, StepEnd end);
  void add_columns(const Delivery& delivery, StepEnd end);
  // SQL made from the delivery's records, which are rejected when it is refused for them.
  void alter(StepEnd end, std::function<void()> refused);
  void define(const std::string& sql, StepEnd end, std::function<void()> then);

  const TableConfig& config_;
  Session& session_;
  const std::string& shown_;
  const std::string& pipeline_;
  std::optional<Target> target_;
  std::optional<Mapping> mapping_;
  uint64_t staging_in_ = 0;  // the session that has the staging table
  bool created_ = false;
  bool widened_ = false;
  std::vector<Widening> widenings_;
  std::map<std::string, Hashes> others_;  // widenings_for()
  std::set<std::string> stay_;            // columns that the server did not want to widen
  std::set<std::string> told_unknown_;
};

// A rejection of the whole delivery, for one reason.
Answer all_rejected(const Delivery& delivery, std::string reason);

}  // namespace leat::postgres
