// When a sink does not take deliveries: how long to wait, and what to say about it.
//
// Exponential backoff with full jitter between retry_initial and retry_max (Backoff::after).
// After `breaker_threshold` failures in a row the circuit opens: the cooldown until the next
// attempt is half as long as the trouble has lasted, from kFirstCooldown up to `breaker_cooldown`,
// so that a short outage is over soon after it is over, and a long one costs few attempts. It is at
// random between half of that and all of it, until it is fully grown. What the peer asked for
// (Retry-After) is a lower bound. One line is logged when trouble begins, when the circuit opens,
// once a minute while it lasts, and when it is over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/outage.h"
#include "base/units.h"
#include "delivery/delivery_config.h"

namespace leat {

class RetryPolicy {
 public:
  static constexpr Milliseconds kFirstCooldown{1'000};

  // `comes_again`: the source gives again what it was not acknowledged.
  RetryPolicy(const DeliveryConfig& config, const Clock& clock, std::string scope, uint64_t seed,
              bool comes_again = true);

  bool active() const { return outage_.lasts(); }
  bool circuit_open() const { return failures() >= config_.breaker_threshold; }
  uint64_t openings() const { return openings_; }  // of the circuit, so far
  int failures() const { return outage_.failures(); }
  const std::string& reason() const { return outage_.reason(); }

  // Notes a failed attempt and returns how long to wait before the next. `what_follows`: said of
  // the first in place of the promise to try until it works.
  Milliseconds failed(const std::string& reason, Milliseconds retry_after,
                      std::string_view what_follows = {});
  // Notes that the network is another: cooldowns grow anew.
  void network_changed() { outage_.changed(clock_.monotonic_us()); }
  // Notes that the peer answered properly again.
  void over();

 private:
  Milliseconds delay();
  const char* meanwhile() const;  // what becomes of records

  const DeliveryConfig& config_;
  const Clock& clock_;
  const std::string scope_;
  const bool comes_again_;
  Backoff backoff_;
  Outage outage_;
  uint64_t openings_ = 0;
};

}  // namespace leat
