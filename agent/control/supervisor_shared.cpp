// Jobs whose tasks the agents of a group share (plan/shared_job.h). The job itself is an entry
// that takes tasks and waits for the end of all of them; a task that is taken is an entry of its
// own, as a run that was asked for is, until it has ended.
#include <algorithm>
#include <map>
#include <utility>

#include "base/log.h"
#include "base/units.h"
#include "control/supervisor.h"
#include "plan/shared_job.h"

namespace leat {
namespace {

using State = SharedTask::State;

constexpr size_t kReasonsTold = 3;

std::map<std::string, SharedTask> by_name(const std::vector<SharedTask>& tasks) {
  std::map<std::string, SharedTask> out;
  for (const SharedTask& one : tasks) out[one.name] = one;
  return out;
}

}  // namespace

void Supervisor::begin_job(const std::string& name) {
  Entry& entry = entries_.at(name);
  entry.again.reset();
  entry.failure.clear();
  if (!std::exchange(entry.standby, true)) entry.started_us = setup_.clock.monotonic_us();
  job_goes_on(name);
  setup_.on_change();
}

// What comes first, then all tables, then what comes last; as the group has it.
void Supervisor::job_goes_on(const std::string& name) {
  auto found = entries_.find(name);
  if (stopping_ || found == entries_.end() || !found->second.shared() || !found->second.standby)
    return;
  const SharedJob job = shared_job(*found->second.wanted);
  const auto known = by_name(leases_->tasks(name));
  const auto state_of = [&known](const std::string& task) {
    auto one = known.find(task);
    return one == known.end() ? State::kWaiting : one->second.state;
  };
  size_t failed = 0;
  std::string why;
  const auto is_over = [&](const std::vector<std::string>& tasks) {
    size_t over = 0;
    for (const std::string& one : tasks) {
      const State state = state_of(one);
      over += state == State::kDone || state == State::kFailed ? 1 : 0;
      if (state != State::kFailed) continue;
      if (++failed <= kReasonsTold)
        why += (failed > 1 ? "; " : "") + one.substr(name.size() + 1) + ": " + known.at(one).reason;
    }
    return over == tasks.size();
  };
  for (const auto& [tasks, at_once] : {std::pair(std::vector<std::string>{job.first}, size_t{1}),
                                       std::pair(job.tasks, job.at_once),
                                       std::pair(std::vector<std::string>{job.last}, size_t{1})}) {
    if (tasks.front().empty()) continue;
    if (!is_over(tasks)) return leases_->share(name, tasks, at_once);
    if (failed > 0) break;
  }
  if (failed == 0) return job_is_over(name, {});
  job_is_over(name, fail(ErrorKind::kFatal,
                         std::to_string(failed) + " of " + format_count(job.tasks.size(), "task") +
                             " failed: " + why + (failed > kReasonsTold ? "; …" : "")));
}

void Supervisor::job_is_over(const std::string& name, const Status& status) {
  Entry& entry = entries_.at(name);
  entry.standby = false;
  if (!status) entry.failure = status.error().message();
  entry.shared_tasks = leases_->tasks(name);  // as it is shown until it begins again
  PipelineEnd end{.name = name, .status = status, .counters = entry.last};
  end.counters.records = 0;
  for (const SharedTask& one : leases_->tasks(name)) end.counters.records += one.records;
  end.counters.delivered = end.counters.records;
  end.elapsed = Milliseconds((setup_.clock.monotonic_us() - entry.started_us) / 1000);
  leases_->share(name, {}, 0);
  setup_.on_end(end);
  setup_.on_change();
  check_idle();
}

void Supervisor::end_job(const std::string& name) {
  if (leases_ == nullptr) return;
  leases_->share(name, {}, 0);
  wind_down_runs_of(name, "its job was told to end");
}

// Made with its grant, when it is one of a job that goes on.
Entry* Supervisor::task_entry(const std::string& name) {
  for (auto& [job, entry] : entries_) {
    if (!entry.shared() || !entry.standby || entry.held() || !name.starts_with(job + "~")) continue;
    if (entries_.contains(name)) return nullptr;
    std::optional<PipelineConfig> config = task_config(*entry.wanted, name);
    if (!config) return nullptr;
    const std::string of = job;
    Entry& task = entries_[name];
    task.of = of;
    task.standby = true;
    task.record = history_->begin(of, {}, setup_.clock.unix_us());
    task.wanted = std::make_shared<const PipelineConfig>(std::move(*config));
    share_memory();
    return &task;
  }
  return nullptr;
}

void Supervisor::show_job(const std::string& name, const Entry& entry,
                          PipelineSnapshot& out) const {
  out.shared_tasks = entry.standby ? leases_->tasks(name) : entry.shared_tasks;
  // What runs here is known to the last record.
  for (SharedTask& one : out.shared_tasks) {
    auto here = entries_.find(one.name);
    if (here == entries_.end() || here->second.run == nullptr) continue;
    one.records = here->second.last.records;
    one.bytes = here->second.last.bytes_read;
  }
  if (!entry.standby) return;
  out.bounded = true;
  out.unknown = leases_->in_trouble();
  out.reason = out.unknown ? leases_->why(name) : "";
  if (!out.unknown) out.state = PipelineState::kRunning;
}

}  // namespace leat
