// The unit that moves: many records, or framed slices, or undecoded bytes, in one arena, plus the
// source position they came from.
//
// A batch has exactly one kind of content at a time. It starts as a source made it; a decoder,
// transform or encoder turns that into the next, or into a new batch with the same positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "memory/arena.h"
#include "record/ledger.h"
#include "record/position.h"
#include "record/shape.h"
#include "record/value.h"

namespace leat {

// Record and Slice carry where they end, relative to Batch::begin, so that a batch can be
// acknowledged in part.
struct Record {
  const Shape* shape = nullptr;  // kept alive by Batch::adopt
  Value* values = nullptr;       // shape->size() of them, in the arena
  int64_t time_us = 0;           // event time, microseconds since the Unix epoch
  uint32_t end_offset = 0;       // Position::offset of this record's end is begin.offset + this
  uint32_t end_line = 0;         // and the line is begin.line + this

  const Value& value(size_t i) const { return values[i]; }
  std::span<const Value> fields() const { return {values, shape->size()}; }
};

// One framed record: its bytes with its terminator (for line formats, the '\n'; the length says
// so), ready to be concatenated.
struct Slice {
  const char* data = nullptr;
  uint32_t size = 0;
  uint32_t end_offset = 0;
  uint32_t end_line = 0;

  std::string_view view() const { return {data, size}; }
};

// What a message brings beside its payload: its topic, its user properties, … as fields.
struct MessageFields {
  const Shape* shape = nullptr;  // kept alive by Batch::adopt
  Value* values = nullptr;       // shape->size() of them, in the arena
  uint32_t end_offset = 0;       // of the message's slice
};

// Bytes that the source could not make a record of (a line that is too long), and why; both in the
// batch's arena.
struct Rejected {
  std::string_view bytes;
  std::string_view why;
  // As in a Slice. 0: the line just behind the batch, where its decoder counts the lines.
  uint32_t end_line = 0;
  uint32_t end_offset = 0;  // as in a Slice; 0: it is not known
};

enum class Content : uint8_t {
  kBytes,    // `bytes`: whole frames one after another, not yet split
  kSlices,   // `slices`: framed records
  kRecords,  // `records`: decoded records
};

// How rows that a source left as it has them become values.
class RowForm {
 public:
  virtual ~RowForm() = default;
  // As many as the row's shape has fields; in the arena, with what they point to.
  virtual Value* values_of(std::string_view row, Arena& arena) const = 0;
};

class Batch;

// Shared ownership of a batch. Copied and dropped on the pipeline's loop thread only.
class BatchRef {
 public:
  BatchRef() = default;
  explicit BatchRef(Batch* batch) : batch_(batch) { retain(); }
  BatchRef(const BatchRef& other) : batch_(other.batch_) { retain(); }
  BatchRef(BatchRef&& other) noexcept : batch_(std::exchange(other.batch_, nullptr)) {}
  BatchRef& operator=(BatchRef other) noexcept {
    std::swap(batch_, other.batch_);
    return *this;
  }
  ~BatchRef() { reset(); }

  static BatchRef make(BlockPool& pool, Content content);

  void reset();
  Batch* operator->() const { return batch_; }
  Batch& operator*() const { return *batch_; }
  explicit operator bool() const { return batch_ != nullptr; }

 private:
  void retain();
  Batch* batch_ = nullptr;
};

class Batch {
 public:
  Batch(BlockPool& pool, Content made_as) : arena(pool), content(made_as), pool_(pool) {}
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  Arena arena;
  Content content;

  // One of these, as `content` says. They point into the arena.
  std::span<char> bytes;
  std::vector<Slice> slices;
  std::vector<Record> records;

  // Set for records that nothing on their way to the sink has to look into: they have no values,
  // but a slice each, with the row as the source has it. Who has to look all the same opens them.
  std::shared_ptr<const RowForm> rows;
  void open_rows();

  // Beside the slices of a source whose messages have fields of their own (SourceType::has_fields):
  // in the order of the slices, for those that have any. The planner's `message fields` step adds
  // them to the records decoded from the slice.
  std::vector<MessageFields> message_fields;

  // The stretch this came from, of the source or, when it was spooled, of the spool: a place to
  // name, and what `end_offset` counts from.
  Acknowledger* acknowledger = nullptr;
  Position begin;
  Position end;
  // What is owed for it: a stage that puts other batches in the place of this one, or holds records
  // back, takes this along with them.
  Owed owed;
  int64_t arrival_us = 0;  // wall clock when the bytes were read; the default event time

  // What the source could not make records of, in the order of the stream. Each counts as one line
  // and becomes a dead letter.
  std::vector<Rejected> rejected;

