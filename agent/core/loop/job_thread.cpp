#include "loop/job_thread.h"

#include <pthread.h>

#include <utility>

namespace leat {

JobThread::JobThread(Loop& loop, std::string name, size_t capacity)
    : name_(std::move(name)),
      capacity_(capacity),
      jobs_(capacity),
      finished_(capacity),
      async_(loop, [this] { finish(); }) {
  uv_sem_init(&wake_, 0);
  async_.unref();
  thread_ = std::thread([this] { run(); });
}

JobThread::~JobThread() {
  stopping_ = true;
  uv_sem_post(&wake_);
  thread_.join();
  uv_sem_destroy(&wake_);
}

bool JobThread::submit(std::function<void()> work, std::function<void()> done) {
  if (under_way_ == capacity_) return false;
  jobs_.push({std::move(work), std::move(done)});
  // While a job is under way its completion is awaited, so the loop must not end.
  if (under_way_++ == 0) async_.ref();
  uv_sem_post(&wake_);
  return true;
}

void JobThread::run() {
  pthread_setname_np(pthread_self(), name_.c_str());
  while (true) {
    uv_sem_wait(&wake_);
    if (stopping_) return;
    std::optional<Job> job = jobs_.pop();
    if (!job) continue;
    job->work();
    job->work = nullptr;
    // There is room: at most capacity_ jobs are under way, and each is in one ring only.
    finished_.push(std::move(*job));
    async_.send();
  }
}

void JobThread::finish() {
  auto gone = lifetime_.witness();
  while (!*gone) {
    std::optional<Job> job = finished_.pop();
    if (!job) return;
    if (--under_way_ == 0) async_.unref();
    if (job->done) job->done();
  }
}

}  // namespace leat
