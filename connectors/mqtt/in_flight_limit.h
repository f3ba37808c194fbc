// How many messages the broker sends before it waits for acknowledgements. MQTT does not tell a
// subscriber: mosquitto's max_inflight_messages is 20, others have 10 to 100. Knowing it saves
// waiting for more where no more can come.
//
// When nothing has come for a moment, long beside the pace of what came before, the number that
// waits is taken for the window; when it is reached again, the window is full. So is the number at
// which it stops several times in a row before some are acknowledged, for a sink that leaves it no
// such moment. A wrong guess costs little: a batch goes out before it lingered.
//
// Thread: the loop's thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "base/units.h"
#include "loop/handles.h"

namespace leat::mqtt {

class InFlightLimit {
 public:
  // `most`: leat's own limit. `learned`: full() may have become true. `held_back`: the broker has
  // more than its window lets through, since each acknowledgement fills it again at once; told once
  // for each connection, with the window.
  InFlightLimit(Loop& loop, size_t most, std::function<void()> learned,
                std::function<void(size_t)> held_back)
      : loop_(loop),
        most_(most),
        learned_(std::move(learned)),
        held_back_(std::move(held_back)),
        quiet_(loop) {}

  // New messages came; so many wait for their acknowledgement now.
  void arrived(size_t waiting) {
    const Milliseconds now = loop_.now();
    if (waiting_ == 0 || waiting <= waiting_) {  // some were acknowledged
      first_ = now;
      stopped_at(waiting_);
    }
    last_ = now;
    waiting_ = waiting;
    came_ = true;
    if (waiting_ > guess_) guess_ = SIZE_MAX;
    if (waiting_ == guess_ && now - acknowledged_ < kRefill && ++refills_ == kRefillsToTell)
      held_back_(guess_);
    if (waiting_ >= kSmallest && waiting_ != guess_ && !quiet_.active()) watch();
  }
  void acknowledged() { acknowledged_ = loop_.now(); }
  bool full(size_t waiting) const { return waiting >= std::min(guess_, most_); }
  void forget() {
    guess_ = SIZE_MAX;
    waiting_ = 0;
    refills_ = 0;
    stops_ = 0;
    quiet_.stop();
  }

 private:
  // Fewer than this are taken for a thin stream, which had better linger.
  static constexpr size_t kSmallest = 10;
  // Longer than a broker on the same network takes from one message to the next.
  static constexpr Milliseconds kQuiet{10};
  // Nagle's algorithm at the broker and delayed acknowledgements here take up to 40 ms.
  static constexpr Milliseconds kRefill{100};
  static constexpr int kRefillsToTell = 5;
  static constexpr int kStopsToLearn = 4;

  void stopped_at(size_t waiting) {
    stops_ = waiting == last_stop_ ? stops_ + 1 : 1;
    last_stop_ = waiting;
    if (waiting >= kSmallest && stops_ >= kStopsToLearn) guess_ = waiting;
  }

  void watch() {
    came_ = false;
    // Four times as long as from one message to the next until now.
    const Milliseconds pace =
        (last_ - first_) * 4 / static_cast<int>(std::max<size_t>(waiting_, 1));
    quiet_.start(std::max(kQuiet, pace), [this] {
      if (came_) return watch();
      if (waiting_ < kSmallest) return;
      guess_ = waiting_;
      learned_();
    });
  }

  Loop& loop_;
  const size_t most_;
  const std::function<void()> learned_;
  const std::function<void(size_t)> held_back_;
  Timer quiet_;
  size_t waiting_ = 0;
  size_t guess_ = SIZE_MAX;
  Milliseconds first_{0};  // of those that wait
  Milliseconds last_{0};
  Milliseconds acknowledged_{0};
  int refills_ = 0;
  size_t last_stop_ = 0;  // as many waited when some were acknowledged
  int stops_ = 0;         // so often in a row
  bool came_ = false;
};

}  // namespace leat::mqtt
