#include "net/reconnect.h"

#include <utility>

namespace leat {
namespace {

constexpr int kFewFailures = 3;

Milliseconds between(int64_t begin_us, int64_t end_us) {
  return Milliseconds((end_us - begin_us) / 1000);
}

}  // namespace

Reconnect::Reconnect(Loop& loop, std::string scope, std::function<void()> connect, uint64_t seed)
    : clock_(loop.clock()),
      scope_(std::move(scope)),
      connect_(std::move(connect)),
      backoff_(seed),
      retry_(loop, ~seed, [this] { outage_.changed(clock_.monotonic_us()); }),
      holds_(loop) {}

Milliseconds Reconnect::delay() {
  Milliseconds most = outage_.failures() == 1 ? kFirst : outage_.delay(clock_.monotonic_us());
  return backoff_.between(Milliseconds{0}, most);
}

void Reconnect::failed(const std::string& why) {
  const int64_t now = clock_.monotonic_us();
  holds_.stop();
  if (connected_us_ != 0) flapping_ = between(connected_us_, now) < kGood;
  if (connected_us_ != 0 && !flapping_) outage_.over();
  connected_us_ = 0;
  if (outage_.failed(why, now) || outage_.due(now)) {
    const int failures = outage_.failures();
    std::string tries = failures > 1 ? " (attempt " + std::to_string(failures) + ")" : "";
    log::warn(scope_, why + "; trying again until it works" + tries);
    outage_.said(now);
  }
  retry_.start(delay(), Milliseconds{0}, connect_);
}

void Reconnect::connected(const std::string& what) {
  connected_us_ = clock_.monotonic_us();
  retry_.stop();
  const std::string trouble =
      !outage_.lasts()
          ? ""
          : ", after " + format_duration(outage_.lasted(connected_us_)) + " and " +
                format_count(static_cast<uint64_t>(outage_.failures()), "failed attempt");
  if (!flapping_ || outage_.failures() <= kFewFailures)
    return log::info(scope_, what + trouble);  // words elsewhere
  // While connections come and go, the line about why they go is enough.
  log::debug(scope_, [&what] { return what; });
  holds_.start(kGood, [this, line = what + trouble] { log::info(scope_, line + "; it holds"); });
}

void Reconnect::stop() {
  retry_.stop();
  holds_.stop();
}

}  // namespace leat
