// A job whose tasks the agents of a group share: what is exclusive, reads several `tables` and
// ends, without a schedule. Each name in `tables` is one, and a pipeline of its own by the name
// "JOB~TABLE", on one agent at a time as what is exclusive is. preSql and postSql of its sink are
// the first and the last task.
//
// Thread: any.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/pipeline_config.h"

namespace leat {

struct SharedJob {
  std::string first;  // "": there is nothing to be done before the others
  std::string last;   // nor behind them
  std::vector<std::string> tasks;
  size_t at_once = 1;  // on each agent
};

bool is_shared(const PipelineConfig& config);
SharedJob shared_job(const PipelineConfig& config);
// It is one that only runs preSql or postSql: it has no position.
bool only_sql(const std::string& task);
// What of a table's name the name of a task has.
std::string task_text(const std::string& table);
// Of one of its tasks; none: it has none of that name.
std::optional<PipelineConfig> task_config(const PipelineConfig& job, const std::string& task);

}  // namespace leat
