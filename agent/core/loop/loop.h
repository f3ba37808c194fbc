// An event loop: what waits for I/O (libuv's), the time, the timers, and work handed over from
// other threads. What runs on a loop is given it, and asks nobody else what time it is: a test
// gives one whose time it moves by hand (tests/unit/support/hand_loop.h).
//
// Thread: that which runs it, except post() and stop(). Lifetime: all handles, timers and streams
// on it go before it is closed, or while it closes.
#pragma once

#include <uv.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/units.h"
#include "loop/timer.h"

namespace leat {

class Async;

class Loop {
 public:
  explicit Loop(const Clock& clock);
  virtual ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // For what waits for I/O; not for its time.
  uv_loop_t* uv() { return &uv_; }
  const Clock& clock() const { return clock_; }
  // When this turn of the loop began, counted from some moment that is always the same. Costs
  // nothing, and goes with the timers. For more than "how long ago", there is clock().
  virtual Milliseconds now() const;

  // Runs `task` on the loop's thread. Any thread, until close().
  void post(std::function<void()> task);

  // Runs until stop(), also while there is nothing to do.
  void run();
  void stop();  // any thread

  // What is still closing finishes, and then the loop is closed. False when something does not come
  // back in time (a DNS look-up cannot be cancelled), or a handle or timer is left over: the loop
  // is then left as it is. Without `patience` it waits.
  bool close(std::optional<Milliseconds> patience = std::nullopt);

 protected:
  // Has run_due() called when it is `due`, or not at all.
  virtual void wake_at(std::optional<Milliseconds> due);
  void run_due();
  std::optional<Milliseconds> next_due() const { return timers_.next(); }

 private:
  friend class Timer;
  void timers_changed();
  void go_round();
  void run_posted();

  const Clock& clock_;
  uv_loop_t uv_;
  uv_timer_t timer_;  // wakes for the first of timers_
  uv_idle_t round_;   // while timers wait for the next turn
  TimerQueue timers_;
  std::optional<Milliseconds> woken_at_;
  bool running_due_ = false;
  int timers_made_ = 0;  // and not yet destroyed
  std::mutex mutex_;     // guards posted_: control messages only, never data
  std::deque<std::function<void()>> posted_;
  std::unique_ptr<Async> async_;
  bool closed_ = false;
};

}  // namespace leat
