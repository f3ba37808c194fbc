#include "stage/format.h"
#include "codec/avro/decoder.h"
#include "codec/avro/dialect.h"
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

constexpr const ReadFormat* kReads[] = {&kRead};

}  // namespace

extern constexpr Format kAvroFormat{.name = "avro", .reads = kReads, .writes = {}};

}  // namespace leat
