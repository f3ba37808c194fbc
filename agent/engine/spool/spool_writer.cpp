#include "spool/spool_writer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/units.h"
#include "delivery/delivery_range.h"

namespace leat {
namespace {

// One row is written by the journal while the next is made; what comes meanwhile is grouped.
constexpr size_t kRowsUnderWay = 2;
constexpr Milliseconds kRetry{1'000};
// Of a row's content: here, at the journal, and packed there.
constexpr size_t kCopies = 3;
constexpr Milliseconds kRemoveAgain{1'000};
constexpr Milliseconds kRemoveAgainMost{60'000};

}  // namespace

SpoolWriter::SpoolWriter(SpoolWriterSetup setup)
    : setup_(std::move(setup)),
      linger_(setup_.loop),
      quiet_(setup_.loop),
      retry_(setup_.loop),
      remove_again_(setup_.loop),
      remove_delay_(kRemoveAgain) {
  set_row_bytes(setup_.row_bytes);
}

SpoolWriter::~SpoolWriter() {
  *alive_ = false;
  for (const Row& row : rows_) setup_.budget.release(row.charged);
}

void SpoolWriter::set_row_bytes(size_t bytes) {
  // Several rows must fit, or the oldest could not go while the newest comes.
  auto quarter = static_cast<size_t>(setup_.config.max_bytes / 4);
  setup_.row_bytes = std::max<size_t>(std::min(bytes, quarter), 1);
}

void SpoolWriter::open(uint64_t next, uint64_t bytes) {
  next_ = next;
  bytes_ = bytes;
}

bool SpoolWriter::wants_more() const {
  return pending_bytes_ < 2 * setup_.row_bytes;
}

size_t SpoolWriter::records_waiting() const {
  size_t records = 0;
  for (const Spooling& one : pending_)
    if (!one.held) records += one.records();
  for (const Row& row : rows_)
    if (!row.batches.front().held) records += row.records;
  return records;
}

void SpoolWriter::add(Spooling batch) {
  pending_bytes_ += bytes_of(*batch.batch, batch.skip, batch.records());
  pending_.push_back(std::move(batch));
  if (setup_.quiet.count() > 0) quiet_.start(setup_.quiet, [this] { flush(); });
  pump();
}

void SpoolWriter::flush() {
  if (pending_.empty()) return;
  lingered_ = true;
  pump();
}

void SpoolWriter::end_of_input() {
  ending_ = true;
  pump();
}

bool SpoolWriter::row_is_due() const {
  return ending_ || lingered_ || setup_.linger.count() == 0 || pending_bytes_ >= setup_.row_bytes;
}

void SpoolWriter::pump() {
  while (!pending_.empty() && rows_.size() < kRowsUnderWay && !dropping_ && may_begin()) {
    if (!row_is_due()) {
      if (!linger_.active()) linger_.start(setup_.linger, [this] { flush(); });
      return;
    }
    // What the deliverer holds in memory is little, and its source waits for the ack.
    bool held = pending_.front().held;
    if (!held && !make_room(std::min(pending_bytes_, setup_.row_bytes))) return;
    begin_row();
  }
}

// What failed is tried again before anything new. When its rows went another way meanwhile, the
// next one tells whether the journal works.
bool SpoolWriter::may_begin() {
  if (failures_ == 0) return true;
  bool any = std::any_of(rows_.begin(), rows_.end(),
                         [](const Row& row) { return row.state != Row::State::kStored; });
  if (any || retry_.active()) return false;
  failures_ = 0;
  return true;
}

// False when the row has to wait.
bool SpoolWriter::make_room(size_t bytes) {
  size_t under_way = bytes;
  for (const Row& row : rows_) under_way += row.content.size();
  uint64_t expected = bytes_ + static_cast<uint64_t>(static_cast<double>(under_way) * packing_);
  // A single message may be larger than all of it.
  if ((bytes_ == 0 && rows_.empty()) || expected <= static_cast<uint64_t>(setup_.config.max_bytes))
    return true;
  if (!rows_.empty()) return false;  // how small they become decides
  switch (setup_.config.overflow) {
    case Overflow::kBlock:
      say_full("the source is held back until the sink takes records again");
      return false;
    case Overflow::kDropOldest:
      drop_oldest(expected - static_cast<uint64_t>(setup_.config.max_bytes));
      return false;
    case Overflow::kDropNewest:
      drop_newest();
      return true;
  }
  return true;
}

// Their positions are still saved and acknowledged in order, in a row without records.
void SpoolWriter::drop_newest() {
  for (Spooling& one : pending_) {
    counters_.dropped_newest += one.records();
    one.skip = static_cast<uint32_t>(one.batch->count());
  }
  pending_bytes_ = 0;
  say_full("records that come now are dropped (overflow dropNewest)");
}

void SpoolWriter::drop_oldest(uint64_t bytes) {
  std::optional<uint64_t> from = drop_from_();
  if (!from) return;
  dropping_ = true;
  auto done = [this, alive = alive_, before = bytes_](const Result<SpoolRemoved>& removed) {
    if (!*alive) return;
    dropping_ = false;
    bool made_room = bytes_ < before;  // by what was delivered meanwhile
    if (removed) {
      counters_.dropped_oldest += removed->records;
      bytes_ -= std::min(bytes_, removed->bytes);
    }
    on_dropped_(removed ? removed->records : 0);
    if (!removed) return try_again_later(removed.error());
    if (removed->records == 0) {  // all there is goes to the sink, and makes room when it is there
      if (made_room) return pump();
      return say_full("the source is held back until the sink takes records again");
    }
    say_full("the oldest records are dropped (overflow dropOldest)");
    pump();
  };
  setup_.journal.drop_spooled(setup_.pipeline, *from, bytes, done);
}

void SpoolWriter::say_full(const std::string& what) {
  if (!said_full_.due(setup_.clock.monotonic_us())) return;
  uint64_t dropped = counters_.dropped_oldest + counters_.dropped_newest;
  std::string so_far =
      dropped == 0 ? "" : "; " + format_count(static_cast<int64_t>(dropped)) + " dropped so far";
  log::warn(setup_.pipeline,
            "the spool is full (" + format_bytes(setup_.config.max_bytes) + "): " + what + so_far);
}

void SpoolWriter::begin_row() {
  linger_.stop();
  Row row;
  row.serial = ++serial_;
  row.first = next_;
  row.dead_letters = setup_.dead_letters.last();
  bool held = pending_.front().held;
  std::vector<Part> parts;
  size_t bytes = 0;
  while (!pending_.empty() && pending_.front().held == held && bytes < setup_.row_bytes) {
    Spooling one = std::move(pending_.front());
    pending_.pop_front();
    bytes += bytes_of(*one.batch, one.skip, one.records());
    if (one.records() > 0) parts.push_back({one.batch, one.skip, one.records()});
    row.records += one.records();
    merge(row.reached, one.batch->end);
    row.batches.push_back(std::move(one));
  }
  pending_bytes_ -= std::min(pending_bytes_, bytes);
  if (pending_.empty()) {
    lingered_ = false;
    quiet_.stop();
  }
  if (row.records > 0) {
    const Batch& first = *parts.front().batch;
    row.content = write_spooled(parts, {setup_.form(), setup_.source.describe(first.begin)});
    row.charged = kCopies * row.content.size();
    setup_.budget.charge(row.charged);
  }
  next_ = row.end();
  rows_.push_back(std::move(row));
  send_next();
}

// One at a time: with a row, the journal saves how far its source has come, and if the one before
// it failed, nobody would give that one's records again.
void SpoolWriter::send_next() {
  if (retry_.active() || waits_()) return;
  for (Row& row : rows_) {
    if (row.state == Row::State::kUnderWay) return;
    if (row.state == Row::State::kWaiting) return send(row);
  }
}

void SpoolWriter::resume() {
  send_next();
  pump();
}

std::vector<Spooling> SpoolWriter::unmake_rows() {
  std::vector<Spooling> held;
  while (!rows_.empty() && rows_.back().state == Row::State::kWaiting) {
    Row row = std::move(rows_.back());
    rows_.pop_back();
    setup_.budget.release(row.charged);
    for (auto one = row.batches.rbegin(); one != row.batches.rend(); ++one) {
      if (one->held) {
        held.insert(held.begin(), std::move(*one));
      } else {
        pending_bytes_ += bytes_of(*one->batch, one->skip, one->records());
        pending_.push_front(std::move(*one));
      }
    }
  }
  while (!pending_.empty() && pending_.front().held) {
    pending_bytes_ -=
        bytes_of(*pending_.front().batch, pending_.front().skip, pending_.front().records());
    held.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  return held;
}

void SpoolWriter::add_first(std::vector<Spooling> batches) {
  for (auto one = batches.rbegin(); one != batches.rend(); ++one) {
    pending_bytes_ += bytes_of(*one->batch, one->skip, one->records());
    pending_.push_front(std::move(*one));
  }
  pump();
}

std::vector<SavedPosition> SpoolWriter::positions_with(const Row& row) const {
  std::vector<SavedPosition> out;
  for (const Position& position : row.reached) {
    SavedPosition saved = setup_.source.saved_form(position);
    if (!saved.partition.empty()) out.push_back(std::move(saved));
  }
  return out;
}

bool SpoolWriter::is_saving(const std::string& partition) const {
  for (const Row& row : rows_) {
    if (row.state == Row::State::kWaiting) continue;
    for (const SavedPosition& position : positions_with(row))
      if (position.partition == partition) return true;
  }
  return false;
}

void SpoolWriter::send(Row& row) {
  using Durability = JournalClient::Durability;
  row.state = Row::State::kUnderWay;
  Durability durability =
      setup_.config.survives_power_cut ? Durability::kPower : Durability::kProcess;
  auto done = [this, alive = alive_, serial = row.serial](const Result<uint64_t>& stored) {
    if (*alive) sent(serial, stored);
  };
  if (row.records == 0) {
    setup_.journal.commit(
        setup_.pipeline, positions_with(row),
        [done](const Status& status) {
          done(status ? Result<uint64_t>(uint64_t{0}) : fail(status.error()));
        },
        durability);
    return;
  }
  setup_.journal.append(setup_.pipeline, {row.first, row.records, row.content}, positions_with(row),
                        durability, done);
}

void SpoolWriter::sent(uint64_t serial, const Result<uint64_t>& stored) {
  auto row = std::find_if(rows_.begin(), rows_.end(),
                          [serial](const Row& one) { return one.serial == serial; });
  if (row == rows_.end()) return;
  if (!stored) {
    row->state = Row::State::kWaiting;
    return try_again_later(stored.error());
  }
  row->state = Row::State::kStored;
  if (!row->content.empty())
    packing_ = static_cast<double>(*stored) / static_cast<double>(row->content.size());
  row->content.clear();
  setup_.budget.release(std::exchange(row->charged, 0));
  bytes_ += *stored;
  if (failures_ > 0) {
    log::info(setup_.pipeline, "the journal takes records again");
    failures_ = 0;
  }
  settle();
  resume();  // and without one, when the journal has taken its first row again
}

// Hands on what is stored, in order. Each row that goes makes place for the next one.
void SpoolWriter::settle() {
  bool any = false;
  while (!rows_.empty() && rows_.front().state == Row::State::kStored &&
         rows_.front().dead_letters <= setup_.dead_letters.durable()) {
    Row row = std::move(rows_.front());
    rows_.pop_front();
    counters_.spooled += row.records;
    any = true;
    on_stored_(row);
  }
  if (any) pump();
}

void SpoolWriter::try_again_later(const Error& error) {
  ++failures_;
  if (said_failing_.due(setup_.clock.monotonic_us())) {
    log::error(setup_.pipeline,
               "the journal cannot take records: " + error.message() +
                   "; nothing that is not delivered is acknowledged, trying again every second");
  }
  retry_.start(kRetry, [this] { resume(); });
  if (stuck()) on_stuck_();
}

bool SpoolWriter::stuck() const {
  return failures_ > 0 && !rows_.empty() && rows_.front().state == Row::State::kWaiting;
}

bool SpoolWriter::held_up() const {
  if (idle() || dropping_ || linger_.active()) return false;
  if (!rows_.empty() && rows_.front().state != Row::State::kWaiting) return false;
  return std::none_of(rows_.begin(), rows_.end(),
                      [](const Row& row) { return row.state == Row::State::kUnderWay; });
}

SpoolWriter::Row SpoolWriter::take_stuck() {
  Row row = std::move(rows_.front());
  rows_.pop_front();
  setup_.budget.release(std::exchange(row.charged, 0));
  for (Spooling& one : row.batches)  // what there was no room for is delivered after all
    if (!one.held) counters_.dropped_newest -= std::exchange(one.skip, 0);
  settle();
  return row;
}

void SpoolWriter::remove_until(uint64_t end) {
  remove_to_ = std::max(remove_to_, end);
  if (removing_ || remove_again_.active() || remove_to_ == removed_) return;
  removing_ = true;
  setup_.journal.remove_spooled(
      setup_.pipeline, remove_to_,
      [this, alive = alive_, to = remove_to_](const Result<SpoolRemoved>& removed) {
        if (!*alive) return;
        removing_ = false;
        if (!removed) {  // a source may be held back until there is room
          remove_again_.start(remove_delay_, [this] { remove_until(remove_to_); });
          remove_delay_ = std::min(remove_delay_ * 2, kRemoveAgainMost);
          return;
        }
        removed_ = to;
        remove_delay_ = kRemoveAgain;
        bytes_ -= std::min(bytes_, removed->bytes);
        pump();
        remove_until(remove_to_);
      });
}

}  // namespace leat
