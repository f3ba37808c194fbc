#include "control/tasks_json.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/time_format.h"
#include "control/json_text.h"
#include "tools/task_rows.h"

namespace leat {
namespace {

// As the group has them: by whom each is read, too.
Json json_of_shared(const PipelineSnapshot& pipeline) {
  constexpr const char* kSharedStates[] = {"waiting", "running", "reassigning", "done", "failed"};
  Json job = json_object();
  cJSON_AddStringToObject(job.get(), "name", pipeline.name.c_str());
  uint64_t counts[std::size(kSharedStates)] = {};
  for (const SharedTask& task : pipeline.shared_tasks) ++counts[static_cast<size_t>(task.state)];
  for (size_t i = 0; i < std::size(kSharedStates); ++i) add(job.get(), kSharedStates[i], counts[i]);
  cJSON* shown = cJSON_AddArrayToObject(job.get(), "tasks");
  for (const SharedTask& task : pipeline.shared_tasks) {
    cJSON* out = cJSON_CreateObject();
    cJSON_AddItemToArray(shown, out);
    cJSON_AddStringToObject(out, "name", task.name.substr(pipeline.name.size() + 1).c_str());
    cJSON_AddStringToObject(out, "state", kSharedStates[static_cast<size_t>(task.state)]);
    add(out, "records", task.records);
    add(out, "bytes", task.bytes);
    add_text(out, "reason", task.reason);
    add_text(out, "agent", task.agent);
  }
  return job;
}

Json json_of_job(const std::string& pipeline, uint64_t run, const SourceTasks& tasks) {
  constexpr const char* kTaskStates[SourceTask::kStates] = {"waiting", "running", "done", "failed"};
  Json job = json_object();
  cJSON_AddStringToObject(job.get(), "name", pipeline.c_str());
  if (kTaskHistory && run != 0) add(job.get(), "run", run);
  for (size_t i = 0; i < SourceTask::kStates; ++i) add(job.get(), kTaskStates[i], tasks.counts[i]);
  cJSON* shown = cJSON_AddArrayToObject(job.get(), "tasks");
  for (const SourceTask& task : tasks.shown) {
    cJSON* out = cJSON_CreateObject();
    cJSON_AddItemToArray(shown, out);
    cJSON_AddStringToObject(out, "name", task.name.c_str());
    cJSON_AddStringToObject(out, "state", kTaskStates[static_cast<size_t>(task.state)]);
    add(out, "records", task.records);
    add(out, "bytes", task.bytes);
    if (task.started_us != 0) add_text(out, "started", rfc3339(task.started_us));
    if (task.ended_us != 0) add_text(out, "ended", rfc3339(task.ended_us));
    add_text(out, "reason", task.reason);
  }
  return job;
}

}  // namespace

std::string job_json(const PipelineSnapshot& one) {
  if (kCluster && !one.shared_tasks.empty()) return printed(json_of_shared(one).get());
  if (one.counters.source_tasks.none()) return "";
  return printed(json_of_job(one.name, one.run, one.counters.source_tasks).get());
}

#ifdef LEAT_TASK_HISTORY
namespace {

void store_job(JournalClient& journal, const std::string& pipeline, std::string job) {
  journal.commit(std::string(kTasksPipeline), {{pipeline, std::move(job)}}, [](const Status&) {});
}

// What is worth a look stays.
template <class Task, class Presses>
void cut_to_kept(std::vector<Task>& tasks, Presses presses) {
  if (tasks.size() <= kKeptTasks) return;
  std::stable_partition(tasks.begin(), tasks.end(), presses);
  tasks.resize(kKeptTasks);
}

}  // namespace

void keep_tasks(JournalClient& journal, const std::string& pipeline, uint64_t run,
                const SourceTasks& tasks) {
  using State = SourceTask::State;
  SourceTasks kept = tasks;
  cut_to_kept(kept.shown, [](const SourceTask& one) {
    return one.state == State::kFailed || one.state == State::kRunning;
  });
  store_job(journal, pipeline, printed(json_of_job(pipeline, run, kept).get()));
}

void keep_tasks(JournalClient& journal, const PipelineSnapshot& job) {
  PipelineSnapshot kept = job;
  cut_to_kept(kept.shared_tasks,
              [](const SharedTask& one) { return one.state == SharedTask::State::kFailed; });
  store_job(journal, job.name, printed(json_of_shared(kept).get()));
}
#else
std::string tasks_json(const Snapshot& snapshot, const std::string& pipeline) {
  std::string out;
  for (const PipelineSnapshot& one : snapshot.pipelines)
    if (pipeline.empty() || one.name == pipeline)
      if (const std::string job = job_json(one); !job.empty())
        out += (out.empty() ? "" : ",") + job;
  return "{\"pipelines\":[" + out + "]}";
}

void keep_tasks(JournalClient& /*journal*/, const std::string& /*pipeline*/, uint64_t /*run*/,
                const SourceTasks& /*tasks*/) {}
void keep_tasks(JournalClient& /*journal*/, const PipelineSnapshot& /*job*/) {}
#endif

}  // namespace leat
