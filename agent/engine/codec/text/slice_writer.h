// Writes encoded records one after another into a batch's arena, so that their slices lie side by
// side and a sink can send many with one write.
//
//   writer.reserve(n); …append…; batch.slices.push_back(writer.finish(…))
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/swar.h"
#include "memory/arena.h"
#include "record/batch.h"

namespace leat {

class SliceWriter {
 public:
  explicit SliceWriter(Arena& arena)
      : arena_(arena), start_(arena.tail()), at_(start_), limit_(start_ + arena.room()) {}
  SliceWriter(const SliceWriter&) = delete;
  SliceWriter& operator=(const SliceWriter&) = delete;

  // Makes sure that `bytes` more fit. What the record has so far may move.
  void reserve(size_t bytes) {
    if (static_cast<size_t>(limit_ - at_) < bytes) grow(bytes);
  }

  // These need a reserve() before.
  void put(char c) { *at_++ = c; }
  void put(std::string_view text) { at_ = swar::copy_short(at_, text.data(), text.size()); }
  char* at() { return at_; }
  const char* limit() const { return limit_; }
  void advance_to(char* at) { at_ = at; }

  // These reserve by themselves.
  void append(char c) {
    reserve(1);
    put(c);
  }
  void append(std::string_view text) {
    reserve(text.size());
    put(text);
  }

  // The record so far.
  char* start() { return start_; }
  size_t size() const { return static_cast<size_t>(at_ - start_); }

  // Keeps the record and starts the next.
  Slice finish(uint32_t end_offset, uint32_t end_line) {
    Slice slice{start_, static_cast<uint32_t>(size()), end_offset, end_line};
    arena_.take(size());
    start_ = at_;
    return slice;
  }
  // Drops the record begun and starts anew.
  void discard() { at_ = start_; }

 private:
  void grow(size_t bytes) {
    size_t used = size();
    // Doubling, so that a huge record is not copied again for each of its fields.
    arena_.refill(used + std::max(used, bytes));
    if (used > 0) std::memcpy(arena_.tail(), start_, used);
    start_ = arena_.tail();
    at_ = start_ + used;
    limit_ = start_ + arena_.room();
  }

  Arena& arena_;
  char* start_;
  char* at_;
  char* limit_;
};

// An empty batch of slices at the same place in the source as `in`, for what an encoder makes of
// it.
inline BatchRef batch_like(const Batch& in) {
  BatchRef out = BatchRef::make(in.pool(), Content::kSlices);
  out->begin = in.begin;
  out->end = in.end;
  out->arrival_us = in.arrival_us;
  out->slices.reserve(in.records.size());
  return out;
}

// Ends a turn of an encoder (Batch::in_turns) behind record `i`.
inline BatchRef stop_behind(size_t i, const Batch& in, BatchRef out) {
  out->not_encoded = in.records.size() - i - 1;
  return out;
}

}  // namespace leat
