#include "codec/raw/decoder.h"

#include "codec/text/value_run.h"

namespace leat {

Status RawFraming::split(Batch& batch, DeadLetters&) const {
  auto size = static_cast<uint32_t>(batch.bytes.size());
  if (size > 0) batch.slices.push_back({batch.bytes.data(), size, size, 1});
  batch.end.line = batch.begin.line + batch.slices.size();
  batch.bytes = {};
  batch.content = Content::kSlices;
  return {};
}

Result<Turn> RawDecoder::decode(Batch& batch, DeadLetters& dead) {
  if (batch.preamble) batch.bytes = {};
  if (batch.content == Content::kBytes)
    if (Status split = RawFraming().split(batch, dead); !split) return fail(split.error());
  batch.adopt(shape_);
  ValueRun values(batch.arena);
  batch.records.reserve(batch.slices.size());
  for (const Slice& slice : batch.slices) {
    Value* value = values.reserve(1);
    *value = Value::of_text(Type::kBytes, slice.view());
    values.commit(1);
    batch.records.push_back(
        {shape_.get(), value, batch.arrival_us, slice.end_offset, slice.end_line});
  }
  if (!batch.slices.empty()) batch.end.line = batch.begin.line + batch.slices.back().end_line;
  batch.become_records();
  return Turn::kDone;
}

}  // namespace leat
