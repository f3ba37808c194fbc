#include "delivery/retry_policy.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace leat {

RetryPolicy::RetryPolicy(const DeliveryConfig& config, const Clock& clock, std::string scope,
                         uint64_t seed, bool comes_again)
    : config_(config),
      clock_(clock),
      scope_(std::move(scope)),
      comes_again_(comes_again),
      backoff_(seed),
      outage_(kFirstCooldown, config.breaker_cooldown) {}

Milliseconds RetryPolicy::delay() {
  if (!circuit_open()) return backoff_.after(failures(), config_.retry_initial, config_.retry_max);
  Milliseconds grown = outage_.delay(clock_.monotonic_us());
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

Milliseconds RetryPolicy::failed(const std::string& reason, Milliseconds retry_after,
                                 std::string_view what_follows) {
  int64_t now = clock_.monotonic_us();
  bool was_open = circuit_open();
  outage_.failed(reason, now);
  if (circuit_open() && !was_open) ++openings_;
  Milliseconds wait = std::max(delay(), retry_after);
  if (failures() == 1) {
    log::warn(scope_, reason + (what_follows.empty()
                                    ? std::string("; trying again until it works, ") + meanwhile()
                                    : "; " + std::string(what_follows)));
    outage_.said(now);
  } else if (circuit_open() && !was_open) {
    log::warn(scope_, std::to_string(failures()) + " failures in a row (" + reason +
                          "): circuit open, the next attempts come rarer, up to " +
                          format_duration(config_.breaker_cooldown) + " apart");
    outage_.said(now);
  } else if (outage_.due(now)) {
    log::warn(scope_, "still not delivering after " + format_duration(outage_.lasted(now)) +
                          " and " + format_count(static_cast<uint64_t>(failures()), "attempt") +
                          ": " + reason);
  }
  return wait;
}

void RetryPolicy::over() {
  if (!active()) return;
  log::info(scope_, "delivering again after " +
                        format_duration(outage_.lasted(clock_.monotonic_us())) + " and " +
                        format_count(static_cast<uint64_t>(failures()), "failed attempt"));
  outage_.over();
}

}  // namespace leat
