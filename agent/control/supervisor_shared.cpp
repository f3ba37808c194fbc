// Jobs whose tasks the agents of a group share (plan/shared_job.h). The job itself is an entry
// that takes tasks and waits for the end of all of them; a task that is taken is an entry of its
// own, as a run that was asked for is, until it has ended. With a schedule the job does not end:
// between two runs it waits, on all agents.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/units.h"
#include "control/supervisor.h"
#include "control/tasks_json.h"
#include "journal/orders.h"
#include "plan/shared_job.h"

namespace leat {
namespace {

using State = SharedTask::State;

constexpr size_t kReasonsTold = 3;

bool begins_anew(const PipelineConfig& job) {
  const SourceType* source = job.source.type;
  return source->begins_anew != nullptr && source->begins_anew(job.source.options);
}

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
  const bool goes_on = std::exchange(entry.standby, true);
  if (!goes_on) {
    entry.job = {};
    entry.started_us = setup_.clock.monotonic_us();
    if (entry.by_schedule())
      leases_->want(name);  // a run tries all of them
    else
      leases_->retry(name);
  } else if (entry.by_schedule() && leases_->fence(name) != 0) {
    leases_->open_run(name, begins_anew(*entry.wanted));  // it is time, or somebody says so
  }
  job_goes_on(name);
  setup_.on_change();
}

// Whoever has the lease of the job itself opens its runs, by the schedule's state that the group
// has.
void Supervisor::lead_job(const LeaseGrant& grant) {
  const auto known = std::ranges::find(grant.positions, kGroupSchedule, &SavedPosition::partition);
  if (known != grant.positions.end())
    schedules_->take_over(grant.pipeline, known->value, leases_->ahead_us());
  log::info(grant.pipeline, "its runs are started by this agent of the group");
  job_goes_on(grant.pipeline);
  setup_.on_change();
}

// Of a job with a schedule: its tasks are to be done now.
bool Supervisor::run_is_open(const std::string& name, Entry& entry) {
  const std::vector<SharedTask>& known = leases_->tasks(name);
  const auto run = std::ranges::find(known, run_of(name), &SharedTask::name);
  if (run == known.end() || run->state != State::kWaiting) {
    leases_->share(name, {run_of(name)}, 0);
    if (leases_->fence(name) == 0 || entry.again != nullptr) return false;
    if (schedules_->left(*entry.wanted).count() > 0)
      await_its_time(name);
    else
      leases_->open_run(name, begins_anew(*entry.wanted));
    return false;
  }
  if (run->records != entry.job.run) {
    entry.job = {.plan = nullptr, .run = run->records};
    entry.started_us = setup_.clock.monotonic_us();
    log::info(name, "run " + std::to_string(run->records) + " of the group begins");
  }
  entry.again.reset();
  return true;
}

// What was found out stands in the group's database, for all agents alike.
void Supervisor::read_plan(const std::string& name, const std::string& task) {
  leases_->read(task, [this, name, run = entries_.at(name).job.run](auto noted) {
    auto found = entries_.find(name);
    if (found == entries_.end() || !found->second.standby || found->second.job.run != run) return;
    std::erase_if(noted, [](const SavedPosition& one) { return is_order(one.partition); });
    std::optional<SharedPlan> plan = SharedPlan::of(std::move(noted));
    if (!plan)
      return job_is_over(name, fail(ErrorKind::kFatal,
                                    "the database of agent.cluster has not the tasks that were "
                                    "found out for it"));
    log::info(name, "has " + format_count(plan->tasks.size(), "task") + " for the group");
    found->second.job.plan = std::make_shared<const SharedPlan>(std::move(*plan));
    job_goes_on(name);
  });
}

// What comes first, then all tables, then what comes last; as the group has it.
void Supervisor::job_goes_on(const std::string& name) {
  auto found = entries_.find(name);
  if (stopping_ || found == entries_.end() || !found->second.shared() || !found->second.standby)
    return;
  Entry& entry = found->second;
  if (entry.by_schedule() && !run_is_open(name, entry)) return;
  const SharedJob job = shared_job(*entry.wanted, entry.job.plan.get());
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
  for (const auto& [tasks, at_once] : {std::pair(std::vector<std::string>{job.asks}, size_t{1}),
                                       std::pair(std::vector<std::string>{job.first}, size_t{1}),
                                       std::pair(job.tasks, job.at_once),
                                       std::pair(std::vector<std::string>{job.last}, size_t{1})}) {
    if (tasks.empty()) return read_plan(name, job.asks);
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
  const bool again = entry.by_schedule();
  const bool known = again && std::exchange(entry.job.over, true);
  if (known) return close_run_of_job(name);
  if (!again) entry.standby = false;
  entry.failure = status ? "" : status.error().message();
  // As it is shown until it begins again.
  entry.shared_tasks = tasks_of_job(name, entry);
  keep_tasks(main_->journal(), {.name = name, .shared_tasks = entry.shared_tasks});
  PipelineEnd end{.name = name, .status = status, .counters = entry.last};
  end.counters.records = 0;
  for (const SharedTask& one : entry.shared_tasks) end.counters.records += one.records;
  end.counters.delivered = end.counters.records;
  end.elapsed = Milliseconds((setup_.clock.monotonic_us() - entry.started_us) / 1000);
  if (again)
    end.again_in = run_of_job_is_over(name, status, end.elapsed);
  else
    leases_->share(name, {}, 0);
  setup_.on_end(end);
  setup_.on_change();
  check_idle();
}

// When its next run begins is known to the group before this one is over there: so the agent that
// follows when this one is killed in between only says the latter.
Milliseconds Supervisor::run_of_job_is_over(const std::string& name, const Status& status,
                                            Milliseconds elapsed) {
  const PipelineConfig& config = *entries_.at(name).wanted;
  if (leases_->fence(name) == 0) return Milliseconds{0};
  Milliseconds wait = schedules_->left(config);
  if (wait.count() == 0) {  // else somebody has said it, or a run was asked for
    wait = schedules_->ended(config, status, elapsed);
    leases_->save(
        name, {{std::string(kGroupSchedule), schedules_->shared_state(name, leases_->ahead_us())}});
  }
  close_run_of_job(name);
  await_its_time(name);
  return wait;
}

void Supervisor::close_run_of_job(const std::string& name) {
  if (leases_->fence(name) != 0) leases_->close_run(name);
}

void Supervisor::end_job(const std::string& name) {
  if (leases_ == nullptr) return;
  leases_->share(name, {}, 0);
  wind_down_runs_of(name, "its job was told to end");
}

// Without what only says how the run is, and what is of another one.
std::vector<SharedTask> Supervisor::tasks_of_job(const std::string& name,
                                                 const Entry& entry) const {
  std::vector<SharedTask> out = leases_->tasks(name);
  const SharedJob job = shared_job(*entry.wanted, entry.job.plan.get());
  std::set<std::string> known(job.tasks.begin(), job.tasks.end());
  known.insert({job.asks, job.first, job.last});
  std::erase_if(out, [&known](const SharedTask& one) { return !known.contains(one.name); });
  return out;
}

// Made with its grant, when it is one of a job that goes on.
Entry* Supervisor::task_entry(const std::string& name) {
  for (auto& [job, entry] : entries_) {
    if (!entry.shared() || !entry.standby || entry.held() || !name.starts_with(job + "~")) continue;
    if (entries_.contains(name)) return nullptr;
    std::optional<PipelineConfig> config = task_config(*entry.wanted, entry.job.plan.get(), name);
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
  const bool runs =
      entry.standby && (!entry.by_schedule() || (entry.job.run > 0 && !entry.job.over));
  out.shared_tasks = runs ? tasks_of_job(name, entry) : entry.shared_tasks;
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
  if (out.unknown) return;
  if (runs)
    out.state = PipelineState::kRunning;
  else if (leases_->fence(name) == 0)
    out.reason = leases_->why(name);
  else
    out.state = PipelineState::kScheduled;
  if (!runs && !entry.failure.empty()) out.reason = entry.failure;
}

}  // namespace leat
