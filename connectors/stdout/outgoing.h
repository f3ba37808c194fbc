// What is on its way to standard output: the rest of an earlier record, the opening of the
// document, and the slices of a delivery, in this order.
//
// A delivery that fails in the middle of a record leaves the rest of that record to be written
// before anything else, so that a reader sees whole records whatever happens (and some of them
// twice, as at-least-once allows).
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "stage/slice_cursor.h"

namespace leat::standard_output {

class Outgoing {
 public:
  // `opening` goes before the first record of all, and is ignored after it.
  void begin(const Delivery& delivery, const std::string& opening);
  bool done() const { return head_done_ == head_.size() && (!cursor_ || cursor_->at_end()); }

  // Writes what the descriptor takes, at most about `quantum` bytes. 0, or the errno of the write
  // that failed (EAGAIN: it takes no more now).
  int write(int fd, size_t quantum);

  // The delivery ends here, done or not.
  void end();

 private:
  std::string head_;  // what goes before the slices
  size_t head_done_ = 0;
  bool opened_ = false;
  std::optional<SliceCursor> cursor_;
};

}  // namespace leat::standard_output
