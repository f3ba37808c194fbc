#include "protocols/mqtt/reconnect.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace leat::mqtt {
namespace {

constexpr int64_t kReminderUs = 60'000'000;
// A connection that held for so long was a good one.
constexpr int64_t kGoodUs = 30'000'000;
constexpr int kFewFailures = 3;

}  // namespace

Reconnect::Reconnect(Loop& loop, std::string scope, std::function<void()> connect)
    : clock_(loop.clock()),
      scope_(std::move(scope)),
      connect_(std::move(connect)),
      timer_(loop),
      random_(static_cast<std::minstd_rand::result_type>(
          static_cast<uint64_t>(clock_.monotonic_us()) ^ reinterpret_cast<uintptr_t>(this))) {
  random_.discard(8);  // the first values of this generator follow a small seed closely
}

Milliseconds Reconnect::delay() {
  int64_t ceiling = kShortest.count();
  for (int i = 1; i < failures_ && ceiling < kLongest.count(); ++i) ceiling *= 2;
  ceiling = std::min<int64_t>(ceiling, kLongest.count());
  return Milliseconds(std::uniform_int_distribution<int64_t>(0, ceiling)(random_));
}

void Reconnect::failed(const std::string& why) {
  const int64_t now = clock_.monotonic_us();
  if (connected_us_ != 0) flapping_ = now - connected_us_ < kGoodUs;
  if (connected_us_ != 0 && !flapping_) {
    failures_ = 0;
    reason_.clear();
  }
  connected_us_ = 0;
  ++failures_;
  if (why != reason_ || now - last_said_us_ >= kReminderUs) {
    std::string tries = failures_ > 1 ? " (attempt " + std::to_string(failures_) + ")" : "";
    log::warn(scope_, why + "; trying again until it works" + tries);
    last_said_us_ = now;
    reason_ = why;
  }
  timer_.start(delay(), connect_);
}

void Reconnect::connected(const std::string& what) {
  connected_us_ = clock_.monotonic_us();
  // While connections come and go, the line about why they go is enough.
  log::write(flapping_ && failures_ > kFewFailures ? log::Level::kDebug : log::Level::kInfo, scope_,
             what);
}

}  // namespace leat::mqtt
