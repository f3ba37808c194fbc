#include "base/rate_limited_log.h"

#include <utility>

#include "base/log.h"
#include "base/units.h"

namespace leat {
namespace {

constexpr int64_t kQuietUs = 60'000'000;

}  // namespace

RateLimitedLog::RateLimitedLog(const Clock& clock, std::string scope, std::string what)
    : clock_(clock), scope_(std::move(scope)), what_(std::move(what)) {}

void RateLimitedLog::note(uint64_t times) {
  if (times == 0) return;
  bool first = total_ == 0;
  total_ += times;
  unsaid_ += times;
  if (first || clock_.monotonic_us() - said_us_ >= kQuietUs) say();
}

void RateLimitedLog::finish() {
  if (unsaid_ > 0) say();
}

void RateLimitedLog::say() {
  log::warn(scope_, what_ + " (" + format_count(static_cast<int64_t>(total_)) +
                        (total_ == 1 ? " time so far)" : " times so far)"));
  unsaid_ = 0;
  said_us_ = clock_.monotonic_us();
}

}  // namespace leat
