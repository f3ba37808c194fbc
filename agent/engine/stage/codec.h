// Codecs: bytes → records (decoder), records → bytes (encoder), and where one record ends in a
// stream of bytes (framing). Nobody wires them by hand: the planner injects them.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "options/options.h"
#include "record/batch.h"
#include "stage/dead_letter.h"

namespace leat {

// Finds whole records in a stream that is read in pieces. Sources use it, so that a batch never
// ends inside a record.
class Framing {
 public:
  virtual ~Framing() = default;

  // Length of the longest prefix of `bytes` made of whole records, 0 when not even one is complete.
  // `bytes` starts at the start of a record. The end of input is the source's business: it
  // completes the last record by adding terminator().
  virtual size_t complete_prefix(std::string_view bytes) const = 0;

  // What ends a record that the end of the file cut short: "\n" for line formats, "" for raw.
  virtual std::string_view terminator() const = 0;

  // Splits a batch of whole frames (kBytes → kSlices) without decoding. Blank lines yield no slice.
  virtual void split(Batch& batch) const = 0;
};

class Decoder {
 public:
  virtual ~Decoder() = default;

  // kBytes (whole frames of a stream) or kSlices (one message each) → kRecords, in place: records
  // may point into the batch's bytes, and the decoder may overwrite those. Bad input goes to `dead`
  // with a reason that says where in the record; the records around it are kept. Sets end_offset,
  // end_line and time_us (from arrival_us) of each record, and batch.end.line. In turns: stops
  // when `dead` is full.
  virtual Status decode(Batch& batch, DeadLetters& dead) = 0;

  // Bytes kept from batch to batch, where input can make them grow.
  virtual size_t held() const { return 0; }
};

class Encoder {
 public:
  virtual ~Encoder() = default;

  // kRecords → a new batch of kSlices with the same positions. The encoded records do not point
  // into `in`, which can be dropped. Records that the format cannot express go to `dead`. In turns
  // (in.in_turns()): stops after in.quantum bytes, or when `dead` is full, and says so in the new
  // batch's `not_encoded`.
  virtual Result<BatchRef> encode(const Batch& in, DeadLetters& dead) = 0;

  virtual size_t held() const { return 0; }  // as a Decoder's
};

// How encoded records become one document (a request body, a file).
struct Enclosure {
  std::string open;        // before the first record: "[", or a CSV header line
  std::string close;       // after the last: "]"
  uint32_t drop_last = 0;  // bytes of the last record to leave out: the ',' of a JSON array
};

// A format as a source reads it. Two formats with the same `wire` are the same bytes: when no stage
// needs records, they pass through untouched.
struct ReadFormat {
  std::string_view name;     // as in a source's `format` option: "json"
  std::string_view wire;     // "ndjson"
  std::string_view help;     // one sentence
  bool takes_empty = false;  // no bytes are a record, too
  // The source option that holds this format's own options ("csv"); "" when it has none.
  std::string_view options_name;
  std::span<const Option> options;

  // `options`: the object under options_name (an empty one when the format has none).
  std::unique_ptr<Framing> (*make_framing)(const Options& options);
  Result<std::unique_ptr<Decoder>> (*make_decoder)(const Options& options);
  // True when a reader that resumes in the middle must first be shown the start (a CSV header).
  bool (*needs_preamble)(const Options& options);
  // False when bytes of this format cannot pass through as they are (a CSV with a header line).
  bool (*passes_through)(const Options& options);
};

// A format as a sink writes it.
struct WriteFormat {
  std::string_view name;    // as in a sink's `format` option: "ndjson"
  std::string_view wire;    // "ndjson"
  std::string_view media;   // HTTP Content-Type: "application/x-ndjson"
  std::string_view suffix;  // of file names: "ndjson"
  std::string_view help;
  std::string_view options_name;
  std::span<const Option> options;

  Result<std::unique_ptr<Encoder>> (*make_encoder)(const Options& options);
  // Asked anew for each document, since a CSV header is known only when the first record has been
  // encoded. `encoder` is null when bytes pass through.
  Enclosure (*enclosure)(const Encoder* encoder);
};

// Sources: "json" (a JSON object a line; also called "ndjson"), "csv", "lines", "raw".
// Sinks: "ndjson", "json" (one array), "csv", "lines", "raw". Null when there is none of that name.
const ReadFormat* find_read_format(std::string_view name);
const WriteFormat* find_write_format(std::string_view name);
std::span<const ReadFormat* const> read_formats();
std::span<const WriteFormat* const> write_formats();

}  // namespace leat
