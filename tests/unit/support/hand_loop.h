// A loop whose time the test moves. Timers fire when it does, in their order, each at its own time;
// those without delay have their turn like anything else that is ready. What waits for I/O, threads
// or other processes is as real as ever.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/clock.h"
#include "loop/loop.h"

namespace leat::testing {

// Other threads may ask it, too (the journal's).
class FakeClock final : public Clock {
 public:
  int64_t unix_us() const override { return unix_us_; }
  int64_t monotonic_us() const override { return monotonic_us_; }
  int64_t since_boot_us() const override { return monotonic_us_; }
  void advance(std::chrono::microseconds by) {
    unix_us_ += by.count();
    monotonic_us_ += by.count();
  }
  // Somebody puts the wall clock right; nothing passes.
  void step(std::chrono::microseconds by) { unix_us_ += by.count(); }

 private:
  std::atomic<int64_t> unix_us_ = 1'760'000'000'000'000;  // 2025-10-09T08:53:20Z
  std::atomic<int64_t> monotonic_us_ = 1'000'000;
};

class HandLoop final : public Loop {
 public:
  HandLoop() : HandLoop(own_clock_) {}
  // With a clock that others have, too, and that may outlive it.
  explicit HandLoop(FakeClock& clock) : Loop(clock), clock_(clock) {}
  ~HandLoop() override { close(); }

  Milliseconds now() const override {
    return std::chrono::duration_cast<Milliseconds>(
        std::chrono::microseconds(clock_.monotonic_us()));
  }
  // When the next timer fires; none when none runs.
  std::optional<Milliseconds> next_due() const { return Loop::next_due(); }

  void advance(std::chrono::microseconds by) {
    const int64_t end_us = clock_.monotonic_us() + by.count();
    while (next_due() && std::chrono::microseconds(*next_due()).count() <= end_us) run_next();
    clock_.advance(std::chrono::microseconds(end_us - clock_.monotonic_us()));
  }
  // To the moment of the next timer, which fires. False when none runs.
  bool advance_to_next() {
    if (!next_due()) return false;
    run_next();
    return true;
  }

 private:
  void wake_at(std::optional<Milliseconds> due) override {
    Loop::wake_at(due && *due <= now() ? due : std::nullopt);
  }
  void run_next() {
    auto due_us = std::chrono::microseconds(*next_due()).count();
    clock_.advance(std::chrono::microseconds(std::max<int64_t>(due_us - clock_.monotonic_us(), 0)));
    run_due();
  }

  FakeClock own_clock_;
  FakeClock& clock_;
};

// Wakes a loop after some real time, for a test that waits on it for something real.
class Alarm {
 public:
  Alarm(Loop& loop, std::chrono::milliseconds after) {
    uv_timer_init(loop.uv(), timer_);
    timer_->data = &rung_;
    uv_timer_start(
        timer_, [](uv_timer_t* t) { *static_cast<bool*>(t->data) = true; },
        static_cast<uint64_t>(after.count()), 0);
  }
  ~Alarm() {
    uv_close(reinterpret_cast<uv_handle_t*>(timer_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); });
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  bool rung() const { return rung_; }

 private:
  uv_timer_t* timer_ = new uv_timer_t;
  bool rung_ = false;
};

constexpr std::chrono::seconds kPatience{20};
constexpr std::chrono::milliseconds kMoment{20};

// One turn of the loop, which waits a moment at most (a timer that fires at its beginning would not
// end it). False when nothing came.
inline bool turn(Loop& loop) {
  Alarm moment(loop, kMoment);
  uv_run(loop.uv(), UV_RUN_ONCE);
  return !moment.rung();
}

// Runs a loop until a condition holds; false when that took too long, rather than to hang.
inline bool run_until(Loop& loop, const std::function<bool()>& condition) {
  Alarm deadline(loop, kPatience);
  while (!deadline.rung() && !condition()) turn(loop);
  return condition();
}

// The same, and while it does not hold time goes on: for what happens after a while. All that is
// ready has its turn before each step. After each stretch of `most` something from outside (another
// thread, a socket) is waited for, and when nothing comes in a real moment, the next is longer.
inline bool run_until(HandLoop& loop, const std::function<bool()>& condition, Milliseconds most) {
  const Milliseconds step = std::min(Milliseconds{10}, std::max(most / 10, Milliseconds{1}));
  Alarm deadline(loop, kPatience);
  while (!deadline.rung()) {
    for (Milliseconds passed{0}; passed < most; passed += step) {
      for (int i = 0; i < 20; ++i) {
        if (condition()) return true;
        uv_run(loop.uv(), UV_RUN_NOWAIT);
      }
      loop.advance(step);
    }
    if (condition()) return true;
    if (!turn(loop)) most *= 2;
  }
  return condition();
}

}  // namespace leat::testing
