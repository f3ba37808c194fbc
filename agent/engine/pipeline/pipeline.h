// One pipeline of the configuration while it runs: its name, budget, limits and dead letters, and
// the tasks that move its records. A stream has one task; a pipeline that is split into shards has
// several. All of them run on the pipeline's loop, and share what it owns.
//
// Thread: its loop's. Lifetime: make → start → (drain | abort) → finished called back → destroyed.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "journal/journal.h"
#include "journal/journal_usage.h"
#include "memory/budget.h"
#include "plan/pipeline_config.h"
#include "task/dead_letter_writer.h"
#include "task/rate_limit.h"
#include "task/task.h"

namespace leat {

struct PipelineEnvironment {
  uv_loop_t* loop;
  const Clock& clock;
  JournalClient& journal;
  JournalUsage& usage;
  std::string agent;  // its id
  std::string data_dir;
  size_t memory;  // this pipeline's share of the budget, bytes
  // Called on the loop when PipelineStatus::trouble has become another.
  std::function<void()> on_trouble = nullptr;
};

struct PipelineStatus : TaskStatus {  // of all its tasks
  size_t memory_peak = 0;             // bytes accounted
};

class Pipeline {
 public:
  // Makes all stages; fails with kUsage when one cannot be made.
  static Result<std::unique_ptr<Pipeline>> make(const PipelineConfig& config,
                                                const PipelineEnvironment& environment);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Opens sink and source and begins to read. `finished` is called once, from the loop, when all
  // that was read is delivered (ok) or the pipeline has failed, and every handle is released. It
  // may destroy the pipeline.
  void start(std::function<void(Status)> finished);
  // Stops reading and delivers what is in flight.
  void drain();
  // Stops at once; what is not acknowledged will be read again after a restart. `why` begins the
  // error, which says what was left.
  void abort(const std::string& why);

  const std::string& name() const { return config_.name; }
  const PipelineConfig& config() const { return config_; }
  bool bounded() const;
  PipelineStatus status() const;

 private:
  Pipeline(const PipelineConfig& config, PipelineEnvironment environment);
  Status build();
  Status verdict() const;
  void task_ended(const Status& status);

  const PipelineConfig config_;
  const PipelineEnvironment environment_;
  Budget budget_;
  RateLimit limit_;
  DeadLetterWriter dead_letters_;
  std::vector<std::unique_ptr<Task>> tasks_;  // use all of the above
  size_t running_ = 0;                        // of them
  Status result_;                             // the first failure
  std::function<void(Status)> on_finished_;
};

}  // namespace leat
