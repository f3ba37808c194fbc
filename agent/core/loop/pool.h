// Short blocking calls (a read, a write, an fsync) on libuv's thread pool. What may take long
// because a peer is silent has no place here: there are two threads for all pipelines (net/lookup.h
// has its own).
#pragma once

#include <functional>
#include <utility>

#include "base/lifetime.h"
#include "loop/carry.h"
#include "loop/loop.h"

namespace leat {

// Runs `work` on a pool thread, then `done` on the loop. Neither can be cancelled, so both must own
// what they touch (a shared_ptr), or their owner must wait for `done` before it goes away.
//
// Thread: call on the loop's thread.
void run_in_pool(Loop& loop, std::function<void()> work, std::function<void()> done);

// What `work` returns goes to `then` on the loop, unless the owner has gone meanwhile: then both
// are dropped there. `work` owns what it touches; `then` may use the owner, and destroy it.
template <typename Work, typename Then>
void run_in_pool(Loop& loop, const Lifetime& owner, Work work, Then then) {
  CarriedWork carried = carry(std::move(work), std::move(then));
  run_in_pool(loop, std::move(carried.work), owner.guard(std::move(carried.done)));
}

}  // namespace leat
