// Cutting deliveries to pieces: halves when a batch is rejected, the rest without the bad records,
// and how far the source has come when a piece is done.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stage/sink.h"

namespace leat {

// Records [first, first + count) of `whole`. Key and positions are left empty.
Delivery subrange(const Delivery& whole, size_t first, size_t count);
// `whole` without the records at the ascending `indices`.
Delivery without(const Delivery& whole, const std::vector<uint32_t>& indices);

// The batch and index in it of record `index`.
struct Located {
  BatchRef batch;
  size_t index;
};
Located locate(const Delivery& delivery, size_t index);

// Sets or advances the entry of position.partition.
void merge(std::vector<Position>& reached, const Position& position);
// How far each partition is done when `delivery` and everything before it is. Several records can
// end at one place (the elements of a JSON array, the rows of a query): that place is reached only
// with the last of them.
void merge_reached(std::vector<Position>& reached, const Delivery& delivery);

// Approximate size of records [first, first + count) of a batch: of slices their bytes, of records
// the bytes of the source they came from and what transforms have added.
size_t bytes_of(const Batch& batch, size_t first, size_t count);

// How many records behind record `index` of `batch` end at the same place.
size_t same_end_behind(const Batch& batch, size_t index);

// The Delivery::key: 128 bits of SHA-256 over what identifies the records: the agent and pipeline
// (`scope`), how many records, and for each partition its name and where the last record ended. The
// name comes from the source's saved form, so the key is the same after a restart. Where the source
// counts anew then, the key must differ: `run` goes into it, too.
std::string delivery_key(const std::string& scope, const std::string& run, const Delivery& delivery,
                         Origin& source);

}  // namespace leat
