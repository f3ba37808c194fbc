#include "stage/format.h"
#include "codec/raw/decoder.h"
#include "codec/text/text_encoder.h"

namespace leat {
namespace {

constexpr ReadFormat kRead = {
    .name = "raw",
    .wire = "raw",
    .help = "Bytes as they come, in pieces of any size: records with one field `data`.",
    .takes_empty = true,
    .message_is_record = true,
    .make_framing = plain_framing<RawFraming>,
    .make_decoder = plain_decoder<RawDecoder>,
};

constexpr WriteFormat kWrite = {
    .name = "raw",
    .wire = "raw",
    .media = "application/octet-stream",
    .suffix = "bin",
    .help = "The bytes of the field `data`, or of the record's only field, and nothing else.",
    .read_as = "raw",
    .make_encoder = [](const Options&) -> Result<std::unique_ptr<Encoder>> {
      return std::make_unique<TextEncoder>("data", TextEncoder::Ends::kAsItIs);
    },
};

constexpr const ReadFormat* kReads[] = {&kRead};
constexpr const WriteFormat* kWrites[] = {&kWrite};

}  // namespace

extern constexpr Format kRawFormat{.name = "raw", .reads = kReads, .writes = kWrites};

}  // namespace leat
