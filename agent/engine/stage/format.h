// Formats: what a source's bytes are read as, and what a sink's records are written as. A format is
// one folder below codec/ and one line in its CMakeLists.txt; what the engine, the configuration
// and the sinks need to know of it stands in its descriptor, so that nobody compares names.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "options/options.h"
#include "stage/codec.h"

namespace leat {

// A format as a source reads it. Two formats with the same `wire` are the same bytes: when no stage
// needs records, they pass through untouched.
struct ReadFormat {
  std::string_view name;       // as in a source's `format` option: "json"
  std::string_view also = {};  // another name for it
  std::string_view wire;       // "ndjson"
  std::string_view help;       // one sentence
  // No bytes are a record, too.
  bool takes_empty = false;
  // A message is one record, whatever is in it: messages can pass through, and not only streams,
  // which are framed.
  bool message_is_record = false;
  // The source option that holds this format's own options ("csv"); "" when it has none.
  std::string_view options_name = {};
  std::span<const Option> options = {};

  // `options`: the object under options_name (an empty one when the format has none).
  std::unique_ptr<Framing> (*make_framing)(const Options& options);
  Result<std::unique_ptr<Decoder>> (*make_decoder)(const Options& options);
  // True when a reader that resumes in the middle must first be shown the start (a CSV header).
  bool (*needs_preamble)(const Options& options) = [](const Options&) { return false; };
  // False when bytes of this format cannot pass through as they are (a CSV with a header line).
  bool (*passes_through)(const Options& options) = [](const Options&) { return true; };
};

// For formats that have no options.
template <typename T>
std::unique_ptr<Framing> plain_framing(const Options&) {
  return std::make_unique<T>();
}
template <typename T>
Result<std::unique_ptr<Decoder>> plain_decoder(const Options&) {
  return std::make_unique<T>();
}

// How encoded records become one document (a request body, a file).
struct DocumentWrap {
  std::string open;        // before the first record: "[", or a CSV header line
  std::string close;       // after the last: "]"
  uint32_t drop_last = 0;  // bytes of the last record to leave out: the ',' of a JSON array
};

// Where a record ends that was written before, to find the last whole one of a document.
enum class RecordEnd {
  kUnknown,          // the document is kept as long as it is
  kNewline,          // at a '\n'
  kUnquotedNewline,  // at a '\n' that is not inside quotes
  kOther             // as WriteFormat::whole_part finds it
};

// Reads what was written of a document: (out, bytes, offset); how many there were.
using WrittenBytes = std::function<size_t(char*, size_t, uint64_t)>;

// A format as a sink writes it.
struct WriteFormat {
  std::string_view name;    // as in a sink's `format` option: "ndjson"
  std::string_view wire;    // "ndjson"
  std::string_view media;   // HTTP Content-Type: "application/x-ndjson"
  std::string_view suffix;  // of file names: "ndjson"
  std::string_view help;
  std::string_view options_name = {};
  std::span<const Option> options = {};

  // What stands around the records of a document, and the bytes at the end of each record but the
  // last that belong to the document. A document with a `close` cannot be gone on with.
  std::string_view open = {};
  std::string_view close = {};
  uint32_t separator = 0;
  RecordEnd record_end = RecordEnd::kUnknown;
  // With RecordEnd::kOther: how many of `size` bytes, from the start on, are whole.
  uint64_t (*whole_part)(const WrittenBytes& read, uint64_t size) = nullptr;
  // Its encoder puts many records into one slice: it is run when they are delivered, on those that
  // go together, so that none is lost or repeated with the others where a delivery is cut
  // (stage/packing_sink.h). Spools have the records.
  bool packs = false;
  // The read format that makes records of its slices again, with that format's default options; ""
  // where they cannot be read without knowing more (the columns of CSV).
  std::string_view read_as = {};
  // The option that fixes header(), which otherwise depends on the first record. Records that are
  // spooled need it: they mean the same after a restart. "" where there is no such thing.
  std::string_view header_option = {};

  Result<std::unique_ptr<Encoder>> (*make_encoder)(const Options& options);
  // What begins a document beside `open`, as known when the first record has been encoded. Null:
  // nothing. `encoder` is one of make_encoder().
  std::string (*header)(const Encoder& encoder) = nullptr;
  // What ends a document in the place of `close`, where options say what that is. Null: `close`.
  std::string (*footer)(const Encoder& encoder) = nullptr;

  // Asked anew for each document. `encoder` is null when bytes pass through.
  DocumentWrap wrap(const Encoder* encoder) const {
    DocumentWrap out{std::string(open), std::string(close), separator};
    if (header != nullptr && encoder != nullptr) out.open += header(*encoder);
    if (footer != nullptr && encoder != nullptr) out.close = footer(*encoder);
    return out;
  }
};

// What a folder of codec/ ends in.
struct Format {
  std::string_view name;  // the folder's
  std::span<const ReadFormat* const> reads;
  std::span<const WriteFormat* const> writes;
};

// Those of this build; defined in the generated file of codec/.
std::span<const Format* const> formats();

// Sources: "json" (also called "ndjson"), "csv", "lines", "raw". Sinks: "ndjson", "json" (one
// array), "csv", "lines", "raw". Null when this build has none of that name.
const ReadFormat* find_read_format(std::string_view name);
const WriteFormat* find_write_format(std::string_view name);
// The one whose slices are these bytes.
const WriteFormat* find_format_of_wire(std::string_view wire);
std::span<const ReadFormat* const> read_formats();
std::span<const WriteFormat* const> write_formats();

}  // namespace leat
