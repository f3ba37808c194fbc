// What a batch owes to whoever gave it, and when that one is told.
//
// Each stretch of a partition that is given is opened in the ledger, in order, and the Owed that
// comes of it travels with the batch. It is settled when what came from it is delivered, or is
// durable. Whoever makes one batch of several adds their debts up; who gives one batch to two
// consumers shares them; who cuts a batch cuts them. The last holder that settles releases the
// stretch, and a partition has been reached up to the highest position below which every stretch
// is released, in whatever order that happened. What is dropped without being settled is never
// released, nor is anything behind it.
//
// How this serves windows, channels, parallel chains and saved state: engine/delivery/README.md.
//
// Thread: the pipeline's loop thread; the counts are not atomic.
// Lifetime: the ledger outlives whoever settles, cuts or shares. What is owed after its end can
// only be dropped.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "record/position.h"

namespace leat {

// Who gave records, and acknowledges them to where they came from.
class Acknowledger {
 public:
  virtual ~Acknowledger() = default;

  // Everything up to `position` of its partition is delivered or durable, but the position is not
  // saved yet. Who took over the debts of others settles them now.
  virtual void released(const Position& position) { (void)position; }
  // And its saved position is in the journal or the sink, where it has one. With position.last, no
  // call about this partition will follow.
  virtual void acked(const Position& position) { (void)position; }
  // What is saved of a position of a batch that came from here.
  virtual SavedPosition saved_position(const Position& position) = 0;
  // Whether the same records have the same offsets when they come again after a restart.
  virtual bool offsets_last() const { return false; }
  // Whether what it gives was a dead letter before, and is tried once more.
  virtual bool gives_dead_letters() const { return false; }
  // The place just before `position` for people: "/data/a.jsonl:123".
  virtual std::string describe(const Position& position) = 0;
  // What the message that ends there brought beside its payload, as a JSON object; "": nothing, or
  // that is not known any more. For dead letters.
  virtual std::string metadata_of(const Position& position) {
    (void)position;
    return {};
  }
};

struct Reached {
  Acknowledger* by = nullptr;
  Position position;
};

// Sets or advances the entry of this partition.
void merge(std::vector<Reached>& reached, const Reached& one);

class Ledger;

// What a batch, or a part of one, owes: stretches of one partition, or of several. Dropped without
// settle(), it holds them back for ever.
class Owed {
 public:
  Owed() = default;
  Owed(Owed&& other) noexcept
      : first_(std::exchange(other.first_, nullptr)), more_(std::move(other.more_)) {}
  Owed& operator=(Owed&& other) noexcept {
    first_ = std::exchange(other.first_, nullptr);
    more_ = std::exchange(other.more_, {});
    return *this;
  }

  bool empty() const { return first_ == nullptr; }
  // To whom the first stretch is owed, and where it begins. Not when empty.
  Acknowledger* to() const;
  Position begin() const;

  // What came from it is delivered, or durable; as far as this holder is concerned.
  void settle();
  // For another holder of the same records: both must settle.
  Owed share() const;
  // Takes what another batch owes, when records of it are in this one, too.
  void add(Owed other);
  // Takes out what lies before `at` in a partition of `to`. What cannot be told apart is owed by
  // both from then on: stretches of other partitions, and those that have another holder.
  Owed split(const Acknowledger& to, const Position& at);
  // The line at the end of a stretch is known when that is decoded.
  void set_line(const Position& end);

 private:
  friend class Ledger;
  struct Line;
  struct Entry {  // a stretch; it lives until it is released, or the ledger ends
    Line* line;
    Entry* next;  // behind it
    uint64_t begin;
    Position end;
    uint32_t open;  // holders that have not settled it
    uint32_t marked = 0;
  };
  struct Line {  // of one partition: what is not released, in order
    Ledger* ledger;
    Acknowledger* to;
    Entry* front = nullptr;
    Entry* back = nullptr;
  };
  explicit Owed(Entry* entry) : first_(entry) {}
  void push(Entry* entry);
  Entry* last() const { return more_.empty() ? first_ : more_.back(); }
  template <typename F>
  void each(F&& f) const;

  Entry* first_ = nullptr;
  std::vector<Entry*> more_;  // most owe a single one
};

class Ledger {
 public:
  Ledger() = default;
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // A batch was given, with what lies between these two. In the order of the partition.
  Owed open(Acknowledger& to, const Position& begin, const Position& end);

  // How far which partitions have been reached since this was asked last.
  std::vector<Reached> take_reached() { return std::exchange(reached_, {}); }
  bool any_reached() const { return !reached_.empty(); }
  // How far they would be reached if these were settled now: what may be saved together with that
  // which settles them.
  std::vector<Reached> reached_with(const std::vector<const Owed*>& settled) const;

  // Whether anything of this partition is not released.
  bool is_open(const Acknowledger& to, uint32_t partition) const;

 private:
  friend class Owed;
  using Key = std::pair<const Acknowledger*, uint32_t>;
  void release(Owed::Line& line);

  std::map<Key, Owed::Line> lines_;  // those in which something is open
  std::vector<Reached> reached_;
};

}  // namespace leat
