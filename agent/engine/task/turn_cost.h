// What a turn of the chain may come to need in memory, learned from the last ones: where records
// are long or wide it is many times what the source gave.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <algorithm>
#include <cstddef>

#include "memory/budget.h"

namespace leat {

class TurnCost {
 public:
  // A turn begins, and has ended.
  void begin(Budget& budget) {
    used_ = budget.used();
    budget.mark();
  }
  void end(Budget& budget, size_t source_bytes) {
    learn(source_bytes, budget.peak_since_mark() - used_);
  }
  // A turn with a batch of so many bytes at the source needed `bytes` at its peak.
  void learn(size_t source_bytes, size_t bytes) {
    // Falls off slowly, so that one ordinary batch between large ones changes little.
    growth_ *= 0.9;
    if (source_bytes > 0)
      growth_ = std::max(growth_, static_cast<double>(bytes) / static_cast<double>(source_bytes));
  }
  size_t expected(size_t source_bytes) const {
    return static_cast<size_t>(growth_ * static_cast<double>(source_bytes));
  }

 private:
  size_t used_ = 0;    // before this turn
  double growth_ = 0;  // bytes for each byte at the source
};

}  // namespace leat