  // The start of a partition again, given to the decoder on resume so that it can learn the header;
  // it yields no records and acknowledges nothing.
  bool preamble = false;
  size_t count() const { return content == Content::kRecords ? records.size() : slices.size(); }
  uint32_t end_offset_of(size_t i) const {
    return content == Content::kRecords ? records[i].end_offset : slices[i].end_offset;
  }
  uint32_t end_line_of(size_t i) const {
    return content == Content::kRecords ? records[i].end_line : slices[i].end_line;
  }
  // The position just behind record or slice `i`.
  Position position_after(size_t i) const {
    return {begin.partition, begin.offset + end_offset_of(i), begin.line + end_line_of(i)};
  }

  // --- running in turns: memory is given back between them ---
  //
  // A stage that has made `quantum` bytes of the records it came to (much can be made of little),
  // or as many dead letters as may wait, stops behind the record it is at and leaves the others to
  // `rest`: a batch as if the source had cut there. It is run when there is room again.
  size_t quantum = SIZE_MAX;  // without limit: all is made at once
  BatchRef rest;
  bool in_turns() const { return quantum != SIZE_MAX; }
  // Whether record or slice `i` may be the first of the rest. Those that end at one place are
  // acknowledged together, and stay together.
  bool may_cut(size_t i) const {
    return in_turns() && i > 0 && i < count() && end_offset_of(i) != end_offset_of(i - 1);
  }
  // Before each stage: what it leaves to the rest is what it was given, which may lie in memory
  // that the stages before it have made here.
  void begin_stage() {
    nothing_own_ = arena.footprint() == 0 && borrowed_ == nullptr && source_slices.empty();
  }
  // Leaves what is from here on. `from` as may_cut() says; or, of kBytes, the length of some whole
  // frames and the number of lines in them.
  void leave_records(size_t from);
  void leave_slices(size_t from);
  void leave_bytes(size_t from, uint32_t lines);

  // Of slices that an encoder has just made: how many records at the end it has not come to.
  size_t not_encoded = 0;

  // Text that transforms have given to all these records together, beyond what they had from the
  // source: a record may take much more than its stretch of the source says.
  size_t made = 0;

  // What the records were decoded from, where their decoder has left that as it came: for dead
  // letters, which bring it along. It goes with the batch, not with one that takes its place.
  std::span<const char> source_bytes;
  std::vector<Slice> source_slices;
  // Of a decoder that is through with `bytes` or `slices` and has changed nothing in them.
  void become_records();
  // The batch that has the source_slices of this one: itself, or that of which it is a rest.
  const Batch& source_holder() const {
    return source_slices.empty() && whole_ ? whole_->source_holder() : *this;
  }

  // The records point into memory that is not of this batch: it is kept as long as this, and counts
  // here as so many bytes. Who changes a value in its place must give the record values of its own.
  void borrow(std::shared_ptr<const void> memory, size_t size);
  bool borrows() const { return borrowed_ != nullptr || (whole_ && whole_->borrows()); }
  // What the records point into, for somebody who has them longer than this pipeline is there
  // (Arena::give_away). They can be read here, too, as before.
  std::vector<std::shared_ptr<const void>> give_away_memory();

  // Keeps a shape alive as long as the batch. Cheap when it is the one adopted last.
  void adopt(const ShapeRef& shape);
  const std::vector<ShapeRef>& shapes() const { return shapes_; }
  // Counts what the batch holds outside its arena (its vectors) against the budget, once it will
  // not grow any more.
  void charge_vectors();
  BlockPool& pool() const { return pool_; }

 private:
  friend class BatchRef;
  BatchRef make_rest(Position from);

  BlockPool& pool_;
  BatchRef whole_;  // of which this is a rest: what the records or bytes here point into
  // The records point into nothing but that. A rest of this one then keeps that one alone: in a
  // chain of rests, each would keep what all those before it have made.
  bool nothing_own_ = false;
  std::vector<ShapeRef> shapes_;
  std::shared_ptr<const void> borrowed_;
  size_t charged_ =
      0;  // shapes and what is borrowed, charged to the budget beside the arena's blocks
  uint32_t references_ = 0;  // not atomic: references are taken and dropped on the loop thread
};

inline BatchRef BatchRef::make(BlockPool& pool, Content content) {
  return BatchRef(new Batch(pool, content));
}

inline void BatchRef::reset() {
  Batch* batch = std::exchange(batch_, nullptr);
  if (batch != nullptr && --batch->references_ == 0) delete batch;
}

inline void BatchRef::retain() {
  if (batch_ != nullptr) ++batch_->references_;
}

// The record as one JSON object, for dead letters, stdout and messages.
void append_json(std::string& out, const Record& record);

}  // namespace leat
