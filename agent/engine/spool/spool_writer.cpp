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

}  // namespace

SpoolWriter::SpoolWriter(SpoolWriterSetup setup, Owner& owner)
    : setup_(std::move(setup)),
      owner_(owner),
      linger_(setup_.loop),
      quiet_(setup_.loop),
      retry_(setup_.loop),
      remove_again_(setup_.loop) {
  set_row_bytes(setup_.row_bytes);
}

SpoolWriter::~SpoolWriter() {
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
    if (!row.held) records += row.records;
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
  if (!rows_.empty() || retry_.active()) return false;
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
  std::optional<uint64_t> from = owner_.drop_from();
  if (!from) return;
  if (undroppable_ == std::pair(*from, bytes_)) return say_undroppable();
  dropping_ = true;
  auto done = lifetime_.guard([this, from, before = bytes_](const Result<SpoolRemoved>& removed) {
    dropping_ = false;
    bool made_room = bytes_ < before;  // by what was delivered meanwhile
    if (removed) {
      counters_.dropped_oldest += removed->records;
      bytes_ -= std::min(bytes_, removed->bytes);
    }
    // Before the owner goes on, which asks for room again.
    if (removed && removed->records == 0) undroppable_ = {*from, bytes_};
    owner_.dropped(removed ? removed->records : 0);
    if (!removed) return try_again_later(removed.error());
    if (removed->records == 0) return made_room ? pump() : say_undroppable();
    say_full("the oldest records are dropped (overflow dropOldest)");
    pump();
  });
  setup_.journal.drop_spooled(setup_.pipeline, *from, bytes, done);
}

void SpoolWriter::say_undroppable() {
  say_full(
      "all of it is on its way to the sink and cannot be dropped, so the source is held back "
      "until the sink takes records again; a larger maxSpool, or smaller batches, leave "
      "something to drop");
}

void SpoolWriter::say_full(const std::string& what) {
  if (!said_full_.due(setup_.loop.clock().monotonic_us())) return;
  uint64_t dropped = counters_.dropped_oldest + counters_.dropped_newest;
  std::string so_far =
      dropped == 0 ? "" : "; " + format_count(static_cast<int64_t>(dropped)) + " dropped so far";
  log::warn(setup_.pipeline,
            "the spool is full (" + format_bytes(setup_.config.max_bytes) + "): " + what + so_far);
}

// Before it is full, while somebody can do something. Once each way up.
void SpoolWriter::say_filling() {
  const auto most = static_cast<uint64_t>(setup_.config.max_bytes);
  const auto percent = static_cast<int>(bytes_ * 100 / std::max<uint64_t>(most, 1));
  int reached = 0;
  for (int mark : {50, 80})
    if (percent >= mark) reached = mark;
  if (reached > said_percent_)
    log::warn(setup_.pipeline, "the spool is filled to " + std::to_string(percent) + " % of " +
                                   format_bytes(setup_.config.max_bytes) +
                                   ": the sink takes less than comes");
  // What goes up and down about a mark is said once.
  if (reached > said_percent_ || percent + 10 < said_percent_) said_percent_ = reached;
}

void SpoolWriter::begin_row() {
  linger_.stop();
  Row row;
  row.serial = ++serial_;
  row.first = next_;
  row.dead_letters = setup_.dead_letters.last();
  row.held = pending_.front().held;
  std::vector<Part> parts;
  BroughtWriter brought;
  size_t bytes = 0;
  while (!pending_.empty() && pending_.front().held == row.held && bytes < setup_.row_bytes) {
    Spooling one = std::move(pending_.front());
    pending_.pop_front();
    bytes += bytes_of(*one.batch, one.skip, one.records());
    if (one.records() > 0) parts.push_back({one.batch, one.skip, one.records()});
    for (size_t i = one.skip; i < one.batch->count(); ++i)
      brought.add(owner_.brought_by(*one.batch, i));
    row.records += one.records();
    row.owed.add(std::move(one.owed));
    row.batches.push_back(std::move(one));
  }
  // At this rate packing costs CPU that counts. Of rows that linger, the bytes count: they come for
  // years, and the flash has to last.
  row.in_haste = bytes >= setup_.row_bytes;
  pending_bytes_ -= std::min(pending_bytes_, bytes);
  if (pending_.empty()) {
    lingered_ = false;
    quiet_.stop();
  }
  row.payload = row.records > 0;
  if (row.payload) {
    row.brought = brought.take();
    row.content =
        write_spooled(parts, {owner_.format(), place_of_first(*parts.front().batch), row.brought});
    row.charged = kCopies * row.content.size() + row.brought.size();
    setup_.budget.charge(row.charged);
  }
  next_ = row.end();
  rows_.push_back(std::move(row));
  send_next();
}

