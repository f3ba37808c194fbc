// What a pipeline may hold in memory. Every block of every batch, and everything a stage keeps that
// its input can make grow (unfinished records, queues of packets, tables of names), is charged
// here; a source that cannot reserve stops reading until something is released.
//
// Thread: the pipeline's loop thread only.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>

namespace leat {

class Budget {
 public:
  explicit Budget(size_t limit_bytes) : limit_(limit_bytes) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  size_t limit() const { return limit_; }
  // Another limit from now on. What is held beyond it stays: nothing new is begun until it is gone.
  void set_limit(size_t bytes);
  size_t used() const { return used_; }
  size_t peak() const { return peak_; }
  // The most that was used at once since mark().
  void mark() { since_mark_ = used_; }
  size_t peak_since_mark() const { return since_mark_; }
  bool has_room(size_t bytes) const { return used_ + bytes <= limit_; }

  // Counts bytes that are in use from now on. Work that has begun may go over the limit by what one
  // batch needs (a decoder cannot stop in the middle of a record), which is why sources must ask
  // has_room() with a margin before they begin.
  void charge(size_t bytes);
  void release(size_t bytes);

  // Called after a release, or a higher limit, that followed a refusal. One listener: the pipeline.
  void on_room(std::function<void()> listener) { on_room_ = std::move(listener); }
  // Notes that somebody was refused and waits for room.
  void note_refusal() { refused_ = true; }

 private:
  void tell_of_room();

  size_t limit_;
  size_t used_ = 0;
  size_t peak_ = 0;
  size_t since_mark_ = 0;
  bool refused_ = false;
  std::function<void()> on_room_;
};

// What one holder keeps outside a batch's arena, counted for as long as this lives: a member beside
// the buffer, told of its size whenever that changes.
//
// Lifetime: the budget outlives it.
class Charge {
 public:
  Charge() = default;  // counts nothing, wherever it is told of
  explicit Charge(Budget& budget, size_t bytes = 0) : budget_(&budget) { set(bytes); }
  Charge(Charge&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Charge& operator=(Charge&& other) noexcept {
    if (this == &other) return *this;
    set(0);
    budget_ = std::exchange(other.budget_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
  }
  ~Charge() { set(0); }

  // From now on it is `bytes`. Costs nothing when that is no change.
  void set(size_t bytes) {
    if (budget_ == nullptr || bytes == bytes_) return;
    size_t before = std::exchange(bytes_, bytes);
    if (bytes > before) {
      budget_->charge(bytes - before);
    } else {
      budget_->release(before - bytes);
    }
  }
  void add(size_t bytes) { set(bytes_ + bytes); }
  size_t bytes() const { return bytes_; }

 private:
  Budget* budget_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace leat
