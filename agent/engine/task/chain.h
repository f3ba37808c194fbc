// The steps between source and sink, as the planner decided them, ready to run, in turns: what a
// step leaves of its batch (Batch::rest) waits in the chain until the rest of the steps have run
// with what it has made, and the pipeline has room for more.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "memory/budget.h"
#include "plan/pipeline_config.h"
#include "plan/planner.h"
#include "record/batch.h"
#include "stage/dead_letter.h"
#include "task/rejection.h"
#include "task/stage_status.h"

namespace leat {

class ChainStep;
class TransformState;

// Records. At any time between two turns, read + made is what was given on, filtered, dropped,
// rejected or waits.
struct ChainCounters {
  uint64_t read = 0;      // before any transform; those that cannot be decoded, too
  uint64_t filtered = 0;  // removed by transforms on purpose
  uint64_t made = 0;      // by transforms, beyond what they were given
  uint64_t dropped = 0;   // failed in a transform with onError = drop
};

// What a chain that has only runs has counted: of each step, and of all of them.
struct RunCounters {
  ChainCounters chain;
  std::vector<StageCounters> stages;
};

// What waits in a chain, and the step that it waits for.
struct ChainLeft {
  BatchRef batch;
  size_t step;
  // The run that this step is in has begun here, and goes on here: others are behind it.
  bool here = false;
};

// Sees what goes into each step, and what comes out of it before the next one takes it. Must not
// change the batch, nor keep it longer than the call.
class ChainWatcher {
 public:
  virtual ~ChainWatcher() = default;
  virtual void before(size_t /*step*/, const Batch& /*batch*/) {}
  // `step`: index into Chain::stages(). What the step left to the batch's rest comes later.
  virtual void behind(size_t step, const Batch& batch) = 0;
};

// Is told of the batches that have gone through the first step that remembers something.
class ChainKeeper {
 public:
  virtual ~ChainKeeper() = default;
  virtual void hold(const Batch& batch) = 0;
};

class Chain {
 public:
  // A step makes about `quantum` bytes in a turn. `codecs` outlives the chain, and tells of what
  // they wait for by go_on().
  static Result<Chain> make(const PipelineConfig& config, const Plan& plan, Rejections rejections,
                            size_t quantum, CodecContext& codecs) {
    return make(config, plan, std::move(rejections), quantum, codecs, {}, false);
  }
  // With runs of transforms that others may take over (lend()); or, `only_runs`, one of those
  // others: a chain that has the steps of the runs and no more.
  static Result<Chain> make(const PipelineConfig& config, const Plan& plan, Rejections rejections,
                            size_t quantum, CodecContext& codecs, std::vector<ParallelRun> runs,
                            bool only_runs);
  Chain(Chain&&) noexcept;
  ~Chain();

  // As in the plan, and in dead letters: "decode json", "filter".
  std::vector<std::string> stages() const;
  // Of them, the index of the last that gives records; of the last, when none does.
  size_t last_of_records() const;
  // Null: nobody. Must outlive the chain, or be taken back.
  void watch(ChainWatcher* watcher) { watcher_ = watcher; }

  // Of the steps that remember something, in their order.
  std::vector<TransformState*> states() const;
  // The number of the first of those, for take().
  size_t first_state() const { return first_state_; }
  // Must outlive the chain.
  void keep(ChainKeeper* keeper) { keeper_ = keeper; }

  // From the next batch on.
  void set_quantum(size_t bytes) { quantum_ = bytes; }

  // Takes a batch as the source gave it, or as step `step` of stages() does (their number: as the
  // sink does), when it is not busy with another.
  void take(BatchRef batch, size_t step = 0);
  // Something is left of the batch taken last, or of those taken back.
  bool busy() const { return reading() || taking_back(); }
  bool reading() const { return !left_.empty(); }
  // Of that, a codec waits for something (Turn::kWait): until go_on() there is no turn.
  bool waits() const { return waits_; }
  void go_on() { waits_ = back_waits_ = false; }
  // Forgets what is left: it will be read again.
  void leave_rest();
  // One turn, when busy and not waiting: the next piece of what the sink takes of it; null when a
  // codec waits.
  Result<BatchRef> next();

