// A job whose tasks the agents of a group share: what is exclusive, ends, and reads several
// `tables`, or one in ranges (`split`). Each table or range is a task, and a pipeline of its own by
// the name "JOB~TABLE" ("JOB~TABLE.3"), on one agent at a time as what is exclusive is. preSql and
// postSql of its sink are the first and the last task.
//
// Which tables a pattern means, and where ranges end, is found out once in a run, by a task before
// all others: what it has noted (StageShare::Part::kAsks) stands in the rows of the group, and all
// agents work on the same.
//
// With a schedule it is run again and again. Whoever has the lease of the job itself opens each run
// and says when it is over; a row of the group ("JOB~(run)") says that one is open, and which.
//
// Thread: any.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/pipeline_config.h"
#include "record/position.h"

namespace leat {

// What was found out for a run.
struct SharedPlan {
  std::vector<std::string> tasks;    // as StageShare has them
  std::vector<SavedPosition> noted;  // what belongs to them

  // Of what the asking task has noted, without orders; nothing where that is not all there is.
  static std::optional<SharedPlan> of(std::vector<SavedPosition> noted);
};

struct SharedJob {
  std::string asks;   // "": nothing is to be found out
  std::string first;  // "": there is nothing to be done before the others
  std::string last;   // nor behind them
  std::vector<std::string> tasks;
  size_t at_once = 1;  // on each agent
};

bool is_shared(const PipelineConfig& config);
// `plan`: null while it is not known; then there are no tasks where one is needed.
SharedJob shared_job(const PipelineConfig& config, const SharedPlan* plan);
// The name of what says that a run is open.
std::string run_of(const std::string& job);
// It is one that only runs preSql or postSql: it has no position.
bool only_sql(const std::string& task);
// It finds out what there is to do.
bool only_asks(const std::string& task);
// A table's name as the name of a task has it: it is part of names of files and of rows, so all but
// ASCII letters, digits, `.`, `-` and `_` are written as `=` and two hexadecimal digits for each
// byte. Two tables never have the same.
std::string task_text(const std::string& table);
// Of one of its tasks; none: it has none of that name.
std::optional<PipelineConfig> task_config(const PipelineConfig& job, const SharedPlan* plan,
                                          const std::string& task);

}  // namespace leat
