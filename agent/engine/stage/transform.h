// A transform changes the records of a batch.
//
// Thread: the pipeline's loop thread. One batch is the quantum: run() must not block.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "options/options.h"
#include "record/batch.h"
#include "stage/dead_letter.h"

namespace leat {

class CodecContext;    // stage/codec.h
class TransformState;  // state/state.h

class Transform {
 public:
  virtual ~Transform() = default;

  // Once, before all else; `context` outlives it. What it starts ends with the transform.
  virtual Status open(CodecContext& context) {
    (void)context;
    return {};
  }

  // Changes `batch` (Content::kRecords) in place, or replaces it by another with the same
  // positions. It may leave no records in it: the positions still count. Records that fail go to
  // `dead` or are dropped, as the stage's `onError` says; an error return stops the pipeline. In
  // turns (Batch::in_turns) it may leave records to the batch's rest.
  virtual Status run(BatchRef& batch, DeadLetters& dead) = 0;

  // What it remembers, and what is to be saved of that with the positions it covers. Null: nothing.
  virtual TransformState* state() { return nullptr; }

  // Bytes kept from batch to batch, where input can make them grow.
  virtual size_t held() const { return 0; }

  // Records this stage dropped because of onError = drop. What else does not come out of it, and is
  // no dead letter, was removed on purpose: whoever runs it counts that.
  uint64_t dropped() const { return dropped_; }

 protected:
  uint64_t dropped_ = 0;
};

struct TransformType {
  std::string_view name;
  std::string_view help;  // one sentence
  std::span<const Option> options;
  // Fails with kUsage when an expression does not parse; the message says where.
  Result<std::unique_ptr<Transform>> (*make)(const Options& options);
  std::string_view code = "sql";  // of its dead letters (Rejection::code)
  bool remembers = false;         // its transforms have a state()
  // Whether, with these options, what it makes of a batch follows from that alone, and it needs no
  // loop: several of it may each run on a thread of its own (`parallel`). Null: never.
  bool (*parallel)(const Options& options) = nullptr;
  // Its option that says in which cache it looks records up; "" there: in none. As
  // SinkType::cache.
  std::string_view cache = {};
};

// "filter", "map", "sql"; null when there is none of that name.
const TransformType* find_transform(std::string_view name);
std::span<const TransformType* const> transform_types();

}  // namespace leat
