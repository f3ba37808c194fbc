// When the connection is away: how long to wait, and what to say about it.
//
// Exponential backoff with full jitter, as agent/engine/delivery/retry_policy.h: uniform between 0
// and min(kLongest, kShortest * 2^n), so that a thousand gateways do not come back in the same
// instant when their broker does. One line is logged when the trouble begins or changes, once a
// minute while it lasts, and when it is over.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>

#include "base/clock.h"
#include "base/units.h"
#include "loop/handles.h"

namespace leat::mqtt {

class Reconnect {
 public:
  static constexpr Milliseconds kShortest{1'000};
  static constexpr Milliseconds kLongest{60'000};

  Reconnect(Loop& loop, std::string scope, std::function<void()> connect);

  // Connects again after a while.
  void failed(const std::string& why);
  // A connection that soon goes again does not count as the end of the trouble.
  void connected(const std::string& what);
  void stop() { timer_.stop(); }

 private:
  Milliseconds delay();

  const Clock& clock_;
  const std::string scope_;
  const std::function<void()> connect_;
  Timer timer_;
  std::minstd_rand random_;
  int failures_ = 0;  // in a row
  std::string reason_;
  int64_t last_said_us_ = 0;
  int64_t connected_us_ = 0;  // 0: it is not
  bool flapping_ = false;     // the last connection did not hold
};

}  // namespace leat::mqtt
