// Memory for one batch: bump allocation in blocks, freed all at once. Nothing in it is destroyed,
// so only trivially destructible things belong there.
//
// Blocks come from a BlockPool that keeps freed blocks for the next batch: without it every batch
// would fault its pages in anew.
//
// Thread: the pipeline's loop thread allocates and frees; another thread may read what is in it
// while the batch is lent to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

#include "memory/budget.h"

namespace leat {

// Fixed-size blocks, each charged to the budget while handed out. At most `kept` free blocks are
// held back (they are not charged: they count as the pool's own small overhead).
class BlockPool {
 public:
  static constexpr size_t kBlockSize = 64 * 1024;

  BlockPool(Budget& budget, size_t kept_blocks = 16) : budget_(budget), kept_(kept_blocks) {}
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  char* take();
  void give_back(char* block);
  // Holds back at most so many from now on.
  void keep(size_t blocks);
  Budget& budget() { return budget_; }

 private:
  Budget& budget_;
  size_t kept_;
  std::vector<char*> free_;
};

class Arena {
 public:
  explicit Arena(BlockPool& pool) : pool_(pool) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Never null: memory that cannot be had ends the process, as operator new would.
  void* allocate(size_t bytes, size_t alignment = alignof(std::max_align_t)) {
    size_t skip = (0 - reinterpret_cast<uintptr_t>(next_)) & (alignment - 1);
    if (bytes + skip <= static_cast<size_t>(end_ - next_)) {
      char* at = next_ + skip;
      next_ = at + bytes;
      return at;
    }
    return allocate_slow(bytes, alignment);
  }

  template <typename T>
  T* array(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
  }

  std::string_view copy(std::string_view text) {
    char* at = static_cast<char*>(allocate(text.size(), 1));
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
  }

  // The free rest of the current block, for writers that do not know their length in advance:
  // write at most room() bytes at tail(), then take(n) to keep the first n.
  char* tail() { return next_; }
  size_t room() const { return static_cast<size_t>(end_ - next_); }
  void take(size_t bytes) { next_ += bytes; }
  // Starts a new block (or a larger one) whose room() is at least `bytes`. What was in the old
  // block's tail is not kept.
  void refill(size_t bytes);

  // Gives back the last `bytes` bytes of an allocation that was the most recent one.
  void trim(size_t bytes) { next_ -= bytes; }

  size_t footprint() const { return footprint_; }

  // What is in it, for somebody who has it longer than the pool and the budget are there: from now
  // on it counts nowhere, and goes with the last who holds this. Nothing more
  // can be allocated here.
  std::shared_ptr<const void> give_away();

 private:
  static constexpr size_t kFirst = 4 * 1024;
  static constexpr size_t kSecond = 16 * 1024;
  void* allocate_slow(size_t bytes, size_t alignment);

  BlockPool& pool_;
  char* next_ = nullptr;
  char* end_ = nullptr;
  size_t footprint_ = 0;
  std::vector<char*> blocks_;  // of the pool
  struct Large {
    char* data;
    size_t size;
  };
  std::vector<Large> large_;  // allocated for one thing larger than a block
  std::shared_ptr<const void> given_;
};

}  // namespace leat
