// The options of `map`, compiled: what each `set` expression is, and the statement for those that
// must be computed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "options/options.h"
#include "record/value.h"
#include "transform/map_plan.h"
#include "transform/sql_engine.h"

namespace leat {

struct MapProgram {
  struct Constant {
    Value value;
    std::string text;  // of the value, when it is text
  };

  MapRules rules;
  std::optional<SetRule> event_time;  // `set` of "_time"
  std::vector<Constant> constants;
  std::unique_ptr<SqlEngine> engine;  // before the statement, which is finalized first
  Statement statement;                // null when nothing is computed
};

Result<MapProgram> make_map_program(const Options& options);

}  // namespace leat
