// How a pipeline's share of agent.memory is used.
#pragma once

#include <algorithm>
#include <cstddef>

#include "memory/arena.h"
#include "plan/pipeline_config.h"

namespace leat {

// What one batch should aim at. Measured on telemetry: below 64 KiB the cost per batch shows, above
// 256 KiB the caches do not hold it any more.
inline size_t batch_bytes_for(size_t memory, const LimitsConfig& limits) {
  size_t bytes = std::clamp<size_t>(memory / 64, 16 * 1024, 128 * 1024);
  // A throttled stream should flow, not come in gulps.
  if (limits.records_per_second > 0 || limits.bytes_per_second > 0)
    bytes = std::min<size_t>(bytes, 16 * 1024);
  return bytes;
}

// What the budget may count to. What is not counted block by block (what the allocator keeps
// between its pieces, work in hand, spare blocks) comes out of the share, too.
inline size_t counted_of(size_t memory) {
  return memory - memory / 8;
}

// Freed blocks that are kept at hand, uncounted: little where little may be used.
inline size_t spare_blocks_for(size_t memory) {
  return std::clamp<size_t>(memory / 16 / BlockPool::kBlockSize, 2, 16);
}

// What the deliverer may hold. What comes behind it must fit, too: in trouble that goes to the
// journal.
inline size_t most_held_for(size_t memory, Consumes consumes) {
  return memory / (consumes == Consumes::kSlices ? 2 : 4);
}

}  // namespace leat
