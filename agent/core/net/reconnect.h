// When the connection is away: how long to wait, and what to say about it.
//
// The wait is at random up to half of how long the trouble has lasted (but 1 s at first, 3 s then,
// and never more than a minute), so that a short outage is over soon after it is over, a long one
// costs few attempts, and a thousand gateways do not come back in the same instant when their
// broker does. A change of the network cuts it short (RetryTimer). One line is logged when the
// trouble begins or changes, once a minute while it lasts, and when it is over.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/outage.h"
#include "base/random.h"
#include "base/units.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "net/retry_timer.h"

namespace leat {

class Reconnect {
 public:
  static constexpr Milliseconds kFirst{1'000};
  static constexpr Milliseconds kShortest{3'000};
  static constexpr Milliseconds kLongest{60'000};
  // A connection that held for so long was a good one.
  static constexpr Milliseconds kGood{30'000};

  // `seed`: of its delays.
  Reconnect(Loop& loop, std::string scope, std::function<void()> connect,
            uint64_t seed = random_number());

  // Connects again after a while.
  void failed(const std::string& why);
  // A connection that soon goes again does not count as the end of the trouble.
  void connected(const std::string& what);
  void stop();

 private:
  Milliseconds delay();

  const Clock& clock_;
  const std::string scope_;
  const std::function<void()> connect_;
  Backoff backoff_;
  RetryTimer retry_;
  Timer holds_;  // until a connection among some that did not hold is a good one
  Outage outage_{kShortest, kLongest};
  int64_t connected_us_ = 0;  // 0: it is not
  bool flapping_ = false;     // the last connection did not hold
};

}  // namespace leat
