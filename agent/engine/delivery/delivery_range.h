// Records on their way to the sink, and what they owe; cut to pieces when a batch is rejected.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stage/sink.h"

namespace leat {

struct Piece {
  Delivery delivery;
  std::vector<Owed> owed;  // by each of its parts
  int cut_offs = 0;        // times that the peer broke off in the middle of it
  bool gaps = false;       // something was taken out of it

  size_t records() const { return delivery.records; }
  void append(const BatchRef& batch, size_t first, size_t count, Owed owed);
  Owed take_owed();
};

// Takes the first `records` out of `piece`. Key and positions of both are empty then.
Piece split_front(Piece& piece, size_t records);
// Takes the records at the ascending `indices` out of `piece`; what they owe. As above.
Owed take_out(Piece& piece, const std::vector<uint32_t>& indices);

// Takes out of `owed` what records [first, first + count) of the batch owe; they are the first of
// those that owe it. Several records can end at one place (the elements of a JSON array, the rows
// of a query): that place is reached only with the last of them.
Owed split_owed(Owed& owed, const Batch& batch, size_t first, size_t count);

// The batch and index in it of record `index`.
struct Located {
  BatchRef batch;
  size_t index;
};
Located locate(const Delivery& delivery, size_t index);

// Approximate size of records [first, first + count) of a batch: of slices their bytes, of records
// the bytes of the source they came from and what transforms have added.
size_t bytes_of(const Batch& batch, size_t first, size_t count);

// How many records behind record `index` of `batch` end at the same place.
size_t same_end_behind(const Batch& batch, size_t index);

// The Delivery::key: 128 bits of SHA-256 over what identifies the records: the agent and pipeline
// (`scope`), how many records, and for each partition its name and where the last record ended. The
// name comes from the source's saved position, so the key is the same after a restart. Where the
// source counts anew then, the key must differ: `run` goes into it, too; and where there are gaps,
// which these numbers do not tell apart from other ones.
std::string delivery_key(const std::string& scope, const std::string& run, const Delivery& delivery,
                         bool gaps = false);

}  // namespace leat
