// One pipeline of the configuration while it runs: its name, budget, limits and dead letters, and
// the tasks that move its records. A stream has one task; a pipeline that is split into shards has
// several. All of them run on the pipeline's loop, and share what it owns; each has the same part
// of the memory.
//
// It has ended when all its tasks have. When one fails the others deliver what they have read, and
// end, too; the first failure is the pipeline's. What a run is judged by (maxDeadLetters, whether
// anything was delivered) is judged of all of them together, when the last one is through.
//
// Thread: its loop's. Lifetime: make → (open) → start → (drain | abort) → finished called back →
// destroyed; or, not to be started, make → open → discard → done called back → destroyed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "journal/journal.h"
#include "journal/journal_usage.h"
#include "memory/budget.h"
#include "plan/pipeline_config.h"
#include "plan/planner.h"
#include "task/dead_letter_writer.h"
#include "task/rate_limit.h"
#include "task/task.h"

namespace leat {

struct PipelineEnvironment {
  Loop& loop;
  JournalClient& journal;
  JournalUsage& usage;
  std::string agent;  // its id
  std::string data_dir;
  size_t memory;  // this pipeline's share of the budget, bytes; set_memory() changes it
  // Called on the loop when PipelineStatus::trouble or circuit_open has become another.
  std::function<void()> on_trouble = nullptr;
  AskAgent ask_agent = nullptr;
  HearAgent hear_agent = nullptr;
  Channels* channels = nullptr;  // of the agent
  Caches* caches = nullptr;      // of the agent
  uint64_t fence = 0;            // as SinkContext::fence()
};

struct PipelineStatus : TaskStatus {  // of all its tasks
  size_t memory_peak = 0;             // bytes accounted
  size_t memory_used = 0;
  size_t memory_limit = 0;
  std::vector<DeadLetterReason> dead_letter_reasons;
  SourceTasks source_tasks;  // of a job
};

class Pipeline {
 public:
  // Makes all stages; fails with kUsage when one cannot be made.
  static Result<std::unique_ptr<Pipeline>> make(const PipelineConfig& config,
                                                const PipelineEnvironment& environment) {
    return make(config, environment, plan_tasks(config, environment.memory));
  }
  // `tasks`: at least one; the names of those that do not join differ.
  static Result<std::unique_ptr<Pipeline>> make(const PipelineConfig& config,
                                                const PipelineEnvironment& environment,
                                                std::vector<TaskPlan> tasks);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Opens the sink, as far as that can be done while an older run of this pipeline still has its
  // own open: what is wrong is known before that is let go. After an error, discard() is called.
  Status open();
  // Of one that is not to be started: closes what open() has opened. `done` may destroy it.
  void discard(std::function<void()> done);
  // Opens the sink, when that has not been done, and the source, and begins to read. `finished` is
  // called once, from the loop, when all that was read is delivered (ok) or the pipeline has
  // failed, and every handle is released. It may destroy the pipeline.
  void start(std::function<void(Status)> finished);
  // Stops reading and delivers what is in flight.
  void drain();
  // Stops at once; what is not acknowledged will be read again after a restart. `why` begins the
  // error, which says what was left.
  void abort(const std::string& why);
  // Tries a sink now that is not to be tried before a while has passed.
  void kick();
  // As Task::hold(), of all tasks.
  void hold(const std::string& why);
  // As Task::tap(), of all tasks.
  Status tap(uint64_t id, const TapRequest& request, const std::shared_ptr<TapLines>& lines);
  void untap(uint64_t id);
  // As Task::feed(), of the first task.
  Status feed(const MakeFeed& make);
  // Its share of the budget from now on. What it holds beyond that stays until it is delivered.
  void set_memory(size_t bytes);

  const std::string& name() const { return config_.name; }
  const PipelineConfig& config() const { return config_; }
  bool bounded() const;
  bool has_read() const;  // anything, so far
  PipelineStatus status() const;
  // What is in its status, and how often that has changed (stage/source.h): the latter costs
  // nothing.
  SourceTasks source_tasks() const;
  std::optional<uint64_t> task_changes() const;

 private:
  Pipeline(const PipelineConfig& config, PipelineEnvironment environment);
  Status build(std::vector<TaskPlan> tasks);
  size_t memory_of_task(size_t tasks, size_t bytes) const;
  Result<bool> verdict();
  void let_join(const ResumedFrom& point);
  void task_ended(const Status& status);

  const PipelineConfig config_;
  const PipelineEnvironment environment_;
  Budget budget_;
  RateLimit limit_;
  DeadLetterWriter dead_letters_;
  // They use all of the above. Where the others join the first, their sources are its lanes.
  std::vector<std::unique_ptr<Task>> tasks_;
  bool join_ = false;
  size_t running_ = 0;  // of them
  size_t through_ = 0;  // of them: all that there was is delivered
  Status result_;       // the first failure
  std::function<void(Status)> on_finished_;
};

}  // namespace leat
