// What decoders of whole messages have in common: each slice of a batch is one.
#pragma once

#include "record/batch.h"
#include "stage/dead_letter.h"

namespace leat {

// `decode(s)` appends the records of slice `s`. False: it has become a dead letter instead, and
// what it has appended goes again. Ends early where too many of these wait for the disk.
template <typename Decode>
void decode_messages(Batch& batch, const DeadLetters& dead, Decode decode) {
  batch.records.reserve(batch.slices.size());
  for (size_t s = 0; s < batch.slices.size(); ++s) {
    const Slice& slice = batch.slices[s];
    const size_t first = batch.records.size();
    if (!decode(s)) {
      batch.records.resize(first);
      if (batch.may_cut(s + 1) && dead.full()) {
        batch.leave_slices(s + 1);
        break;
      }
    }
    for (size_t i = first; i < batch.records.size(); ++i) {
      batch.records[i].end_offset = slice.end_offset;
      batch.records[i].end_line = slice.end_line;
    }
  }
  if (!batch.slices.empty()) batch.end.line = batch.begin.line + batch.slices.back().end_line;
}

}  // namespace leat
