// How long to wait before something is tried again. Any thread, one at a time.
#pragma once

#include <cstdint>
#include <random>

#include "base/units.h"

namespace leat {

// For what many try at the same time: exponential backoff with full jitter (AWS Architecture Blog,
// "Exponential Backoff And Jitter", 2015), so that a thousand gateways do not come back in the same
// instant when their server does.
class Backoff {
 public:
  explicit Backoff(uint64_t seed);

  // After so many failures in a row (at least 1): uniform between 0 and
  // min(longest, shortest * 2^(failures - 1)).
  Milliseconds after(int failures, Milliseconds shortest, Milliseconds longest);
  // Uniform between these two.
  Milliseconds between(Milliseconds least, Milliseconds most);
  // `time` and up to a tenth more.
  Milliseconds about(Milliseconds time);

 private:
  std::minstd_rand random_;
};

// For what nobody else tries at the same moment: from `shortest`, twice as long each time, up to
// `longest`.
class DoublingDelay {
 public:
  DoublingDelay(Milliseconds shortest, Milliseconds longest)
      : shortest_(shortest), longest_(longest), next_(shortest) {}

  Milliseconds next();
  Milliseconds current() const { return next_; }        // what next() will return
  bool is_first() const { return next_ == shortest_; }  // nothing has failed yet
  void reset() { next_ = shortest_; }

 private:
  Milliseconds shortest_;
  Milliseconds longest_;
  Milliseconds next_;
};

// For what is away and comes back by itself: half as long as it has been away, from `shortest` up
// to `longest`, so that a short absence is over soon after it is over, and a long one costs few
// attempts.
class GrowingDelay {
 public:
  GrowingDelay(Milliseconds shortest, Milliseconds longest)
      : shortest_(shortest), longest_(longest) {}

  // It goes away now; or may come back sooner than it looked. `now_us`: Clock::monotonic_us().
  void begin(int64_t now_us) { since_us_ = now_us; }
  Milliseconds at(int64_t now_us) const;

 private:
  Milliseconds shortest_;
  Milliseconds longest_;
  int64_t since_us_ = 0;
};

}  // namespace leat
