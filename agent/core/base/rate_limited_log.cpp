#include "base/rate_limited_log.h"

#include <utility>

#include "base/units.h"

namespace leat {

RateLimitedLog::RateLimitedLog(const Clock& clock, std::string scope, std::string what)
    : clock_(clock), scope_(std::move(scope)), what_(std::move(what)) {}

void RateLimitedLog::note(uint64_t times) {
  if (times == 0) return;
  total_ += times;
  unsaid_ += times;
  if (said_.due(clock_.monotonic_us())) say();
}

void RateLimitedLog::finish() {
  if (unsaid_ > 0) say();
}

void RateLimitedLog::say() {
  log::warn(scope_, what_ + " (" + format_count(static_cast<int64_t>(total_)) +
                        (total_ == 1 ? " time so far)" : " times so far)"));
  unsaid_ = 0;
}

}  // namespace leat
