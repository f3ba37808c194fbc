#include "delivery/retry_policy.h"

#include <algorithm>

#include "base/log.h"

namespace leat {

namespace {
constexpr int64_t kReminderUs = 60'000'000;
}

RetryPolicy::RetryPolicy(const DeliveryConfig& config, const Clock& clock, std::string scope,
                         uint64_t seed, bool comes_again)
    : config_(config),
      clock_(clock),
      scope_(std::move(scope)),
      comes_again_(comes_again),
      backoff_(seed) {}

Milliseconds RetryPolicy::delay() {
  if (circuit_open()) return cooldown();
  return backoff_.after(failures_, config_.retry_initial, config_.retry_max);
}

Milliseconds RetryPolicy::cooldown() {
  Milliseconds lasted((clock_.monotonic_us() - growing_since_us_) / 1000);
  Milliseconds grown = std::max(lasted / 2, kFirstCooldown);
  if (grown >= config_.breaker_cooldown) return backoff_.about(config_.breaker_cooldown);
  return backoff_.between(grown / 2, grown);
}

const char* RetryPolicy::meanwhile() const {
  const bool journaled = config_.spool.mode != SpoolMode::kNever;
  if (journaled && config_.spool.overflow == Overflow::kDropOldest)
    return "beyond maxSpool the oldest records are dropped";
  if (journaled && config_.spool.overflow == Overflow::kDropNewest)
    return "beyond maxSpool what comes is dropped";
  if (comes_again_) return "nothing is lost";
  return journaled ? "what the journal has no room for is lost"
                   : "what the memory has no room for is lost";
}

Milliseconds RetryPolicy::failed(const std::string& reason, Milliseconds retry_after) {
  int64_t now = clock_.monotonic_us();
  bool was_open = circuit_open();
  reason_ = reason;
  if (failures_++ == 0) since_us_ = growing_since_us_ = now;
  Milliseconds wait = std::max(delay(), retry_after);
  if (failures_ == 1) {
    log::warn(scope_, reason + "; trying again until it works, " + meanwhile());
    last_said_us_ = now;
  } else if (circuit_open() && !was_open) {
    log::warn(scope_, std::to_string(failures_) + " failures in a row (" + reason +
                          "): circuit open, the next attempts come rarer, up to " +
                          format_duration(config_.breaker_cooldown) + " apart");
    last_said_us_ = now;
  } else if (now - last_said_us_ >= kReminderUs) {
    log::warn(scope_, "still not delivering after " +
                          format_duration(Milliseconds((now - since_us_) / 1000)) + " and " +
                          std::to_string(failures_) + " attempts: " + reason);
    last_said_us_ = now;
  }
  return wait;
}

void RetryPolicy::over() {
  if (failures_ == 0) return;
  int64_t lasted = (clock_.monotonic_us() - since_us_) / 1000;
  log::info(scope_, "delivering again after " + format_duration(Milliseconds(lasted)) + " and " +
                        std::to_string(failures_) + " failed attempts");
  failures_ = 0;
  reason_.clear();
}

}  // namespace leat
