#include "memory/budget.h"

#include <algorithm>

namespace leat {

void Budget::charge(size_t bytes) {
  used_ += bytes;
  peak_ = std::max(peak_, used_);
  since_mark_ = std::max(since_mark_, used_);
}

void Budget::release(size_t bytes) {
  used_ -= bytes;
  tell_of_room();
}

void Budget::set_limit(size_t bytes) {
  bool more = bytes > limit_;
  limit_ = bytes;
  if (more) tell_of_room();
}

void Budget::tell_of_room() {
  if (!refused_) return;
  refused_ = false;
  if (on_room_) on_room_();
}

}  // namespace leat
