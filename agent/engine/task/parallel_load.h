// How many further loops a pipeline's transforms need: more while too much waits for them, fewer
// when those that are left would do.
//
// Thread: the pipeline's loop. Knows no clock: whoever asks says what time it is.
#pragma once

#include <cstdint>
#include <optional>

#include "base/units.h"
#include "plan/pipeline_config.h"

namespace leat {

class ParallelLoad {
 public:
  // So long the threshold must be exceeded, nearly all the time, with nothing else in the way: then
  // there are more, and it counts as breached once.
  static constexpr Milliseconds kPatience{100};
  // After so long there may be fewer.
  static constexpr Milliseconds kPeriod{5'000};

  explicit ParallelLoad(const ParallelConfig& config) : config_(config) {}

  // Before and after each turn: so many batches wait for the transforms. `held_up`: the sink or the
  // memory is in the way, not they.
  // By a clock that goes on within a turn of the loop: mostly it is the turn that takes the time.
  void sees(size_t waiting, bool held_up, int64_t now_us);
  // One of them has worked so long.
  void worked(int64_t us) { busy_us_ += us; }
  // Every kPeriod while there are any.
  void period_ends();

  int loops() const { return loops_; }
  int most() const { return most_; }
  uint64_t breaches() const { return breaches_; }

 private:
  const ParallelConfig config_;
  int loops_ = 0;
  int most_ = 0;  // at any time
  uint64_t breaches_ = 0;
  std::optional<int64_t> since_us_;  // it is watched
  int64_t looked_us_ = 0;            // last
  bool over_ = false;                // it was exceeded then
  int64_t over_us_ = 0;              // since `since_us_`, before that look
  int64_t busy_us_ = 0;              // in this period
  bool breached_ = false;            // in it
};

}  // namespace leat
