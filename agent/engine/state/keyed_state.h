// What a transform remembers under keys: each entry has a key, a group, and some bytes that its
// owner understands. Entries of a group are in order, the oldest first.
//
// An entry is one block of memory, found by a table of pointers: about 64 bytes beside its key and
// its data. What has changed since it was saved last is known, so that a checkpoint costs what has
// changed, and not what there is.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"

namespace leat {

class KeyedState {
 public:
  class Entry {
   public:
    std::string_view key() const { return {bytes() + data_size_, key_size_}; }
    // Of alignment 8. Whoever changes it says so, by changed().
    char* data() { return bytes(); }
    const char* data() const { return bytes(); }
    size_t data_size() const { return data_size_; }
    // What store() put there; zeros when it is of another size (an older version's).
    template <typename T>
    T stored() const {
      T out{};
      if (data_size_ == sizeof(T)) std::memcpy(&out, bytes(), sizeof(T));
      return out;
    }
    int64_t group() const { return group_; }
    Entry* newer() const { return newer_; }

   private:
    friend class KeyedState;
    char* bytes() { return reinterpret_cast<char*>(this + 1); }
    const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }

    int64_t group_;
    Entry* next_;  // in its bucket
    Entry* older_;
    Entry* newer_;
    uint32_t hash_;
    uint32_t dirty_;  // 1 + its place in KeyedState::dirty_; 0: as it was saved
    uint32_t key_size_;
    uint32_t data_size_ : 31;
    uint32_t saved_ : 1;  // under this key something is saved
  };
  struct Group {
    Entry* oldest = nullptr;
    Entry* newest = nullptr;
  };

  enum class Kind : uint8_t {
    kRenewed,  // one group, 0; what has changed is the newest
    kGrouped,  // a key may be in several groups
    kMoving,   // a key is in one group, which may become another; it is found whichever it is in
    kUnsaved,  // one group, 0, in the order of add(); what has changed is not kept, for save()
  };
  explicit KeyedState(Kind kind) : kind_(kind) {}
  ~KeyedState();
  KeyedState(const KeyedState&) = delete;
  KeyedState& operator=(const KeyedState&) = delete;

  // `group`: 0 of those that move.
  static uint32_t hash_of(int64_t group, std::string_view key);
  Entry* find(int64_t group, std::string_view key) const {
    return find(group, key, hash_of(hashed(group), key));
  }
  Entry* find(int64_t group, std::string_view key, uint32_t hash) const;
  // Asks the processor for what find() will look at, so that it comes while others are looked up:
  // first the place in the table, and when that is there the entry.
  void fetch_place(uint32_t hash) const {
    if (!buckets_.empty()) __builtin_prefetch(&buckets_[hash & (buckets_.size() - 1)]);
  }
  void fetch_entry(uint32_t hash) const {
    if (buckets_.empty()) return;
    const char* entry = reinterpret_cast<const char*>(buckets_[hash & (buckets_.size() - 1)]);
    __builtin_prefetch(entry);
    __builtin_prefetch(entry + kCacheLine);  // its data and its key
  }
  // The newest of its group, with zeros for data. The key must not be there.
  Entry& add(int64_t group, std::string_view key, size_t data_size);
  // Of the same key, in the same place, with other data. Others are gone with the old one.
  Entry& replace(Entry& entry, std::string_view data);
  // The same with a T, of numbers only and without gaps, since that is what is saved.
  template <typename T>
  Entry& store(Entry& entry, const T& data) {
    static_assert(std::is_trivially_copyable_v<T>);
    return replace(entry, {reinterpret_cast<const char*>(&data), sizeof(T)});
  }
  void changed(Entry& entry) {
    if (kind_ == Kind::kRenewed)
      renew(entry);
    else if (entry.dirty_ == 0)
      make_dirty(entry);
  }
  // To another group, as the newest there. Of those that move; no change that must be saved.
  void move(Entry& entry, int64_t group);
  void remove(Entry& entry);
  void clear();

  const std::map<int64_t, Group>& groups() const { return groups_; }
  // Of the first group. Null when there is none.
  Entry* oldest() const { return groups_.empty() ? nullptr : groups_.begin()->second.oldest; }
  size_t size() const { return size_; }
  // In memory, all of it.
  size_t bytes() const;
  // With one more entry, for which the table may have to grow; of those that are unsaved.
  size_t bytes_with(size_t key_size, size_t data_size) const;
  // The same when it is the only one.
  static size_t bytes_alone(size_t key_size, size_t data_size);
  // The same with the most that may be kept of those that are gone, so that it grows only with
  // those that are there: for who removes some until there is room.
  size_t bytes_to_come() const { return bytes_there() + 2 * most_removed(); }

  size_t all_bytes() const { return content_; }
  // About; all_bytes() when so much has gone that it was not kept what.
  size_t changed_bytes() const;
  void save(std::string& out, bool all);
  // kData when save() has not written that.
  Status load(std::string_view saved);

 private:
  static size_t content_of(const Entry& entry) {
    return size_t{entry.key_size_} + entry.data_size_ + kEntryContent;
  }
  static constexpr size_t kEntryContent = 6;  // its group and lengths, as they are saved
  // The block of malloc() has a header, and is rounded up.
  static constexpr size_t kBlock = 16;
  static constexpr size_t kGroup = 64;  // a node of the map
  static constexpr size_t kAlwaysRemoved = 4096;
  static constexpr size_t kCacheLine = 64;

  int64_t hashed(int64_t group) const { return kind_ == Kind::kMoving ? 0 : group; }
  // What is kept of those that are gone: saving all costs little more then.
  size_t most_removed() const { return content_ / 4 + kAlwaysRemoved; }
  size_t bytes_there() const;
  size_t next_buckets() const;

  Entry** place_of(const Entry& entry);
  Entry* make(int64_t group, std::string_view key, size_t data_size, uint32_t hash);
  void renew(Entry& entry);
  void link(Entry& entry);
  void unlink(Entry& entry);
  void make_dirty(Entry& entry);
  void make_clean(Entry& entry);
  void grow();
  static void put(std::string& out, const Entry& entry);

  const Kind kind_;
  std::vector<Entry*> buckets_;  // a power of two, or none
  std::map<int64_t, Group> groups_;
  std::vector<Entry*> dirty_;  // in the order in which they changed; null: not any more
  size_t dirty_count_ = 0;
  std::string removed_;  // since the last save, of those that were saved
  bool lost_track_ = false;
  size_t size_ = 0;
  size_t content_ = 0;
};

}  // namespace leat
