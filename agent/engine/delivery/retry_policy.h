// When a sink does not take deliveries: how long to wait, and what to say about it.
//
// Exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter",
// 2015): the delay is uniform between 0 and min(max, initial * 2^n). After `breaker_threshold`
// failures in a row the circuit opens: one attempt per `breaker_cooldown`. What the peer asked for
// (Retry-After) is a lower bound. One line is logged when trouble begins, when the circuit opens,
// once a minute while it lasts, and when it is over.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "base/clock.h"
#include "base/units.h"
#include "delivery/delivery_config.h"

namespace leat {

class RetryPolicy {
 public:
  RetryPolicy(const DeliveryConfig& config, const Clock& clock, std::string scope, uint64_t seed);

  bool active() const { return failures_ > 0; }
  bool circuit_open() const { return failures_ >= config_.breaker_threshold; }
  int failures() const { return failures_; }
  const std::string& reason() const { return reason_; }

  // Notes a failed attempt and returns how long to wait before the next.
  Milliseconds failed(const std::string& reason, Milliseconds retry_after);
  // Notes that the peer answered properly again.
  void over();

 private:
  Milliseconds delay();
  const char* meanwhile() const;  // what becomes of records

  const DeliveryConfig& config_;
  const Clock& clock_;
  const std::string scope_;
  std::minstd_rand random_;
  int failures_ = 0;
  int64_t since_us_ = 0;
  int64_t last_said_us_ = 0;
  std::string reason_;
};

}  // namespace leat
