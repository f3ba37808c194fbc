#include "delivery/deliverer.h"

#include <algorithm>
#include <utility>

#include "base/hex.h"
#include "base/log.h"
#include "base/random.h"
#include "base/units.h"
#include "delivery/deliverer_item.h"

namespace leat {

namespace {

// Another one for each pipeline of each agent, and the same one for a test that owns the clock.
uint64_t seed_for(const DelivererSetup& setup) {
  return static_cast<uint64_t>(setup.loop.clock().monotonic_us()) ^
         std::hash<std::string>()(setup.agent + '\n' + setup.pipeline);
}

// After a restart, for what was there before to come again.
constexpr Milliseconds kLongestReplay{2'000};

// More than can be in flight (64 requests of the http sink) fits into the other half of what is
// kept of cuts.
constexpr uint64_t kMostUnsaved = Cuts::kKept / 2;

}  // namespace

Deliverer::Deliverer(DelivererSetup setup)
    : setup_(std::move(setup)),
      run_(std::to_string(random_number())),
      cuts_(setup_.cuts, setup_.pipeline),
      retry_policy_(setup_.config, setup_.loop.clock(), setup_.pipeline, seed_for(setup_),
                    setup_.comes_again),
      linger_(
          setup_.loop,
          [this] {
            cuts_.again().clear();
            cut();
            pump_and_tell();
          },
          [this] { pump_and_tell(); }),
      retry_(setup_.loop, seed_for(setup_), [this] { retry_policy_.network_changed(); }),
      answer_timer_(setup_.loop) {
  setup_.dead_letters.on_durable(this, [this] {
    pump();
    setup_.owner.delivery_changed();
  });
}

namespace {

std::string word_for(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDelivered:
      return "delivered";
    case Outcome::kRetry:
      return "not now";
    case Outcome::kCutOff:
      return "cut off";
    case Outcome::kRejected:
      return "rejected";
    case Outcome::kFailed:
      break;
  }
  return "failed";
}

}  // namespace

Deliverer::~Deliverer() {
  setup_.dead_letters.forget(this);
}

bool Deliverer::wants_more() const {
  return !stopped_ && items_.size() <= static_cast<size_t>(setup_.in_flight) &&
         !setup_.dead_letters.full() && bytes_held() < setup_.most_held;
}

size_t Deliverer::bytes_held() const {
  size_t bytes = collected_.delivery.bytes;
  for (const std::unique_ptr<Item>& item : items_)
    item->each_piece([&bytes](const Piece& piece) { bytes += piece.delivery.bytes; });
  return bytes;
}

bool Deliverer::settled() const {
  return items_.empty() && !collected_any_;
}

size_t Deliverer::records_waiting() const {
  size_t records = collected_.records();
  for (const std::unique_ptr<Item>& item : items_)
    item->each_piece([&records](const Piece& piece) { records += piece.records(); });
  return records;
}

std::optional<Milliseconds> Deliverer::next_attempt_in() const {
  return paused_ ? retry_.left() : std::nullopt;
}

std::optional<int64_t> Deliverer::oldest_arrival_us() const {
  std::optional<int64_t> oldest;
  for (const std::unique_ptr<Item>& item : items_)
    item->each_piece([&oldest](const Piece& piece) {
      if (!oldest && !piece.delivery.parts.empty())
        oldest = piece.delivery.parts.front().batch->arrival_us;
    });
  if (oldest) return oldest;
  if (collected_.delivery.parts.empty()) return std::nullopt;
  return collected_.delivery.parts.front().batch->arrival_us;
}

// --- collecting ---------------------------------------------------------------------------------

bool Deliverer::full() const {
  return collected_.records() >= static_cast<size_t>(setup_.limits.records) ||
         collected_.delivery.bytes >= static_cast<size_t>(setup_.limits.bytes);
}

void Deliverer::add(BatchRef batch) {
  Owed owed = std::move(batch->owed);
  size_t count = batch->count();
  size_t first = 0;
  while (first < count) {
    size_t room = static_cast<size_t>(setup_.limits.records) - collected_.records();
    size_t take = std::min(room, count - first);
    size_t left = static_cast<size_t>(setup_.limits.bytes) - collected_.delivery.bytes;
    if (bytes_of(*batch, first, take) > left) {
      // The records that still fit; at least one, or a record larger than the limit would never go.
      size_t fits = 0;
      for (size_t used = 0; fits < take; ++fits) {
        used += bytes_of(*batch, first + fits, 1);
        if (used > left) break;
      }
      if (fits == 0 && collected_.records() > 0) {
        cut();
        continue;
      }
      take = std::max<size_t>(fits, 1);
    }
    if (setup_.config.exactly_once) {
      // Never split records that end at one place: their position can only be stored once.
      while (first + take < count &&
             batch->end_offset_of(first + take) == batch->end_offset_of(first + take - 1))
        ++take;
    }
    size_t former = until_former_cut(*batch, first, take);
    if (former > 0) take = former;
    collect(batch, first, take, split_owed(owed, *batch, first, take));
    first += take;
    if (former > 0 || full()) cut();
  }
  if (count == 0) {
    collected_owed_.add(std::move(owed));
    collected_any_ = true;
  }
  if (bytes_held() >= setup_.most_held) cut();  // nothing comes that it could wait for
  if (collected_any_ && !linger_.active()) start_lingering();
  pump();
}

void Deliverer::start_lingering() {
  const BatchLimits& limits = setup_.limits;
  if (cuts_.again().empty()) return linger_.start(limits.linger, limits.spacing);
  linger_.start(std::max(limits.linger, kLongestReplay), Milliseconds{0});
}

uint64_t Deliverer::spool_holds(const std::string& partition, uint64_t first, uint64_t end) {
  return cuts_.spool_holds(Cuts::partition_of(partition), first, end);
}

// Of the records [first, first + count): how many until a delivery was cut before the restart. 0:
// none was. Cuts of other partitions wait for those, or were of what is saved since.
size_t Deliverer::until_former_cut(const Batch& batch, size_t first, size_t count) {
  std::deque<Cuts::Former>& again = cuts_.again();
  if (again.empty() || !batch.acknowledger->offsets_last()) return 0;
  uint64_t partition =
      Cuts::partition_of(batch.acknowledger->saved_position(batch.begin).partition);
  auto next_one = [&again, partition] {
    return std::find_if(again.begin(), again.end(), [partition](const Cuts::Former& one) {
      return one.end.partition == partition || one.spooled.partition == partition;
    });
  };
  auto next = next_one();
  for (size_t i = first; i < first + count && next != again.end(); ++i) {
    uint64_t offset = batch.position_after(i).offset;
    auto end = [partition](const Cuts::Former& one) {
      return one.spooled.partition == partition ? Cuts::End{partition, one.spooled.end, 0}
                                                : one.end;
    };
    while (next != again.end() && end(*next).offset < offset) {
      again.erase(next);
      next = next_one();
    }
    if (next == again.end() || end(*next).offset != offset ||
        end(*next).behind != same_end_behind(batch, i))
      continue;
    former_ = *next;
    if (former_->spooled.partition != partition) former_->spooled = {};
    again.erase(next);
    return i - first + 1;
  }
  return 0;
}

void Deliverer::collect(const BatchRef& batch, size_t first, size_t count, Owed owed) {
  collected_any_ = true;
  collected_.append(batch, first, count, std::move(owed));
}

void Deliverer::cut() {
  if (!collected_any_) return;
  linger_.went();
  collected_any_ = false;
  auto item = std::make_unique<Item>();
  std::optional<Cuts::Former> former = std::exchange(former_, std::nullopt);
  item->number = former ? former->number : cuts_.next_number();
  item->dead_letters = setup_.dead_letters.last();
  item->owed = std::exchange(collected_owed_, {});
  Piece piece = std::exchange(collected_, {});
  if (former && former->spooled.partition != 0 && piece.records() > 0 &&
      !piece.owed.front().empty() && piece.owed.front().begin().offset == former->spooled.first &&
      piece.records() == former->spooled.end - former->spooled.first) {
    item->spooled = former->spooled;
    append_hex(piece.delivery.key, item->spooled.key);
  }
  if (piece.records() > 0 || setup_.config.exactly_once) item->todo.push_back(std::move(piece));
  items_.push_back(std::move(item));
}

// The sink has nothing to do, and would take something.
bool Deliverer::idle() const {
  return !stopped_ && busy_ == 0 && items_.size() < static_cast<size_t>(setup_.in_flight) &&
         std::all_of(items_.begin(), items_.end(), [](const auto& item) { return item->done(); });
}

void Deliverer::cut_if_idle() {
  if (!linger_.may_hurry() || !idle()) return;
  if (setup_.owner.more_waits()) return linger_.wait_for_more();
  cut();
}

// Before its first attempt.
void Deliverer::note_cut(Item& item) {
  if (std::exchange(item.noted, true)) return;
  if (setup_.cuts.empty() || item.todo.empty() || item.todo.front().records() == 0) return;
  const Part& part = item.todo.front().delivery.parts.back();
  size_t last = part.first + part.count - 1;
  Acknowledger& acknowledger = *part.batch->acknowledger;
  Cuts::End end;
  if (acknowledger.offsets_last()) {
    Position after = part.batch->position_after(last);
    end = {Cuts::partition_of(acknowledger.saved_position(after).partition), after.offset,
           same_end_behind(*part.batch, last)};
  }
  Cuts::Spooled spooled = item.spooled.partition != 0 ? item.spooled : spooled_of(item);
  if (end.partition == 0 && spooled.partition == 0) return;
  cuts_.note(item.number, first_unsaved(items_.front()->number), end, spooled);
}

void Deliverer::note_spooled() {
  for (const std::unique_ptr<Item>& item : items_)
    if (item->noted && item->todo.size() == 1 && !item->suspects.any() &&
        spooled_of(*item).partition != 0) {
      item->noted = false;
      note_cut(*item);
    }
}

// The numbers and the key of what a spool takes over that did not give all of it. Not while that is
// at rest, and nothing comes into the journal.
Cuts::Spooled Deliverer::spooled_of(const Item& item) const {
  const Piece& piece = item.todo.front();
  const Owed& first = piece.owed.front();
  const Owed& last = piece.owed.back();
  if (first.empty() || last.empty() || first.to() != last.to()) return {};
  const std::vector<Part>& parts = piece.delivery.parts;
  if (std::all_of(parts.begin(), parts.end(),
                  [&first](const Part& part) { return part.batch->acknowledger == first.to(); }))
    return {};
  Cuts::Spooled out;
  out.first = first.begin().offset;
  out.end = last.begin().offset + parts.back().count;
  SavedPosition saved = last.to()->saved_position({.offset = out.end});
  // What was taken out of it is in the spool all the same.
  if (saved.partition.empty() || out.end - out.first != piece.records()) return {};
  std::string key = piece.delivery.key;
  if (key.empty())
    key = delivery_key(setup_.agent + '\n' + setup_.pipeline, run_, piece.delivery, piece.gaps);
  for (size_t i = 0; i < out.key.size(); ++i)
    out.key[i] = static_cast<uint8_t>(hex_byte(key, 2 * i));
  out.partition = Cuts::partition_of(saved.partition);
  return out;
}

// The first delivery whose position is not saved; `next` when all before it are.
uint64_t Deliverer::first_unsaved(uint64_t next) {
  while (!unsaved_.empty() && unsaved_.front().release <= setup_.acknowledgements.saved_releases())
    unsaved_.pop_front();
  return unsaved_.empty() ? next : unsaved_.front().first;
}

void Deliverer::hurry() {
  if (!items_.empty()) return;
  cut();
  pump_and_tell();
}

void Deliverer::flush() {
  if (items_.size() >= static_cast<size_t>(setup_.in_flight)) return;
  cut();
  pump();
}

void Deliverer::end_of_input() {
  cut();
  pump();
}

void Deliverer::drain() {
  drain_until_ = setup_.loop.now() + kDrainWithin;
  wait_for_answer();
}

void Deliverer::wait_for_answer() {
  if (!drain_until_ || stopped_) return;
  silent_ = false;
  const Milliseconds left = std::max(*drain_until_ - setup_.loop.now(), Milliseconds{0});
  answer_timer_.start(std::min(kAnswerWithin, left), [this] {
    silent_ = true;
    setup_.owner.delivery_changed();
  });
}

void Deliverer::kick() {
  if (!paused_ || stopped_) return;
  retry_.stop();
  paused_ = false;
  pump();
}

void Deliverer::hold(const std::string& why) {
  held_ = why;
  pump();
}

void Deliverer::stop() {
  stopped_ = true;
  linger_.stop();
  retry_.stop();
  answer_timer_.stop();
  setup_.acknowledgements.stop();
}

// --- sending ------------------------------------------------------------------------------------

void Deliverer::pump() {
  cut_if_idle();
  do {
    const size_t within = slots();
    for (size_t i = 0; i < within && !stopped_ && !paused_ && held_.empty(); ++i) {
      // In trouble one attempt at a time asks whether it is over.
      if (retry_policy_.active() && busy_ > 0) break;
      Item& item = *items_[i];
      if (!item.sending && !item.todo.empty() && !item.stuck() && may_be_sent(item)) send(item);
    }
  } while (settle());
}

// What holds no record (all became dead letters) is settled at once, and somebody may wait for
// that: no answer of the sink would tell.
void Deliverer::pump_and_tell() {
  const bool before = settled();
  pump();
  if (!before && settled()) setup_.owner.delivery_changed();
}

// Where each record of a delivery is refused, the one behind it may tell whose fault that is.
size_t Deliverer::slots() const {
  auto slots = static_cast<size_t>(setup_.in_flight);
  slots += static_cast<size_t>(std::count_if(items_.begin(), items_.end(), [](const auto& item) {
    return item->todo.empty() && item->suspects.any();
  }));
  return std::min(items_.size(), slots);
}

// With exactlyOnce the sink stores how far this brings it, and with that it says that all before it
// is dealt with.
bool Deliverer::may_be_sent(const Item& item) const {
  return !setup_.config.exactly_once || item.dead_letters <= setup_.dead_letters.durable();
}

void Deliverer::prepare(Item& item) {
  Piece& piece = item.todo.front();
  Delivery& delivery = piece.delivery;
  // Once: what was tried under a key must be tried again under the same one.
  if (delivery.key.empty())
    delivery.key = delivery_key(setup_.agent + '\n' + setup_.pipeline, run_, delivery, piece.gaps);
  delivery.positions.clear();
  if (!setup_.config.exactly_once) return;
  // With the data goes how far that brings it; such sinks get one delivery after the other.
  std::vector<const Owed*> done{&item.owed};
  for (const Owed& owed : piece.owed) done.push_back(&owed);
  for (const Reached& one : setup_.acknowledgements.ledger().reached_with(done))
    delivery.positions.push_back(one.by->saved_position(one.position));
}

void Deliverer::send(Item& item) {
  note_cut(item);
  // What was tried before is tried again as it was: nobody may know what became of it.
  Piece& piece = item.todo.front();
  if (piece_limit_ > 0 && piece.records() > piece_limit_ && piece.delivery.key.empty())
    item.todo.push_front(split_front(piece, piece_limit_));
  prepare(item);
  item.sending = true;
  ++busy_;
  ++counters_.attempts;
  const Delivery& delivery = item.todo.front().delivery;
  log::debug(setup_.pipeline, [&item, &delivery] {
    return "delivery " + std::to_string(item.number) + ": " +
           format_count(delivery.records, "record") + ", " + format_count(delivery.bytes, "byte");
  });
  setup_.sink.deliver(delivery, lifetime_.guard([this, &item](Answer answer) {
    answered(item, std::move(answer));
  }));
}

void Deliverer::answered(Item& item, Answer answer) {
  item.sending = false;
  --busy_;
  wait_for_answer();
  log::debug(setup_.pipeline, [&item, &answer] {
    return "delivery " + std::to_string(item.number) + ": " + word_for(answer.outcome) +
           (answer.reason.empty() ? "" : ": " + answer.reason);
  });
  switch (answer.outcome) {
    case Outcome::kDelivered:
      works();
      counters_.delivered += item.todo.front().records();
      note_latencies(item.todo.front().delivery);
      found_good(item.todo.front().records());
      item.owed.add(item.todo.front().take_owed());
      item.todo.pop_front();
      for (const std::unique_ptr<Item>& one : items_) {
        one->rounds = 0;
        if (!one->sending) one->ask_suspects_again();  // else the sink looks at its first piece
      }
      blamed_ = 0;
      break;
    case Outcome::kCutOff:
      cut_off(item, std::move(answer));
      break;
    case Outcome::kRejected:
      if (answer.in_doubt) {
        refused(item, answer);
        break;
      }
      works();
      rejected(item, answer);
      break;
    case Outcome::kRetry:
      put_back(item);  // what is refused by a server in trouble may not be when it is well
      not_now(answer);
      break;
    case Outcome::kFailed:
      stopped_ = true;
      setup_.owner.delivery_failed(Error(ErrorKind::kFatal, std::move(answer.reason)));
      return;
  }
  pump();
  setup_.owner.delivery_changed();
}

// From when a batch was read, before a restart perhaps.
void Deliverer::note_latencies(const Delivery& delivery) {
  const int64_t now = setup_.loop.clock().unix_us();
  for (const Part& part : delivery.parts)
    counters_.latencies.add(part.count, now - part.batch->arrival_us);
}

void Deliverer::works() {
  retry_policy_.over();
  if (!paused_) retry_.stop();
}

void Deliverer::not_now(const Answer& answer, std::string_view what_follows) {
  ++counters_.retries;
  if (paused_) return;  // an attempt that was under way when another failed
  pause(retry_policy_.failed(answer.reason, answer.retry_after, what_follows), answer.retry_after);
}

// `at_least`: whatever the network does meanwhile.
void Deliverer::pause(Milliseconds wait, Milliseconds at_least) {
  paused_ = true;
  retry_.start(wait, at_least, [this] {
    paused_ = false;
    pump();
  });
}

// --- acknowledging ------------------------------------------------------------------------------

// Settles the finished deliveries at the front. Their slots are free when what that releases is
// saved; true when some are free at once.
bool Deliverer::settle() {
  if (releasing_) return false;
  size_t ready = 0;
  while (ready < items_.size() && items_[ready]->done() &&
         items_[ready]->dead_letters <= setup_.dead_letters.durable())
    items_[ready++]->owed.settle();
  if (ready == 0) return false;
  releasing_ = true;
  if (!setup_.cuts.empty()) {
    if (unsaved_.size() == Cuts::kKept) unsaved_.pop_front();  // nothing can be saved any more
    unsaved_.push_back({setup_.acknowledgements.releases() + 1, items_.front()->number});
  }
  uint64_t last = items_[ready - 1]->number;
  bool at_once = setup_.acknowledgements.release(lifetime_.guard([this, ready] {
    give_back(ready);
    pump();
    setup_.owner.delivery_changed();
  }));
  if (!at_once) return false;
  give_back(ready);
  if (!unsaved_.empty() && last + 1 >= first_unsaved(last) + kMostUnsaved)
    setup_.acknowledgements.save_now();
  return true;
}

void Deliverer::give_back(size_t slots) {
  releasing_ = false;
  items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(slots));
}

}  // namespace leat
