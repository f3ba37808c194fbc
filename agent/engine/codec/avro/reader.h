// Reads records from the binary encoding.
//
// Nested records, arrays and maps become JSON; text points into what is read, which must be in the
// batch's arena or its bytes. Nothing that is read is believed: lengths, counts and depths are held
// against what there is.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <string>
#include <string_view>

#include "codec/avro/plan.h"
#include "codec/text/value_run.h"
#include "record/batch.h"

namespace leat {

class AvroReader {
 public:
  // Into `batch`, of which one value may take `most` bytes.
  void begin(Batch& batch, size_t most) {
    arena_ = &batch.arena;
    most_ = most;
  }
  // One record at `p`, without its place; the end of it. Null: it is none, and problem() says why.
  const char* record(const AvroPlan& plan, const char* p, const char* end, Batch& batch,
                     ValueRun& values);
  const std::string& problem() const { return problem_; }
  // Of one that record() has not made: its end, where its bytes are as its writer's schema says,
  // and only what they mean was not wanted. Null: nothing tells where it ends.
  const char* pass(const AvroPlan& plan, const char* p, const char* end);
  // Bytes that were made of it, and are not kept.
  size_t wasted() const { return json_.size(); }

  size_t held() const { return json_.capacity(); }

 private:
  const char* fields(const AvroStep& step, const char* p, Value* values);
  const char* value(const AvroStep& step, const char* p, Value& out);
  const char* number(const AvroStep& step, const char* p, Value& out);
  bool time(AvroAs as, int64_t n, Value& out);
  const char* text(const AvroStep& step, const char* p, Value& out);
  bool decimal(const AvroStep& step, std::string_view bytes, Value& out);
  const AvroStep* branch(const AvroStep& step, const char*& p);
  const char* json(const AvroStep& step, const char* p);
  const char* json_record(const AvroStep& step, const char* p);
  const char* skip(const AvroStep& step, const char* p);
  const char* skip_bytes(int64_t size, const char* p);
  template <typename Item>
  const char* items(const AvroStep& step, const char* p, bool skips, Item&& item);
  const char* fail(std::string why) {
    if (problem_.empty()) problem_ = std::move(why);
    return nullptr;
  }
  // The bytes are right, but not what they mean.
  const char* refuse(std::string why) {
    is_unwanted_ = true;
    return fail(std::move(why));
  }
  const char* fail_at(const AvroStep::Field& field);
  size_t left(const char* p) const { return static_cast<size_t>(end_ - p); }

  Arena* arena_ = nullptr;
  size_t most_ = 0;
  const char* end_ = nullptr;
  int depth_ = 0;
  uint64_t empty_items_ = 0;  // values that such make, in this record
  std::string json_;
  std::string problem_;
  bool is_unwanted_ = false;  // what problem_ is about
};

}  // namespace leat
