// A thread beside the loop for libraries that block. Jobs run there one after another; each one's
// completion then runs on the loop. Both directions are rings, so neither side waits on a lock.
//
// Thread: constructed, used and destroyed on the loop's thread; `work` runs on the job thread,
// `done` on the loop, and may destroy the JobThread.
#pragma once

#include <uv.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "base/lifetime.h"
#include "loop/carry.h"
#include "loop/handles.h"
#include "memory/ring.h"

namespace leat {

class JobThread {
 public:
  // `name` is shown by ps and debuggers: at most 15 characters. At most `capacity` jobs are under
  // way at once.
  JobThread(Loop& loop, std::string name, size_t capacity);
  // Waits for the job that runs now; jobs not begun are dropped, and no `done` is called any more.
  ~JobThread();
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;

  // False when `capacity` jobs are under way.
  bool submit(std::function<void()> work, std::function<void()> done);
  // What `work` returns goes to `then`.
  template <typename Work, typename Then>
  bool submit_for(Work work, Then then) {
    CarriedWork carried = carry(std::move(work), std::move(then));
    return submit(std::move(carried.work), std::move(carried.done));
  }
  size_t under_way() const { return under_way_; }

 private:
  struct Job {
    std::function<void()> work;
    std::function<void()> done;
  };
  void run();
  void finish();

  const std::string name_;
  const size_t capacity_;
  Ring<Job> jobs_;
  Ring<Job> finished_;
  uv_sem_t wake_;  // not std::counting_semaphore: GCC 12's can sleep forever (GCC PR 104928)
  std::atomic<bool> stopping_{false};
  size_t under_way_ = 0;  // in either ring, or running
  Lifetime lifetime_;
  Async async_;
  std::thread thread_;
};

}  // namespace leat
