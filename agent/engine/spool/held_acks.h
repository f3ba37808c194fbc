// The batches whose source waits for their acknowledgement while the deliverer has them, and what
// became of them in the spool.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "record/batch.h"
#include "spool/spool_writer.h"

namespace leat {

class HeldAcks {
 public:
  // A batch was given to the deliverer.
  void add(const BatchRef& batch, int64_t now_us) { held_.push_back({batch, now_us, {}}); }

  // When the oldest of those that are not spooled was added.
  std::optional<int64_t> oldest_us() const;
  // The batches that are not spooled yet, without what is delivered of them. `next` is the number
  // that the first of their records gets in the spool.
  std::vector<Spooling> spool(uint64_t next);
  // The journal did not take this one: it is held as before. True when it is delivered already.
  bool unspool(const Batch& batch);
  // Whether the batch there was to be spooled, and was not: its delivery may have been saved as a
  // number of the spool.
  bool unspooled_at(const Position& position) const;
  // The number in the spool up to which the deliverer is done when it is done up to `position`;
  // nullopt when the batch there is not spooled.
  std::optional<uint64_t> number_at(const Position& position) const;
  // The deliverer is done up to `position`. Spooled batches are kept until stored().
  void acked(const Position& position);
  // The journal has this one.
  void stored(const Batch& batch);

  bool all_spooled() const { return !oldest_us(); }
  bool any_spooled() const;
  // Records that are in the journal and not delivered.
  uint64_t records_stored() const;

 private:
  struct Held {
    BatchRef batch;
    int64_t since_us;
    std::optional<uint64_t> number;  // in the spool, of record `skip`
    uint32_t skip = 0;               // records that were delivered before it was spooled
    uint32_t done = 0;               // records delivered
    bool delivered = false;          // all of it
    bool stored = false;
    bool unspooled = false;
  };
  static uint32_t records_until(const Batch& batch, const Position& position);
  void release();

  std::deque<Held> held_;  // in source order
};

}  // namespace leat
