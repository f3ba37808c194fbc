// A batch on its way through a run of transforms on another loop, and what came of it.
//
// Only the records go there: the batch stays with the task, since its references, its memory and
// what it owes are counted there. They may be read and changed in its memory meanwhile, which
// nobody else looks at. What is made of them comes back in memory of its own.
//
// Thread: the task's, then the further loop's, then the task's again; never two at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "record/batch.h"
#include "task/chain.h"

namespace leat {

using Memory = std::vector<std::shared_ptr<const void>>;

struct Parcel {
  // --- there ---
  size_t first = 0;    // step of the run
  size_t quantum = 0;  // as the chain's
  size_t share = 0;    // bytes: as much as the other loop may hold
  size_t charged = 0;  // bytes: where it has made so much, the rest is made at home
  std::vector<Record> records;
  std::vector<ShapeRef> shapes;
  Acknowledger* acknowledger = nullptr;  // a name only
  Position begin;
  Position end;
  int64_t arrival_us = 0;
  size_t made = 0;
  bool borrows = false;
  std::atomic<bool> unwanted{false};  // nobody waits for it any more

  // --- and back ---
  // What a batch there was: the one that was lent, a rest of that, or one that took its place.
  enum class Of : uint8_t { kLent, kRest, kOther };
  struct Piece {
    std::vector<Record> records;
    std::vector<ShapeRef> shapes;
    Position begin;
    Position end;
    size_t made = 0;
    size_t step = 0;    // that is next
    bool here = false;  // as ChainLeft's
    Of of = Of::kOther;
    Memory memory;     // which they point into
    size_t bytes = 0;  // of it
  };
  struct Refused {
    size_t step = 0;
    std::string reason;
    Position begin;  // of the batch that it was in
    Position end;
    Of of = Of::kOther;  // that batch
    Record record;
    ShapeRef shape;
    bool alone = true;  // no other record ends there
    Memory memory;
  };
  Status status;
  std::vector<Piece> pieces;
  std::vector<Refused> refused;
  RunCounters counters;
  size_t held = 0;  // by the run, from batch to batch
  int64_t busy_us = 0;
};

}  // namespace leat
