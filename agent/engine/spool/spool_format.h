// A batch as it is spooled: the records or slices that are about to go to the sink, as bytes
// (journal/FORMAT.md describes them). The journal compresses and checks them.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "record/batch.h"
#include "stage/sink.h"

namespace leat {

// What is kept beside the records.
struct SpooledAs {
  std::string format;        // of slices: the format they are in; "" for records
  std::string origin;        // where the first came from, for people
  std::string brought = {};  // of each (spool/brought.h)
};

// All batches have the same content: kSlices or kRecords.
std::string write_spooled(std::span<const Part> parts, const SpooledAs& as);

// Makes a batch again, without the records before number `from`; the first one written has number
// `first`. kData when `content` is not what write_spooled() made.
Result<BatchRef> read_spooled(BlockPool& pool, std::string_view content, uint64_t first,
                              uint64_t from, SpooledAs* as);

// When its first record arrived, microseconds of Unix time; 0 when it cannot be read.
int64_t arrival_of_spooled(std::string_view content);

// Where the first record of a batch came from, for people: what SpooledAs::origin is made of. Asked
// before number_for_spool().
std::string place_of_first(const Batch& batch);

// Gives the batch the positions it has in the spool: its first record gets number `first`.
void number_for_spool(Batch& batch, uint64_t first);

}  // namespace leat
