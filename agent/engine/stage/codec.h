// Codecs: bytes → records (decoder), records → bytes (encoder), and where one record ends in a
// stream of bytes (framing). Nobody wires them by hand: the planner injects them.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "loop/loop.h"
#include "record/batch.h"
#include "stage/dead_letter.h"

namespace leat {

class Caches;  // cache/caches.h

// What the engine gives a codec, or a transform. Outlives it.
class CodecContext {
 public:
  virtual ~CodecContext() = default;
  virtual Loop& loop() = 0;
  virtual const std::string& pipeline() = 0;  // name, for log lines
  // What a codec waits for (Turn::kWait) is there, or will never be: the batch is tried again,
  // later from the loop. May be called more often than needed.
  virtual void go_on() = 0;
  // What pipelines of this agent have put by for others to look up. Null where there is no agent.
  virtual Caches* caches() { return nullptr; }
};

// How a codec ends its turn.
enum class Turn : uint8_t {
  kDone,
  // Not now: something is on its way, a schema for instance. The batch was not touched. It is kept,
  // the source gets no credit, and the same batch comes again after CodecContext::go_on(). What
  // lies before the record that must wait is done first, and the others left to Batch::rest.
  kWait,
};

// Where a stream stands in a record that was given up, since it is too long to be held.
struct GivenUp {
  bool going_on = false;  // its end has not been seen
  // Of JSON that is not a document a line:
  enum class In : uint8_t { kBefore, kBeforeMarked, kNested, kOther } in = In::kBefore;
  bool quoted = false;
  bool escaped = false;
  bool line_begins = false;
  uint32_t depth = 0;
};

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

  // Of line formats. Bytes of which all characters are made, from the first on: lines and their
  // ends begin at multiples of it.
  virtual size_t unit() const { return 1; }
  // Behind the first line end at or behind `from`, a multiple of unit(); npos when there is none.
  virtual size_t behind_line(std::string_view bytes, size_t from) const {
    size_t newline = bytes.find('\n', from);
    return newline == std::string_view::npos ? newline : newline + 1;
  }

  // Of whole records: where the first begins that is longer than `most`, its line end not counted;
  // npos when none is. Those of two-byte characters go by their lines.
  virtual size_t first_longer(std::string_view records, size_t most) const {
    for (size_t at = 0; at < records.size();) {
      const size_t end = behind_line(records, at);
      const size_t size = std::min(end, records.size() + unit()) - unit() - at;
      if (size > most) return at;
      at = std::min(end, records.size());
    }
    return std::string_view::npos;
  }
  // Behind a record that is given up, or behind all whole characters when it goes on after them.
  // `bytes` begin with it, or where the call before ended. What lies before `from` is it in any
  // case: of lines that is all that is asked, so a quote that is never closed costs no more.
  virtual size_t behind_given_up(std::string_view bytes, size_t from, GivenUp& place) const {
    const size_t end = behind_line(bytes, from - from % unit());
    place.going_on = end == std::string_view::npos;
    return place.going_on ? bytes.size() - bytes.size() % unit() : end;
  }

  // Whether a record ends with its line, rather than somewhere in it.
  virtual bool ends_lines() const { return true; }
  // The line, counted from 1, in which the record ends that `after` is behind: Position::line
  // counts the lines that have ended.
  uint64_t line_before(const Position& after) const { return after.line + (ends_lines() ? 0 : 1); }

  // Whether a record may begin with a NUL; where it may not, NULs are what a hole in a file reads
  // as.
  virtual bool may_begin_with_nul() const { return false; }

  // Splits a batch of whole frames (kBytes → kSlices) without decoding what needs none. Blank lines
  // yield no slice. What is no record goes to `dead`, as from a Decoder, and in turns it stops when
  // `dead` is full.
  virtual Status split(Batch& batch, DeadLetters& dead) const = 0;

  virtual size_t held() const { return 0; }  // as a Decoder's
};

class Decoder {
 public:
  virtual ~Decoder() = default;

  // Once, before all else. What it starts ends with the codec, which may go at any time: while it
  // waits, too.
  virtual Status open(CodecContext& context) {
    (void)context;
    return {};
  }

  // kBytes (whole frames of a stream) or kSlices (one message each) → kRecords, in place: records
  // may point into the batch's bytes, and the decoder may overwrite those. Bad input goes to `dead`
  // with a reason that says where in the record; the records around it are kept. Sets end_offset,
  // end_line and time_us (from arrival_us) of each record, and batch.end.line. In turns: stops
  // when `dead` is full.
  virtual Result<Turn> decode(Batch& batch, DeadLetters& dead) = 0;

  // Bytes kept from batch to batch, where input can make them grow.
  virtual size_t held() const { return 0; }
};

class Encoder {
 public:
  virtual ~Encoder() = default;

  virtual Status open(CodecContext& context) {  // as a Decoder's
    (void)context;
    return {};
  }

  // kRecords → a new batch of kSlices with the same positions. The encoded records do not point
  // into `in`, which can be dropped. Records that the format cannot express go to `dead`. In turns
  // (in.in_turns()): stops after in.quantum bytes, or when `dead` is full, and says so in the new
  // batch's `not_encoded`. A null batch: as Turn::kWait.
  virtual Result<BatchRef> encode(const Batch& in, DeadLetters& dead) = 0;

  virtual size_t held() const { return 0; }  // as a Decoder's
};

}  // namespace leat
