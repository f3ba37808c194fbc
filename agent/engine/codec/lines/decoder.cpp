#include "codec/lines/decoder.h"

#include "base/text.h"
#include "codec/text/line_framing.h"
#include "codec/text/value_run.h"

namespace leat {
namespace {

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

Result<Turn> LineDecoder::decode(Batch& batch, DeadLetters&) {
  if (batch.preamble) batch.bytes = {};
  batch.adopt(shape_);
  ValueRun values(batch.arena);
  auto add = [this, &batch, &values](std::string_view line, uint32_t end_offset,
                                     uint32_t end_line) {
    if (is_blank(line)) return;
    line = without_line_end(line);
    Value* value = values.reserve(1);
    *value = Value::of_text(is_utf8(line) ? Type::kString : Type::kBytes, line);
    values.commit(1);
    batch.records.push_back({shape_.get(), value, batch.arrival_us, end_offset, end_line});
  };
  if (batch.content == Content::kBytes) {
    batch.records.reserve(batch.bytes.size() / kTypicalLine + 16);
    each_line(batch, add);
  } else {
    batch.records.reserve(batch.slices.size());
    // A message may have several lines; they are acknowledged together.
    for (const Slice& slice : batch.slices)
      each_line(slice.view(), [&add, &slice](std::string_view line) {
        add(line, slice.end_offset, slice.end_line);
      });
    if (!batch.slices.empty()) batch.end.line = batch.begin.line + batch.slices.back().end_line;
  }
  batch.bytes = {};
  batch.slices.clear();
  batch.content = Content::kRecords;
  return Turn::kDone;
}

}  // namespace leat
