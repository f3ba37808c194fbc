// The tasks of jobs as JSON: as they go over the wire, and as they are kept.
#pragma once

#include <string>

#include "control/snapshot.h"
#include "journal/journal.h"

namespace leat {

#ifdef LEAT_TASK_HISTORY
inline constexpr bool kTaskHistory = true;
#else
inline constexpr bool kTaskHistory = false;
#endif

// Of the run that goes on or of the last: {"name", "run", "waiting", "running", "done", "failed",
// "tasks": [{"name", "state", "records", "bytes", "reason"}, …]}. "" of one that has none.
std::string job_json(const PipelineSnapshot& one);
// {"pipelines": […]} of these; of all pipelines, or of one. Where the journal has nothing of them.
std::string tasks_json(const Snapshot& snapshot, const std::string& pipeline);

// In the journal, for `leat tasks` (tools/task_rows.h), in the place of what an older run of the
// pipeline has left there. Of many tasks kKeptTasks are kept, those that failed or run before the
// others.
inline constexpr size_t kKeptTasks = 200;
void keep_tasks(JournalClient& journal, const std::string& pipeline, uint64_t run,
                const SourceTasks& tasks);
// Of a job that a group has shared.
void keep_tasks(JournalClient& journal, const PipelineSnapshot& job);

}  // namespace leat
