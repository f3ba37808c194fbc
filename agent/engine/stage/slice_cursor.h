// Walks the bytes of a delivery's slices as pieces for writev(2), and remembers how far a short
// write came. Nothing is copied.
//
// Thread: any one; the delivery must outlive it.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "stage/sink.h"

namespace leat {

class SliceCursor {
 public:
  explicit SliceCursor(const Delivery& delivery)
      : SliceCursor(delivery, 0, delivery.parts.size()) {}
  // Of its parts [first, end) alone.
  SliceCursor(const Delivery& delivery, size_t first, size_t end)
      : delivery_(&delivery), part_(first), end_part_(end) {
    settle();
  }

  bool at_end() const { return part_ == end_part_; }
  // Whole records behind the cursor.
  size_t records_passed() const { return passed_; }
  // What is left of the record in which the cursor stands: all of it at its start, nothing
  // at_end().
  std::string_view rest_of_record() const {
    return at_end() ? std::string_view() : slice(part_, index_).view().substr(offset_);
  }
  bool inside_record() const { return offset_ > 0; }

  // Bytes from here to the end of the last record that ends within `room` bytes.
  uint64_t whole_records_within(uint64_t room) const {
    uint64_t bytes = 0;
    for (SliceCursor probe = *this; !probe.at_end(); probe.next()) {
      const size_t rest = probe.rest_of_record().size();
      if (rest > room - bytes) break;
      bytes += rest;
    }
    return bytes;
  }

  // Up to `capacity` pieces of the next `limit` bytes; returns how many. Slices that lie side by
  // side, as those of an encoder or of a file do, are one piece.
  size_t pieces(iovec* out, size_t capacity, uint64_t limit = UINT64_MAX) const {
    SliceCursor probe = *this;
    size_t count = 0;
    const char* end = nullptr;  // of the last piece
    while (limit > 0 && !probe.at_end()) {
      std::string_view piece = probe.rest_of_record();
      auto size = static_cast<size_t>(std::min<uint64_t>(piece.size(), limit));
      if (count > 0 && piece.data() == end) {
        out[count - 1].iov_len += size;
      } else {
        if (count == capacity) break;
        out[count++] = {const_cast<char*>(piece.data()), size};
      }
      if (size < piece.size()) break;
      end = piece.data() + size;
      limit -= size;
      probe.next();
    }
    return count;
  }

  void advance(uint64_t bytes) {
    while (bytes > 0) {
      uint64_t rest = rest_of_record().size();
      if (bytes < rest) {
        offset_ += static_cast<size_t>(bytes);
        return;
      }
      bytes -= rest;
      next();
    }
  }
  // Goes on until this many whole records are behind it.
  void skip_to_record(size_t records) {
    while (passed_ < records && !at_end()) next();
  }

 private:
  const Slice& slice(size_t part, size_t index) const {
    const Part& at = delivery_->parts[part];
    return at.batch->slices[at.first + index];
  }
  void next() {
    offset_ = 0;
    ++index_;
    ++passed_;
    settle();
  }
  // Steps over the ends of parts, and over empty slices, which have no byte to stand on.
  void settle() {
    while (!at_end()) {
      if (index_ == delivery_->parts[part_].count) {
        ++part_;
        index_ = 0;
      } else if (slice(part_, index_).size == 0) {
        ++index_;
        ++passed_;
      } else {
        return;
      }
    }
  }

  const Delivery* delivery_;
  size_t part_ = 0;
  size_t end_part_ = 0;
  size_t index_ = 0;   // in the part
  size_t offset_ = 0;  // in the slice
  size_t passed_ = 0;
};

}  // namespace leat
