#include "codec/json/line_framing.h"

#include <cstring>
#include <utility>

#include "codec/json/decoder.h"
#include "codec/json/encoder.h"

namespace leat {
namespace {

// Dead letters may be full behind any of them, so few are looked at together.
constexpr size_t kMostOdd = 64;

// Lines that must be decoded, as slices, and what becomes of them.
class OddLines {
 public:
  OddLines(Batch& batch, DeadLetters& dead) : batch_(batch), dead_(dead), encoder_('\n') {}

  size_t count() const { return odd_ ? odd_->slices.size() : 0; }
  void add(const Slice& line) {
    if (!odd_) odd_ = BatchRef::make(batch_.pool(), Content::kSlices);
    odd_->begin = batch_.begin;
    odd_->arrival_us = batch_.arrival_us;
    odd_->slices.push_back(line);
    Slice& slice = odd_->slices.back();  // as the decoder of lines shows it in a dead letter
    while (slice.size > 0 &&
           (line.data[slice.size - 1] == '\n' || line.data[slice.size - 1] == '\r'))
      --slice.size;
  }

  // Puts the records of the lines added behind the slices that the batch has.
  Status finish() {
    if (count() == 0) return {};
    BatchRef odd = std::exchange(odd_, {});
    if (Result<Turn> decoded = decoder_.decode(*odd, dead_); !decoded) return fail(decoded.error());
    Result<BatchRef> encoded = encoder_.encode(*odd, dead_);
    if (!encoded) return fail(encoded.error());
    for (Slice slice : (*encoded)->slices) {
      slice.data = batch_.arena.copy(slice.view()).data();
      batch_.slices.push_back(slice);
    }
    return {};
  }

 private:
  Batch& batch_;
  DeadLetters& dead_;
  BatchRef odd_;
  JsonDecoder decoder_;
  JsonEncoder encoder_;
};

}  // namespace

JsonLineFraming::JsonLineFraming() : checker_(std::make_unique<JsonDecoder>()) {}
JsonLineFraming::~JsonLineFraming() = default;

size_t JsonLineFraming::held() const {
  return checker_->held();
}

Status JsonLineFraming::split(Batch& batch, DeadLetters& dead) const {
  const char* const begin = batch.bytes.data();
  const char* const end = begin + batch.bytes.size();
  batch.slices.reserve(batch.bytes.size() / kTypicalLine + 16);
  JsonDecoder::LineCheck check(*checker_, batch, dead);
  OddLines odd(batch, dead);
  uint32_t lines = 0;
  for (const char* p = begin; p < end;) {
    const char* line_end = check.end_of_object(p);
    const bool object = line_end != nullptr;
    if (!object)
      line_end = static_cast<const char*>(std::memchr(p, '\n', static_cast<size_t>(end - p)));
    const char* next = line_end == nullptr || line_end == end ? end : line_end + 1;
    const auto offset = static_cast<uint32_t>(next - begin);
    const Slice line{p, static_cast<uint32_t>(next - p), offset, ++lines};
    p = next;
    if (object && odd.count() == 0) {  // as nearly all
      batch.slices.push_back(line);
      continue;
    }
    if (!object && !is_blank(line.view())) odd.add(line);
    if (object || odd.count() == kMostOdd) {
      if (Status status = odd.finish(); !status) return status;
      if (object) batch.slices.push_back(line);
      if (batch.in_turns() && p < end && dead.full()) {
        batch.leave_bytes(offset, lines);
        break;
      }
    }
  }
  if (Status status = odd.finish(); !status) return status;
  batch.end.line = batch.begin.line + lines;
  batch.bytes = {};
  batch.content = Content::kSlices;
  return {};
}

}  // namespace leat
