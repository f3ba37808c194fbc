// Runs of transforms of a task on further loops (`parallel`), and the order in which what comes of
// them goes on. See PARALLEL.md.
//
// What the chain has for a run is put in a line here, and leaves it in that order, whenever it
// comes back. What it owes stays here; so does the batch itself.
//
// Thread: the task's loop. Lifetime: within that of the task's chain, pool and budget; destroyed
// once stop() has called back, or waits for what is under way.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "loop/timer.h"
#include "memory/budget.h"
#include "plan/pipeline_config.h"
#include "plan/planner.h"
#include "task/chain.h"
#include "task/further_loop.h"
#include "task/parallel_load.h"

namespace leat {

struct ParallelSetup {
  const PipelineConfig& config;
  int max;  // further loops of this task
  Plan plan;
  std::vector<ParallelRun> runs;
  CodecContext& codecs;
  BlockPool& pool;
  Budget& budget;
  size_t memory;               // as Task::set_memory()
  std::function<void()> wake;  // something has come back, or may be lent again
};

class Parallel {
 public:
  explicit Parallel(ParallelSetup setup);
  ~Parallel();

  // Before and after each turn: so many batches wait, as ParallelLoad::sees(). `tapped`: somebody
  // looks at stages, which can be seen at home only.
  void sees(size_t waiting, bool held_up, bool tapped);
  // The chain is to stop where a run begins.
  bool lends() const { return load_.loops() > 0 || !line_.empty(); }
  // One more batch could be begun at once.
  bool has_room() const;
  // The batch that is to go through the run that begins with this step. `quantum` as the chain's.
  void lend(BatchRef batch, size_t step, size_t quantum);
  // What was lent first is back.
  bool ready() const { return !line_.empty() && line_.front().back; }
  // Gives it to the chain. An error of a transform.
  Status take_back(Chain& chain);
  // What is here will be read again: nothing of it is taken back.
  void forget();
  // The same; `done` is called when no other loop has anything of it any more, at once or later.
  void stop(std::function<void()> done);
  void set_memory(size_t bytes) { share_ = share_of(bytes); }

  bool empty() const { return line_.empty(); }
  uint64_t records() const { return records_; }  // that were lent and not taken back
  std::optional<int64_t> oldest_arrival_us() const;
  size_t held() const { return held_; }  // by further loops, from batch to batch
  const ParallelLoad& load() const { return load_; }

 private:
  struct Lent {
    BatchRef batch;
    Owed owed;
    size_t step;
    size_t records;
    Charge charge;                   // for what is made of it
    std::shared_ptr<Parcel> parcel;  // null: it is to be run at home
    bool given = false;
    bool back = false;
  };

  size_t share_of(size_t memory) const;
  size_t loops() const;
  FurtherLoop* free_loop() const;
  void give_what_waits();
  void came_back(const std::shared_ptr<Parcel>& parcel);
  void keep_loops();
  void watch();
  std::vector<ChainLeft> made_of(Lent& lent);
  void tell_refused(const Lent& lent, Chain& chain);
  BatchRef batch_of(const Lent& lent, Parcel::Of of, const Position& begin, const Position& end);
  size_t under_way() const;

  const ParallelSetup setup_;
  ParallelLoad load_;
  size_t share_;
  size_t expected_;  // bytes that a batch comes back with
  bool tapped_ = false;
  uint32_t shown_ = 0;   // batches since one was run at home for that
  bool failed_ = false;  // no further loop could be made
  std::deque<Lent> line_;
  uint64_t records_ = 0;
  size_t held_ = 0;
  Charge held_charge_;
  Timer period_;
  std::function<void()> stopped_;
  std::vector<std::unique_ptr<FurtherLoop>> loops_;  // go first
};

}  // namespace leat
