// The record of each run, and runs that are asked for.
#include <algorithm>
#include <utility>

#include "control/supervisor.h"
#include "control/tasks_json.h"

namespace leat {

// What has told nothing, and is not asked for, leaves no trace: flash pays for one.
bool Supervisor::tells(const Entry& entry, const Run& run, const Status& status,
                       const PipelineStatus& counters) {
  if (run.config()->own) return false;
  const bool again = entry.again_after.has_value();  // it has failed so before
  return !entry.of.empty() || run.noted() || run.bounded() ||
         counters.records + counters.resumed > 0 || (!status && !again);
}

void Supervisor::note_end(const Entry& entry, const Status& status,
                          const PipelineStatus& counters) {
  RunEnd end{.state = "succeeded", .ended_us = setup_.clock.unix_us()};
  if (entry.started_us != 0)
    end.elapsed = Milliseconds((setup_.clock.monotonic_us() - entry.started_us) / 1000);
  const std::string error = status ? "" : status.error().message();
  if (!entry.ending.empty()) {
    end.state = "stopped";
    end.reason = entry.ending + (error.empty() ? "" : ": " + error);
  } else if (!status) {
    end.state = "failed";
    end.reason = error;
  }
  history_->note_end(entry.record, end, counters);
  // One of a shared job is no job itself.
  if (kTaskHistory && !counters.source_tasks.none() && (entry.of.empty() || !entry.exclusive()))
    keep_tasks(main_->journal(), entry.record.pipeline, entry.record.number, counters.source_tasks);
}

#ifdef LEAT_TOOLS
void Supervisor::list_runs(const std::string& pipeline,
                           std::function<void(Result<std::string>)> done) {
  // Which has each run say what it has counted so far.
  snapshot([this, pipeline, done = std::move(done)](const Snapshot& /*now*/) mutable {
    OperationRequest request{.pipeline = pipeline};
    const int64_t now_us = setup_.clock.monotonic_us();
    for (const auto& [name, entry] : entries_) {
      const RunRecord& run = entry.record;
      if (entry.run == nullptr || run.number == 0) continue;
      if (!pipeline.empty() && run.pipeline != pipeline) continue;
      request.live[run_partition(run.pipeline, run.number)] =
          json_of_running(run, Milliseconds((now_us - entry.started_us) / 1000), entry.last);
    }
    work_on_journal(*find_operation("runs"), std::move(request), std::move(done));
  });
}

#ifdef LEAT_TASK_HISTORY
void Supervisor::list_tasks(const std::string& pipeline,
                            std::function<void(Result<std::string>)> done) {
  snapshot([this, pipeline, done = std::move(done)](const Snapshot& now) mutable {
    OperationRequest request{.pipeline = pipeline};
    for (const PipelineSnapshot& one : now.pipelines) {
      request.configured[one.name] = {};
      // Of what has ended the journal knows more: what was left.
      if (!one.runs && one.shared_tasks.empty()) continue;
      if (!pipeline.empty() && one.name != pipeline) continue;
      if (std::string job = job_json(one); !job.empty()) request.live[one.name] = std::move(job);
    }
    work_on_journal(*find_operation("tasks"), std::move(request), std::move(done));
  });
}
#endif

size_t Supervisor::runs_of(const std::string& pipeline) const {
  return static_cast<size_t>(std::ranges::count_if(
      entries_, [&pipeline](const auto& named) { return named.second.of == pipeline; }));
}

// It has an entry of its own, beside that of its pipeline, until it has ended.
void Supervisor::provision(const std::string& pipeline, PipelineConfig config,
                           RunParameters parameters, std::function<void(Result<uint64_t>)> done) {
  Result<Entry*> found = find(pipeline);
  if (!found) return done(fail(found.error()));
  if (!(*found)->mounted()) return done(fail(ErrorKind::kUsage, pipeline + ": is not mounted"));
  if ((*found)->standing.activity != Activity::kRuns)
    return done(fail(ErrorKind::kUsage, pipeline + ": is paused or stopped"));
  if (runs_of(pipeline) >= static_cast<size_t>(config.max_runs))
    return done(fail(ErrorKind::kUsage, pipeline + ": as many runs as maxRuns allows go on (" +
                                            std::to_string(config.max_runs) + ")"));
  RunRecord record = history_->begin(pipeline, std::move(parameters), setup_.clock.unix_us());
  const std::string suffix = "~" + std::to_string(record.number);
  config.name = pipeline + suffix;
  config.mounted = true;
  config.parameters.clear();
  config.schedule.reset();
  config.exclusive = false;  // it is asked of this agent
  // Two cannot write to one file.
  if (!config.dead_letters.path.empty()) config.dead_letters.path += suffix;
  Entry& fresh = entries_[config.name];
  fresh.of = pipeline;
  fresh.record = record;
  fresh.wanted = std::make_shared<const PipelineConfig>(std::move(config));
  fresh.preparing = true;
  share_memory();
  ++preparing_;
  // Before it does anything: what was asked for is known to have been.
  history_->note_start(record, [this, name = pipeline + suffix, done = std::move(done),
                                number = record.number](const Status& noted) {
    --preparing_;
    Entry& entry = entries_.at(name);
    entry.preparing = false;
    const bool goes_on = noted && !stopping_ && !std::exchange(entry.told_to_end, false);
    done(!noted    ? Result<uint64_t>(fail(noted.error()))
         : goes_on ? Result<uint64_t>(number)
                   : fail(ErrorKind::kUnavailable, name + ": was told to end before it began"));
    if (goes_on) return relaunch(name, Run::Config(entry.wanted));
    if (noted) note_end(entry, {}, {});
    entry.wanted = nullptr;
    settle(name);
    check_idle();
  });
}

#endif

// Nothing of it is left but its record, and what it did.
void Supervisor::run_is_over(Entry& entry, const std::string& name) {
  entry.wanted = nullptr;
  main_->journal().load(name, [this, name](Result<std::vector<SavedPosition>> saved) {
    if (!saved || saved->empty()) return;
    for (SavedPosition& one : *saved) one.value.clear();
    main_->journal().commit(name, std::move(*saved), [](const Status& /*status*/) {});
  });
}

void Supervisor::wind_down_runs_of(const std::string& pipeline, const std::string& why) {
  for (auto& [name, entry] : entries_)
    if (entry.of == pipeline && entry.wanted != nullptr) wind_down(entry, why);
}

}  // namespace leat
