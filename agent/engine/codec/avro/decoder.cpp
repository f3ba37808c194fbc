#include "codec/avro/decoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "stage/decode_messages.h"

namespace leat {
namespace {

// Of what is broken: blocks may be long, and nobody reads them.
constexpr size_t kKept = 1024;
// Records of no bytes, of which a count of a few bytes could promise any number.
constexpr int64_t kMostEmptyRecords = 65'536;
constexpr size_t kMostPlans = 16;
// A block, or a value, may take this much of the memory.
constexpr size_t kShare = 4;
constexpr size_t kAlways = 1 << 20;
// Letters of records of one block, which cannot wait for each other to be written: then one more
// says how many there are.
constexpr size_t kMostLetters = 1000;
// What a record that was refused counts for, beside what was made of it: blocks are bounded by what
// is made of them.
constexpr size_t kRefused = 64;

// Counts the records of a stream, and the letters among them.
class Counting {
 public:
  Counting(Batch& batch, DeadLetters& dead) : batch_(batch), dead_(dead) {}

  uint32_t lines() const { return lines_; }
  // A unit begins, which ends at `end` of the batch.
  void begin(size_t end) {
    end_ = end;
    letters_ = 0;
    unsaid_ = 0;
  }
  // Those that were made since the last letter, or unit.
  void records() {
    for (; next_ < batch_.records.size(); ++next_) {
      batch_.records[next_].end_offset = static_cast<uint32_t>(end_);
      batch_.records[next_].end_line = ++lines_;
    }
  }
  void letter(std::string_view bytes, std::string_view why) {
    const Position& from = batch_.begin;
    dead_.add_text(bytes, {from.partition, from.offset + end_, from.line + ++lines_}, why);
  }
  void refused(std::string_view bytes, std::string&& why) {
    records();
    if (letters_++ < kMostLetters) return letter(bytes, why);
    if (unsaid_++ > 0) return;
    unsaid_bytes_ = bytes;
    unsaid_why_ = std::move(why);
  }
  // The records of the unit are all there.
  void end() {
    records();
    if (unsaid_ > 1) unsaid_why_ += ", and more such in it: " + std::to_string(unsaid_ - 1);
    if (unsaid_ > 0) letter(unsaid_bytes_, unsaid_why_);
  }

