#include "net/retry_timer.h"

#include <algorithm>
#include <utility>

namespace leat {

RetryTimer::RetryTimer(Loop& loop, uint64_t seed, std::function<void()> changed)
    : loop_(loop), backoff_(seed), changed_(std::move(changed)), timer_(loop) {}

void RetryTimer::start(Milliseconds delay, Milliseconds at_least, std::function<void()> again) {
  if (!watch_) watch_.emplace(loop_, [this] { network_changed(); });
  if (std::exchange(changed_meanwhile_, false)) delay = std::min(delay, soon());
  again_ = std::move(again);
  earliest_ = loop_.now() + at_least;
  due_ = loop_.now() + std::max(delay, at_least);
  timer_.start(due_ - loop_.now(), again_);
}

void RetryTimer::network_changed() {
  changed_();
  if (!timer_.active()) {
    changed_meanwhile_ = true;
    return;
  }
  Milliseconds due = std::max(loop_.now() + soon(), earliest_);
  if (due >= due_) return;
  due_ = due;
  timer_.start(due_ - loop_.now(), again_);
}

std::optional<Milliseconds> RetryTimer::left() const {
  if (!timer_.active()) return std::nullopt;
  return std::max(due_ - loop_.now(), Milliseconds{0});
}

void RetryTimer::stop() {
  timer_.stop();
  watch_.reset();
  changed_meanwhile_ = false;
}

}  // namespace leat
