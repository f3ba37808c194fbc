#include "task/original.h"

#include <algorithm>

namespace leat {
namespace {

// `end` as the batch with the slices counts it.
uint32_t in_holder(const Batch& batch, uint32_t end) {
  return end + static_cast<uint32_t>(batch.begin.offset - batch.source_holder().begin.offset);
}

}  // namespace

std::optional<std::string_view> payload_of(const Batch& batch, size_t index) {
  const uint32_t end = batch.end_offset_of(index);
  if (index > 0 && batch.end_offset_of(index - 1) == end) return {};
  if (index + 1 < batch.count() && batch.end_offset_of(index + 1) == end) return {};
  if (end > 0 && end <= batch.source_bytes.size()) {
    std::string_view text(batch.source_bytes.data(), end);
    return text.substr(text.substr(0, text.size() - 1).rfind('\n') + 1);
  }
  const std::vector<Slice>& slices = batch.source_holder().source_slices;
  const uint32_t there = in_holder(batch, end);
  auto found = std::ranges::lower_bound(slices, there, {}, &Slice::end_offset);
  if (found == slices.end() || found->end_offset != there) return {};
  return found->view();
}

const MessageFields* message_at(const Batch& batch, uint32_t end_offset) {
  const Batch& holder = batch.message_fields.empty() ? batch.source_holder() : batch;
  const uint32_t there =
      end_offset + static_cast<uint32_t>(batch.begin.offset - holder.begin.offset);
  auto found =
      std::ranges::lower_bound(holder.message_fields, there, {}, &MessageFields::end_offset);
  if (found == holder.message_fields.end() || found->end_offset != there) return nullptr;
  return &*found;
}

}  // namespace leat
