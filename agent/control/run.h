// A pipeline from its making to its end, led from the main loop; it lives on the loop of its host.
//
// Thread: the main loop's. Lifetime: prepare() → (start → finished called back | discard). What is
// asked of a pipeline that has ended meanwhile is forgotten.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/loop_host.h"
#include "control/managed_pipeline.h"
#include "control/run_history.h"
#include "loop/handles.h"

namespace leat {

class Run {
 public:
  using Config = std::shared_ptr<const PipelineConfig>;
  // When everything that it asked of the journal is done, too: whoever takes its name over, on
  // another loop perhaps, must find that there.
  using Finished = std::function<void(const Status&, const PipelineStatus&)>;

  // `home`: the main loop's.
  Run(LoopHost& home, LoopHost& host, RunId id, Config config, bool bounded, size_t memory);

  RunId id() const { return id_; }
  LoopHost& host() const { return host_; }
  const Config& config() const { return config_; }
  bool bounded() const { return bounded_; }

  // The journal knows of `record` from the time that it has read something, and something else is
  // written (control/run_history.h); when it has no number, not. So it does of the tasks of a job.
  void start(const RunRecord& record, Finished finished);
  // That is there, or on its way.
  bool noted() const { return *noted_; }
  void drain();
  // Drains it, the first time, and stops it when that takes longer; of several times the earliest
  // counts.
  void retire(Milliseconds at_most, const std::string& when_late);
  bool retiring() const { return deadline_ != nullptr; }
  void abort(const std::string& why);
  // Of one that has not been started, when it is opened or could not be.
  void discard(std::function<void()> done);
  void kick();
  // `done` is called at home; not when it has ended meanwhile: then only `lines` go.
  void tap(uint64_t id, TapRequest request, std::shared_ptr<TapLines> lines,
           std::function<void(Status)> done);
  void untap(uint64_t id);
  // `make` is called on its loop. `done` is called at home, once; not when it has ended meanwhile:
  // then `make` only goes.
  void feed(MakeFeed make, std::function<void(Status)> done);
  void set_memory(size_t bytes);
  // As Pipeline::hold().
  void hold(const std::string& why);
  bool is_held() const { return !held_.empty(); }

 private:
  void on_its_loop(std::function<void(ManagedPipeline&)> call) const;

  LoopHost& home_;
  LoopHost& host_;
  const RunId id_;
  const Config config_;
  const bool bounded_;
  size_t memory_;
  std::string held_;  // why; "" when it is not
  std::shared_ptr<std::atomic<bool>> noted_ = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<Timer> deadline_;
  Milliseconds due_{0};  // on the loop's clock
};

struct Preparing {
  RunId id = 0;
  Run::Config config;
  LoopHost* host = nullptr;
  PipelineEnvironment environment;
};

struct Prepared {
  Run::Config config;
  std::unique_ptr<Run> run;  // null: it could not be made of its configuration
  Status status;             // else: whether what it needs could be opened
};

// Makes pipelines, each on its loop, and opens what of each can be opened before it starts: so what
// is wrong with a change is known before anything is touched. `done` is called once, later, with
// all of them in the same order.
void prepare(LoopHost& home, const MakePipeline& make, std::vector<Preparing> all,
             std::function<void(std::vector<Prepared>)> done);

}  // namespace leat
