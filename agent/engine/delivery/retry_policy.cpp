#include "delivery/retry_policy.h"

#include <algorithm>

#include "base/log.h"

namespace leat {

namespace {
constexpr int64_t kReminderUs = 60'000'000;
}

RetryPolicy::RetryPolicy(const DeliveryConfig& config, const Clock& clock, std::string scope,
                         uint64_t seed)
    : config_(config),
      clock_(clock),
      scope_(std::move(scope)),
      random_(static_cast<std::minstd_rand::result_type>(seed)) {
  random_.discard(8);  // the first values of this generator follow a small seed closely
}

Milliseconds RetryPolicy::delay() {
  if (circuit_open()) {
    // A tenth of jitter, so that many agents do not come back in the same instant.
    int64_t cooldown = config_.breaker_cooldown.count();
    return Milliseconds(cooldown +
                        std::uniform_int_distribution<int64_t>(0, cooldown / 10)(random_));
  }
  int64_t ceiling = config_.retry_initial.count();
  for (int i = 1; i < failures_ && ceiling < config_.retry_max.count(); ++i) ceiling *= 2;
  ceiling = std::min<int64_t>(ceiling, config_.retry_max.count());
  return Milliseconds(std::uniform_int_distribution<int64_t>(0, ceiling)(random_));
}

const char* RetryPolicy::meanwhile() const {
  if (config_.spool.mode == SpoolMode::kNever) return "nothing is lost";
  switch (config_.spool.overflow) {
    case Overflow::kBlock:
      break;
    case Overflow::kDropOldest:
      return "beyond maxSpool the oldest records are dropped";
    case Overflow::kDropNewest:
      return "beyond maxSpool what comes is dropped";
  }
  return "nothing is lost";
}

Milliseconds RetryPolicy::failed(const std::string& reason, Milliseconds retry_after) {
  int64_t now = clock_.monotonic_us();
  bool was_open = circuit_open();
  reason_ = reason;
  if (failures_++ == 0) since_us_ = now;
  Milliseconds wait = std::max(delay(), retry_after);
  if (failures_ == 1) {
    log::warn(scope_, reason + "; trying again until it works, " + meanwhile());
    last_said_us_ = now;
  } else if (circuit_open() && !was_open) {
    log::warn(scope_, std::to_string(failures_) + " failures in a row (" + reason +
                          "): circuit open, one attempt every " +
                          format_duration(config_.breaker_cooldown));
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
