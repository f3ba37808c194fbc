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
#include "connectors/mqtt/patience.h"
#include "loop/handles.h"

namespace leat::mqtt {

class InFlightLimit {
 public:
  // `most`: leat's own limit. `learned`: full() may have become true. `held_back`: the broker has
  // more than its window lets through, since acknowledgements fill it again at once; told once for
  // each connection, with the window.
  InFlightLimit(Loop& loop, size_t most, std::function<void()> learned,
                std::function<void(size_t)> held_back)
      : loop_(loop),
        most_(most),
        learned_(std::move(learned)),
        held_back_(std::move(held_back)),
        quiet_(loop) {}

  // New messages came; so many wait for their acknowledgement now.
  void arrived(size_t messages, size_t waiting) {
    const Milliseconds now = loop_.now();
    patience_.arrived(now, messages);
    if (waiting_ == 0 || waiting <= waiting_) {  // some were acknowledged
      first_ = now;
      stopped_at(waiting_);
    }
    last_ = now;
    waiting_ = waiting;
    came_ = true;
    if (waiting_ > guess_) guess_ = SIZE_MAX;
    if (waiting_ == guess_ && now - acknowledged_ < kRefill && ++refills_ == kRefillsToTell)
      tell_held_back(guess_);
    if (since_acknowledged_ == 0) resumed_ = now;
    since_acknowledged_ += messages;
    if (full_at_ <= kLargestOfBrokers && since_acknowledged_ >= kMuch && now - resumed_ < kAtOnce)
      tell_held_back(full_at_);
    if (waiting_ == guess_ || waiting_ >= most_) patience_.filled();
    if (waiting_ >= kSmallest && waiting_ != guess_ && !quiet_.active()) watch();
  }
  void acknowledged() {
    acknowledged_ = loop_.now();
    patience_.acknowledged(acknowledged_);
    full_at_ = waiting_ == guess_ ? guess_ : SIZE_MAX;
    since_acknowledged_ = 0;
  }
  // For how long it may be full and wait for the sink. A broker that was told leat's own limit
  // holds little back of its own accord: what looks like a larger window was all that there was.
  Milliseconds patience() const {
    const bool believed = !knows_most_ || waiting_ <= kLargestOfBrokers || waiting_ >= most_;
    return believed ? patience_.now() : kNoHaste;
  }
  bool full(size_t waiting) const { return waiting >= std::min(guess_, most_); }
  // A new connection. `knows_most`: the broker was told `most`.
  void forget(bool knows_most = false) {
    knows_most_ = knows_most;
    guess_ = SIZE_MAX;
    waiting_ = 0;
    refills_ = 0;
    stops_ = 0;
    told_ = false;
    full_at_ = SIZE_MAX;
    quiet_.stop();
  }

 private:
  // Fewer than this are taken for a thin stream, which had better linger.
  static constexpr size_t kSmallest = 10;
  // Longer than a broker on the same network takes from one message to the next.
  static constexpr Milliseconds kQuiet{5};
  // Nagle's algorithm at the broker and delayed acknowledgements here take up to 40 ms.
  static constexpr Milliseconds kRefill{100};
  static constexpr int kRefillsToTell = 5;
  // So many in so short a time come out of a queue, once the window is open. Some brokers let out
  // more then than they did at first (mosquitto 2.0.11).
  static constexpr Milliseconds kAtOnce{20};
  static constexpr size_t kMuch = 200;
  static constexpr size_t kLargestOfBrokers = 200;  // windows, of those that do not ask the client
  static constexpr Milliseconds kNoHaste{3'600'000};
  static constexpr int kStopsToLearn = 4;

  void stopped_at(size_t waiting) {
    stops_ = waiting == last_stop_ ? stops_ + 1 : 1;
    last_stop_ = waiting;
    if (waiting >= kSmallest && stops_ >= kStopsToLearn) guess_ = waiting;
  }

  void tell_held_back(size_t window) {
    if (!std::exchange(told_, true)) held_back_(window);
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
      patience_.filled();
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
  size_t full_at_ = SIZE_MAX;  // when some were acknowledged; SIZE_MAX: it was not full
  size_t since_acknowledged_ = 0;
  Milliseconds resumed_{0};  // the first came since
  Patience patience_;
  int refills_ = 0;
  size_t last_stop_ = 0;  // as many waited when some were acknowledged
  int stops_ = 0;         // so often in a row
  bool came_ = false;
  bool told_ = false;
  bool knows_most_ = false;
};

}  // namespace leat::mqtt
