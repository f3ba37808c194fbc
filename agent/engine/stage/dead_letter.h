// What stages say about records that can never be delivered.
#pragma once

#include <string_view>

#include "record/batch.h"

namespace leat {

// Takes dead letters in the order they occur. The runtime keeps each with the pipeline, the stage,
// the place in the source and the reason, and acknowledges no position beyond it before it is
// durable.
class DeadLetters {
 public:
  virtual ~DeadLetters() = default;

  // Record or slice `index` of `batch`. `reason` is one line ("temp: malformed JSON").
  virtual void add(const Batch& batch, size_t index, std::string_view reason) = 0;

  // Bytes that did not become a record. `after` is the position just behind them.
  virtual void add_text(std::string_view bytes, const Position& after, std::string_view reason) = 0;

  // As many wait for the disk as may: to be asked behind each one, by a stage that works in turns
  // (Batch::in_turns).
  virtual bool full() const { return false; }
};

}  // namespace leat
