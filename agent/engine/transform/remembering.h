// What the transforms have in common that remember something under a key: the fields that are the
// key, the bounds of what is remembered, and how that is saved (state/README.md).
//
// Thread: the pipeline's loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/batch.h"
#include "record/shape_cache.h"
#include "stage/transform.h"
#include "state/keyed_state.h"
#include "state/state.h"

namespace leat {

// The values of some fields of a record as bytes, which are the same for the same values.
class KeyFields {
 public:
  explicit KeyFields(std::vector<std::string> names) : names_(std::move(names)) {}

  // Appends the key to `out`. Returns how many of the fields are missing or null. The record's
  // shape is one of the batch's.
  size_t read(const Batch& batch, const Record& record, std::string& out);
  const std::vector<std::string>& names() const { return names_; }
  // What a key was made of, one for each name; text is copied into the arena.
  void values_of(std::string_view key, Arena& arena, Value* out) const;

  void trim(const Batch& batch) { known_.trim(batch); }
  size_t held() const { return known_.held(); }

 private:
  const std::vector<std::string> names_;
  ShapeCache<std::vector<int>> known_;
};

// Index of each name in the shape, or -1.
std::vector<int> places_of(const std::vector<std::string>& names, const Shape& shape);

class Remembering : public Transform, public TransformState {
 public:
  TransformState* state() override { return this; }
  size_t held() const override { return entries_.bytes() + keys_.held(); }

  std::string identity() const override { return identity_; }
  size_t changed_bytes() const override { return entries_.changed_bytes(); }
  size_t all_bytes() const override { return entries_.all_bytes(); }
  void save(std::string& out, bool all) override;
  Status load(std::string_view saved) override;

 protected:
  // With kRememberOptions among the options. `identity`: what else must be the same.
  Remembering(std::string_view type, const Options& options, KeyedState::Kind kind,
              const std::string& identity = "");

  // Leaves those records in the batch for whose numbers `passes` is true, as far as there is room
  // for dead letters. Before each, the key is that record's.
  template <typename Passes>
  void keep_those(Batch& batch, const DeadLetters& dead, Passes passes) {
    size_t kept = 0;
    for (size_t i = 0; i < batch.records.size(); ++i) {
      step_to(batch, i);
      if (passes(i)) batch.records[kept++] = batch.records[i];
      if (dead.full() && batch.may_cut(i + 1)) batch.leave_records(i + 1);
    }
    batch.records.resize(kept);
    keys_.trim(batch);
  }
  // For who does without keep_those(): to each of the batch's records in turn.
  void step_to(const Batch& batch, size_t i) {
    at_ = i > 0 && at_ + 1 < ahead_end_ ? at_ + 1 : look_ahead(batch, i);
  }
  // Of the record at hand: how many fields of the key it lacks, the key, and what is remembered
  // under it.
  size_t missing() const { return at_->missing; }
  std::string_view key() const {
    return std::string_view(ahead_text_).substr(at_->begin, at_->size);
  }
  KeyedState::Entry* find() const { return entries_.find(0, key(), at_->hash); }
  // Zeros, where find() has found nothing. Null, and a dead letter, where there is no room for
  // more.
  KeyedState::Entry* remember(const Batch& batch, size_t i, size_t data_size, DeadLetters& dead);

  // Says once, of the first batch with records, which of these fields none of them has. `option`:
  // that names them.
  void look_for(const std::vector<std::string>& fields, std::string_view option,
                const Batch& batch);

  // No other key may be remembered: maxKeys, or half of the pipeline's memory.
  bool full(const Batch& batch) const;
  // For another key: lets go of the oldest, or says false where that is not wanted.
  bool make_room(const Batch& batch);
  // The same for more under a key that is there, which may be gone then: only memory counts.
  bool make_room_to_grow(const Batch& batch);
  // Whether the oldest go for want of room, and not what comes.
  bool evicts() const { return evicts_; }
  // Of those that go by event time.
  void say_that_time_begins_anew() const;
  // An entry goes for want of room.
  virtual void evict(KeyedState::Entry& entry) { entries_.remove(entry); }
  static constexpr std::string_view kNoRoom = "no more keys can be remembered (maxKeys, or memory)";

  // What is to be saved beside the entries.
  virtual void save_more(std::string& out) { (void)out; }
  virtual void load_more(std::string_view saved) { (void)saved; }

  KeyFields keys_;
  KeyedState entries_;

 private:
  bool takes_too_much(const Batch& batch) const;
  void let_go_of_oldest();

  // Keys that were read before their records' turn.
  struct Key {
    size_t begin;  // in ahead_text_
    size_t size;
    size_t missing;
    uint32_t hash;
  };
  static constexpr size_t kAhead = 16;
  static constexpr size_t kAheadBytes = 4096;  // of keys; one alone may have more

  // Where there are more keys than the processor's cache holds, what is remembered under each has
  // to come from memory; so it is asked for that of several records at once. Returns the first.
  const Key* look_ahead(const Batch& batch, size_t from);
  Key ahead_[kAhead];
  std::string ahead_text_;
  const Key* at_ = nullptr;  // of the record at hand
  const Key* ahead_end_ = nullptr;

  const std::string path_;
  std::string identity_;
  const size_t max_keys_;
  const bool evicts_;
  std::optional<Milliseconds> warned_;        // that keys go
  std::vector<std::string_view> looked_for_;  // options
};

inline constexpr std::string_view kAtBoundChoices[] = {"evict", "deadLetter"};
inline constexpr Option kMaxKeysOption{
    .name = "maxKeys",
    .type = OptionType::kInteger,
    .fallback = "100000",
    .help =
        "How many keys are remembered. It is fewer where they would take more than half of the "
        "pipeline's memory.",
    .min = 1,
    .max = 10'000'000};
inline constexpr Option kMaxAheadOption{
    .name = "maxAhead",
    .type = OptionType::kDuration,
    .fallback = "1d",
    .help =
        "A record whose event time is farther ahead of the machine's clock is of a clock that "
        "is wrong: it is a dead letter, and event time does not go on by it.",
    .min = 1,
    .max = int64_t{3650} * 86'400'000};
inline constexpr Option kAtBoundOption{
    .name = "atBound",
    .fallback = "evict",
    .help =
        "What happens when there is no room for another key: the oldest goes, or the record with "
        "the new one becomes a dead letter.",
    .choices = kAtBoundChoices};

}  // namespace leat
