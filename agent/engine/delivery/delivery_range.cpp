#include "delivery/delivery_range.h"

#include <mbedtls/sha256.h>

#include <algorithm>

#include "base/hex.h"

namespace leat {
namespace {

void append_part(Delivery& out, const BatchRef& batch, size_t first, size_t count) {
  if (count == 0) return;
  out.parts.push_back({batch, static_cast<uint32_t>(first), static_cast<uint32_t>(count)});
  out.records += count;
  out.bytes += bytes_of(*batch, first, count);
}

// The place reached when records up to and including `index` of `batch` are done.
Position reached_at(const Batch& batch, size_t index) {
  if (index + 1 == batch.count()) return batch.end;
  uint32_t end = batch.end_offset_of(index);
  if (batch.end_offset_of(index + 1) != end) return batch.position_after(index);
  // The next record ends at the same place: only what lies before both of them is done.
  while (index > 0 && batch.end_offset_of(index) == end) --index;
  return batch.end_offset_of(index) == end ? batch.begin : batch.position_after(index);
}

}  // namespace

size_t same_end_behind(const Batch& batch, size_t index) {
  size_t n = 0;
  uint32_t end = batch.end_offset_of(index);
  while (index + n + 1 < batch.count() && batch.end_offset_of(index + n + 1) == end) ++n;
  return n;
}

size_t bytes_of(const Batch& batch, size_t first, size_t count) {
  if (count == 0) return 0;
  if (batch.content == Content::kRecords) {
    uint32_t before = first == 0 ? 0 : batch.end_offset_of(first - 1);
    size_t made = batch.made == 0 ? 0 : batch.made / batch.records.size() * count;
    return batch.end_offset_of(first + count - 1) - before + made;
  }
  size_t bytes = 0;
  for (size_t i = first; i < first + count; ++i) bytes += batch.slices[i].size;
  return bytes;
}

Delivery subrange(const Delivery& whole, size_t first, size_t count) {
  Delivery out;
  size_t at = 0;
  for (const Part& part : whole.parts) {
    size_t from = std::max(first, at);
    size_t to = std::min(first + count, at + part.count);
    if (from < to) append_part(out, part.batch, part.first + (from - at), to - from);
    at += part.count;
  }
  return out;
}

Delivery without(const Delivery& whole, const std::vector<uint32_t>& indices) {
  Delivery out;
  size_t from = 0;
  auto keep_until = [&out, &whole, &from](size_t to) {
    if (from >= to) return;
    Delivery piece = subrange(whole, from, to - from);
    out.records += piece.records;
    out.bytes += piece.bytes;
    out.parts.insert(out.parts.end(), piece.parts.begin(), piece.parts.end());
  };
  for (uint32_t index : indices) {
    keep_until(index);
    from = index + 1;
  }
  keep_until(whole.records);
  return out;
}

Located locate(const Delivery& delivery, size_t index) {
  for (const Part& part : delivery.parts) {
    if (index < part.count) return {part.batch, part.first + index};
    index -= part.count;
  }
  return {};
}

void merge(std::vector<Position>& reached, const Position& position) {
  for (Position& known : reached) {
    if (known.partition != position.partition) continue;
    known = position;
    return;
  }
  reached.push_back(position);
}

void merge_reached(std::vector<Position>& reached, const Delivery& delivery) {
  for (const Part& part : delivery.parts)
    merge(reached, reached_at(*part.batch, part.first + part.count - 1));
}

std::string delivery_key(const std::string& scope, const std::string& run, const Delivery& delivery,
                         Origin& source) {
  std::string text = scope + '\n' + std::to_string(delivery.records) + '\n';
  for (size_t i = 0; i < delivery.parts.size(); ++i) {
    const Part& part = delivery.parts[i];
    bool latest = true;
    for (size_t j = i + 1; j < delivery.parts.size(); ++j)
      if (delivery.parts[j].batch->begin.partition == part.batch->begin.partition) latest = false;
    if (!latest) continue;
    size_t last = part.first + part.count - 1;
    Position end = part.batch->position_after(last);
    text += source.saved_form(end).partition + '\n' + std::to_string(end.offset) + '\n' +
            std::to_string(same_end_behind(*part.batch, last)) + '\n';
    if (!source.offsets_last(end)) text += run + '\n';
  }
  unsigned char digest[32];
  (void)mbedtls_sha256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, 0);
  std::string key;
  append_hex(key, {digest, 16});
  return key;
}

}  // namespace leat
