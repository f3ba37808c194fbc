// Timers of a Loop (loop.h), by whose time they go. A timer is no libuv handle: destroying one is
// safe at any moment, also inside its own callback, and leaves nothing to be closed.
//
// Thread: the loop's thread. A timer must not outlive its loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "base/units.h"

namespace leat {

class Loop;
class Timer;

// Those that run, in the order in which they are due; of two that are due together, the one that
// was started first. Knows no clock: whoever owns it says what time it is.
class TimerQueue {
 public:
  using Place = std::pair<Milliseconds, uint64_t>;

  Place add(Milliseconds due, Timer& timer);
  void remove(Place place) { timers_.erase(place); }
  std::optional<Milliseconds> next() const;
  // Fires all that are due at `now`; not those that are started meanwhile, which have their turn
  // after everybody else's.
  void run_due(Milliseconds now);

 private:
  std::map<Place, Timer*> timers_;
  uint64_t added_ = 0;
};

// One-shot or repeating.
class Timer {
 public:
  explicit Timer(Loop& loop);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Starting a running timer starts it anew. The callback may destroy the Timer.
  void start(Milliseconds delay, std::function<void()> callback);
  // In the next turn of the loop: what is let go in this one, a socket say, is closed by then.
  void start_next_turn(std::function<void()> callback);
  void start_repeating(Milliseconds period, std::function<void()> callback);
  void stop();
  bool active() const { return place_.has_value(); }

 private:
  friend class TimerQueue;
  void begin(Milliseconds delay);
  void fire();

  Loop& loop_;
  std::function<void()> callback_;
  Milliseconds period_{0};  // 0: it fires once
  std::optional<TimerQueue::Place> place_;
};

}  // namespace leat
