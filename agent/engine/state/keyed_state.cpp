#include "state/keyed_state.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <utility>

#include "state/bytes.h"

namespace leat {
namespace {

constexpr char kPut = 1;
constexpr char kRemoved = 2;
constexpr char kAnew = 3;  // nothing of what was saved before; all there is follows
constexpr size_t kFirstBuckets = 16;

}  // namespace

uint32_t KeyedState::hash_of(int64_t group, std::string_view key) {
  const size_t hash = std::hash<std::string_view>{}(key) ^ std::hash<int64_t>{}(group)*0x9E3779B1U;
  return static_cast<uint32_t>(uint64_t{hash} ^ uint64_t{hash} >> 32);
}

KeyedState::~KeyedState() {
  clear();
}

void KeyedState::clear() {
  for (auto& [number, group] : groups_)
    while (group.oldest != nullptr) std::free(std::exchange(group.oldest, group.oldest->newer_));
  groups_.clear();
  std::vector<Entry*>().swap(buckets_);
  std::vector<Entry*>().swap(dirty_);
  std::string().swap(removed_);
  dirty_count_ = size_ = content_ = 0;
  lost_track_ = true;
}

size_t KeyedState::bytes() const {
  return bytes_there() + removed_.capacity();
}

size_t KeyedState::bytes_there() const {
  return content_ + size_ * (sizeof(Entry) + kBlock) +
         (buckets_.capacity() + dirty_.capacity()) * sizeof(void*) + groups_.size() * kGroup;
}

size_t KeyedState::bytes_with(size_t key_size, size_t data_size) const {
  const size_t grown = size_ < buckets_.size() ? 0 : next_buckets() - buckets_.size();
  return bytes() + key_size + data_size + kEntryContent + sizeof(Entry) + kBlock +
         grown * sizeof(Entry*) + (groups_.empty() ? kGroup : 0);
}

size_t KeyedState::bytes_alone(size_t key_size, size_t data_size) {
  return KeyedState(Kind::kUnsaved).bytes_with(key_size, data_size);
}

KeyedState::Entry* KeyedState::find(int64_t group, std::string_view key, uint32_t hash) const {
  if (buckets_.empty()) return nullptr;
  Entry* entry = buckets_[hash & (buckets_.size() - 1)];
  while (entry != nullptr &&
         (entry->hash_ != hash || (entry->group_ != group && kind_ != Kind::kMoving) ||
          entry->key() != key))
    entry = entry->next_;
  return entry;
}

KeyedState::Entry* KeyedState::make(int64_t group, std::string_view key, size_t data_size,
                                    uint32_t hash) {
  void* block = std::malloc(sizeof(Entry) + data_size + key.size());
  if (block == nullptr) std::abort();  // as operator new does here
  auto* entry = new (block) Entry();
  entry->group_ = group;
  entry->hash_ = hash;
  entry->key_size_ = static_cast<uint32_t>(key.size());
  entry->data_size_ = static_cast<uint32_t>(data_size) & 0x7FFFFFFF;
  std::memcpy(entry->bytes() + data_size, key.data(), key.size());
  return entry;
}

KeyedState::Entry& KeyedState::add(int64_t group, std::string_view key, size_t data_size) {
  if (size_ >= buckets_.size()) grow();
  Entry& entry = *make(group, key, data_size, hash_of(hashed(group), key));
  std::memset(entry.data(), 0, data_size);
  Entry*& bucket = buckets_[entry.hash_ & (buckets_.size() - 1)];
  entry.next_ = bucket;
  bucket = &entry;
  link(entry);
  ++size_;
  content_ += content_of(entry);
  make_dirty(entry);
  return entry;
}

KeyedState::Entry& KeyedState::replace(Entry& entry, std::string_view data) {
  if (data.size() == entry.data_size_) {
    std::memcpy(entry.data(), data.data(), data.size());
    changed(entry);
    return entry;
  }
  Entry& made = *make(entry.group_, entry.key(), data.size(), entry.hash_);
  std::memcpy(made.data(), data.data(), data.size());
  made.saved_ = entry.saved_;
  made.next_ = entry.next_;
  *place_of(entry) = &made;
  made.older_ = entry.older_;
  made.newer_ = entry.newer_;
  Group& group = groups_[entry.group_];
  (made.older_ == nullptr ? group.oldest : made.older_->newer_) = &made;
  (made.newer_ == nullptr ? group.newest : made.newer_->older_) = &made;
  made.dirty_ = entry.dirty_;
  if (made.dirty_ != 0) dirty_[made.dirty_ - 1] = &made;
  content_ += content_of(made) - content_of(entry);
  std::free(&entry);
  changed(made);
  return made;
}

void KeyedState::renew(Entry& entry) {
  if (entry.newer_ != nullptr) {
    unlink(entry);
    link(entry);
  }
  make_clean(entry);
  make_dirty(entry);
}

void KeyedState::move(Entry& entry, int64_t group) {
  unlink(entry);
  entry.group_ = group;
  link(entry);
}

void KeyedState::remove(Entry& entry) {
  make_clean(entry);
  *place_of(entry) = entry.next_;
  unlink(entry);
  --size_;
  content_ -= content_of(entry);
  if (entry.saved_ != 0 && !lost_track_) {
    removed_ += kRemoved;
    put_signed(removed_, entry.group_);
    put_text(removed_, entry.key());
    if (removed_.size() > most_removed()) {
      std::string().swap(removed_);
      lost_track_ = true;
    }
  }
  std::free(&entry);
}

KeyedState::Entry** KeyedState::place_of(const Entry& entry) {
  Entry** place = &buckets_[entry.hash_ & (buckets_.size() - 1)];
  while (*place != &entry) place = &(*place)->next_;
  return place;
}

void KeyedState::link(Entry& entry) {
  Group& group = groups_[entry.group_];
  entry.older_ = group.newest;
  entry.newer_ = nullptr;
  (group.newest == nullptr ? group.oldest : group.newest->newer_) = &entry;
  group.newest = &entry;
}

void KeyedState::unlink(Entry& entry) {
  auto found = groups_.find(entry.group_);
  Group& group = found->second;
  (entry.older_ == nullptr ? group.oldest : entry.older_->newer_) = entry.newer_;
  (entry.newer_ == nullptr ? group.newest : entry.newer_->older_) = entry.older_;
  if (group.oldest == nullptr) groups_.erase(found);
}

void KeyedState::make_dirty(Entry& entry) {
  if (kind_ == Kind::kUnsaved) return;
  if (dirty_.size() >= 64 &&
      dirty_.size() >= 2 * dirty_count_) {  // more than half are not any more
    size_t kept = 0;
    for (Entry* one : dirty_) {
      if (one == nullptr) continue;
      dirty_[kept++] = one;
      one->dirty_ = static_cast<uint32_t>(kept);
    }
    dirty_.resize(kept);
  }
  dirty_.push_back(&entry);
  entry.dirty_ = static_cast<uint32_t>(dirty_.size());
  ++dirty_count_;
}

void KeyedState::make_clean(Entry& entry) {
  if (entry.dirty_ == 0) return;
  dirty_[entry.dirty_ - 1] = nullptr;
  entry.dirty_ = 0;
  --dirty_count_;
}

size_t KeyedState::next_buckets() const {
  return std::max(kFirstBuckets, 2 * buckets_.size());
}

void KeyedState::grow() {
  std::vector<Entry*> buckets(next_buckets());
  for (Entry* entry : buckets_) {
    while (entry != nullptr) {
      Entry* next = entry->next_;
      Entry*& bucket = buckets[entry->hash_ & (buckets.size() - 1)];
      entry->next_ = bucket;
      bucket = entry;
      entry = next;
    }
  }
  buckets_.swap(buckets);
}

// --- saving -------------------------------------------------------------------------------------

size_t KeyedState::changed_bytes() const {
  if (lost_track_ || size_ == 0) return content_ + removed_.size();
  return removed_.size() + static_cast<size_t>(uint64_t{content_} * dirty_count_ / size_);
}

void KeyedState::put(std::string& out, const Entry& entry) {
  out += kPut;
  put_signed(out, entry.group_);
  put_text(out, entry.key());
  put_text(out, {entry.data(), entry.data_size()});
}

// Those that are gone come first: one that has come back since is among the others.
// What is gone may not be known any more: then those that follow are all there are, whatever others
// beside this one save.
void KeyedState::save(std::string& out, bool all) {
  if (lost_track_ && !all) out += kAnew;
  all = all || lost_track_;
  if (all) {
    for (const auto& [number, group] : groups_) {
      for (Entry* entry = group.oldest; entry != nullptr; entry = entry->newer_) {
        put(out, *entry);
        entry->saved_ = 1;
      }
    }
  } else {
    out += removed_;
  }
  for (Entry* entry : dirty_) {
    if (entry == nullptr) continue;
    if (!all) put(out, *entry);
    entry->dirty_ = 0;
    entry->saved_ = 1;
  }
  dirty_.clear();
  dirty_count_ = 0;
  std::string().swap(removed_);
  lost_track_ = false;
}

Status KeyedState::load(std::string_view saved) {
  ByteReader reader{saved};
  while (!reader.rest.empty() && !reader.bad) {
    const char what = reader.rest.front();
    reader.rest.remove_prefix(1);
    if (what == kAnew) {
      clear();
      continue;
    }
    const int64_t group = reader.signed_number();
    const std::string_view key = reader.text();
    const std::string_view data = what == kPut ? reader.text() : std::string_view();
    if (reader.bad || (what != kPut && what != kRemoved)) break;
    Entry* entry = find(group, key);
    if (what == kRemoved) {
      if (entry != nullptr) remove(*entry);
      continue;
    }
    entry = &(entry == nullptr ? add(group, key, data.size()) : *entry);
    entry = &replace(*entry, data);
    if (entry->group_ != group) move(*entry, group);
    make_clean(*entry);
    entry->saved_ = 1;
  }
  removed_.clear();
  lost_track_ = false;
  if (reader.rest.empty() && !reader.bad) return {};
  return fail(ErrorKind::kData, "what was saved of it cannot be read");
}

}  // namespace leat
