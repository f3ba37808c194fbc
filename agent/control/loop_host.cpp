#include "control/loop_host.h"

#include <pthread.h>

#include <cstdlib>
#include <utility>

namespace leat {

LoopHost::LoopHost(Journal& journal) {
  if (uv_loop_init(&loop_) != 0) std::abort();  // out of descriptors before anything has begun
  journal_ = journal.make_client(&loop_);
  async_ = std::make_unique<Async>(&loop_, [this] { run_posted(); });
}

LoopHost::~LoopHost() {
  close();
}

bool LoopHost::close() {
  if (std::exchange(closed_, true)) return true;
  stop();
  if (thread_.joinable()) thread_.join();
  pipelines.clear();
  async_.reset();
  journal_.reset();
  constexpr Milliseconds kGrace{500};
  {
    Timer guard(&loop_);
    guard.start(kGrace, [this] { uv_stop(&loop_); });
    guard.unref();
    uv_run(&loop_, UV_RUN_DEFAULT);  // the close callbacks
  }
  uv_run(&loop_, UV_RUN_NOWAIT);  // the guard's own
  return uv_loop_close(&loop_) == 0;
}

void LoopHost::post(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  async_->send();
}

void LoopHost::run_posted() {
  std::deque<std::function<void()>> tasks;
  {
    std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (std::function<void()>& task : tasks) task();
}

void LoopHost::start_thread() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "leat-worker");
    run();
  });
}

void LoopHost::run() {
  uv_run(&loop_, UV_RUN_DEFAULT);
}

void LoopHost::stop() {
  post([this] { uv_stop(&loop_); });
}

}  // namespace leat
