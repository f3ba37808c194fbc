// Where the tasks of the last run of each job are in the journal: positions of the pipeline
// ":tasks", which none can be called. Partition the pipeline's name; value the job as `leat tasks`
// shows it, a JSON object with "name", "run", and then "waiting", "running", "done", "failed" in
// this order, and "tasks". What runs in it, and not in any agent, was cut short.
#pragma once

#include <string_view>

namespace leat {

inline constexpr std::string_view kTasksPipeline = ":tasks";

}  // namespace leat
