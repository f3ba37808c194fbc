// Any bytes as XML; the first byte chooses the options, the second where the input is cut.
// Promises: nothing is read out of bounds, it does not matter in which pieces the input is read,
// and what was read can be written, and is the same when that is read.
#include "codec/xml/decoder.h"
#include "codec/xml/encoder.h"
#include "codec/xml/framing.h"
#include "fuzz_support.h"

namespace leat::fuzz {
namespace {

XmlDialect dialect_of(uint8_t choice) {
  XmlDialect dialect;
  if ((choice & 1) != 0) dialect.path.steps = {"a"};
  if ((choice & 2) != 0) dialect.path.steps = {"r", "a"};
  if ((choice & 3) == 3) dialect.path.steps = {"r", "b", "a"};
  dialect.infer = (choice & 4) == 0;
  if ((choice & 8) != 0) dialect.arrays = {"x"};
  if ((choice & 16) != 0) dialect.namespaces = {{"n", "u"}};
  dialect.latin1 = (choice & 32) != 0;
  return dialect;
}

struct Outcome {
  std::vector<std::string> records;
  std::vector<std::string> dead;
  bool operator==(const Outcome&) const = default;
};

void read(XmlDecoder& decoder, BlockPool& pool, std::string_view text, uint64_t offset, bool last,
          Outcome& out) {
  Letters letters;
  Bytes bytes(text);
  Batch batch(pool, Content::kBytes);
  batch.begin.offset = offset;
  batch.end.offset = offset + text.size();
  batch.end.last = last;
  batch.bytes = {bytes.data(), bytes.size()};
  expect(decoder.decode(batch, letters).has_value(), "bad input is no failure");
  for (std::string& record : shown(batch)) out.records.push_back(std::move(record));
  for (std::string& letter : letters.texts) out.dead.push_back(std::move(letter));
  XmlEncoder encoder("a", "", "");
  expect(encoder.encode(batch, letters).has_value(), "records can be written, or are dead letters");
}

}  // namespace
}  // namespace leat::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace leat;
  if (size < 2) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  Budget budget(SIZE_MAX);
  BlockPool pool(budget);
  const XmlDialect dialect = fuzz::dialect_of(data[0]);

  fuzz::Outcome whole;
  XmlDecoder decoder(dialect);
  fuzz::read(decoder, pool, text, 0, true, whole);

  fuzz::Outcome pieces;
  XmlDecoder other(dialect);
  const XmlFraming framing(dialect.path);
  const size_t seen = text.size() * data[1] / 255;
  const size_t cut = framing.complete_prefix(text.substr(0, seen));
  fuzz::read(other, pool, text.substr(0, cut), 0, false, pieces);
  fuzz::read(other, pool, text.substr(cut), cut, true, pieces);
  fuzz::expect(whole == pieces, "it does not matter in which pieces the input is read");

  GivenUp place;
  for (size_t at = 0; at < text.size();) {
    const size_t behind = framing.behind_given_up(text.substr(at), 0, place);
    fuzz::expect(behind <= text.size() - at, "no more is given up than there is");
    if (behind == 0) break;
    at += behind;
  }
  return 0;
}
