// What a pipeline may hold in memory. Every block of every batch, and every larger buffer a stage
// keeps, is charged here; a source that cannot reserve stops reading until something is released.
//
// Thread: the pipeline's loop thread only.
#pragma once

#include <cstddef>
#include <functional>

namespace leat {

class Budget {
 public:
  explicit Budget(size_t limit_bytes) : limit_(limit_bytes) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  size_t limit() const { return limit_; }
  size_t used() const { return used_; }
  size_t peak() const { return peak_; }
  bool has_room(size_t bytes) const { return used_ + bytes <= limit_; }

  // Counts bytes that are in use from now on. Work that has begun may go over the limit by what one
  // batch needs (a decoder cannot stop in the middle of a record), which is why sources must ask
  // has_room() with a margin before they begin.
  void charge(size_t bytes);
  void release(size_t bytes);

  // Called after a release that followed a refusal. One listener: the pipeline.
  void on_room(std::function<void()> listener) { on_room_ = std::move(listener); }
  // Notes that somebody was refused and waits for room.
  void note_refusal() { refused_ = true; }

 private:
  size_t limit_;
  size_t used_ = 0;
  size_t peak_ = 0;
  bool refused_ = false;
  std::function<void()> on_room_;
};

}  // namespace leat
