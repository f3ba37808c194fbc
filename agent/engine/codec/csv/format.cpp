#include "stage/format.h"
#include "codec/csv/decoder.h"
#include "codec/csv/dialect.h"
#include "codec/csv/encoder.h"
#include "codec/csv/rows.h"
#include "codec/text/utf16_framing.h"

namespace leat {
namespace {

std::unique_ptr<Framing> framing(const Options& options) {
  // Bad options are reported by the decoder's maker; there is nothing to frame then.
  Result<CsvDialect> dialect = CsvDialect::for_reading(options);
  auto framing = std::make_unique<CsvFraming>(dialect ? *dialect : CsvDialect());
  if (dialect && dialect->text.is_utf16())
    return std::make_unique<Utf16Framing>(std::move(framing));
  return framing;
}

Result<std::unique_ptr<Decoder>> decoder(const Options& options) {
  Result<CsvDialect> dialect = CsvDialect::for_reading(options);
  if (!dialect) return fail(dialect.error());
  return std::make_unique<CsvDecoder>(std::move(*dialect));
}

bool needs_preamble(const Options& options) {
  Result<CsvDialect> dialect = CsvDialect::for_reading(options);
  return dialect && CsvDecoder::needs_preamble(*dialect);
}

Result<std::unique_ptr<Encoder>> encoder(const Options& options) {
  Result<CsvDialect> dialect = CsvDialect::for_writing(options);
  if (!dialect) return fail(dialect.error());
  return std::make_unique<CsvEncoder>(std::move(*dialect), options.strings("columns"),
                                      options.string("nullFormat"));
}

std::string header(const Encoder& encoder) {
  return static_cast<const CsvEncoder&>(encoder).header();
}

const ReadFormat kRead = {
    .name = "csv",
    .wire = "csv",
    .help = "Rows of fields between delimiters (RFC 4180), with or without a header.",
    .options_name = "csv",
    .options = kCsvReadOptions,
    .make_framing = framing,
    .make_decoder = decoder,
    .needs_preamble = needs_preamble,
    // A sink writes a header of its own and may use another delimiter, so rows are made anew.
    .passes_through = [](const Options&) { return false; },
};

const WriteFormat kWrite = {
    .name = "csv",
    .wire = "csv",
    .media = "text/csv",
    .suffix = "csv",
    .help = "A row a record (RFC 4180), under a header.",
    .options_name = "csv",
    .options = kCsvWriteOptions,
    .record_end = RecordEnd::kUnquotedNewline,
    .header_option = "columns",
    .make_encoder = encoder,
    .header = header,
};

constexpr const ReadFormat* kReads[] = {&kRead};
constexpr const WriteFormat* kWrites[] = {&kWrite};

}  // namespace

extern constexpr Format kCsvFormat{.name = "csv", .reads = kReads, .writes = kWrites};

}  // namespace leat
