// Short blocking calls (a read, a write, an fsync) on libuv's thread pool. What may take long
// because a peer is silent has no place here: there are two threads for all pipelines (net/lookup.h
// has its own).
#pragma once

#include <functional>

#include "loop/loop.h"

namespace leat {

// Runs `work` on a pool thread, then `done` on the loop. Neither can be cancelled, so both must own
// what they touch (a shared_ptr), or their owner must wait for `done` before it goes away.
//
// Thread: call on the loop's thread.
void run_in_pool(Loop& loop, std::function<void()> work, std::function<void()> done);

}  // namespace leat
