// What a source that cuts a stream of bytes into records holds them to: none is longer than the
// limit that the user has set, in whatever reads its bytes came.
#pragma once

#include <cstddef>
#include <string_view>

#include "stage/codec.h"

namespace leat {

struct TooLong {
  size_t begin = 0;
  size_t size = 0;  // of what there is of it; 0: no record is too long
  // Further bytes belong to it (GivenUp::going_on).
};

// The first record in `bytes` that is longer than `most`. They begin at a record's start, and the
// first `whole` of them are whole records. Reading goes on behind it.
TooLong find_too_long(std::string_view bytes, size_t whole, const Framing& framing, size_t most,
                      GivenUp& place);

// The dead letter of a record longer than `most`: the start of what there is of it, and why. In
// `batch`.
Rejected too_long_letter(Batch& batch, std::string_view bytes, size_t most);

}  // namespace leat
