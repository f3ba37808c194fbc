// What was read of a file, as the batch that carries it on.
//
// Thread: the loop's.
#pragma once

#include <span>

#include "connectors/file/stream.h"
#include "record/batch.h"
#include "stage/source.h"

namespace leat {

// What comes behind the bytes that were read.
enum class InputState {
  kMore,    // perhaps, now or later
  kEnd,     // nothing, ever
  kBroken,  // what cannot be read
};

struct Filled {
  uint64_t hole = 0;  // NULs of a hole that has ended before byte hole_end
  uint64_t hole_end = 0;
  bool more = false;  // behind what was taken now lies a hole, or what was behind a record that is
                      // too long: it is to be read from there
};

// Gives `batch` the whole records in `bytes`, which begin at `stream.offset`, and moves the stream
// on to where the next read begins. What is too long or has no end, and never will have one,
// becomes Batch::rejected. Framing::terminator() must have room behind `bytes`.
Filled fill(Batch& batch, InputStream& stream, std::span<char> bytes, InputState state,
            const Framing& framing, size_t max_record);

}  // namespace leat
