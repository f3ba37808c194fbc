// How many messages the broker sends before it waits for acknowledgements. MQTT does not tell a
// subscriber: mosquitto's max_inflight_messages is 20, others have 10 to 100. Knowing it saves
// waiting for more where no more can come.
//
// When nothing has come for a moment, the number that waits is taken for the window; when it is
// reached again, the window is full. A wrong guess costs little: a batch goes out before it
// lingered.
//
// Thread: the loop's thread.
#pragma once

#include <uv.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>

#include "base/units.h"
#include "loop/handles.h"

namespace leat::mqtt {

class WindowGuess {
 public:
  // `most`: leat's own limit. `learned`: full() may have become true.
  WindowGuess(uv_loop_t* loop, size_t most, std::function<void()> learned)
      : most_(most), learned_(std::move(learned)), quiet_(loop) {}

  // New messages came; so many wait for their acknowledgement now.
  void arrived(size_t waiting) {
    waiting_ = waiting;
    came_ = true;
    if (waiting_ > guess_) guess_ = SIZE_MAX;
    if (waiting_ >= kSmallest && waiting_ != guess_ && !quiet_.active()) watch();
  }
  bool full(size_t waiting) const { return waiting >= std::min(guess_, most_); }
  void forget() {
    guess_ = SIZE_MAX;
    quiet_.stop();
  }

 private:
  // Fewer than this are taken for a thin stream, which had better linger.
  static constexpr size_t kSmallest = 10;
  // Longer than a broker on the same network takes from one message to the next.
  static constexpr Milliseconds kQuiet{10};

  void watch() {
    came_ = false;
    quiet_.start(kQuiet, [this] {
      if (came_) return watch();
      if (waiting_ < kSmallest) return;
      guess_ = waiting_;
      learned_();
    });
  }

  const size_t most_;
  const std::function<void()> learned_;
  Timer quiet_;
  size_t waiting_ = 0;
  size_t guess_ = SIZE_MAX;
  bool came_ = false;
};

}  // namespace leat::mqtt
