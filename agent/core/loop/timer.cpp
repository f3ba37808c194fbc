#include "loop/timer.h"

#include <algorithm>

#include "loop/loop.h"

namespace leat {

TimerQueue::Place TimerQueue::add(Milliseconds due, Timer& timer) {
  Place place{due, ++added_};
  timers_.emplace(place, &timer);
  return place;
}

std::optional<Milliseconds> TimerQueue::next() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first.first;
}

void TimerQueue::run_due(Milliseconds now) {
  const uint64_t last = added_;
  while (!timers_.empty()) {
    const auto& [place, timer] = *timers_.begin();
    if (place.first > now || place.second > last) return;
    timer->fire();
  }
}

Timer::Timer(Loop& loop) : loop_(loop) {
  ++loop_.timers_made_;
}

Timer::~Timer() {
  stop();
  --loop_.timers_made_;
}

void Timer::start(Milliseconds delay, std::function<void()> callback) {
  callback_ = std::move(callback);
  period_ = Milliseconds{0};
  begin(std::max(delay, Milliseconds{0}));
}

void Timer::start_next_turn(std::function<void()> callback) {
  start(Milliseconds{0}, std::move(callback));
}

void Timer::start_repeating(Milliseconds period, std::function<void()> callback) {
  callback_ = std::move(callback);
  period_ = std::max(period, Milliseconds{1});
  begin(period_);
}

void Timer::begin(Milliseconds delay) {
  if (place_) loop_.timers_.remove(*place_);
  place_ = loop_.timers_.add(loop_.now() + delay, *this);
  loop_.timers_changed();
}

void Timer::stop() {
  if (!place_) return;
  loop_.timers_.remove(*place_);
  place_.reset();
  loop_.timers_changed();
}

// Runs a copy: the callback may replace itself, or destroy the Timer.
void Timer::fire() {
  if (period_.count() > 0) {
    begin(period_);
  } else {
    stop();
  }
  std::function<void()> callback = callback_;
  callback();
}

}  // namespace leat
