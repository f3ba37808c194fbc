#include "delivery/deliverer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "base/units.h"
#include "delivery/delivery_range.h"

namespace leat {

// One delivery from its first attempt to its position in the journal.
struct Deliverer::Item {
  uint64_t number = 0;            // of Cuts
  std::deque<Delivery> todo;      // pieces not delivered yet, in order; one until one is rejected
  std::vector<Position> reached;  // when all of it is done
  std::vector<Position> so_far;   // by the pieces that are done
  uint64_t dead_letters = 0;      // these must be durable before `reached` counts
  bool sending = false;
  bool done() const { return todo.empty(); }
};

namespace {

// A position that could not be saved is tried again after, and at most after: each failed attempt
// may write.
constexpr Milliseconds kSaveAgain{1'000};
constexpr Milliseconds kSaveAgainMost{60'000};

// Another one for each pipeline of each agent, and the same one for a test that owns the clock.
uint64_t seed_for(const DelivererSetup& setup) {
  return static_cast<uint64_t>(setup.clock.monotonic_us()) ^
         std::hash<std::string>()(setup.agent + '\n' + setup.pipeline);
}

// After a restart, for what was there before to come again.
constexpr Milliseconds kLongestReplay{2'000};

}  // namespace

Deliverer::Deliverer(DelivererSetup setup)
    : setup_(std::move(setup)),
      run_(std::to_string(random_number())),
      cuts_(setup_.cuts, setup_.pipeline),
      trouble_(setup_.config, setup_.clock, setup_.pipeline, seed_for(setup_)),
      linger_(setup_.loop),
      retry_(setup_.loop),
      save_again_(setup_.loop),
      save_delay_(kSaveAgain) {
  setup_.dead_letters.on_durable([this] {
    pump();
    changed();
  });
}

namespace {

std::string word_for(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDelivered:
      return "delivered";
    case Outcome::kRetry:
      return "not now";
    case Outcome::kRejected:
      return "rejected";
    case Outcome::kFailed:
      break;
  }
  return "failed";
}

}  // namespace

Deliverer::~Deliverer() {
  *alive_ = false;
  setup_.dead_letters.on_durable(nullptr);
}

bool Deliverer::wants_more() const {
  return !stopped_ && items_.size() <= static_cast<size_t>(setup_.in_flight) &&
         !setup_.dead_letters.full() && bytes_held() < setup_.most_held;
}

size_t Deliverer::bytes_held() const {
  size_t bytes = collected_.bytes;
  for (const std::unique_ptr<Item>& item : items_)
    for (const Delivery& piece : item->todo) bytes += piece.bytes;
  return bytes;
}

bool Deliverer::settled() const {
  return items_.empty() && !collected_any_;
}

size_t Deliverer::records_waiting() const {
  size_t records = collected_.records;
  for (const std::unique_ptr<Item>& item : items_)
    for (const Delivery& piece : item->todo) records += piece.records;
  return records;
}

void Deliverer::changed() {
  if (on_change_) on_change_();
}

// --- collecting ---------------------------------------------------------------------------------

bool Deliverer::full() const {
  return collected_.records >= static_cast<size_t>(setup_.limits.records) ||
         collected_.bytes >= static_cast<size_t>(setup_.limits.bytes);
}

void Deliverer::add(BatchRef batch) {
  size_t count = batch->count();
  size_t first = 0;
  while (first < count) {
    size_t room = static_cast<size_t>(setup_.limits.records) - collected_.records;
    size_t take = std::min(room, count - first);
    size_t left = static_cast<size_t>(setup_.limits.bytes) - collected_.bytes;
    if (bytes_of(*batch, first, take) > left) {
      // The records that still fit; at least one, or a record larger than the limit would never go.
      size_t fits = 0;
      for (size_t used = 0; fits < take; ++fits) {
        used += bytes_of(*batch, first + fits, 1);
        if (used > left) break;
      }
      if (fits == 0 && collected_.records > 0) {
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
    collect(batch, first, take);
    first += take;
    if (former > 0 || full()) cut();
  }
  if (count == 0) {
    merge(collected_reached_, batch->end);
    collected_any_ = true;
  }
  if (bytes_held() >= setup_.most_held) cut();  // nothing comes that it could wait for
  if (collected_any_ && !linger_.active()) start_lingering();
  pump();
}

void Deliverer::start_lingering() {
  bool replay = !cuts_.again().empty();
  linger_.start(replay ? std::max(setup_.limits.linger, kLongestReplay) : setup_.limits.linger,
                [this] {
                  cuts_.again().clear();
                  cut();
                  pump();
                });
}

// Of the records [first, first + count): how many until a delivery was cut before the restart. 0:
// none was.
size_t Deliverer::until_former_cut(const Batch& batch, size_t first, size_t count) {
  std::deque<Cuts::End>& again = cuts_.again();
  if (again.empty() || !setup_.source.offsets_last(batch.begin)) return 0;
  if (Cuts::partition_of(setup_.source.saved_form(batch.begin).partition) !=
      again.front().partition)
    return 0;
  for (size_t i = first; i < first + count && !again.empty(); ++i) {
    uint64_t offset = batch.position_after(i).offset;
    while (!again.empty() && again.front().offset < offset) again.pop_front();
    if (again.empty() || again.front().offset != offset ||
        again.front().behind != same_end_behind(batch, i))
      continue;
    again.pop_front();
    return i - first + 1;
  }
  return 0;
}

void Deliverer::collect(const BatchRef& batch, size_t first, size_t count) {
  collected_any_ = true;
  collected_.parts.push_back({batch, static_cast<uint32_t>(first), static_cast<uint32_t>(count)});
  collected_.records += count;
  collected_.bytes += bytes_of(*batch, first, count);
}

void Deliverer::cut() {
  linger_.stop();
  if (!collected_any_) return;
  collected_any_ = false;
  auto item = std::make_unique<Item>();
  item->number = cuts_.next_number();
  item->dead_letters = setup_.dead_letters.last();
  merge_reached(item->reached, collected_);
  for (const Position& position : std::exchange(collected_reached_, {})) {
    // An empty batch may lie before or behind the records of its partition; the later one counts.
    auto known =
        std::find_if(item->reached.begin(), item->reached.end(),
                     [&position](const Position& p) { return p.partition == position.partition; });
    if (known == item->reached.end()) {
      item->reached.push_back(position);
    } else if (known->offset < position.offset) {
      *known = position;
    }
  }
  bool something = collected_.records > 0 || setup_.config.exactly_once;
  if (something) item->todo.push_back(std::exchange(collected_, {}));
  collected_ = {};
  items_.push_back(std::move(item));
  note_cut(*items_.back());
}

void Deliverer::note_cut(const Item& item) {
  if (setup_.cuts.empty() || item.todo.empty() || item.todo.front().records == 0) return;
  const Part& part = item.todo.front().parts.back();
  size_t last = part.first + part.count - 1;
  Position end = part.batch->position_after(last);
  if (!setup_.source.offsets_last(end)) return;
  cuts_.note(item.number, items_.front()->number,
             {Cuts::partition_of(setup_.source.saved_form(end).partition), end.offset,
              same_end_behind(*part.batch, last)});
}

void Deliverer::hurry() {
  if (!items_.empty()) return;
  cut();
  pump();
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

void Deliverer::stop() {
  stopped_ = true;
  linger_.stop();
  retry_.stop();
  save_again_.stop();
}

// --- sending ------------------------------------------------------------------------------------

void Deliverer::pump() {
  do {
    size_t slots = std::min(items_.size(), static_cast<size_t>(setup_.in_flight));
    for (size_t i = 0; i < slots && !stopped_ && !paused_; ++i) {
      // In trouble one attempt at a time asks whether it is over.
      if (trouble_.active() && busy_ > 0) break;
      Item& item = *items_[i];
      if (!item.sending && !item.done()) send(item);
    }
  } while (settle());
}

void Deliverer::prepare(Item& item, Delivery& delivery) {
  // Once: what was tried under a key must be tried again under the same one.
  if (delivery.key.empty())
    delivery.key =
        delivery_key(setup_.agent + '\n' + setup_.pipeline, run_, delivery, setup_.source);
  delivery.positions.clear();
  if (!setup_.config.exactly_once) return;
  std::vector<Position> reached = item.so_far;
  merge_reached(reached, delivery);
  if (item.todo.size() == 1) reached = item.reached;
  for (const Position& position : reached)
    delivery.positions.push_back(setup_.source.saved_form(position));
}

void Deliverer::send(Item& item) {
  // What was tried before is tried again as it was: nobody may know what became of it.
  if (piece_limit_ > 0 && item.todo.front().records > piece_limit_ &&
      item.todo.front().key.empty()) {
    Delivery whole = std::move(item.todo.front());
    item.todo.front() = subrange(whole, piece_limit_, whole.records - piece_limit_);
    item.todo.push_front(subrange(whole, 0, piece_limit_));
  }
  Delivery& delivery = item.todo.front();
  prepare(item, delivery);
  item.sending = true;
  ++busy_;
  ++counters_.attempts;
  log::debug(setup_.pipeline, [&item, &delivery] {
    return "delivery " + std::to_string(item.number) + ": " +
           format_count(delivery.records, "record") + ", " + format_count(delivery.bytes, "byte");
  });
  setup_.sink.deliver(delivery, [this, alive = alive_, &item](Answer answer) {
    if (*alive) answered(item, std::move(answer));
  });
}

void Deliverer::answered(Item& item, Answer answer) {
  item.sending = false;
  --busy_;
  log::debug(setup_.pipeline, [&item, &answer] {
    return "delivery " + std::to_string(item.number) + ": " + word_for(answer.outcome) +
           (answer.reason.empty() ? "" : ": " + answer.reason);
  });
  switch (answer.outcome) {
    case Outcome::kDelivered:
      trouble_.over();
      counters_.delivered += item.todo.front().records;
      found_good(item.todo.front().records);
      merge_reached(item.so_far, item.todo.front());
      item.todo.pop_front();
      break;
    case Outcome::kRejected:
      trouble_.over();
      rejected(item, answer);
      break;
    case Outcome::kRetry:
      not_now(answer);
      break;
    case Outcome::kFailed:
      stopped_ = true;
      if (on_failed_) on_failed_(Error(ErrorKind::kFatal, std::move(answer.reason)));
      return;
  }
  pump();
  changed();
}

void Deliverer::not_now(const Answer& answer) {
  ++counters_.retries;
  if (paused_) return;  // an attempt that was under way when another failed
  paused_ = true;
  Milliseconds wait = trouble_.failed(answer.reason, answer.retry_after);
  retry_.start(wait, [this] {
    paused_ = false;
    pump();
  });
}

void Deliverer::found_good(size_t records) {
  since_bad_ += records;
  if (piece_limit_ == 0 || since_bad_ < 4 * piece_limit_) return;
  piece_limit_ *= 2;
  if (piece_limit_ >= static_cast<size_t>(setup_.limits.records)) piece_limit_ = 0;
}

void Deliverer::found_bad(size_t good_before) {
  piece_limit_ = std::max<size_t>((since_bad_ + good_before) / 2, 1);
  since_bad_ = 0;
}

// What lies before the bad record goes first, and then what lies behind it.
void Deliverer::rejected_at_first(Item& item, const Answer& answer) {
  Delivery piece = std::move(item.todo.front());
  item.todo.pop_front();
  const size_t bad = answer.bad_records.front();
  bury(item, piece, bad, answer.reason_of(0));
  found_bad(bad);
  Delivery before = subrange(piece, 0, bad);
  Delivery behind = subrange(piece, bad + 1, piece.records - bad - 1);
  bool positions_only = setup_.config.exactly_once && piece.records == 1 && item.todo.empty();
  if (behind.records > 0 || positions_only) item.todo.push_front(std::move(behind));
  if (before.records > 0) item.todo.push_front(std::move(before));
}

void Deliverer::rejected(Item& item, const Answer& answer) {
  if (answer.only_the_first && answer.bad_records.size() == 1)
    return rejected_at_first(item, answer);
  if (answer.only_the_first && item.todo.front().records == 1) found_bad(0);
  Delivery piece = std::move(item.todo.front());
  item.todo.pop_front();
  if (piece.records <= 1 || !answer.bad_records.empty()) {
    std::vector<uint32_t> bad = answer.bad_records;
    if (bad.empty() && piece.records == 1) bad.push_back(0);
    for (size_t i = 0; i < bad.size(); ++i) bury(item, piece, bad[i], answer.reason_of(i));
    Delivery rest = without(piece, bad);
    // With exactlyOnce the position of what was buried must still reach the sink.
    bool positions_only = setup_.config.exactly_once && rest.records == 0 && item.todo.empty();
    if (rest.records > 0 || positions_only) item.todo.push_front(std::move(rest));
    return;
  }
  size_t half = piece.records / 2;
  item.todo.push_front(subrange(piece, half, piece.records - half));
  item.todo.push_front(subrange(piece, 0, half));
}

void Deliverer::bury(Item& item, const Delivery& delivery, size_t index,
                     const std::string& reason) {
  Located at = locate(delivery, index);
  setup_.bury(*at.batch, at.index, reason);
  item.dead_letters = setup_.dead_letters.last();
  ++counters_.dead;
}

// --- acknowledging ------------------------------------------------------------------------------

// Takes the finished deliveries at the front, and saves the position behind them. True when slots
// have become free at once.
bool Deliverer::settle() {
  if (committing_) return false;
  size_t ready = 0;
  std::vector<Position> reached;
  while (ready < items_.size() && items_[ready]->done() &&
         items_[ready]->dead_letters <= setup_.dead_letters.durable()) {
    for (const Position& position : items_[ready]->reached) merge(reached, position);
    ++ready;
  }
  if (ready == 0) return false;
  if (setup_.config.exactly_once) {  // the sink has stored them with the data
    release(ready, reached);
    return true;
  }
  std::vector<SavedPosition> positions;
  for (const Position& position : reached) {
    SavedPosition saved = setup_.source.saved_form(position);
    if (!saved.partition.empty()) positions.push_back(std::move(saved));
  }
  if (positions.empty()) {
    release(ready, reached);
    return true;
  }
  save(std::move(positions), [this, ready, reached] { release(ready, reached); });
  return false;
}

// With those that could not be saved before, unless they are overtaken.
void Deliverer::save(std::vector<SavedPosition> positions, std::function<void()> then) {
  save_again_.stop();
  for (SavedPosition& old : std::exchange(unsaved_, {})) {
    if (std::any_of(positions.begin(), positions.end(), [&old](const SavedPosition& position) {
          return position.partition == old.partition;
        }))
      continue;
    std::vector<SavedPosition>& to = setup_.source.is_saving(old.partition) ? unsaved_ : positions;
    to.push_back(std::move(old));
  }
  if (positions.empty()) return save_again_later();
  committing_ = true;
  setup_.journal.commit(
      setup_.pipeline, positions,
      [this, alive = alive_, positions, then = std::move(then)](const Status& status) {
        if (!*alive) return;
        committing_ = false;
        if (!status) unsaved_.insert(unsaved_.end(), positions.begin(), positions.end());
        committed(status);
        then();
        pump();
        changed();
      });
}

// A position that cannot be saved (a full disk) must not stop deliveries: it only means that more
// would be sent again after a crash. It is tried again with the next one, or when none comes.
void Deliverer::committed(const Status& status) {
  if (status) save_delay_ = kSaveAgain;
  if (!unsaved_.empty()) save_again_later();
  if (!status) save_delay_ = std::min(save_delay_ * 2, kSaveAgainMost);
  if (!status && !commit_failed_)
    log::error(setup_.pipeline, "the position cannot be saved (" + status.error().message() +
                                    "): records delivered from now on would be sent again after a "
                                    "crash; delivering goes on");
  if (status && commit_failed_) log::info(setup_.pipeline, "positions are saved again");
  commit_failed_ = !status;
}

void Deliverer::save_again_later() {
  save_again_.start(save_delay_, [this] {
    if (!committing_ && !unsaved_.empty()) save({}, [] {});
  });
}

void Deliverer::saved_elsewhere(const std::string& partition) {
  std::erase_if(unsaved_,
                [&partition](const SavedPosition& one) { return one.partition == partition; });
}

void Deliverer::save_too(SavedPosition position) {
  saved_elsewhere(position.partition);
  unsaved_.push_back(std::move(position));
  if (committing_) {
    save_again_later();
  } else {
    save({}, [] {});
  }
}

void Deliverer::release(size_t items, const std::vector<Position>& reached) {
  items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(items));
  for (const Position& position : reached) setup_.source.acked(position);
}

}  // namespace leat
