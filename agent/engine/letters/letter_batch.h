// Makes of a dead letter what a task can run again.
//
// Thread: the task's loop.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "letters/letter.h"
#include "stage/codec.h"
#include "task/feed.h"

namespace leat {

enum class LetterFrom {
  kBest,   // the start where the payload is there, else the stage
  kStart,  // as if the source gave it once more
  kStage,  // as it was at the stage that failed
};

class LetterBatches {
 public:
  explicit LetterBatches(FeedHost& host) : host_(host), steps_(host.steps()) {}

  // With its stretch from `offset` on. kData: why it cannot be run, in one line.
  Result<Feed::Given> make(const Letter& letter, LetterFrom from, uint64_t offset);

 private:
  Result<Feed::Given> from_start(const Letter& letter);
  Result<Feed::Given> from_stage(const Letter& letter);
  Result<size_t> step_for_record(const Letter& letter) const;
  Result<BatchRef> record_of(std::string_view json, std::string_view types);
  Status set_types(Batch& batch, std::string_view types) const;
  Status add_message(Batch& batch, std::string_view message);
  BatchRef batch_of(std::string_view bytes, Content content);

  FeedHost& host_;
  const std::vector<std::string> steps_;
  std::unique_ptr<Decoder> json_;
};

}  // namespace leat
