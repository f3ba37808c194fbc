// Records of one delivery, which all subscribers of a channel share: none is copied.
//
// They lie in the memory of the producer's batches, which its sink keeps until the answer. Where a
// subscriber has them longer than that (its sink is dead, and the journal has them), the sink gives
// that memory away to this, and goes on without it.
//
// Thread: the main loop's; a subscriber's sink may read the records on one of its own until it
// answers. What is in it does not change once it is handed over, but for the counts, and for
// `memory`, which is the producer's alone. Lifetime: the last who holds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "record/batch.h"

namespace leat {

struct Handover {
  std::vector<Record> records;
  std::vector<ShapeRef> shapes;
  size_t bytes = 0;  // an estimate of what the records hold
  int64_t arrival_us = 0;

  size_t subscribers = 0;  // it was handed to
  size_t owed = 0;         // of them, that have neither delivered nor journaled it
  size_t borrowed = 0;     // batches whose records these are
  std::vector<std::shared_ptr<const void>> memory;
};

// A handover that a batch has (Batch::borrow).
class Borrowed {
 public:
  explicit Borrowed(std::shared_ptr<Handover> what) : what_(std::move(what)) { ++what_->borrowed; }
  ~Borrowed() { --what_->borrowed; }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  const Handover& operator*() const { return *what_; }
  const Handover* operator->() const { return what_.get(); }

 private:
  const std::shared_ptr<Handover> what_;
};

}  // namespace leat
