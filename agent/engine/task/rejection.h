// A record that can never be delivered, on its way to the dead-letter file.
//
// Lifetime: what it points to need only last for the call that it is given to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "record/batch.h"

namespace leat {

// What the bytes of one are that are no record.
enum class RawIs : uint8_t {
  kPart,     // of what the source read: a line that is too long
  kPayload,  // all that the source gave for a record
  kOutput,   // what the sink was given
};

// Everything but the pipeline's name, the place in words, and the time.
struct Rejection {
  std::string_view stage;
  std::string_view reason;
  // One word that stays the same (dead_letter_line.h).
  std::string_view code = {};
  Position position;             // just behind the bad record
  const Batch* batch = nullptr;  // with `index`: a record or slice
  size_t index = 0;
  std::string_view text = {};            // otherwise: bytes that did not become a record
  Acknowledger* acknowledger = nullptr;  // in whose stream the position is
  RawIs raw = RawIs::kPart;              // of slices and `text`
  std::string_view format = {};          // kOutput: the wire form
  const Batch* from = nullptr;  // that was read when `text` was found: with the messages' fields
  size_t step = 0;              // of the chain, from 1; 0: source or sink
  // Of one that was a dead letter before and was tried again: its name, and what try this was.
  uint64_t id = 0;
  uint32_t attempt = 1;
  std::string_view metadata = {};  // Acknowledger::metadata_of()
  bool was_dead() const { return attempt > 1; }
};

// Where a chain's rejections go.
struct Rejections {
  std::function<void(const Rejection&)> add;
  std::function<bool()> full = [] { return false; };  // as DeadLetters::full()
};

}  // namespace leat
