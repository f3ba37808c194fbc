// Any bytes as JSON lines and as one message. Promises: nothing is read out of bounds, positions do
// not go back, and what is written again is read as the same records.
#include "codec/json/decoder.h"
#include "codec/json/encoder.h"
#include "fuzz_support.h"

namespace leat::fuzz {
namespace {

void check_order(const Batch& batch, size_t size) {
  uint32_t offset = 0;
  uint32_t line = 0;
  for (const Record& record : batch.records) {
    expect(record.end_offset >= offset && record.end_line >= line, "positions do not go back");
    expect(record.end_offset <= size, "positions stay within the batch");
    offset = record.end_offset;
    line = record.end_line;
  }
}

void check(JsonDecoder& decoder, BlockPool& pool, std::string_view text, bool lines) {
  Letters letters;
  Bytes bytes(text);
  Batch batch(pool, lines ? Content::kBytes : Content::kSlices);
  auto size = static_cast<uint32_t>(bytes.size());
  if (lines) {
    batch.bytes = {bytes.data(), bytes.size()};
  } else {
    batch.slices.push_back({bytes.data(), size, size, 1});
  }
  expect(decoder.decode(batch, letters).has_value(), "bad input is no failure");
  check_order(batch, size);

  Result<BatchRef> written = JsonEncoder('\n').encode(batch, letters);
  expect(written.has_value(), "every record can be written as JSON");
  std::string again;
  for (const Slice& slice : (*written)->slices) again += slice.view();
  Bytes copy(again);
  Letters none;
  Batch read(pool, Content::kBytes);
  read.bytes = {copy.data(), copy.size()};
  JsonDecoder fresh;
  expect(fresh.decode(read, none).has_value() && none.texts.empty(), "what we write is valid");
  expect(read.records.size() == batch.records.size(), "a record a line");
  Result<BatchRef> twice = JsonEncoder('\n').encode(read, none);
  std::string same;
  for (const Slice& slice : (*twice)->slices) same += slice.view();
  expect(same == again, "what we write is read as the same");
}

}  // namespace
}  // namespace leat::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace leat;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Budget budget(SIZE_MAX);
  BlockPool pool(budget);
  JsonDecoder decoder;  // the same for both, so that the second meets predictions
  fuzz::check(decoder, pool, text, true);
  fuzz::check(decoder, pool, text, false);
  return 0;
}
