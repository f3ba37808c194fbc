// Bounded lock-free queue between a loop and a thread beside it; on one thread a plain queue does.
// After Rigtorp's SPSCQueue: each side keeps a cached copy of the other's index, so that the common
// case touches no shared cache line.
//
// Thread: push from one thread, pop/front from one thread. Neither blocks.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace leat {

template <typename T>
class Ring {
 public:
  // Holds up to `capacity` items (at least 1).
  explicit Ring(size_t capacity)
      : slots_(capacity + 1), items_(new std::optional<T>[capacity + 1]) {}
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // False when full; `item` is then untouched.
  bool push(T&& item) {
    size_t head = head_.load(std::memory_order_relaxed);
    size_t next = head + 1 == slots_ ? 0 : head + 1;
    if (next == cached_tail_) {
      cached_tail_ = tail_.load(std::memory_order_acquire);
      if (next == cached_tail_) return false;
    }
    items_[head].emplace(std::move(item));
    head_.store(next, std::memory_order_release);
    return true;
  }

  // The oldest item, or null when empty. Valid until pop().
  T* front() {
    size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == cached_head_) {
      cached_head_ = head_.load(std::memory_order_acquire);
      if (tail == cached_head_) return nullptr;
    }
    return &*items_[tail];
  }

  std::optional<T> pop() {
    T* item = front();
    if (item == nullptr) return std::nullopt;
    std::optional<T> out(std::move(*item));
    size_t tail = tail_.load(std::memory_order_relaxed);
    items_[tail].reset();
    tail_.store(tail + 1 == slots_ ? 0 : tail + 1, std::memory_order_release);
    return out;
  }

  // Exact only for the calling side; the other side may move at any time.
  bool empty() const {
    return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
  }
  bool full() const {
    size_t head = head_.load(std::memory_order_acquire);
    return (head + 1 == slots_ ? 0 : head + 1) == tail_.load(std::memory_order_acquire);
  }

 private:
  // 64: the cache line of every CPU we build for; a wrong guess costs speed, not correctness.
  static constexpr size_t kCacheLine = 64;
  const size_t slots_;
  const std::unique_ptr<std::optional<T>[]> items_;
  alignas(kCacheLine) std::atomic<size_t> head_{0};  // written by the producer
  size_t cached_tail_ = 0;                           // producer's copy
  alignas(kCacheLine) std::atomic<size_t> tail_{0};  // written by the consumer
  size_t cached_head_ = 0;                           // consumer's copy
};

}  // namespace leat
