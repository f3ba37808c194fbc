// The wait until something that is away is tried again. It is cut short when the network changes:
// what was tried in vain may work now. Not quite at once, and not by all at the same moment, since
// a switch that comes back brings many machines with it.
//
// Thread: the loop's thread. Lifetime: `changed` must not destroy it; `again` may.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/backoff.h"
#include "base/units.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "net/network_watch.h"

namespace leat {

class RetryTimer {
 public:
  // `changed` is told that the network is another: delays may begin anew.
  RetryTimer(Loop& loop, uint64_t seed, std::function<void()> changed);

  // The network is watched from now on, until stop(). When it changes, also before the next
  // start(), `again` comes soon, but not before `at_least`.
  void start(Milliseconds delay, Milliseconds at_least, std::function<void()> again);
  // The wait is over, and so is the trouble, or nobody waits for its end any more.
  void stop();
  // Until `again` comes; nothing when it is not waited for.
  std::optional<Milliseconds> left() const;

  // For tests: after a change `again` comes between these two.
  static constexpr Milliseconds kSoonest{200};
  static constexpr Milliseconds kLatest{2'200};

 private:
  void network_changed();
  Milliseconds soon() { return backoff_.between(kSoonest, kLatest); }

  Loop& loop_;
  Backoff backoff_;
  const std::function<void()> changed_;
  std::optional<NetworkWatch> watch_;
  Timer timer_;
  std::function<void()> again_;
  Milliseconds due_{0};             // on the loop's clock
  Milliseconds earliest_{0};        // there
  bool changed_meanwhile_ = false;  // while it was being tried
};

}  // namespace leat
