#include "connectors/serial/poller.h"

#include <algorithm>
#include <utility>

namespace leat::serial {

Poller::Poller(Loop& loop, const PollRules& rules, std::function<bool()> send,
               std::function<void()> timed_out)
    : clock_(loop.clock()),
      rules_(rules),
      send_(std::move(send)),
      timed_out_(std::move(timed_out)),
      timer_(loop) {}

void Poller::start() {
  if (rules_.request.empty()) return;
  running_ = true;
  awaiting_ = false;
  due_us_ = clock_.monotonic_us();
  timer_.start_next_turn([this] { send(); });
}

void Poller::stop() {
  running_ = awaiting_ = false;
  timer_.stop();
}

void Poller::pause() {
  timer_.stop();
}

void Poller::resume() {
  if (!running_ || timer_.active()) return;
  if (awaiting_) {
    await();
  } else {
    schedule();
  }
}

void Poller::send() {
  due_us_ += rules_.every.count() * 1000;
  if (!send_()) return;
  awaiting_ = true;
  await();
}

void Poller::await() {
  timer_.start(rules_.timeout, [this] {
    awaiting_ = false;
    timed_out_();
    if (running_) schedule();
  });
}

void Poller::answered() {
  if (!std::exchange(awaiting_, false)) return;
  schedule();
}

void Poller::schedule() {
  int64_t now = clock_.monotonic_us();
  due_us_ = std::max(due_us_, now);
  timer_.start(Milliseconds((due_us_ - now + 999) / 1000), [this] { send(); });
}

}  // namespace leat::serial
