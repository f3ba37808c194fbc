// What the supervisor knows of one pipeline that is wanted, or has not gone yet.
//
// Thread: the main loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "control/loop_probe.h"
#include "control/run.h"
#include "control/run_history.h"
#include "control/snapshot.h"
#include "control/standing.h"
#include "loop/handles.h"

namespace leat {

// Of one whose tasks are shared (plan/shared_job.h).
struct JobEntry {
  std::shared_ptr<const SharedPlan> plan;  // once it is known, of this run
  uint64_t run = 0;                        // with a schedule: its number; 0: none was open yet
  bool over = false;                       // and that is known
};

struct Entry {
  Run::Config wanted;         // null: it is to go
  Run::Config before;         // in which it ran, should the new one not open
  std::unique_ptr<Run> run;   // what has been started
  std::unique_ptr<Run> next;  // what starts when that has ended
  int64_t started_us = 0;     // `run`, on the monotonic clock
  bool preparing = false;     // it is being made, by itself
  bool told_to_end = false;   // meanwhile: it is not to be started
  Standing standing;          // what operators said of it
  std::string of = {};        // the pipeline of which this is a run that was asked for; else ""
  RunRecord record;           // of `run`
  std::string ending;         // why `run` was told to end; ""
  std::string failure;        // why it ended, when it should not have
  std::string refused;        // as in PipelineSnapshot
  // Of failures that may pass, in a row; none: the last was long ago.
  std::optional<DoublingDelay> again_after;
  int failed_runs = 0;   // in a row, of one with a schedule
  bool standby = false;  // it waits for its lease (control/leases.h)
  JobEntry job;
  std::vector<SharedTask> shared_tasks;  // of one whose tasks are shared, when it was over
  std::unique_ptr<Timer> again;          // until it is started again after one, or by its schedule
  int64_t again_us = 0;                  // when that is, on the monotonic clock
  PipelineStatus last;                   // of `run`, as it said last, or of what ended
  TaskStatus ended_before;               // all that has, together
  // Given each run when it starts: who looks at records, by id. And what only the next one is to be
  // given. What they hold goes when no run comes any more.
  std::map<uint64_t, std::function<void(Run&)>> taps;
  std::vector<std::function<void(Run&)>> for_next;

  // PipelineConfig::own.
  bool own() const {
    return wanted != nullptr ? wanted->own : run != nullptr && run->config()->own;
  }
  bool exclusive() const { return wanted != nullptr && wanted->exclusive; }
  bool shared() const { return wanted != nullptr && runs_shared(*wanted); }
  bool by_schedule() const { return wanted != nullptr && wanted->schedule.has_value(); }
  // Nothing runs, or is on its way to.
  bool over() const { return run == nullptr && next == nullptr && !preparing; }
  // As it is configured in `config`, or, in the second, now.
  bool mounted_as(const PipelineConfig& config) const {
    return standing.mounted.value_or(config.mounted);
  }
  bool mounted() const { return wanted == nullptr || mounted_as(*wanted); }
  // Nothing but an operator's word starts it.
  bool held_as(const PipelineConfig& config) const {
    return !mounted_as(config) || standing.activity != Activity::kRuns || !config.complete();
  }
  bool held() const { return wanted != nullptr && held_as(*wanted); }
  // Another run is about to take the place of what runs, or ran.
  bool changes() const { return next != nullptr || preparing; }
  // What ended so may do better when it is tried again, without anybody's doing.
  bool may_pass(const Status& status, const Run& ended) const;
  // A run that ended so never read anything, and its configuration before did: that one is to
  // return.
  bool goes_back(const Status& status, const PipelineStatus& counters) const;
  // But for the name and the loop.
  PipelineSnapshot snapshot(const LoopProbe::Answers& answers, int64_t now_us, bool stopping);

 private:
  PipelineState rests_in() const;
};

}  // namespace leat
