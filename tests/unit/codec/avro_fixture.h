// Avro tests: schemas as text, and what a decoder makes of what an encoder has written.
#pragma once

#include <initializer_list>

#include "codec/avro/decoder.h"
#include "codec/avro/defaults.h"
#include "codec/avro/encoder.h"
#include "codec/avro/framing.h"
#include "codec/avro/wire.h"
#include "codec_fixture.h"

namespace leat {

class AvroTest : public CodecTest {
 protected:
  static AvroSchemaRef schema(std::string_view json) {
    Result<AvroSchemaRef> parsed = AvroSchema::parse(json);
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message());
    return parsed ? *parsed : nullptr;
  }
  // Of one field "v".
  static std::string record(std::string_view type, std::string_view more = "") {
    return R"({"type":"record","name":"r","fields":[{"name":"v","type":)" + std::string(type) +
           std::string(more) + "}]}";
  }
  static AvroWriting writing(std::string_view json, bool deflate = false) {
    return {.schema = schema(json), .record = "r", .deflate = deflate};
  }

  static std::string number(int64_t n) {
    std::string out;
    append_avro_long(out, n);
    return out;
  }
  static std::string sized(std::string_view bytes) {
    std::string out;
    append_avro_text(out, bytes);
    return out;
  }

  static std::string block(std::string_view header, int64_t count, std::string_view data) {
    return number(count) + sized(data) +
           std::string(header.substr(header.size() - kAvroMarkerSize));
  }
  // A container of one block.
  static std::string file(std::string_view json, int64_t count, std::string_view data) {
    const std::string header = avro_header(json, "null");
    return header + block(header, count, data);
  }

  // A whole stream.
  Strings read(std::string_view bytes, std::string_view reader = "") {
    AvroDialect dialect;
    if (!reader.empty()) dialect.schema = schema(reader);
    AvroDecoder decoder(std::move(dialect));
    BatchRef batch = bytes_of(bytes);
    batch->end.offset = bytes.size();
    batch->end.last = true;
    return decode(decoder, batch);
  }
  // What the bytes of one record with a field of this type are read as.
  std::string one(std::string_view type, std::string_view data, std::string_view reader = "") {
    const Strings records = read(file(record(type), 1, data), reader);
    return records.size() == 1 ? records[0] : "";
  }
  std::string reason() { return dead_.letters.empty() ? "" : dead_.letters.back().reason; }

  // A container of these records.
  std::string written(AvroWriting how, const Batch& batch) {
    AvroEncoder encoder(std::move(how));
    const std::string blocks = encode(encoder, batch);
    return encoder.header() + blocks;
  }
  // One record with this value in "v", written by a schema of this type and read again.
  std::string round(std::string_view type, const Value& value) {
    dead_.letters.clear();
    const BatchRef batch = record_of({{"v", value}});
    const Strings records = read(written(writing(record(type)), *batch));
    return records.size() == 1 ? records[0] : reason();
  }
};

}  // namespace leat
