#include "stage/format.h"
#include "codec/json/decoder.h"
#include "codec/json/encoder.h"
#include "codec/json/line_framing.h"

namespace leat {
namespace {

constexpr std::string_view kDocuments[] = {"lines", "array", "concatenated"};

constexpr Option kReadOptions[] = {
    {.name = "document",
     .fallback = "lines",
     .help = "Where a stream's documents end. lines: each with its line; it is an object, or an "
             "array of objects. array: one array of objects, over any number of lines. "
             "concatenated: objects or arrays one after another, with any space between. A message "
             "is one document; with concatenated it may hold several.",
     .choices = kDocuments},
};

JsonDocument document_of(const Options& options) {
  const std::string& name = options.string("document");
  if (name == "array") return JsonDocument::kArray;
  return name == "concatenated" ? JsonDocument::kConcatenated : JsonDocument::kLine;
}

constexpr ReadFormat kRead = {
    .name = "json",
    .also = "ndjson",
    .wire = "ndjson",
    .help = "JSON objects, each a record: one a line (NDJSON), or as json.document says.",
    .options_name = "json",
    .options = kReadOptions,
    .make_framing = [](const Options& options) -> std::unique_ptr<Framing> {
      JsonDocument document = document_of(options);
      if (document == JsonDocument::kLine) return std::make_unique<JsonLineFraming>();
      return std::make_unique<JsonPieceFraming>(document);
    },
    .make_decoder = [](const Options& options) -> Result<std::unique_ptr<Decoder>> {
      return std::make_unique<JsonDecoder>(document_of(options));
    },
    .passes_through =
        [](const Options& options) { return document_of(options) == JsonDocument::kLine; },
};

template <char kSeparator>
Result<std::unique_ptr<Encoder>> encoder(const Options&) {
  return std::make_unique<JsonEncoder>(kSeparator);
}

constexpr WriteFormat kWriteNdjson = {
    .name = "ndjson",
    .wire = "ndjson",
    .media = "application/x-ndjson",
    .suffix = "ndjson",
    .help = "A JSON object a line.",
    .record_end = RecordEnd::kNewline,
    .read_as = "json",
    .make_encoder = encoder<'\n'>,
};

constexpr WriteFormat kWriteArray = {
    .name = "json",
    .wire = "json",
    .media = "application/json",
    .suffix = "json",
    .help = "One JSON array of objects.",
    .open = "[",
    .close = "]",
    .separator = 1,
    .read_as = "json",
    .make_encoder = encoder<','>,
};

constexpr const ReadFormat* kReads[] = {&kRead};
constexpr const WriteFormat* kWrites[] = {&kWriteNdjson, &kWriteArray};

}  // namespace

extern constexpr Format kJsonFormat{.name = "json", .reads = kReads, .writes = kWrites};

}  // namespace leat
