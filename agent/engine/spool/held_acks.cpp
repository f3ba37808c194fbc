#include "spool/held_acks.h"

#include <algorithm>

namespace leat {

// How many records of the batch end at or before `position`.
uint32_t HeldAcks::records_until(const Batch& batch, const Position& position) {
  auto count = static_cast<uint32_t>(batch.count());
  uint32_t low = 0;
  for (uint32_t high = count; low < high;) {
    uint32_t middle = low + (high - low) / 2;
    if (batch.position_after(middle).offset <= position.offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::optional<int64_t> HeldAcks::oldest_us() const {
  for (const Held& one : held_)
    if (!one.number) return one.since_us;
  return std::nullopt;
}

std::vector<Spooling> HeldAcks::spool(uint64_t next) {
  std::vector<Spooling> out;
  for (Held& one : held_) {
    if (one.number) continue;
    one.number = next;
    one.skip = one.done;
    out.push_back({one.batch, one.skip, true});
    next += out.back().records();
  }
  return out;
}

bool HeldAcks::unspool(const Batch& batch) {
  bool delivered = false;
  for (Held& one : held_) {
    if (&*one.batch != &batch) continue;
    one.number.reset();
    one.unspooled = true;
    delivered = one.delivered;
  }
  release();
  return delivered;
}

bool HeldAcks::any_spooled() const {
  return std::any_of(held_.begin(), held_.end(),
                     [](const Held& one) { return one.number.has_value(); });
}

uint64_t HeldAcks::records_stored() const {
  uint64_t records = 0;
  for (const Held& one : held_)
    if (one.stored) records += one.batch->count() - std::max(one.done, one.skip);
  return records;
}

std::optional<uint64_t> HeldAcks::number_at(const Position& position) const {
  for (const Held& one : held_) {
    const Batch& batch = *one.batch;
    if (batch.begin.partition != position.partition || position.offset > batch.end.offset) continue;
    if (!one.number) return std::nullopt;
    return *one.number + std::max(records_until(batch, position), one.skip) - one.skip;
  }
  return std::nullopt;
}

bool HeldAcks::unspooled_at(const Position& position) const {
  for (const Held& one : held_)
    if (one.batch->begin.partition == position.partition &&
        position.offset <= one.batch->end.offset)
      return one.unspooled && !one.number;
  return false;
}

void HeldAcks::acked(const Position& position) {
  for (Held& one : held_) {
    if (one.batch->begin.partition != position.partition) continue;
    one.done = records_until(*one.batch, position);
    one.delivered = one.batch->end.offset <= position.offset;
    if (!one.delivered) break;
  }
  release();
}

void HeldAcks::stored(const Batch& batch) {
  for (Held& one : held_)
    if (&*one.batch == &batch) one.stored = true;
  release();
}

void HeldAcks::release() {
  std::erase_if(held_,
                [](const Held& one) { return one.delivered && (!one.number || one.stored); });
}

}  // namespace leat
