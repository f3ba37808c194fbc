// When positions are committed that may wait: those of all pipelines of a loop at once, since flash
// pays for each commit, and the same page holds them all.
//
// Soon after the start it is more often, so that an agent that is killed again and again gets on
// all the same: the wait is as long as the agent has run, and at most the period.
//
// Thread: the loop's; Period::ms is set from any. Nothing wakes the loop while nothing waits.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "base/units.h"
#include "loop/loop.h"
#include "loop/timer.h"

namespace leat {

class PositionRhythm {
 public:
  // What all loops have in common. 0: nothing may wait.
  struct Period {
    std::atomic<int64_t> ms{0};
  };

  // `begin` and `end` enclose the calls of one commit.
  PositionRhythm(Loop& loop, const Period& period, std::function<void()> begin,
                 std::function<void()> end);

  bool waits() const { return period_.ms > 0; }
  // `save` is called once, when the next commit is due.
  void at_next(std::function<void()> save);

 private:
  Milliseconds wait() const;
  void due();

  Loop& loop_;
  const Period& period_;
  const std::function<void()> begin_;
  const std::function<void()> end_;
  const Milliseconds begun_;
  std::vector<std::function<void()>> waiting_;
  Timer timer_;
};

}  // namespace leat
