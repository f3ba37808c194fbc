// The formats that sources and sinks can name.
#include "codec/csv/decoder.h"
#include "codec/csv/dialect.h"
#include "codec/csv/encoder.h"
#include "codec/csv/rows.h"
#include "codec/json/decoder.h"
#include "codec/json/encoder.h"
#include "codec/text/lines.h"
#include "stage/codec.h"

namespace leat {
namespace {

template <typename T>
Result<std::unique_ptr<Decoder>> plain_decoder(const Options&) {
  return std::make_unique<T>();
}

template <typename T>
std::unique_ptr<Framing> plain_framing(const Options&) {
  return std::make_unique<T>();
}

bool never(const Options&) {
  return false;
}

bool always(const Options&) {
  return true;
}

std::unique_ptr<Framing> csv_framing(const Options& options) {
  // Bad options are reported by make_decoder; there is nothing to frame then.
  Result<CsvDialect> dialect = CsvDialect::for_reading(options);
  return std::make_unique<CsvFraming>(dialect ? *dialect : CsvDialect());
}

Result<std::unique_ptr<Decoder>> csv_decoder(const Options& options) {
  Result<CsvDialect> dialect = CsvDialect::for_reading(options);
  if (!dialect) return fail(dialect.error());
  return std::make_unique<CsvDecoder>(std::move(*dialect));
}

bool csv_needs_preamble(const Options& options) {
  Result<CsvDialect> dialect = CsvDialect::for_reading(options);
  return dialect && CsvDecoder::needs_preamble(*dialect);
}

constexpr ReadFormat kReadJson = {
    .name = "json",
    .wire = "ndjson",
    .help = "A JSON object a line (NDJSON), or an array of objects; each object is a record.",
    .options_name = "",
    .options = {},
    .make_framing = plain_framing<LineFraming>,
    .make_decoder = plain_decoder<JsonDecoder>,
    .needs_preamble = never,
    .passes_through = always,
};

const ReadFormat kReadCsv = {
    .name = "csv",
    .wire = "csv",
    .help = "Rows of fields between delimiters (RFC 4180), with or without a header.",
    .options_name = "csv",
    .options = kCsvReadOptions,
    .make_framing = csv_framing,
    .make_decoder = csv_decoder,
    .needs_preamble = csv_needs_preamble,
    // A sink writes a header of its own and may use another delimiter, so rows are made anew.
    .passes_through = never,
};

constexpr ReadFormat kReadLines = {
    .name = "lines",
    .wire = "lines",
    .help = "Each line is a record with one field `line`; blank lines are skipped.",
    .options_name = "",
    .options = {},
    .make_framing = plain_framing<LineFraming>,
    .make_decoder = plain_decoder<LineDecoder>,
    .needs_preamble = never,
    .passes_through = always,
};

constexpr ReadFormat kReadRaw = {
    .name = "raw",
    .wire = "raw",
    .help = "Bytes as they come, in pieces of any size: records with one field `data`.",
    .takes_empty = true,
    .options_name = "",
    .options = {},
    .make_framing = plain_framing<RawFraming>,
    .make_decoder = plain_decoder<RawDecoder>,
    .needs_preamble = never,
    .passes_through = always,
};

template <char kSeparator>
Result<std::unique_ptr<Encoder>> json_encoder(const Options&) {
  return std::make_unique<JsonEncoder>(kSeparator);
}

Result<std::unique_ptr<Encoder>> csv_encoder(const Options& options) {
  Result<CsvDialect> dialect = CsvDialect::for_writing(options);
  if (!dialect) return fail(dialect.error());
  return std::make_unique<CsvEncoder>(std::move(*dialect), options.strings("columns"),
                                      options.string("nullFormat"));
}

Result<std::unique_ptr<Encoder>> lines_encoder(const Options&) {
  return std::make_unique<TextEncoder>("line", TextEncoder::Ends::kWithNewline);
}

Result<std::unique_ptr<Encoder>> raw_encoder(const Options&) {
  return std::make_unique<TextEncoder>("data", TextEncoder::Ends::kAsItIs);
}

Enclosure none(const Encoder*) {
  return {};
}

Enclosure json_enclosure(const Encoder*) {
  return {"[", "]", 1};
}

Enclosure csv_enclosure(const Encoder* encoder) {
  // Only csv_encoder() makes encoders of this format.
  return encoder ? Enclosure{static_cast<const CsvEncoder*>(encoder)->header(), "", 0}
                 : Enclosure{};
}

constexpr WriteFormat kWriteNdjson = {
    .name = "ndjson",
    .wire = "ndjson",
    .media = "application/x-ndjson",
    .suffix = "ndjson",
    .help = "A JSON object a line.",
    .options_name = "",
    .options = {},
    .make_encoder = json_encoder<'\n'>,
    .enclosure = none,
};

constexpr WriteFormat kWriteJson = {
    .name = "json",
    .wire = "json",
    .media = "application/json",
    .suffix = "json",
    .help = "One JSON array of objects.",
    .options_name = "",
    .options = {},
    .make_encoder = json_encoder<','>,
    .enclosure = json_enclosure,
};

const WriteFormat kWriteCsv = {
    .name = "csv",
    .wire = "csv",
    .media = "text/csv",
    .suffix = "csv",
    .help = "A row a record (RFC 4180), under a header.",
    .options_name = "csv",
    .options = kCsvWriteOptions,
    .make_encoder = csv_encoder,
    .enclosure = csv_enclosure,
};

constexpr WriteFormat kWriteLines = {
    .name = "lines",
    .wire = "lines",
    .media = "text/plain",
    .suffix = "txt",
    .help = "The field `line`, or the record's only field, as one line.",
    .options_name = "",
    .options = {},
    .make_encoder = lines_encoder,
    .enclosure = none,
};

constexpr WriteFormat kWriteRaw = {
    .name = "raw",
    .wire = "raw",
    .media = "application/octet-stream",
    .suffix = "bin",
    .help = "The bytes of the field `data`, or of the record's only field, and nothing else.",
    .options_name = "",
    .options = {},
    .make_encoder = raw_encoder,
    .enclosure = none,
};

const ReadFormat* const kReadFormats[] = {&kReadJson, &kReadCsv, &kReadLines, &kReadRaw};
const WriteFormat* const kWriteFormats[] = {&kWriteNdjson, &kWriteJson, &kWriteCsv, &kWriteLines,
                                            &kWriteRaw};

}  // namespace

const ReadFormat* find_read_format(std::string_view name) {
  if (name == "ndjson") return &kReadJson;
  for (const ReadFormat* format : kReadFormats)
    if (format->name == name) return format;
  return nullptr;
}

const WriteFormat* find_write_format(std::string_view name) {
  for (const WriteFormat* format : kWriteFormats)
    if (format->name == name) return format;
  return nullptr;
}

std::span<const ReadFormat* const> read_formats() {
  return kReadFormats;
}

std::span<const WriteFormat* const> write_formats() {
  return kWriteFormats;
}

}  // namespace leat
