// A thread with a chain of its own, of the runs of transforms alone: what a pipeline's loop gives
// it, it takes one after the other.
//
// Thread: made, given work and destroyed on the pipeline's loop; the chain, its memory and its
// budget are the thread's alone. Lifetime: waits for the parcel at hand when it goes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "loop/job_thread.h"
#include "memory/arena.h"
#include "memory/budget.h"
#include "task/parcel.h"

namespace leat {

class FurtherLoop {
 public:
  // One that works, and one that waits for it.
  static constexpr size_t kMost = 2;

  static Result<std::unique_ptr<FurtherLoop>> make(const PipelineConfig& config, const Plan& plan,
                                                   const std::vector<ParallelRun>& runs,
                                                   CodecContext& codecs);

  size_t under_way() const { return thread_->under_way(); }
  // `done` is called on the pipeline's loop, and not when this goes before. What it holds goes
  // there.
  void give(std::shared_ptr<Parcel> parcel, std::function<void()> done);

 private:
  // More rejections than these are not kept in memory at once: the rest is done at home, where it
  // is known whether the disk keeps up.
  static constexpr size_t kMostRefused = 64;

  struct Refused {
    size_t of;  // Parcel::refused
    BatchRef in;
  };

  explicit FurtherLoop(const Clock& clock) : clock_(clock) {}
  void run(Parcel& parcel);
  void run_all(Parcel& parcel);
  void refuse(const Rejection& rejection);
  void add(const ChainLeft& out);
  Parcel::Of of(const Batch& batch) const;
  Memory memory_of(const BatchRef& batch, size_t& bytes);

  const Clock& clock_;
  Budget budget_{0};
  BlockPool pool_{budget_, 0};  // what is made there does not come back
  std::optional<Chain> chain_;
  Parcel* parcel_ = nullptr;  // at hand
  BatchRef lent_;             // its
  std::vector<Refused> refused_;
  std::unique_ptr<JobThread> thread_;  // goes first
};

}  // namespace leat