// One at a time: with a row, the journal saves how far its source has come, and if the one before
// it failed, nobody would give that one's records again.
void SpoolWriter::send_next() {
  if (drop_delivered()) (void)setup_.acknowledgements.release();
  if (retry_.active() || rows_.empty() || rows_.front().under_way) return;
  if (rows_.front().dead_letters <= setup_.dead_letters.durable()) send(rows_.front());
}

void SpoolWriter::resume() {
  send_next();
  pump();
}

void SpoolWriter::delivered(uint64_t number) {
  delivered_ = std::max(delivered_, number);
  (void)drop_delivered();
}

// True when that has settled something.
bool SpoolWriter::drop_delivered() {
  bool any = false;
  while (!rows_.empty() && rows_.front().held && !rows_.front().under_way &&
         rows_.front().end() <= delivered_) {
    Row row = std::move(rows_.front());
    rows_.pop_front();
    setup_.budget.release(row.charged);
    row.owed.settle();
    any = true;
  }
  return any;
}

void SpoolWriter::send(Row& row) {
  using Durability = JournalClient::Durability;
  row.under_way = true;
  Durability durability =
      setup_.config.survives_power_cut ? Durability::kPower : Durability::kProcess;
  auto done = lifetime_.guard([this](const Result<uint64_t>& stored) { sent(stored); });
  std::vector<SavedPosition> positions = setup_.acknowledgements.take_along(row.owed);
  if (!row.payload) {
    setup_.journal.commit(
        setup_.pipeline, std::move(positions),
        [done](const Status& status) {
          done(status ? Result<uint64_t>(uint64_t{0}) : fail(status.error()));
        },
        durability);
    return;
  }
  setup_.journal.append(setup_.pipeline, {row.first, row.records, row.content, row.in_haste},
                        std::move(positions), durability, done);
}

void SpoolWriter::sent(const Result<uint64_t>& stored) {
  rows_.front().under_way = false;
  if (!stored) {
    setup_.acknowledgements.not_stored();
    if (drop_delivered()) (void)setup_.acknowledgements.release();
    return try_again_later(stored.error());
  }
  Row row = std::move(rows_.front());
  rows_.pop_front();
  if (row.payload) {
    packing_ = static_cast<double>(*stored) / static_cast<double>(row.content.size());
    counters_.spooled += row.records;
  }
  row.content = {};
  setup_.budget.release(std::exchange(row.charged, 0));
  bytes_ += *stored;
  say_filling();
  if (failures_ > 0) {
    log::info(setup_.pipeline, "the journal takes records again");
    failures_ = 0;
  }
  owner_.stored(row);
  resume();  // and without one, when the journal has taken its first row again
}

void SpoolWriter::try_again_later(const Error& error) {
  ++failures_;
  if (said_failing_.due(setup_.loop.clock().monotonic_us())) {
    log::error(setup_.pipeline,
               "the journal cannot take records: " + error.message() +
                   "; nothing that is not delivered is acknowledged, trying again every second");
  }
  retry_.start(kRetry, [this] { resume(); });
  if (!rows_.empty()) owner_.stuck();
}

SpoolWriter::Row* SpoolWriter::stuck_row() {
  if (failures_ == 0 || rows_.empty() || rows_.front().under_way) return nullptr;
  auto row = std::find_if(rows_.begin(), rows_.end(), [](const Row& one) { return !one.held; });
  return row == rows_.end() ? nullptr : &*row;
}

// They get numbers, of which nothing is in the journal; rows behind them are not numbered for
// anybody yet.
void SpoolWriter::undo_drop(Row& row) {
  uint64_t records = 0;
  for (Spooling& one : row.batches) records += std::exchange(one.skip, 0);
  counters_.dropped_newest -= records;
  row.records += records;
  next_ += records;
  for (Row& behind : rows_)
    if (behind.serial > row.serial) behind.first += records;
}

bool SpoolWriter::held_up() const {
  if (idle() || dropping_ || linger_.active()) return false;
  return rows_.empty() || !rows_.front().under_way;
}

void SpoolWriter::remove_until(uint64_t end) {
  remove_to_ = std::max(remove_to_, end);
  if (removing_ || remove_again_.active() || remove_to_ == removed_) return;
  removing_ = true;
  setup_.journal.remove_spooled(
      setup_.pipeline, remove_to_,
      lifetime_.guard([this, to = remove_to_](const Result<SpoolRemoved>& removed) {
        removing_ = false;
        if (!removed) {  // a source may be held back until there is room
          remove_again_.start(remove_delay_.next(), [this] { remove_until(remove_to_); });
          return;
        }
        removed_ = to;
        remove_delay_.reset();
        bytes_ -= std::min(bytes_, removed->bytes);
        pump();
        remove_until(remove_to_);
      }));
}

}  // namespace leat
