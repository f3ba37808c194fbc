// Synthetic telemetry: record `index` is a pure function of the seed and the index, so a stream can
// be taken up again anywhere.
//
//   {"ts":1760000000003,"device":"gw-072/plc-02","seq":0,"temp":44.55,"vib":1.3485,"state":"run",
//    "ok":true}
#pragma once

#include <cstdint>

#include "record/batch.h"

namespace leat::generator {

class Telemetry {
 public:
  Telemetry(uint64_t seed, uint32_t devices);

  // Appends records [first, first + count) to a batch of records that begins at `first`.
  void fill(Batch& batch, uint64_t first, uint32_t count) const;

  // What a record takes in a batch, roughly.
  static constexpr size_t kRecordBytes = 7 * sizeof(Value) + sizeof(Record) + 16;

 private:
  Record make(Batch& batch, uint64_t index) const;

  const uint64_t seed_;
  const uint32_t devices_;
  const ShapeRef shape_;
};

}  // namespace leat::generator
