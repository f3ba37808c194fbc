// Any bytes as CSV; the first byte chooses the options, the second where the input is cut.
// Promises: nothing is read out of bounds, and it does not matter in which pieces the input is
// read.
#include "codec/csv/decoder.h"
#include "codec/csv/encoder.h"
#include "codec/csv/rows.h"
#include "fuzz_support.h"

namespace leat::fuzz {
namespace {

CsvDialect dialect_of(uint8_t choice) {
  CsvDialect dialect;
  dialect.header = (choice & 1) != 0;
  dialect.quoting = (choice & 2) == 0;
  if ((choice & 4) != 0) dialect.comment = "#";
  if ((choice & 8) != 0) dialect.null = "";
  dialect.infer = (choice & 16) == 0;
  if ((choice & 32) != 0) {
    dialect.columns = {{0, "i", Type::kInteger, {}},
                       {1, "d", Type::kDecimal, {}},
                       {2, "t", Type::kTime, *TimeFormat::parse("unixMs")},
                       {3, "b", Type::kBool, {}},
                       {4, "f", Type::kFloat, {}}};
  }
  return dialect;
}

struct Outcome {
  std::vector<std::string> records;
  std::vector<std::string> dead;
  bool operator==(const Outcome&) const = default;
};

void read(CsvDecoder& decoder, BlockPool& pool, std::string_view text, Outcome& out) {
  Letters letters;
  Bytes bytes(text);
  Batch batch(pool, Content::kBytes);
  batch.bytes = {bytes.data(), bytes.size()};
  expect(decoder.decode(batch, letters).has_value(), "bad input is no failure");
  for (std::string& record : shown(batch)) out.records.push_back(std::move(record));
  for (std::string& letter : letters.texts) out.dead.push_back(std::move(letter));
  CsvEncoder encoder(CsvDialect(), {}, "");
  expect(encoder.encode(batch, letters).has_value(), "records can be written as CSV");
}

}  // namespace
}  // namespace leat::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace leat;
  if (size < 2) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  Budget budget(SIZE_MAX);
  BlockPool pool(budget);
  const CsvDialect dialect = fuzz::dialect_of(data[0]);

  fuzz::Outcome whole;
  CsvDecoder decoder(dialect);
  fuzz::read(decoder, pool, text, whole);

  fuzz::Outcome pieces;
  CsvDecoder other(dialect);
  size_t seen = text.size() * data[1] / 255;
  size_t cut = CsvFraming(dialect).complete_prefix(text.substr(0, seen));
  fuzz::read(other, pool, text.substr(0, cut), pieces);
  fuzz::read(other, pool, text.substr(cut), pieces);
  fuzz::expect(whole == pieces, "it does not matter in which pieces the input is read");
  return 0;
}
