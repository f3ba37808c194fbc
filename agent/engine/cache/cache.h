// The last record of each key, until it is too old or there is no room for it: the sink `cache`
// puts them in, and `lookup` finds them.
//
// A record is copied into one block, names and all, so that what the cache takes is known exactly,
// and nothing of a batch is held. Nothing of it is ever saved.
//
// Thread: the main loop's, on which all pipelines with a part in a cache live. Lifetime: Caches
// keeps it, and so does whoever uses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/units.h"
#include "memory/budget.h"
#include "record/batch.h"
#include "state/keyed_state.h"

namespace leat {

struct CachedField {
  std::string_view name;
  Value value;
};

struct CacheBounds {
  Milliseconds ttl{0};
  size_t max_records = 0;
  size_t max_bytes = 0;
};

struct CacheStatus {
  std::string name;
  size_t records = 0;
  size_t bytes = 0;
  // Since it is there.
  uint64_t hits = 0;     // look-ups that found a record
  uint64_t misses = 0;   // and those that did not
  uint64_t expired = 0;  // records that became too old
  uint64_t evicted = 0;  // records that went for want of room
};

class Cache {
 public:
  explicit Cache(std::string name) : name_(std::move(name)) {}
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // Who fills it, from open to close: what it takes counts against the first of these. Others ask
  // held(), which is 0 while there is one.
  void add_filler(Budget& budget);
  void remove_filler(const Budget& budget);
  size_t held() const { return fillers_.empty() ? entries_.bytes() : 0; }

  // The fields whose values put() gets as the key. When these are others than before, nobody would
  // find what is there: it is forgotten.
  void set_key(const std::vector<std::string>& fields);
  // In the place of the one with the same key. Those that are too old go, and then the oldest until
  // there is room. False: there would be none for this one alone; what there is stays.
  bool put(std::string_view key, const Record& record, const CacheBounds& bounds, Milliseconds now);
  // The fields of the record with this key, until the next call; nothing when there is none, or it
  // is too old.
  std::optional<std::span<const CachedField>> find(std::string_view key, Milliseconds now);

  CacheStatus status(Milliseconds now);

 private:
  struct Head {
    Milliseconds put_at;
    size_t fields;
  };

  bool too_old(const KeyedState::Entry& entry, Milliseconds now) const;
  void expire(Milliseconds now);
  void count_bytes() { charge_.set(entries_.bytes()); }

  const std::string name_;
  std::vector<std::string> key_fields_;
  KeyedState entries_{KeyedState::Kind::kUnsaved};
  Milliseconds ttl_{0};  // of who put in last
  CacheStatus counts_;
  std::vector<Budget*> fillers_;
  Charge charge_;  // against the first of them
};

}  // namespace leat
