#include "transform/lookup_table.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "base/units.h"

namespace leat {
namespace {

constexpr size_t kFirstSlots = 64;

size_t aligned(size_t bytes) {
  return (bytes + alignof(Value) - 1) & ~(alignof(Value) - 1);
}

uint32_t hash_of(std::string_view key) {
  return static_cast<uint32_t>(std::hash<std::string_view>()(key));
}

}  // namespace

const Value* LookupTable::values_of(const Slot& slot) {
  return reinterpret_cast<const Value*>(slot.row + aligned(slot.key_size));
}

const Value* LookupTable::find(std::string_view key) const {
  if (slots_.empty()) return nullptr;
  const Slot& slot = slots_[place_of(key, hash_of(key))];
  return slot.row == nullptr ? nullptr : values_of(slot);
}

size_t LookupTable::place_of(std::string_view key, uint32_t hash) const {
  for (size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.row == nullptr) return at;
    if (slot.hash == hash && std::string_view(slot.row, slot.key_size) == key) return at;
  }
}

// False when that would be too much.
bool LookupTable::grow() {
  const size_t size = slots_.empty() ? kFirstSlots : 2 * slots_.size();
  bytes_ += (size - slots_.size()) * sizeof(Slot);
  if (bytes_ > max_bytes_) return false;
  for (const Slot& slot : std::exchange(slots_, std::vector<Slot>(size)))
    if (slot.row != nullptr) slots_[place_of({slot.row, slot.key_size}, slot.hash)] = slot;
  return true;
}

// Null when that would be too much.
char* LookupTable::take(size_t bytes) {
  bytes = aligned(bytes);
  if (bytes > room_) {
    const size_t piece = std::max(kPiece, bytes);
    bytes_ += piece;
    if (bytes_ > max_bytes_) return nullptr;
    pieces_.emplace_back(new char[piece]);
    next_ = pieces_.back().get();
    room_ = piece;
  }
  room_ -= bytes;
  return std::exchange(next_, next_ + bytes);
}

Status LookupTable::add(std::string_view key, std::span<const Value> row) {
  const auto too_much = [this] {
    return fail(ErrorKind::kUsage, "takes more than maxBytes (" +
                                       format_bytes(static_cast<int64_t>(max_bytes_)) + ")");
  };
  if (2 * (rows_ + 1) > slots_.size() && !grow()) return too_much();
  size_t text = 0;
  for (const Value& value : row) text += value.is_text() ? value.size : 0;
  const size_t values = aligned(key.size());
  char* place = take(values + row.size() * sizeof(Value) + text);
  if (place == nullptr) return too_much();
  std::ranges::copy(key, place);
  auto* to = reinterpret_cast<Value*>(place + values);
  char* text_at = place + values + row.size() * sizeof(Value);
  for (Value value : row) {
    if (value.is_text()) {
      std::memcpy(text_at, value.text, value.size);
      value.text = text_at;
      text_at += value.size;
    }
    *to++ = value;
  }
  const uint32_t hash = hash_of(key);
  Slot& slot = slots_[place_of(key, hash)];
  if (slot.row == nullptr) ++rows_;
  slot = {place, hash, static_cast<uint32_t>(key.size())};
  return {};
}

}  // namespace leat
