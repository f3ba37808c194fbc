// Encoder for Avro. In a container a slice is a block of many records (WriteFormat::packs); of
// single messages a slice is a record.
#pragma once

#include <functional>
#include <string>

#include "codec/avro/dialect.h"
#include "codec/avro/writer.h"
#include "record/shape_cache.h"
#include "stage/codec.h"
#include "stage/format.h"

namespace leat {

class AvroEncoder final : public Encoder {
 public:
  explicit AvroEncoder(AvroWriting writing);

  Result<BatchRef> encode(const Batch& in, DeadLetters& dead) override;
  size_t held() const override { return shapes_.held() + writer_.held() + packed_.capacity(); }

  // What a container begins with; "" where there is none, or no record has been seen by which the
  // schema is made.
  const std::string& header() const { return header_; }

 private:
  Status derive(const Batch& in);
  void set_schema();
  void end_block(Batch& out, size_t count, const Record& last);

  AvroWriting writing_;
  AvroWriter writer_;
  ShapeCache<AvroFieldMap> shapes_;
  std::string header_;
  std::string before_;  // each single message
  std::string packed_;
};

// WriteFormat::whole_part of containers.
uint64_t avro_whole_part(const WrittenBytes& read, uint64_t size);

}  // namespace leat
