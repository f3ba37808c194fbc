#include "delivery/delivery_range.h"

#include <mbedtls/sha256.h>

#include <algorithm>
#include <utility>

#include "base/hex.h"

#include "base/hex.h"

namespace leat {
namespace {

// Where those begin that end at one place with record `index`.
Position before_same_end(const Batch& batch, size_t index) {
  uint32_t end = batch.end_offset_of(index);
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

void Piece::append(const BatchRef& batch, size_t first, size_t count, Owed what) {
  delivery.parts.push_back({batch, static_cast<uint32_t>(first), static_cast<uint32_t>(count)});
  delivery.records += count;
  delivery.bytes += bytes_of(*batch, first, count);
  owed.push_back(std::move(what));
}

Owed Piece::take_owed() {
  Owed out;
  for (Owed& one : owed) out.add(std::move(one));
  owed.clear();
  return out;
}

Piece split_front(Piece& piece, size_t records) {
  Piece whole = std::exchange(piece, {});
  Piece front;
  front.gaps = piece.gaps = whole.gaps;
  for (size_t i = 0; i < whole.delivery.parts.size(); ++i) {
    const Part& part = whole.delivery.parts[i];
    Owed& owed = whole.owed[i];
    size_t take = std::min<size_t>(records - front.records(), part.count);
    if (take == part.count) {
      front.append(part.batch, part.first, take, std::move(owed));
      continue;
    }
    if (take > 0)
      front.append(part.batch, part.first, take, split_owed(owed, *part.batch, part.first, take));
    piece.append(part.batch, part.first + take, part.count - take, std::move(owed));
  }
  return front;
}

Owed take_out(Piece& piece, const std::vector<uint32_t>& indices) {
  Piece whole = std::exchange(piece, {});
  piece.gaps = true;
  Owed out;
  auto next = indices.begin();
  size_t before = 0;  // records of the parts before
  for (size_t i = 0; i < whole.delivery.parts.size(); ++i) {
    const Part& part = whole.delivery.parts[i];
    const size_t end = part.first + part.count;
    auto take = [&owed = whole.owed[i], &part, end](size_t first, size_t count) {
      return first + count == end ? std::exchange(owed, {})
                                  : split_owed(owed, *part.batch, first, count);
    };
    for (size_t at = part.first; at < end;) {
      bool any = next != indices.end() && *next < before + part.count;
      size_t until = any ? part.first + (*next - before) : end;
      if (until > at) piece.append(part.batch, at, until - at, take(at, until - at));
      if (any) {
        out.add(take(until++, 1));
        ++next;
      }
      at = until;
    }
    before += part.count;
  }
  return out;
}

Owed split_owed(Owed& owed, const Batch& batch, size_t first, size_t count) {
  size_t next = first + count;
  if (owed.empty() || next >= batch.count()) return std::exchange(owed, {});
  if (owed.to() != batch.acknowledger) {  // it is owed to somebody who counts records
    Position at = owed.begin();
    at.offset += count;
    return owed.split(*owed.to(), at);
  }
  size_t last = next - 1;
  size_t behind = same_end_behind(batch, last);
  if (behind == 0) return owed.split(*batch.acknowledger, batch.position_after(last));
  Owed before = owed.split(*batch.acknowledger, before_same_end(batch, last));
  Owed together = last + behind + 1 == batch.count()
                      ? std::exchange(owed, {})
                      : owed.split(*batch.acknowledger, batch.position_after(last));
  before.add(together.share());
  together.add(std::move(owed));
  owed = std::move(together);
  return before;
}

Located locate(const Delivery& delivery, size_t index) {
  for (const Part& part : delivery.parts) {
    if (index < part.count) return {part.batch, part.first + index};
    index -= part.count;
  }
  return {};
}

std::string delivery_key(const std::string& scope, const std::string& run, const Delivery& delivery,
                         bool gaps) {
  auto same_partition = [](const Batch& a, const Batch& b) {
    return a.acknowledger == b.acknowledger && a.begin.partition == b.begin.partition;
  };
  std::string text = scope + '\n' + std::to_string(delivery.records) + '\n';
  if (gaps) text += run + '\n';
  for (size_t i = 0; i < delivery.parts.size(); ++i) {
    const Part& part = delivery.parts[i];
    bool latest = true;
    for (size_t j = i + 1; j < delivery.parts.size(); ++j)
      if (same_partition(*delivery.parts[j].batch, *part.batch)) latest = false;
    if (!latest) continue;
    size_t last = part.first + part.count - 1;
    Position end = part.batch->position_after(last);
    text += part.batch->acknowledger->saved_position(end).partition + '\n' +
            std::to_string(end.offset) + '\n' + std::to_string(same_end_behind(*part.batch, last)) +
            '\n';
    if (!part.batch->acknowledger->offsets_last()) text += run + '\n';
  }
  unsigned char digest[32];
  (void)mbedtls_sha256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, 0);
  std::string key;
  append_hex(key, {digest, 16});
  return key;
}

}  // namespace leat
