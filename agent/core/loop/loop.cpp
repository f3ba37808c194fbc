#include "loop/loop.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "loop/handles.h"

namespace leat {

Loop::Loop(const Clock& clock) : clock_(clock) {
  if (uv_loop_init(&uv_) != 0) std::abort();  // out of descriptors before anything has begun
  uv_timer_init(&uv_, &timer_);
  timer_.data = this;
  uv_idle_init(&uv_, &round_);
  round_.data = this;
  async_ = std::make_unique<Async>(*this, [this] { run_posted(); });
  async_->unref();
}

Loop::~Loop() {
  close();
}

Milliseconds Loop::now() const {
  return Milliseconds(static_cast<int64_t>(uv_now(&uv_)));
}

void Loop::wake_at(std::optional<Milliseconds> due) {
  if (!due) {
    uv_timer_stop(&timer_);
    return;
  }
  auto delay = static_cast<uint64_t>(std::max<int64_t>((*due - now()).count(), 0));
  uv_timer_start(
      &timer_, [](uv_timer_t* timer) { static_cast<Loop*>(timer->data)->run_due(); }, delay, 0);
}

void Loop::run_due() {
  running_due_ = true;
  timers_.run_due(now());
  running_due_ = false;
  woken_at_.reset();
  if (timers_.next() && *timers_.next() <= now()) return go_round();
  timers_changed();
}

// Timers that timers have started without delay: libuv before 1.45 would fire them at once, for
// ever if need be, and never come to its I/O. So its own is started only when it is done with its
// timers for this turn, which is when it calls what is idle.
void Loop::go_round() {
  uv_idle_start(&round_, [](uv_idle_t* idle) {
    uv_idle_stop(idle);
    static_cast<Loop*>(idle->data)->timers_changed();
  });
}

void Loop::timers_changed() {
  if (running_due_ || timers_.next() == woken_at_) return;
  woken_at_ = timers_.next();
  wake_at(woken_at_);
}

void Loop::post(std::function<void()> task) {
  std::lock_guard lock(mutex_);
  posted_.push_back(std::move(task));
  async_->send();
}

void Loop::run_posted() {
  std::deque<std::function<void()>> tasks;
  {
    std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (std::function<void()>& task : tasks) task();
}

void Loop::run() {
  async_->ref();
  uv_run(&uv_, UV_RUN_DEFAULT);
  async_->unref();
}

void Loop::stop() {
  post([this] { uv_stop(&uv_); });
}

bool Loop::close(std::optional<Milliseconds> patience) {
  if (std::exchange(closed_, true)) return true;
  async_.reset();
  uv_timer_t guard;
  uv_timer_init(&uv_, &guard);
  if (patience) {
    uv_timer_start(
        &guard, [](uv_timer_t* timer) { uv_stop(timer->loop); },
        static_cast<uint64_t>(patience->count()), 0);
    uv_unref(reinterpret_cast<uv_handle_t*>(&guard));
  }
  uv_run(&uv_, UV_RUN_DEFAULT);  // the close callbacks
  uv_close(reinterpret_cast<uv_handle_t*>(&guard), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&round_), nullptr);
  uv_run(&uv_, UV_RUN_NOWAIT);
  return uv_loop_close(&uv_) == 0 && timers_made_ == 0;
}

}  // namespace leat
