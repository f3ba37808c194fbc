#include "runtime/loop_host.h"

#include <pthread.h>

#include <cstdlib>
#include <utility>

#include "base/log.h"

namespace leat {

LoopHost::LoopHost(Journal& journal) {
  if (uv_loop_init(&loop_) != 0) std::abort();  // out of descriptors before anything has begun
  journal_ = journal.make_client(&loop_);
  async_ = std::make_unique<Async>(&loop_, [this] { run_posted(); });
}

LoopHost::~LoopHost() {
  stop();
  if (thread_.joinable()) thread_.join();
  pipelines.clear();
  async_.reset();
  journal_.reset();
  uv_run(&loop_, UV_RUN_DEFAULT);  // the close callbacks
  if (uv_loop_close(&loop_) != 0) log::error("leat", "a handle was left open on a loop");
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
