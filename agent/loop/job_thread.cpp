#include "loop/job_thread.h"

#include <pthread.h>

#include <utility>

namespace leat {

JobThread::JobThread(uv_loop_t* loop, std::string name, size_t capacity)
    : name_(std::move(name)),
      jobs_(capacity),
      finished_(capacity),
      async_(loop, [this] { finish(); }),
      thread_([this] { run(); }) {
  async_.unref();
}

JobThread::~JobThread() {
  stopping_ = true;
  wake_.release();
  thread_.join();
}

bool JobThread::submit(std::function<void()> work, std::function<void()> done) {
  if (!jobs_.push({std::move(work), std::move(done)})) return false;
  // While a job is under way its completion is awaited, so the loop must not end.
  if (under_way_++ == 0) async_.ref();
  wake_.release();
  return true;
}

void JobThread::run() {
  pthread_setname_np(pthread_self(), name_.c_str());
  while (true) {
    wake_.acquire();
    if (stopping_) return;
    std::optional<Job> job = jobs_.pop();
    if (!job) continue;
    job->work();
    job->work = nullptr;
    // There is room: at most `capacity` jobs are under way, and each is in one ring only.
    finished_.push(std::move(*job));
    async_.send();
  }
}

void JobThread::finish() {
  while (std::optional<Job> job = finished_.pop()) {
    if (--under_way_ == 0) async_.unref();
    if (job->done) job->done();
  }
}

}  // namespace leat
