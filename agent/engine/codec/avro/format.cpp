#include "stage/format.h"
#include "codec/avro/decoder.h"
#include "codec/avro/dialect.h"
#include "codec/avro/encoder.h"
#include "codec/avro/framing.h"

namespace leat {
namespace {

const ReadFormat kRead = {
    .name = "avro",
    .wire = "avro",
    .help = "Avro: container files, or single messages of a schema that is elsewhere.",
    .options_name = "avro",
    .options = kAvroReadOptions,
    .make_framing = plain_framing<AvroFraming>,
    .make_decoder = [](const Options& options) -> Result<std::unique_ptr<Decoder>> {
      Result<AvroDialect> dialect = AvroDialect::from(options);
      if (!dialect) return fail(dialect.error());
      return std::make_unique<AvroDecoder>(std::move(*dialect));
    },
    .needs_preamble = [](const Options&) { return true; },
    .passes_through = [](const Options&) { return false; },
};

const WriteFormat kWrite = {
    .name = "avro",
    .wire = "avro",
    .media = "application/avro",
    .suffix = "avro",
    .help = "Avro: container files, or the records alone.",
    .options_name = "avro",
    .options = kAvroWriteOptions,
    .record_end = RecordEnd::kOther,
    .whole_part = avro_whole_part,
    .packs = true,
    .read_as = "avro",
    .make_encoder = [](const Options& options) -> Result<std::unique_ptr<Encoder>> {
      Result<AvroWriting> writing = AvroWriting::from(options);
      if (!writing) return fail(writing.error());
      return std::make_unique<AvroEncoder>(std::move(*writing));
    },
    .header =
        [](const Encoder& encoder) { return static_cast<const AvroEncoder&>(encoder).header(); },
};

constexpr const ReadFormat* kReads[] = {&kRead};
constexpr const WriteFormat* kWrites[] = {&kWrite};

}  // namespace

extern constexpr Format kAvroFormat{.name = "avro", .reads = kReads, .writes = kWrites};

}  // namespace leat
