#include "stage/format.h"
#include "codec/lines/decoder.h"
#include "codec/text/text_encoder.h"
#include "codec/text/utf16_framing.h"

namespace leat {
namespace {

constexpr Option kReadOptions[] = {kEncodingOption, kInvalidTextOption};

constexpr ReadFormat kRead = {
    .name = "lines",
    .wire = "lines",
    .help = "Each line is a record with one field `line`; blank lines are skipped.",
    .options_name = "lines",
    .options = kReadOptions,
    .make_framing = [](const Options& options) -> std::unique_ptr<Framing> {
      auto framing = std::make_unique<TextLineFraming>(TextReader(options));
      if (TextReader(options).is_utf16()) return std::make_unique<Utf16Framing>(std::move(framing));
      return framing;
    },
    .make_decoder = [](const Options& options) -> Result<std::unique_ptr<Decoder>> {
      if (Status status = TextReader::check(options); !status) return fail(status.error());
      return std::make_unique<LineDecoder>(TextReader(options));
    },
    .needs_preamble = [](const Options& options) { return TextReader(options).is_utf16(); },
    .passes_through = [](const Options& options) { return TextReader(options).keeps_bytes(); },
};

constexpr WriteFormat kWrite = {
    .name = "lines",
    .wire = "lines",
    .media = "text/plain",
    .suffix = "txt",
    .help = "The field `line`, or the record's only field, as one line.",
    .record_end = RecordEnd::kNewline,
    .read_as = "lines",
    .make_encoder = [](const Options&) -> Result<std::unique_ptr<Encoder>> {
      return std::make_unique<TextEncoder>("line", TextEncoder::Ends::kWithNewline);
    },
};

constexpr const ReadFormat* kReads[] = {&kRead};
constexpr const WriteFormat* kWrites[] = {&kWrite};

}  // namespace

extern constexpr Format kLinesFormat{.name = "lines", .reads = kReads, .writes = kWrites};

}  // namespace leat
