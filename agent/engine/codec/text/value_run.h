// Value arrays for the records of one batch, taken from its arena many at a time: the next record's
// array starts where the last one's ends.
#pragma once

#include <algorithm>
#include <cstddef>

#include "memory/arena.h"
#include "record/value.h"

namespace leat {

class ValueRun {
 public:
  explicit ValueRun(Arena& arena) : arena_(arena) {}
  ~ValueRun() { give_back(); }
  ValueRun(const ValueRun&) = delete;
  ValueRun& operator=(const ValueRun&) = delete;

  // Room for `count` values. What was written beyond the last commit() is lost when the room has to
  // be found elsewhere; keep() values of it are copied along.
  Value* reserve(size_t count, size_t keep = 0) {
    if (static_cast<size_t>(end_ - next_) < count) grow(count, keep);
    return next_;
  }
  // The first `count` values of the room are a record's from now on.
  void commit(size_t count) { next_ += count; }

 private:
  void grow(size_t count, size_t keep) {
    const Value* old = next_;
    give_back();
    if (count > BlockPool::kBlockSize / 4 / sizeof(Value)) {
      next_ = arena_.array<Value>(count);
      end_ = next_ + count;
      in_block_ = false;
    } else {
      // The rest of a block at once. alignof(Value) - 1 bytes may go to alignment.
      constexpr size_t kSlack = alignof(Value) - 1;
      size_t needed = count * sizeof(Value) + kSlack;
      if (arena_.room() < needed) arena_.refill(needed);
      size_t all = (arena_.room() - kSlack) / sizeof(Value);
      next_ = arena_.array<Value>(all);
      end_ = next_ + all;
      in_block_ = true;
    }
    if (keep > 0 && next_ != old) std::copy_n(old, keep, next_);
  }

  // Leaves what was not used to the arena, if nothing else was allocated behind it meanwhile.
  void give_back() {
    if (in_block_ && reinterpret_cast<char*>(end_) == arena_.tail())
      arena_.trim(static_cast<size_t>(end_ - next_) * sizeof(Value));
  }

  Arena& arena_;
  Value* next_ = nullptr;
  Value* end_ = nullptr;
  bool in_block_ = false;  // and not in memory of its own, which cannot be trimmed
};

}  // namespace leat
