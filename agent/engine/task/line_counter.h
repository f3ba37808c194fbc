// In which line of its partition each batch begins and ends. A source cannot count lines before
// they are decoded: it says only in which one it began to read.
//
// Thread: the pipeline's loop thread. One batch at a time is in the chain.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "record/batch.h"

namespace leat {

class LineCounter {
 public:
  // The batch goes into the chain now: gives it the line in which it begins.
  void begin(Batch& batch);
  // The chain is through with it. `end` is as the chain counted, `rejected` what the source could
  // not make records of: the line behind each is returned.
  std::vector<uint64_t> end(const Position& end, const std::vector<Rejected>& rejected);
  // As without any.
  void end(const Position& end);

  size_t partitions() const { return lines_.size(); }  // that are not at their end

 private:
  std::map<uint32_t, uint64_t> lines_;  // by partition: where the next batch of it begins
  uint64_t begin_ = 0;                  // where the batch began that is in the chain
};

}  // namespace leat
