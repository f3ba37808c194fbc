#include "spool/spool.h"

#include <algorithm>
#include <utility>

#include "base/counted.h"
#include "base/log.h"
#include "base/units.h"
#include "spool/spool_format.h"

namespace leat {
namespace {

// A source that waits for credit for a moment is healthy. This long means that the sink cannot keep
// up.
constexpr Milliseconds kCreditGrace{100};
constexpr Milliseconds kReadAgain{1'000};

bool holds_acks(Replay replay) {
  return replay == Replay::kHoldsAck || replay == Replay::kHoldsAckOnce;
}

SpoolWriterSetup writer_setup(const SpoolSetup& setup) {
  const bool held = holds_acks(setup.replay);
  const SpoolLinger& rows = setup.row_linger;
  return {.loop = setup.loop,
          .pipeline = setup.pipeline,
          .config = setup.config.spool,
          .journal = setup.journal,
          .budget = setup.pool.budget(),
          .acknowledgements = setup.acknowledgements,
          .dead_letters = setup.dead_letters,
          .row_bytes = setup.batch_bytes,
          .linger = held ? std::min(rows.held, setup.config.spool.max_ack_hold)
                         : std::min(setup.linger, rows.longest),
          .quiet = held ? rows.held_quiet : Milliseconds{0}};
}

}  // namespace

Spool::Spool(SpoolSetup setup)
    : setup_(std::move(setup)),
      writer_(writer_setup(setup_), *this),
      age_timer_(setup_.loop),
      read_again_(setup_.loop),
      kept_bytes_(setup_.pool.budget()) {
  active_ = mode() == SpoolMode::kAlways;
}

Spool::~Spool() = default;

void Spool::set_batch_bytes(size_t bytes) {
  setup_.batch_bytes = bytes;
  writer_.set_row_bytes(bytes);
}

void Spool::restore(const SpoolState& state, uint64_t delivered, const SpoolTotals& totals) {
  epoch_ = state.epoch;
  delivered_ = std::max(delivered, state.first);
  stored_ = std::max(state.end, delivered_);
  cursor_ = given_ = delivered_;
  unread_ = totals.records;
  new_from_ = deliverer_->spool_holds(partition(epoch_), delivered_, stored_);
  writer_.open(std::max(stored_, new_from_), totals.bytes);
  if (delivered_ > state.first) writer_.remove_until(delivered_);
  if (caught_up()) {
    cursor_ = std::max(cursor_, new_from_);
    return;
  }
  active_ = true;
  log::info(setup_.pipeline, format_count(unread_, "spooled record") + " (" +
                                 format_bytes(static_cast<int64_t>(totals.bytes)) +
                                 ") to be delivered first");
  feed();
}

// --- from the chain -----------------------------------------------------------------------------

bool Spool::wants_more() const {
  if (setup_.dead_letters.full()) return false;  // on whichever way records go
  return active_ ? writer_.wants_more() : deliverer_->wants_more();
}

// In trouble the deliverer keeps what it has. What comes goes to the journal all the same.
bool Spool::holds_nothing() const {
  return setup_.dead_letters.pending_bytes() == 0 && writer_.idle() && !reading_ &&
         (active_ || deliverer_->settled());
}

void Spool::add(BatchRef batch) {
  if (active_) {
    Owed owed = std::move(batch->owed);
    writer_.add({std::move(batch), std::move(owed)});
    if (in_flight_full_since_us_ != 0) writer_.flush();  // nothing more comes to wait for
    return without_spool();
  }
  direct(std::move(batch));
  watch_ages();
}

void Spool::direct(BatchRef batch) {
  if (mode() != SpoolMode::kNever) {
    uint64_t first = cursor_;
    cursor_ += batch->count();
    Owed owed = std::exchange(batch->owed, number(first, cursor_));
    held_.push_back({batch, std::move(owed), first, setup_.loop.clock().monotonic_us()});
  }
  deliverer_->add(std::move(batch));
  if (in_flight_full_since_us_ != 0) deliverer_->flush();  // nothing more comes to wait for
}

void Spool::in_flight_full(bool full, Milliseconds patience) {
  bool was_full = in_flight_full_since_us_ != 0;
  if (full) {
    writer_.flush();
    deliverer_->flush();
  }
  if (full == was_full && patience == patience_) return;
  patience_ = patience;
  if (full != was_full) in_flight_full_since_us_ = full ? setup_.loop.clock().monotonic_us() : 0;
  watch_ages();
}

// One that is slower than its source gives it credit again and again, so a moment without waiting
// proves nothing.
void Spool::source_waits(bool waits) {
  if (mode() != SpoolMode::kOnTrouble || comes_again()) return;
  int64_t now = setup_.loop.clock().monotonic_us();
  bool waited = std::exchange(source_waits_.now, waits);
  if (waits && !waited && now - source_waits_.last_us > kCreditGrace.count() * 1000)
    source_waits_.since_us = now;
  if (waits || waited) source_waits_.last_us = now;
  if (waits && !waited) watch_ages();
}

void Spool::make_safe() {
  if (mode() == SpoolMode::kOnTrouble && !comes_again() && !active_ && !held_.empty()) enter();
}

// --- trouble ------------------------------------------------------------------------------------

bool Spool::trouble() const {
  if (deliverer_->in_trouble()) return true;
  int64_t now = setup_.loop.clock().monotonic_us();
  if (held_.empty()) return false;
  int64_t oldest = held_.front().since_us;
  if (now - oldest >= setup_.config.spool.max_ack_hold.count() * 1000) return true;
  std::optional<int64_t> pressed = pressed_from_us();
  return pressed && now >= *pressed;
}

// When it becomes trouble that the source can go on no more with what is held.
std::optional<int64_t> Spool::pressed_from_us() const {
  constexpr int64_t kGrace = kCreditGrace.count() * 1000;
  std::optional<int64_t> from;
  if (in_flight_full_since_us_ != 0)
    from = std::max(in_flight_full_since_us_, held_.front().since_us) + patience_.count() * 1000;
  int64_t now = setup_.loop.clock().monotonic_us();
  if (source_waits_.now || now - source_waits_.last_us <= kGrace)
    from = std::min(from.value_or(INT64_MAX), source_waits_.since_us + kGrace);
  return from;
}

// Wakes up when the oldest held acknowledgement becomes trouble. Nothing held, nothing to wake for.
void Spool::watch_ages() {
  if (mode() != SpoolMode::kOnTrouble || active_ || held_.empty()) return age_timer_.stop();
  std::optional<int64_t> pressed = pressed_from_us();
  if (age_timer_.active() && !pressed) return;
  int64_t due = held_.front().since_us + setup_.config.spool.max_ack_hold.count() * 1000;
  if (pressed) due = std::min(due, *pressed);
  int64_t wait_us = std::max<int64_t>(due - setup_.loop.clock().monotonic_us(), 0);
  age_timer_.start(Milliseconds(wait_us / 1000 + 1), [this] {
    check();
    watch_ages();
  });
}

void Spool::check() {
  if (mode() == SpoolMode::kOnTrouble && !active_ && trouble()) enter();
  if (in_flight_full_since_us_ != 0 && !active_) deliverer_->flush();
  writer_.resume();
  without_spool();
  feed();
  if (ending_ && writer_.idle() && (caught_up() || leaving_)) deliverer_->end_of_input();
  leave_if_over();
}

// What the deliverer holds is journaled first, so that the order is kept. It stays with the
// deliverer, too, which goes on trying.
void Spool::enter() {
  active_ = true;
  age_timer_.stop();
  writer_.number_from(held_.empty() ? cursor_ : held_.front().first + held_.front().done);
  for (Held& one : std::exchange(held_, {}))
    writer_.add({std::move(one.batch), std::move(one.owed), one.done, true});
  deliverer_->note_spooled();
  writer_.flush();  // they have waited
}

void Spool::leave_if_over() {
  if (!active_ || mode() == SpoolMode::kAlways || ending_) return;
  if (!writer_.idle() || !caught_up() || reading_ || delivered_ < given_) return;
  if (deliverer_->in_trouble()) return;
  active_ = false;
  cursor_ = std::max(cursor_, new_from_);
  setup_.owner.spool_changed();
}

// --- into the journal ---------------------------------------------------------------------------

std::optional<Milliseconds> Spool::full_in() const {
  return fill_rate_.full_in(setup_.loop.now(), bytes(),
                            static_cast<uint64_t>(setup_.config.spool.max_bytes));
}

void Spool::stored(SpoolWriter::Row& row) {
  if (caught_up()) fill_rate_.clear();
  fill_rate_.note(setup_.loop.now(), bytes());
  stored_ = row.end();
  // As long as the deliverer waits for just this, there is no need to read it again.
  bool pass_on = !row.held && !leaving_ && cursor_ == row.first && deliverer_->wants_more();
  if (row.held) {
    if (row.payload && row.end() > delivered_) {
      handed_.push_back({row.first, row.end(), ""});
      keep(std::move(row.brought), row.first, row.end(), std::move(row.batches));
    }
  } else if (pass_on) {
    keep(std::move(row.brought), row.first, row.end());
    uint64_t next = row.first;
    for (Spooling& one : row.batches) {
      uint64_t first = std::exchange(next, next + one.records());
      if (first == next) continue;
      std::string origin = place_of_first(*one.batch);
      number_for_spool(*one.batch, first);
      hand_over(std::move(one.batch), std::move(origin), first, next);
    }
  } else {
    // It may have been read already: then it was before this was told of it.
    unread_ += row.end() - std::clamp(cursor_, row.first, row.end());
  }
  setup_.acknowledgements.stored(std::move(row.owed));
  writer_.remove_until(std::min(delivered_, stored_));
  feed();
  leave_if_over();
  setup_.owner.spool_changed();
}

void Spool::stuck() {
  setup_.owner.spool_changed();
}

std::optional<uint64_t> Spool::drop_from() {
  return reading_ ? std::nullopt : std::optional(cursor_);
}

void Spool::dropped(uint64_t records) {
  unread_ -= std::min(unread_, records);
  feed();
  setup_.owner.spool_changed();
}

// The journal takes nothing (a full disk). When all that came before is with the deliverer, what
// waits can be delivered all the same; it is acknowledged after that, or when the journal takes it.
// Until then no later row may enter the journal, since the source would be told that it is done up
// to there.
void Spool::without_spool() {
  if (setup_.config.exactly_once || deliverer_->in_trouble()) return;
  while (SpoolWriter::Row* row = writer_.stuck_row()) {
    if (!caught_up() || !deliverer_->wants_more()) return;
    writer_.undo_drop(*row);
    row->held = true;
    cursor_ = row->end();
    uint64_t next = row->first;
    for (Spooling& one : std::exchange(row->batches, {})) {
      uint64_t first = std::exchange(next, next + one.records());
      one.batch->owed = number(first, next);
      deliverer_->add(std::move(one.batch));
    }
  }
}

// --- out of the journal -------------------------------------------------------------------------

void Spool::feed() {
  if (failed_) return;
  if (reading_ || read_again_.active() || writer_.dropping()) return;  // each calls again
  if (stays_in_journal() || caught_up() || !deliverer_->wants_more()) return;
  Budget& budget = setup_.pool.budget();
  if (!budget.has_room(2 * setup_.batch_bytes) && !deliverer_->settled()) {
    budget.note_refusal();
    deliverer_->hurry();
    return;
  }
  reading_ = true;
  setup_.journal.read_spool(setup_.pipeline, cursor_,
                            lifetime_.guard([this](const Result<SpoolRow>& row) {
                              reading_ = false;
                              if (row) {
                                fed(*row);
                              } else {
                                cannot_read(row.error());
                              }
                              writer_.resume();
                              feed();
                              leave_if_over();
                              setup_.owner.spool_changed();
                            }));
}

void Spool::cannot_read(const Error& error) {
  if (said_unreadable_.due(setup_.loop.clock().monotonic_us()))
    log::error(setup_.pipeline,
               "the spool cannot be read: " + error.message() + "; trying again every second");
  read_again_.start(kReadAgain, [this] { feed(); });
}

void Spool::fed(const SpoolRow& row) {
  if (row.records == 0) {  // the rest was dropped, or is lost
    cursor_ = stored_;
    count_rest_as_lost();
    return done_until(delivered_);
  }
  SpooledAs as;
  uint64_t end = row.first + row.records;
  Result<BatchRef> batch = fail(ErrorKind::kData, "a spooled batch is damaged");
  if (!row.content.empty()) batch = read_spooled(setup_.pool, row.content, row.first, cursor_, &as);
  if (!batch) {
    uint64_t lost = end - std::max(cursor_, row.first);
    log::error(setup_.pipeline, batch.error().message() + ": " +
                                    format_count(lost, "record", "is", "are") + " lost for good");
    lost_ += lost;
    pass(row);
    return done_until(delivered_);
  }
  (*batch)->acknowledger = this;
  keep(std::move(as.brought), row.first, end);
  Result<Turn> adapted = setup_.owner.adapt_spooled(*batch, as.format);
  if (!adapted) return fail_with(adapted.error());
  if (*adapted == Turn::kWait) return read_again_.start(kReadAgain, [this] { feed(); });
  uint64_t first = std::max(cursor_, row.first);
  pass(row);
  hand_over(std::move(*batch), std::move(as.origin), first, end);
  // On the average: a row goes at once.
  if (const int64_t most = setup_.config.spool.catch_up_bytes; most > 0)
    read_again_.start(Milliseconds(static_cast<int64_t>(row.content.size()) * 1000 / most),
                      [this] { feed(); });
}

// What was made of the batch so far is nothing that the sink may get. The row stays.
void Spool::fail_with(const Error& error) {
  failed_ = true;
  setup_.owner.spool_failed(error);
}

// Of the row those records count that are not before the cursor.
void Spool::pass(const SpoolRow& row) {
  uint64_t end = row.first + row.records;
  unread_ -= std::min(unread_, end - std::max(cursor_, row.first));
  cursor_ = end;
  if (caught_up()) count_rest_as_lost();
}

// Nothing is there any more that could be read: what was counted as waiting went with damaged parts
// of the journal, which has said so.
void Spool::count_rest_as_lost() {
  lost_ += std::exchange(unread_, 0);
}

Owed Spool::number(uint64_t first, uint64_t end) {
  given_ = end;
  return setup_.acknowledgements.ledger().open(*this, {.offset = first}, {.offset = end});
}

void Spool::hand_over(BatchRef batch, std::string origin, uint64_t first, uint64_t end) {
  handed_.push_back({first, end, std::move(origin)});
  cursor_ = end;
  batch->acknowledger = this;
  batch->owed = number(first, end);
  batch->charge_vectors();
  deliverer_->add(std::move(batch));
}

// --- what records brought -----------------------------------------------------------------------

void Spool::keep(std::string brought, uint64_t first, uint64_t end, std::vector<Spooling> held) {
  if (!kept_.empty() && kept_.back().first == first) return;  // the row is read anew
  if (brought.empty()) return;
  kept_bytes_.add(brought.size());
  kept_.push_back({first, end, std::move(brought), std::move(held)});
}

void Spool::forget_brought(uint64_t end) {
  while (!kept_.empty() && kept_.front().end <= end) {
    kept_bytes_.set(kept_bytes_.bytes() - kept_.front().brought.size());
    kept_.pop_front();
  }
}

Brought Spool::brought_at(const Position& behind) const {
  for (const Kept& one : kept_)
    if (one.first < behind.offset && behind.offset <= one.end)
      return brought_of(one.brought, behind.offset - 1 - one.first);
  return {};
}

Brought Spool::brought_with(const Batch& batch, size_t index) const {
  if (batch.acknowledger == this) return brought_at(batch.position_after(index));
  for (const Kept& one : kept_) {
    size_t before = 0;
    for (const Spooling& part : one.held) {
      if (&*part.batch == &batch)
        return index < part.skip ? Brought{} : brought_of(one.brought, before + index - part.skip);
      before += part.records();
    }
  }
  return {};
}

// --- acknowledging ------------------------------------------------------------------------------

// What is delivered is not owed to its source any more, whether the journal has it or not.
void Spool::released(const Position& position) {
  uint64_t delivered = position.offset;
  for (; !held_.empty() && held_.front().end() <= delivered; held_.pop_front())
    held_.front().owed.settle();
  if (!held_.empty()) {
    Held& inside = held_.front();
    uint64_t next = inside.first + inside.done;
    if (next < delivered) {
      auto records = static_cast<uint32_t>(delivered - next);
      split_owed(inside.owed, *inside.batch, inside.done, records).settle();
      inside.done += records;
    }
  }
  writer_.delivered(delivered);
  forget_brought(delivered);
}

void Spool::acked(const Position& position) {
  if (position.offset > delivered_) done_until(position.offset);
  if (active_) writer_.resume();
  watch_ages();
}

// When the deliverer has nothing of the spool any more, rows before the cursor that it never got,
// since they cannot be read, are done with, too: they would take their room for ever.
void Spool::done_until(uint64_t number) {
  delivered_ = number;
  while (!handed_.empty() && handed_.front().end <= delivered_) handed_.pop_front();
  if (delivered_ >= given_) delivered_ = std::max(delivered_, cursor_);
  writer_.remove_until(std::min(delivered_, stored_));
}

// While all is well there is nothing in the journal that these numbers are for.
SavedPosition Spool::saved_position(const Position& position) {
  if (!active_) return {};
  return {partition(epoch_), std::to_string(position.offset)};
}

std::string Spool::describe(const Position& position) {
  for (const Handed& one : handed_) {
    if (position.offset > one.end) continue;
    std::string place = one.origin.empty() ? "the spool" : one.origin;
    if (place.ends_with(" spooled there)")) return place;  // of a dead letter that is tried again
    return place + " (record " + std::to_string(position.offset - one.first) + " spooled there)";
  }
  return "the spool";
}

// --- the end ------------------------------------------------------------------------------------

void Spool::end_of_input(bool leaving) {
  ending_ = true;
  leaving_ = leaving;
  if (leaving) make_safe();
  writer_.end_of_input();
  deliverer_->end_of_input();
  check();
}

bool Spool::all_safe() const {
  return writer_.idle() &&
         (deliverer_->settled() || (mode() != SpoolMode::kNever && held_.empty()));
}

bool Spool::settled() const {
  if (reading_) return false;
  if (!leaving_) return writer_.idle() && deliverer_->settled() && caught_up();
  if (!writer_.idle() && !(comes_again() && writer_.held_up())) return false;
  if (deliverer_->settled()) return true;
  return is_stuck() && (comes_again() || all_safe());
}

// Nothing gets through now, or perhaps for long.
bool Spool::is_stuck() const {
  return deliverer_->in_trouble() || deliverer_->silent();
}

bool Spool::may_leave_rest(bool has_room) const {
  if (!comes_again()) return false;
  if (deliverer_->silent()) return true;
  if (wants_more() && has_room) return false;
  return is_stuck() || writer_.held_up();
}

// When the agent ends. But what waits for room in the journal, and cannot come again, needs the
// sink to take some of what is there.
bool Spool::stays_in_journal() const {
  return leaving_ && (comes_again() || !writer_.held_up());
}

uint64_t Spool::records_unsafe() const {
  uint64_t safe = 0;
  for (const Handed& one : handed_) safe += one.end - std::max(one.first, delivered_);
  uint64_t with_sink = deliverer_->records_waiting();
  return with_sink - std::min(safe, with_sink) + writer_.records_waiting();
}

uint64_t Spool::records_waiting() const {
  return deliverer_->records_waiting() + writer_.records_waiting() + unread_;
}

}  // namespace leat
