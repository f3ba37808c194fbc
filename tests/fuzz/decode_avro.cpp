// Any bytes as Avro: behind a header, and as a file of their own; the first byte chooses the
// schema, the second where the input is cut. Promises: nothing is read out of bounds, no number of
// bytes makes much more of itself than is allowed, and what was read can be written, and is the
// same when that is read.
#include "codec/avro/decoder.h"
#include "codec/avro/encoder.h"
#include "codec/avro/framing.h"
#include "codec/avro/wire.h"
#include "fuzz_support.h"

namespace leat::fuzz {
namespace {

constexpr std::string_view kSchemas[] = {
    R"({"type":"record","name":"r","fields":[{"name":"a","type":"long"},{"name":"b","type":["null","string"]},{"name":"c","type":"boolean"}]})",
    R"({"type":"record","name":"r","fields":[{"name":"a","type":{"type":"array","items":["null","int","r"]}},{"name":"m","type":{"type":"map","values":"string"}}]})",
    R"({"type":"record","name":"r","fields":[{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":20,"scale":3}},{"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"e","type":{"type":"enum","name":"e","symbols":["A","B"]}}]})",
    R"({"type":"record","name":"r","fields":[{"name":"x","type":{"type":"array","items":"null"}},{"name":"f","type":"float"},{"name":"n","type":{"type":"fixed","name":"f3","size":3}}]})",
};

std::vector<std::string> read(AvroDecoder& decoder, BlockPool& pool, std::string_view text,
                              uint64_t offset, bool last, Letters& letters) {
  Bytes bytes(text);
  Batch batch(pool, Content::kBytes);
  batch.begin.offset = offset;
  batch.end.offset = offset + text.size();
  batch.end.last = last;
  batch.bytes = {bytes.data(), bytes.size()};
  expect(decoder.decode(batch, letters).has_value(), "bad input is no failure");
  expect(batch.arena.footprint() < (64U << 20) + 64 * text.size(),
         "little input takes little memory");
  return shown(batch);
}

}  // namespace
}  // namespace leat::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace leat;
  using namespace leat::fuzz;
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  Budget budget(8 << 20);
  BlockPool pool(budget);
  const std::string_view json = kSchemas[data[0] % std::size(kSchemas)];
  const AvroSchemaRef schema = *AvroSchema::parse(json);
  Letters letters;

  // As data of a block, of which the lengths are right, then as anything behind the header.
  const std::string header = avro_header(json, (data[0] & 8) != 0 ? "deflate" : "null");
  std::string file = header;
  append_avro_long(file, data[1] % 32);
  append_avro_text(file, text);
  file += std::string_view(header).substr(header.size() - kAvroMarkerSize);
  AvroDecoder decoder({});
  const std::vector<std::string> records = read(decoder, pool, file, 0, true, letters);
  AvroDecoder any({});
  read(any, pool, header + std::string(text), 0, true, letters);
  AvroDecoder alone({});
  read(alone, pool, text, 0, true, letters);
  (void)AvroSchema::parse(text);

  // In pieces, as a source would give it.
  const AvroFraming framing;
  const std::string whole = header + std::string(text) + file.substr(header.size());
  const size_t seen = whole.size() * data[1] / 255;
  const size_t cut = framing.complete_prefix(std::string_view(whole).substr(0, seen));
  expect(cut <= seen, "no more is whole than there is");
  AvroDecoder pieces({});
  read(pieces, pool, std::string_view(whole).substr(0, cut), 0, false, letters);
  read(pieces, pool, std::string_view(whole).substr(cut), cut, true, letters);
  GivenUp place;
  expect(
      framing.behind_given_up(text, std::min<size_t>(text.size(), data[1]), place) <= text.size(),
      "no more is given up than there is");

  // What was read is written, and read again.
  Bytes bytes(file);
  Batch batch(pool, Content::kBytes);
  batch.bytes = {bytes.data(), bytes.size()};
  AvroDecoder first({});
  expect(first.decode(batch, letters).has_value(), "bad input is no failure");
  Letters refused;
  AvroEncoder encoder({.schema = schema, .record = "r"});
  Result<BatchRef> out = encoder.encode(batch, refused);
  expect(out.has_value(), "records can be written, or are dead letters");
  // But decimals of more digits than they say that they have.
  if (!refused.texts.empty() && json.find("decimal") != std::string_view::npos) return 0;
  expect(refused.texts.empty(), "what was read by a schema can be written by it");
  std::string again = encoder.header();
  for (const Slice& slice : (*out)->slices) again += slice.view();
  AvroDecoder second({});
  expect(read(second, pool, again, 0, true, letters) == records,
         "it is the same when it is read again");
  return 0;
}
