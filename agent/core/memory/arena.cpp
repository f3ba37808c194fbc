#include "memory/arena.h"

#include <algorithm>
#include <new>
#include <utility>

namespace leat {

BlockPool::~BlockPool() {
  for (char* block : free_) ::operator delete(block);
}

char* BlockPool::take() {
  budget_.charge(kBlockSize);
  if (free_.empty()) return static_cast<char*>(::operator new(kBlockSize));
  char* block = free_.back();
  free_.pop_back();
  return block;
}

void BlockPool::give_back(char* block) {
  if (free_.size() < kept_) {
    free_.push_back(block);
  } else {
    ::operator delete(block);
  }
  budget_.release(kBlockSize);
}

void BlockPool::keep(size_t blocks) {
  kept_ = blocks;
  for (; free_.size() > kept_; free_.pop_back()) ::operator delete(free_.back());
}

Arena::~Arena() {
  for (char* block : blocks_) pool_.give_back(block);
  for (const Large& large : large_) {
    ::operator delete(large.data);
    pool_.budget().release(large.size);
  }
}

namespace {

struct Given {
  std::vector<char*> pieces;

  Given() = default;
  Given(const Given&) = delete;
  Given& operator=(const Given&) = delete;
  ~Given() {
    for (char* piece : pieces) ::operator delete(piece);
  }
};

}  // namespace

std::shared_ptr<const void> Arena::give_away() {
  if (given_ != nullptr) return given_;
  auto given = std::make_shared<Given>();
  given->pieces = std::exchange(blocks_, {});
  for (const Large& large : large_) given->pieces.push_back(large.data);
  large_.clear();
  next_ = end_ = nullptr;
  pool_.budget().release(std::exchange(footprint_, 0));
  given_ = std::move(given);
  return given_;
}

void Arena::refill(size_t bytes) {
  // Small at first: a few messages must not hold a whole block.
  size_t small = footprint_ == 0 ? kFirst : footprint_ == kFirst ? kSecond : 0;
  if (bytes <= small) {
    bytes = small;
  } else if (bytes <= BlockPool::kBlockSize) {
    next_ = pool_.take();
    blocks_.push_back(next_);
    end_ = next_ + BlockPool::kBlockSize;
    footprint_ += BlockPool::kBlockSize;
    return;
  }
  next_ = static_cast<char*>(::operator new(bytes));
  large_.push_back({next_, bytes});
  end_ = next_ + bytes;
  footprint_ += bytes;
  pool_.budget().charge(bytes);
}

void* Arena::allocate_slow(size_t bytes, size_t alignment) {
  size_t needed = bytes + alignment - 1;
  if (needed > BlockPool::kBlockSize / 2) {
    // Something big gets memory of its own, and the rest of the current block stays usable.
    char* data = static_cast<char*>(::operator new(needed));
    large_.push_back({data, needed});
    footprint_ += needed;
    pool_.budget().charge(needed);
    size_t skip = (0 - reinterpret_cast<uintptr_t>(data)) & (alignment - 1);
    return data + skip;
  }
  refill(needed);
  return allocate(bytes, alignment);
}

}  // namespace leat
