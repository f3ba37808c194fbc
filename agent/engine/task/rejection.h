// A record that can never be delivered, on its way to the dead-letter file.
//
// Lifetime: what it points to need only last for the call that it is given to.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "record/batch.h"

namespace leat {

// Everything but the pipeline's name, the place in words, and the time.
struct Rejection {
  std::string_view stage;
  std::string_view reason;
  Position position;             // just behind the bad record
  const Batch* batch = nullptr;  // with `index`: a record or slice
  size_t index = 0;
  std::string_view text = {};            // otherwise: bytes that did not become a record
  Acknowledger* acknowledger = nullptr;  // in whose stream the position is
};

// Where a chain's rejections go.
struct Rejections {
  std::function<void(const Rejection&)> add;
  std::function<bool()> full = [] { return false; };  // as DeadLetters::full()
};

}  // namespace leat
