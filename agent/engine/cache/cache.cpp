#include "cache/cache.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace leat {
namespace {

// Of those that are too old, as many go at once: nobody waits while a million do.
constexpr int kExpiredAtOnce = 1000;

}  // namespace

void Cache::add_filler(Budget& budget) {
  fillers_.push_back(&budget);
  if (fillers_.size() == 1) charge_ = Charge(budget, entries_.bytes());
}

void Cache::remove_filler(const Budget& budget) {
  fillers_.erase(std::ranges::find(fillers_, &budget));
  charge_ = fillers_.empty() ? Charge() : Charge(*fillers_.front(), entries_.bytes());
}

void Cache::set_key(const std::vector<std::string>& fields) {
  if (fields == key_fields_) return;
  key_fields_ = fields;
  entries_.clear();
  count_bytes();
}

bool Cache::put(std::string_view key, const Record& record, const CacheBounds& bounds,
                Milliseconds now) {
  const size_t count = record.shape->size();
  size_t size = sizeof(Head) + count * sizeof(CachedField);
  for (size_t i = 0; i < count; ++i) {
    const Value& value = record.values[i];
    size += record.shape->name(i).size() + (value.is_text() ? value.size : 0);
  }
  if (KeyedState::bytes_alone(key.size(), size) > bounds.max_bytes) return false;
  ttl_ = bounds.ttl;
  expire(now);
  if (KeyedState::Entry* before = entries_.find(0, key); before != nullptr)
    entries_.remove(*before);
  while (entries_.size() > 0 && (entries_.size() >= bounds.max_records ||
                                 entries_.bytes_with(key.size(), size) > bounds.max_bytes)) {
    entries_.remove(*entries_.oldest());
    ++counts_.evicted;
  }
  // The table of many that there once were.
  if (entries_.size() == 0) entries_.clear();

  char* at = entries_.add(0, key, size).data();
  new (at) Head{now, count};
  auto* fields = reinterpret_cast<CachedField*>(at + sizeof(Head));
  char* text = at + sizeof(Head) + count * sizeof(CachedField);
  const auto copied = [&text](std::string_view from) {
    std::memcpy(text, from.data(), from.size());
    return std::string_view(std::exchange(text, text + from.size()), from.size());
  };
  for (size_t i = 0; i < count; ++i) {
    auto* field = new (fields + i) CachedField{copied(record.shape->name(i)), record.values[i]};
    if (field->value.is_text()) field->value.text = copied(field->value.view()).data();
  }
  count_bytes();
  return true;
}

std::optional<std::span<const CachedField>> Cache::find(std::string_view key, Milliseconds now) {
  expire(now);
  const KeyedState::Entry* entry = entries_.find(0, key);
  if (entry == nullptr || too_old(*entry, now)) {
    ++counts_.misses;
    return std::nullopt;
  }
  ++counts_.hits;
  const char* at = entry->data();
  return std::span(reinterpret_cast<const CachedField*>(at + sizeof(Head)),
                   reinterpret_cast<const Head*>(at)->fields);
}

CacheStatus Cache::status(Milliseconds now) {
  expire(now);
  CacheStatus out = counts_;
  out.name = name_;
  out.records = entries_.size();
  out.bytes = entries_.bytes();
  return out;
}

bool Cache::too_old(const KeyedState::Entry& entry, Milliseconds now) const {
  return now - reinterpret_cast<const Head*>(entry.data())->put_at >= ttl_;
}

// They are in the order in which they were put in.
void Cache::expire(Milliseconds now) {
  const uint64_t before = counts_.expired;
  for (int i = 0; i < kExpiredAtOnce && entries_.size() > 0; ++i) {
    if (!too_old(*entries_.oldest(), now)) break;
    entries_.remove(*entries_.oldest());
    ++counts_.expired;
  }
  if (counts_.expired != before) count_bytes();
}

}  // namespace leat
