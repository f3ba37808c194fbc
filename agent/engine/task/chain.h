// The steps between source and sink, as the planner decided them, ready to run, in turns: what a
// step leaves of its batch (Batch::rest) waits in the chain until the rest of the steps have run
// with what it has made, and the pipeline has room for more.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "plan/pipeline_config.h"
#include "plan/planner.h"
#include "record/batch.h"
#include "stage/dead_letter.h"
#include "task/rejection.h"

namespace leat {

class ChainStep;

class Chain {
 public:
  // A step makes about `quantum` bytes in a turn.
  static Result<Chain> make(const PipelineConfig& config, const Plan& plan, Rejections rejections,
                            size_t quantum);
  Chain(Chain&&) noexcept;
  ~Chain();

  // Takes a batch as the source gave it, when it is not busy with another.
  void take(BatchRef batch);
  // Something is left of the batch taken last.
  bool busy() const { return !left_.empty(); }
  // Forgets that: it will be read again.
  void leave_rest() { left_.clear(); }
  // One turn, when busy: the next piece of what the sink takes of it.
  Result<BatchRef> next();

  // Makes of a batch of slices in the format whose wire is `wire` ("" for records) what the sink
  // takes. Those it cannot read become dead letters.
  Status adapt(BatchRef& batch, const std::string& wire);

  // How the source's stream is cut into records; null when the source does that itself.
  const Framing* framing() const { return framing_.get(); }
  bool needs_preamble() const { return needs_preamble_; }
  const Encoder* encoder() const { return encoder_; }

  // Bytes that the steps keep from batch to batch.
  size_t held() const;

  // Records the first step yielded, and those that transforms removed on purpose or by
  // onError=drop.
  uint64_t records() const { return records_; }
  uint64_t filtered() const;
  uint64_t dropped() const;

 private:
  Chain();
  std::unique_ptr<Framing> framing_;
  bool needs_preamble_ = false;
  const Encoder* encoder_ = nullptr;  // owned by its step
  ChainStep* encode_ = nullptr;       // the same step or spare_encode_; null: records are taken
  std::unique_ptr<ChainStep> spare_encode_;
  Rejections rejections_;
  std::vector<std::unique_ptr<ChainStep>> steps_;
  size_t quantum_ = 0;
  struct Left {
    BatchRef batch;
    size_t step;  // that it is left to
  };
  std::vector<Left> left_;  // the last one comes first in the source's order
  uint64_t records_ = 0;
};

}  // namespace leat