  // --- runs that others take over (task/parallel.h) ---
  // From the next turn on, next() stops where a run begins, but for what is left in the middle of
  // one.
  void lend(bool lends) { lends_ = lends; }
  // What next() has just given is for the run that begins with this step; else for the sink.
  std::optional<size_t> at_run() const { return at_run_; }
  // The step behind the run that begins with this one.
  size_t behind_run(size_t first) const;
  // What others have made of what was lent, in its order, to go on with before all else. Not while
  // anything of that is left.
  void take_back(std::vector<ChainLeft> made);
  bool taking_back() const { return !back_.empty(); }
  // What waits is of that: nothing goes on. Else that still does, since it came before.
  bool back_waits() const { return back_waits_; }
  // The last turn was of that.
  bool took_back() const { return took_back_; }
  // Of a chain that has only runs: what is left, in its order.
  std::vector<ChainLeft> take_left();
  RunCounters take_counters();
  // What one of those has counted.
  void add_counters(const RunCounters& counters);
  // What the step of one has rejected: a record of this batch.
  void reject(size_t step, const Batch& batch, size_t index, std::string_view reason);

  // Makes of a batch of slices in the format whose wire is `wire` ("" for records) what the sink
  // takes. Those it cannot read become dead letters. kWait: not now; the batch is spoilt, and must
  // be taken from the spool again.
  Result<Turn> adapt(BatchRef& batch, const std::string& wire);

  // How the source's stream is cut into records; null when the source does that itself.
  const Framing* framing() const { return framing_.get(); }
  bool needs_preamble() const { return needs_preamble_; }
  const Encoder* encoder() const { return encoder_; }

  // Bytes that the steps keep from batch to batch.
  size_t held() const;
  // They count against this one, as they are whenever they are counted.
  void charge_held_to(Budget& budget) { held_charge_ = Charge(budget); }
  void count_held() { held_charge_.set(held()); }

  const ChainCounters& counters() const { return counters_; }
  // Records of those read that wait for a turn.
  uint64_t waiting() const;
  // Adds those between source and sink.
  void add_stages(std::vector<StageStatus>& out) const;
  // By transforms that remember, for want of room.
  uint64_t keys_evicted() const;
  // Batch::arrival_us of what is left; nothing when nothing is.
  std::optional<int64_t> oldest_arrival_us() const;

 private:
  Chain();
  Status run(ChainStep& step, BatchRef& batch, bool reads);
  void count_in(StageCounters& stage, uint64_t records, bool timed, int64_t begun_us) const;
  BatchRef wait_at(ChainLeft left);
  size_t stop_behind(const ChainLeft& turn) const;
  bool in_run(size_t step) const;
  Status make_runs(const PipelineConfig& config, const Plan& plan, const Rejections& rejections);
  std::unique_ptr<Framing> framing_;
  bool needs_preamble_ = false;
  const Encoder* encoder_ = nullptr;  // owned by its step
  ChainStep* encode_ = nullptr;       // the same step or spare_encode_; null: records are taken
  std::unique_ptr<ChainStep> spare_encode_;
  Rejections rejections_;
  std::vector<std::unique_ptr<ChainStep>> steps_;
  size_t quantum_ = 0;
  CodecContext* codecs_ = nullptr;
  ChainWatcher* watcher_ = nullptr;
  ChainKeeper* keeper_ = nullptr;
  size_t first_state_ = SIZE_MAX;
  bool waits_ = false;
  bool back_waits_ = false;
  uint32_t turns_ = 0;
  std::vector<ChainLeft> left_;  // the last one comes first in the source's order
  std::vector<ChainLeft> back_;  // the same, of what was taken back
  std::vector<ParallelRun> runs_;
  bool only_runs_ = false;
  bool lends_ = false;
  bool took_back_ = false;
  std::optional<size_t> at_run_;
  // Steps before this one make records of what the source gave.
  size_t first_of_records_ = 0;
  ChainCounters counters_;
  Charge held_charge_;
  uint64_t unfinished_ = 0;  // records of a turn that failed, or that was left
};

}  // namespace leat
