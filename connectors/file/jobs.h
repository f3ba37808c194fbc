// What a source has under way on the pool, so that it can wait for the end of it.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <utility>

#include "loop/loop.h"
#include "loop/pool.h"

namespace leat {

class Jobs {
 public:
  explicit Jobs(Loop& loop) : loop_(loop) {}
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  // Runs `work` on the pool, then `done` on the loop, unless stop() came before.
  void run(std::function<void()> work, std::function<void()> done) {
    if (closed_) return;
    ++under_way_;
    run_in_pool(loop_, std::move(work), [this, done = std::move(done)]() mutable {
      --under_way_;
      if (!closed_) return std::exchange(done, nullptr)();
      done = nullptr;  // what it holds must be gone before the owner is
      if (under_way_ == 0) std::exchange(closed_, nullptr)();
    });
  }
  // What `work` returns goes to `then`.
  template <typename Work, typename Then>
  void run_for(Work work, Then then) {
    CarriedWork carried = carry(std::move(work), std::move(then));
    run(std::move(carried.work), std::move(carried.done));
  }
  // Calls `closed` when nothing is under way any more, perhaps at once.
  void stop(std::function<void()> closed) {
    if (under_way_ == 0) return closed();
    closed_ = std::move(closed);
  }

 private:
  Loop& loop_;
  int under_way_ = 0;
  std::function<void()> closed_;
};

}  // namespace leat
