// When a delivery that is not full goes all the same.
//
// After the linger, in any case. Before that where small deliveries cost the sink little
// (BatchLimits::spacing): as soon as the sink has nothing to do (the idea of J. Nagle's algorithm,
// RFC 896), but not sooner than `spacing` after the last one went. So a record that comes alone is
// there at once; and when many come, at most 1 s / spacing deliveries a second are not full: what
// they cost does not grow with the rate.
//
// Thread: the loop's thread.
#pragma once

#include <functional>
#include <optional>

#include "base/units.h"
#include "loop/loop.h"
#include "loop/timer.h"

namespace leat {

class Linger {
 public:
  // `over`: it goes now. `soon`: may_hurry() is true now.
  Linger(Loop& loop, std::function<void()> over, std::function<void()> soon);

  // Something is collected. `spacing` 0: it is not hurried.
  void start(Milliseconds longest, Milliseconds spacing);
  // What was collected went.
  void went();
  void stop();
  bool active() const { return longest_.active(); }
  // It goes when the sink is idle.
  bool may_hurry() const { return may_hurry_; }
  // More is just coming: asks again a spacing later.
  void wait_for_more();

 private:
  void hurry_in(Milliseconds delay);

  Loop& loop_;
  const std::function<void()> over_;
  const std::function<void()> soon_;
  Timer longest_;
  Timer hurry_;
  Milliseconds spacing_{0};
  std::optional<Milliseconds> went_;  // the last one, on the loop's clock
  bool may_hurry_ = false;
};

}  // namespace leat
