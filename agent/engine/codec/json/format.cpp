#include "stage/format.h"
#include "codec/json/decoder.h"
#include "codec/json/encoder.h"
#include "codec/text/line_framing.h"

namespace leat {
namespace {

constexpr ReadFormat kRead = {
    .name = "json",
    .also = "ndjson",
    .wire = "ndjson",
    .help = "A JSON object a line (NDJSON), or an array of objects; each object is a record.",
    .make_framing = plain_framing<LineFraming>,
    .make_decoder = plain_decoder<JsonDecoder>,
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

extern const Format kJsonFormat;
const Format kJsonFormat{.name = "json", .reads = kReads, .writes = kWrites};

}  // namespace leat
