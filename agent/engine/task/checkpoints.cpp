#include "task/checkpoints.h"

#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "base/units.h"
#include "state/bytes.h"

namespace leat {
namespace {

constexpr char kVersion = 1;
constexpr size_t kHead = 5;  // version and checksum
constexpr size_t kSize = 5;  // of a part, which is known behind it
// Behind this much, changes are put together with what they changed.
constexpr size_t kLeastLog = 16 * 1024;
constexpr size_t kSpare = 1024;  // for what all_bytes() is not exact about
constexpr uint32_t kPutTogetherAt = 64;

// As put_number() does, in so many bytes; a reader takes it as any other.
void put_size(std::string& out, size_t at, size_t size) {
  for (size_t i = 0; i < kSize; ++i, size >>= 7)
    out[at + i] = static_cast<char>((size & 0x7F) | (i + 1 < kSize ? 0x80 : 0));
}

std::string checksum(std::string_view bytes) {
  const auto crc = static_cast<uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
  std::string out;
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(crc >> shift);
  return out;
}

}  // namespace

Checkpoints::Checkpoints(CheckpointsSetup setup)
    : setup_(std::move(setup)), charge_(setup_.budget), timer_(setup_.loop) {}

void Checkpoints::attach(std::vector<TransformState*> states) {
  states_ = std::move(states);
}

// --- from the journal ---------------------------------------------------------------------------

std::string Checkpoints::partition_of(uint64_t row) const {
  char number[24];
  std::snprintf(number, sizeof(number), "%016llx", static_cast<unsigned long long>(row));
  return std::string(kStatePartition) + number;
}

void Checkpoints::restore(std::vector<SavedPosition>& saved) {
  std::vector<SavedPosition> rows;
  for (SavedPosition& one : saved)
    if (is_state(one.partition)) rows.push_back(std::move(one));
  std::erase_if(saved,
                [](const auto& one) { return one.partition.empty() || is_state(one.partition); });
  if (rows.empty()) return;
  if (!in_use()) {
    log::warn(setup_.pipeline,
              "no transform remembers anything any more: what was remembered is forgotten");
    return forget(rows);
  }
  if (Status status = load(rows); !status) {
    must_save_all_ = true;
    log::error(setup_.pipeline,
               "what transforms remember is not all there: " + status.error().message() +
                   "; they go on with what could be read");
  }
}

void Checkpoints::forget(const std::vector<SavedPosition>& rows) {
  std::vector<SavedPosition> changes;
  for (const SavedPosition& row : rows) changes.push_back({row.partition, ""});
  setup_.journal.commit(setup_.pipeline, std::move(changes), [](const Status&) {});
}

// The rows from the first, with all there was, to the last, as their head says.
Status Checkpoints::load(std::vector<SavedPosition>& rows) {
  auto head = std::ranges::find(rows, kStatePartition, &SavedPosition::partition);
  if (head == rows.end()) return fail(ErrorKind::kData, "nothing says what belongs to it");
  ByteReader reader{head->value};
  first_row_ = reader.number();
  end_row_ = reader.number();
  must_save_all_ = false;
  for (TransformState* state : states_) state->set_now(setup_.loop.now());
  std::vector<TransformState*> places;
  for (uint64_t number = first_row_; number < end_row_; ++number) {
    auto row = std::ranges::find(rows, partition_of(number), &SavedPosition::partition);
    if (row == rows.end()) return fail(ErrorKind::kData, "a row is missing");
    if (number > first_row_) log_bytes_ += row->value.size();
    if (Status status = load_row(row->value, number == first_row_, places); !status) return status;
    row->value = {};
  }
  if (places != states_) must_save_all_ = true;
  return {};
}

// In the first row each part says whose it is; in the others they have the same order.
Status Checkpoints::load_row(std::string_view content, bool first,
                             std::vector<TransformState*>& places) {
  if (content.size() < kHead || content[0] != kVersion ||
      content.substr(1, kHead - 1) != checksum(content.substr(kHead)))
    return fail(ErrorKind::kData, "a row is damaged");
  ByteReader reader{content.substr(kHead)};
  for (size_t i = 0; !reader.rest.empty() && !reader.bad; ++i) {
    const std::string_view identity = reader.text();
    const std::string_view part = reader.text();
    if (first) {
      auto place = std::ranges::find_if(states_, [&](TransformState* state) {
        return state->identity() == identity && std::ranges::find(places, state) == places.end();
      });
      places.push_back(place == states_.end() ? nullptr : *place);
      if (place == states_.end())
        log::warn(setup_.pipeline, "nothing has the state of \"" + std::string(identity) +
                                       "\" any more, since the options that it depends on have "
                                       "changed: what was remembered there is forgotten");
    }
    if (i >= places.size()) break;
    if (places[i] == nullptr) continue;
    if (Status status = places[i]->load(part); !status) return status;
  }
  return reader.bad ? Status(fail(ErrorKind::kData, "a row cannot be read")) : Status();
}

// --- holding ------------------------------------------------------------------------------------

Milliseconds Checkpoints::longest_hold() const {
  const bool waits = setup_.replay == Replay::kHoldsAck || setup_.replay == Replay::kHoldsAckOnce;
  return waits ? std::min(setup_.config.checkpoint, setup_.config.spool.max_ack_hold)
               : setup_.config.checkpoint;
}

Checkpoints::Held& Checkpoints::held_of(const Batch& batch) {
  auto is_its = [&batch](const Held& one) {
    return one.to == batch.acknowledger && one.end.partition == batch.end.partition;
  };
  if (last_ < held_.size() && is_its(held_[last_])) return held_[last_];
  auto found = std::ranges::find_if(held_, is_its);
  if (found == held_.end()) found = held_.insert(found, {batch.acknowledger, batch.end, {}});
  last_ = static_cast<size_t>(found - held_.begin());
  return *found;
}

void Checkpoints::hold(const Batch& batch) {
  if (batch.owed.empty()) return;
  if (held_.empty()) held_since_ = setup_.loop.now();
  Held& held = held_of(batch);
  held.end = batch.end;
  held.owed.add(batch.owed.share());
  if (++held.added < kPutTogetherAt) return;
  held.added = 0;
  Owed apart = std::exchange(held.owed, {});
  const Position here{.offset = ticks_};
  held.owed = setup_.acknowledgements.ledger().open(*this, here, {.offset = ++ticks_});
  held.owed.add(std::move(apart));
}

void Checkpoints::in_flight_full(bool full) {
  if (!in_use() || full == std::exchange(full_, full)) return;
  setup_.wake();
}

bool Checkpoints::wanted(bool empty) const {
  if (held_.empty() || setup_.loop.now() < again_at_) return false;
  if (full_ && empty) return true;
  return leaving_ || setup_.loop.now() >= held_since_ + longest_hold();
}

void Checkpoints::check(bool between, bool empty) {
  if (!in_use()) return;
  if (taken_bytes_ == 0 && between && wanted(empty)) take();
  if (taken_bytes_ > 0 && !storing_ && may_store()) store();
  watch(between);
}

// Whether all of it would be reached: then nobody else holds any of it.
bool Checkpoints::may_store() const {
  const std::vector<Reached> reached = setup_.acknowledgements.ledger().reached_with({&owed_});
  return std::ranges::all_of(owed_up_to_, [&reached](const Reached& wanted) {
    return std::ranges::any_of(reached, [&wanted](const Reached& one) {
      return one.by == wanted.by && one.position.partition == wanted.position.partition &&
             one.position.offset >= wanted.position.offset;
    });
  });
}

// Wakes up when it is time for the next one, or when something is to come out. What is due later
// than the timer is, as while records come, is asked for again then. What is due already has its
// turn when there is room, unless nobody knows of it yet.
void Checkpoints::watch(bool between) {
  if (leaving_) return timer_.stop();
  const Milliseconds now = setup_.loop.now();
  std::optional<Milliseconds> at;
  if (!held_.empty() && taken_bytes_ == 0) at = std::max(held_since_ + longest_hold(), again_at_);
  for (TransformState* state : states_)
    if (std::optional<Milliseconds> due = state->due(); due && *due > now && (!at || *due < *at))
      at = due;
  if (between && has_turn()) setup_.wake();
  if (!at || (timer_.active() && watching_for_ <= *at)) return;
  watching_for_ = *at;
  timer_.start(std::max(*at - now, Milliseconds{0}), [this] { setup_.wake(); });
}

// --- into the journal ---------------------------------------------------------------------------

void Checkpoints::take() {
  size_t changed = 0;
  size_t all = 0;
  for (TransformState* state : states_) {
    changed += state->changed_bytes();
    all += state->all_bytes();
  }
  taken_all_ = must_save_all_ || changed >= all || log_bytes_ + changed > 2 * all + kLeastLog;
  // Once, in its place: it may be half of the pipeline's memory.
  taken_.reserve((taken_all_ ? all : changed) + kSpare);
  taken_.assign(kHead, kVersion);
  for (TransformState* state : states_) {
    put_text(taken_, taken_all_ ? state->identity() : "");
    const size_t at = taken_.size();
    taken_.append(kSize, '\0');
    state->save(taken_, taken_all_);
    put_size(taken_, at, taken_.size() - at - kSize);
  }
  taken_.replace(1, kHead - 1, checksum(std::string_view(taken_).substr(kHead)));
  taken_bytes_ = taken_.size();
  charge_.set(taken_bytes_);
  owed_up_to_.clear();
  for (Held& held : std::exchange(held_, {})) {
    owed_up_to_.push_back({held.to, held.end});
    owed_.add(std::move(held.owed));
  }
}

void Checkpoints::store() {
  std::vector<SavedPosition> changes =
      setup_.acknowledgements.take_along(owed_, Acknowledgements::With::kState);
  const uint64_t first = taken_all_ ? end_row_ : first_row_;
  std::string head;
  put_number(head, first);
  put_number(head, end_row_ + 1);
  changes.push_back({std::string(kStatePartition), std::move(head)});
  changes.push_back({partition_of(end_row_), std::move(taken_)});
  for (uint64_t old = first_row_; old < first; ++old) changes.push_back({partition_of(old), ""});
  storing_ = true;
  const bool power =
      setup_.replay != Replay::kFromPosition && setup_.config.spool.survives_power_cut;
  setup_.journal.commit(
      setup_.pipeline, std::move(changes),
      lifetime_.guard([this, first](const Status& status) { stored(status, first); }),
      power ? JournalClient::Durability::kPower : JournalClient::Durability::kProcess);
}

// What could not be stored is taken again with what comes.
void Checkpoints::stored(const Status& status, uint64_t first_row) {
  storing_ = false;
  const size_t bytes = std::exchange(taken_bytes_, 0);
  taken_ = {};
  charge_.set(0);
  must_save_all_ = !status;
  if (!status) {
    if (!std::exchange(failed_, true))
      log::error(setup_.pipeline, "what transforms remember cannot be saved (" +
                                      status.error().message() +
                                      "): nothing is acknowledged until it is");
    gave_up_ = leaving_;
    again_at_ = setup_.loop.now() + delay_.next();
    setup_.acknowledgements.not_stored(Acknowledgements::With::kState);
    // In the place of what came later: it is found there by its partition, and no more.
    for (Held& held : held_) owed_.add(std::move(held.owed));
    for (const Reached& one : owed_up_to_)
      if (std::ranges::none_of(held_, [&one](const Held& held) {
            return held.to == one.by && held.end.partition == one.position.partition;
          }))
        held_.push_back({one.by, one.position, {}});
    held_.front().owed = std::exchange(owed_, {});
    return setup_.wake();
  }
  if (std::exchange(failed_, false))
    log::info(setup_.pipeline, "what transforms remember is saved again");
  delay_.reset();
  log_bytes_ = taken_all_ ? 0 : log_bytes_ + bytes;
  first_row_ = first_row;
  ++end_row_;
  setup_.usage.count_checkpoint(bytes);
  setup_.acknowledgements.stored(std::exchange(owed_, {}), Acknowledgements::With::kState);
  setup_.wake();
}

// --- turns without records, and the end ---------------------------------------------------------

bool Checkpoints::has_turn() const {
  if (leaving_) return false;
  const Milliseconds now = setup_.loop.now();
  return std::ranges::any_of(states_, [now](TransformState* state) {
    std::optional<Milliseconds> due = state->due();
    return due && *due <= now;
  });
}

// What comes of it is owed here, so that no checkpoint is stored before it is delivered.
BatchRef Checkpoints::tick(BlockPool& pool) {
  BatchRef batch = BatchRef::make(pool, Content::kRecords);
  batch->acknowledger = this;
  batch->begin.offset = ticks_;
  batch->end.offset = ++ticks_;
  batch->arrival_us = setup_.loop.clock().unix_us();
  batch->owed = setup_.acknowledgements.ledger().open(*this, batch->begin, batch->end);
  return batch;
}

bool Checkpoints::end_of_input() {
  if (ended_ == states_.size()) return false;
  states_[ended_++]->end_of_input();
  return true;
}

bool Checkpoints::finished(bool between, bool may_leave) {
  if (!in_use() || gave_up_) return true;
  leaving_ = true;
  again_at_ = {};
  check(between, true);
  return !storing_ && (taken_bytes_ == 0 || may_leave);
}

void Checkpoints::stop() {
  leaving_ = true;
  timer_.stop();
}

}  // namespace leat
