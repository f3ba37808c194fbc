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
  if (!refused_) return;
  refused_ = false;
  if (on_room_) on_room_();
}

}  // namespace leat
