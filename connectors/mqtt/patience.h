// For how long a window that is full may wait for the sink, before what fills it is journaled.
//
// Behind its window a broker has a queue, and what that cannot hold it drops: a burst at full speed
// fills the 1,000 messages of mosquitto within 25 to 80 ms. So at first there is haste. But where
// bursts are over soon after the window was full, as when some devices publish at the same second,
// it was for nothing, and the next time waits twice as long, so that flash is spared.
//
// Thread: any; of one at a time.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/units.h"

namespace leat::mqtt {

class Patience {
 public:
  // New messages came.
  void arrived(Milliseconds now, size_t messages) {
    if (now - moved_ > kSameBurst) end_of_burst();
    moved_ = now;
    messages_ += messages;
  }
  void acknowledged(Milliseconds now) { moved_ = now; }
  // The window is full.
  void filled() { filled_ = true; }

  Milliseconds now() const { return std::min(kLeast * (1 << needless_), kMost); }

 private:
  static constexpr Milliseconds kLeast{20};
  static constexpr Milliseconds kMost{100};
  // When nothing holds messages back, and none comes for longer, it is over.
  static constexpr Milliseconds kSameBurst{100};
  static constexpr size_t kSmallBurst = 200;
  static constexpr int kMostNeedless = 5;

  void end_of_burst() {
    if (filled_) needless_ = messages_ < kSmallBurst ? std::min(needless_ + 1, kMostNeedless) : 0;
    filled_ = false;
    messages_ = 0;
  }

  Milliseconds moved_{0};
  size_t messages_ = 0;  // of this burst
  bool filled_ = false;
  int needless_ = 0;  // small bursts in a row
};

}  // namespace leat::mqtt
