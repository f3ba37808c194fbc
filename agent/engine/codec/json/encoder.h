// Encoder for JSON objects: one a line (NDJSON), or the elements of one array.
//
// Absent fields are left out, null stays null. What was read as JSON is written as it was read.
#pragma once

#include <string>

#include "codec/text/slice_writer.h"
#include "stage/codec.h"

namespace leat {

class JsonEncoder final : public Encoder {
 public:
  // `separator` ends each record: '\n', or the ',' of an array (the last one's is left out of the
  // document by DocumentWrap::drop_last).
  explicit JsonEncoder(char separator) : separator_(separator) {}

  Result<BatchRef> encode(const Batch& in, DeadLetters& dead) override;

 private:
  void write_record(const Record& record, SliceWriter& writer);
  void write_field(std::string_view key, const Value& value, SliceWriter& writer);
  void write_string(std::string_view key, const Value& value, SliceWriter& writer);
  void write_slow(std::string_view key, const Value& value, SliceWriter& writer);

  const char separator_;
  std::string scratch_;  // for values that cannot be copied
};

}  // namespace leat