 private:
  Batch& batch_;
  DeadLetters& dead_;
  size_t end_ = 0;
  size_t next_ = 0;
  uint32_t lines_ = 0;
  size_t letters_ = 0;
  size_t unsaid_ = 0;
  std::string_view unsaid_bytes_;
  std::string unsaid_why_;
};

}  // namespace

Result<Turn> AvroDecoder::decode(Batch& batch, DeadLetters& dead) {
  const size_t most = std::max(kAlways, batch.pool().budget().limit() / kShare);
  Work work{batch, ValueRun(batch.arena), most};
  reader_.begin(batch, most);
  if (batch.content == Content::kBytes) {
    if (dialect_.encoding != AvroEncoding::kContainer)
      return fail(ErrorKind::kUsage,
                  "avro.encoding: only container files can be read from a stream of bytes");
    decode_stream(work, dead);
  } else {
    decode_slices(work, dead);
  }
  batch.bytes = {};  // records have no bytes of their own
  batch.become_records();
  return Turn::kDone;
}

size_t AvroDecoder::held() const {
  size_t bytes = unpacked_.capacity() + reader_.held() + places_.size() * (sizeof(Place) + 64);
  for (const AvroPlanRef& plan : plans_) bytes += plan->footprint();
  return bytes;
}

void AvroDecoder::decode_stream(Work& work, DeadLetters& dead) {
  using Kind = AvroUnits::Unit::Kind;
  Batch& batch = work.batch;
  if (batch.preamble || batch.begin.offset == 0) places_[batch.begin.partition] = {};
  Place& place = places_[batch.begin.partition];
  const std::string_view bytes(batch.bytes.data(), batch.bytes.size());
  const size_t begun = batch.arena.footprint();
  Counting counting(batch, dead);
  bool is_cut = false;
  for (size_t at = 0; at < bytes.size();) {
    const std::string_view rest = bytes.substr(at);
    AvroUnits::Unit unit = place.units.next(rest);
    const bool cut = unit.kind == Kind::kCut;
    if (cut) unit.size = rest.size();
    counting.begin(at + unit.size);
    const char* why = nullptr;
    if (cut) {
      why = refuse("the input ends within a block");
    } else if (unit.kind == Kind::kBroken) {
      why = refuse(place.plan == nullptr ? place.problem
                                         : "no block: its length or its marker is not right");
    } else if (unit.kind == Kind::kHeader) {
      begin_file(unit.header, place);
      if (place.plan == nullptr) why = place.problem.c_str();
    } else if (!batch.preamble) {
      why = block(work, unit.block, place, [&counting](std::string_view record, std::string of_it) {
        counting.refused(record, std::move(of_it));
        return true;
      });
    }
    if (cut) counting.begin(at);
    const size_t start = at;
    at += unit.size;
    if (batch.preamble) continue;
    counting.end();
    if (cut) {
      is_cut = true;
      // Its end may not be written yet: the position stays before it, so that the next run reads
      // the whole block.
      batch.end.offset = batch.begin.offset + start;
      batch.end.line = batch.begin.line + counting.lines();
    }
    if (why != nullptr) counting.letter(rest.substr(0, std::min(unit.size, kKept)), why);
    const size_t made = batch.arena.footprint() - begun + batch.records.size() * sizeof(Record);
    if (batch.in_turns() && at < bytes.size() && (made >= batch.quantum || dead.full())) {
      batch.leave_bytes(at, counting.lines());
      break;
    }
  }
  if (batch.preamble) return;
  if (!is_cut) batch.end.line = batch.begin.line + counting.lines();
  if (batch.end.last && !batch.rest) places_.erase(batch.begin.partition);
}

void AvroDecoder::begin_file(const AvroHeader& header, Place& place) {
  place.plan = nullptr;
  place.marker = header.marker;
  place.units.forget();  // of one before, in the same stream
  place.units.know(header.marker);
  place.deflate = header.codec == "deflate";
  if (!place.deflate && !header.codec.empty() && header.codec != "null") {
    place.problem = "its blocks are packed by " + excerpt(header.codec, 40) +
                    ", of which leat has only deflate (and null)";
    return;
  }
  Result<AvroPlanRef> plan = plan_of(header.schema);
  if (plan) {
    place.plan = std::move(*plan);
  } else {
    place.problem = plan.error().message();
  }
}

Result<AvroPlanRef> AvroDecoder::plan_of(std::string_view schema) {
  const auto known = std::ranges::find_if(
      plans_, [schema](const AvroPlanRef& one) { return one->writer().json() == schema; });
  if (known != plans_.end()) return *known;
  Result<AvroSchemaRef> writer = AvroSchema::parse(schema);
  if (!writer) return fail(writer.error());
  Result<AvroPlanRef> plan = AvroPlan::make(std::move(*writer), dialect_.schema);
  if (!plan) return plan;
  if (plans_.size() == kMostPlans) plans_.erase(plans_.begin());
  plans_.push_back(*plan);
  return plan;
}

const char* AvroDecoder::refuse(std::string why) {
  problem_ = std::move(why);
  return problem_.c_str();
}

template <typename F>
const char* AvroDecoder::block(Work& work, const AvroBlock& block, Place& place, F&& refused) {
  if (place.plan == nullptr) return refuse(place.problem);
  if (std::memcmp(block.marker.data(), place.marker.data(), kAvroMarkerSize) != 0)
    return refuse("the marker at the end of the block is not that of the file");
  std::string_view data = block.data;
  if (place.deflate) {
    if (Status done = avro_inflate(block.data, work.most, unpacked_); !done)
      return refuse(done.error().message());
    data = work.batch.arena.copy(unpacked_);
  }
  const size_t begun = work.batch.arena.footprint();
  const char* p = data.data();
  const char* const end = p + data.size();
  size_t wasted = 0;
  const auto record = [&block](int64_t n) {
    return "record " + std::to_string(n + 1) + " of " + std::to_string(block.count) +
           " in the block";
  };
  const auto lost = [&](int64_t n, std::string_view why) {
    return refuse(record(n) + ", and all behind it: " + std::string(why));
  };
  bool is_empty = false;
  for (int64_t n = 0; n < block.count; ++n) {
    if (is_empty && n >= kMostEmptyRecords) return lost(n, "they have no bytes");
    if (work.batch.arena.footprint() - begun + wasted > work.most * 2 && n > 0)
      return lost(n, "they take too much memory");
    const char* next = reader_.record(*place.plan, p, end, work.batch, work.values);
    if (next == nullptr) {
      wasted += kRefused + reader_.wasted();
      next = reader_.pass(*place.plan, p, end);
      if (next == nullptr) return lost(n, reader_.problem());
      std::string why = record(n) + ": " + reader_.problem();
      if (!refused(std::string_view(p, next), why)) return refuse(std::move(why));
    }
    is_empty = next == p;
    p = next;
  }
  return p == end
             ? nullptr
             : refuse("the block has bytes behind its " + std::to_string(block.count) + " records");
}

// --- messages ---

void AvroDecoder::decode_slices(Work& work, DeadLetters& dead) {
  Batch& batch = work.batch;
  decode_messages(batch, dead, [&](size_t s) {
    const Slice& slice = batch.slices[s];
    const char* why = message(work, slice.view());
    if (why != nullptr) dead.add_text(slice.view(), batch.position_after(s), why);
    return why == nullptr;
  });
}

const char* AvroDecoder::message(Work& work, std::string_view bytes) {
  if (dialect_.encoding == AvroEncoding::kContainer) return container(work, bytes);
  if (dialect_.encoding == AvroEncoding::kBare)
    return datum(work, *dialect_.plans[0].second, bytes);
  constexpr size_t kHead = kAvroSingleMagic.size() + sizeof(uint64_t);
  if (!bytes.starts_with(kAvroSingleMagic) || bytes.size() < kHead)
    return refuse("no single object: it does not begin with C3 01 and a fingerprint");
  uint64_t fingerprint = 0;
  std::memcpy(&fingerprint, bytes.data() + kAvroSingleMagic.size(), sizeof fingerprint);
  for (const auto& [known, plan] : dialect_.plans)
    if (known == fingerprint) return datum(work, *plan, bytes.substr(kHead));
  return refuse("its schema, whose fingerprint is " + avro_hex(fingerprint) +
                ", is neither avro.schema nor one of avro.writerSchemas");
}

const char* AvroDecoder::datum(Work& work, const AvroPlan& plan, std::string_view bytes) {
  const char* const end = bytes.data() + bytes.size();
  const char* const behind = reader_.record(plan, bytes.data(), end, work.batch, work.values);
  if (behind == nullptr) return refuse(reader_.problem());
  if (behind == end) return nullptr;
  return refuse("bytes behind the record: it may be of another schema");
}

const char* AvroDecoder::container(Work& work, std::string_view bytes) {
  using Kind = AvroUnits::Unit::Kind;
  Place place;
  while (!bytes.empty()) {
    const AvroUnits::Unit unit = place.units.next(bytes);
    if (unit.kind == Kind::kCut)
      return refuse(place.plan == nullptr ? place.problem : "it ends within a block");
    if (unit.kind == Kind::kBroken)
      return refuse(place.plan == nullptr ? place.problem
                                          : "no block: its length or its marker is not right");
    if (unit.kind == Kind::kHeader) begin_file(unit.header, place);
    if (place.plan == nullptr) return refuse(place.problem);
    if (unit.kind == Kind::kBlock)
      if (const char* why = block(work, unit.block, place, [](auto, const auto&) { return false; }))
        return why;
    bytes.remove_prefix(unit.size);
  }
  return place.plan == nullptr ? refuse(place.problem) : nullptr;
}

}  // namespace leat
