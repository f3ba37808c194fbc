// What becomes of records that the sink refuses.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "delivery/deliverer_item.h"

namespace leat {
namespace {

// Records that are refused, with nothing else that gets through, are tried so often.
constexpr int kRoundsToBlame = 8;
// Since a short outage may look like it, too: once the circuit is open they are tried with so many
// of these in a cooldown between them.
constexpr int kRoundsInACooldown = 3;
// So often a peer breaks off at the same records before they are tried in smaller parts, and at one
// beside which others get through before it is to blame: once may be an accident.
constexpr int kCutOffsToIsolate = 3;
constexpr int kCutOffsToBlame = 3;

}  // namespace

// One that was a dead letter before is one again when it is refused alone: nothing is lost by that,
// whoever is to blame, and somebody waits for what becomes of it.
bool Deliverer::was_dead(const Piece& piece) const {
  if (piece.records() != 1) return false;
  const Part& part = piece.delivery.parts.front();
  return setup_.owner.was_dead(*part.batch, part.first);
}

// --- refusals that may be about all that comes (delivery/suspects.h) ----------------------------

// A record at which the peer breaks off each time is no outage, though it looks like one, and
// everything behind it would wait for ever.
void Deliverer::cut_off(Item& item, Answer answer) {
  Piece& piece = item.todo.front();
  ++piece.cut_offs;
  item.suspects.search();
  if (piece.records() == 0) return not_now(answer);
  if (was_dead(piece)) return cut_off_again(item, answer);
  if (!item.isolated && piece.cut_offs < kCutOffsToIsolate)
    return not_now(answer, "trying again, and if that goes on, in smaller parts");
  if (!std::exchange(item.isolated, true) && piece.records() > 1)
    log::warn(setup_.pipeline, answer.reason + ": " + std::to_string(piece.cut_offs) +
                                   " times at the same records, in smaller parts now to find out "
                                   "at which");
  // The trouble is not over, so one attempt follows the other.
  if (piece.records() > 1) return rejected(item, answer);
  answer.reason += ": at this record";
  if (piece.cut_offs > 1)
    answer.reason += ", " + std::to_string(piece.cut_offs) + " times in a row";
  if (item.suspects.may_blame(1)) {
    if (piece.cut_offs < kCutOffsToBlame) {
      ++counters_.retries;
      if (!paused_) pause(setup_.config.retry_initial, Milliseconds{0});
      return;
    }
    works();
  } else if (setup_.config.exactly_once) {  // nothing behind it may be stored before it, and tell
    if (blamed_ >= Suspects::kMostBlamed) return not_now(answer);
    if (piece.cut_offs < kRoundsToBlame) return wait_for_others(std::move(answer), piece.cut_offs);
    ++blamed_;
    works();
    return rejected(item, answer);
  } else {
    item.rounds = std::max(item.rounds, piece.cut_offs - 1);
  }
  refused(item, answer);
}

// What it says of the peer, the live records find out.
void Deliverer::cut_off_again(Item& item, const Answer& answer) {
  if (item.todo.front().cut_offs >= kCutOffsToBlame) return rejected(item, answer);
  ++counters_.retries;
  if (!paused_) pause(setup_.config.retry_initial, Milliseconds{0});
}

void Deliverer::refused(Item& item, const Answer& answer) {
  if (was_dead(item.todo.front())) return rejected(item, answer);
  item.suspects.search();
  if (item.todo.front().records() > 1 && answer.bad_records.empty()) return rejected(item, answer);
  if (item.suspects.blames(std::max<size_t>(answer.bad_records.size(), 1)))
    return rejected(item, answer);
  set_aside(item, answer);
  const bool any = std::ranges::any_of(items_, [](const auto& one) { return one->suspects.any(); });
  if (any && !may_go_on()) nothing_gets_through(answer.reason);
}

// The records that are named, each by itself, or the one that there is.
void Deliverer::set_aside(Item& item, const Answer& answer) {
  Piece piece = std::move(item.todo.front());
  item.todo.pop_front();
  Piece rest;
  size_t before = 0;  // records that are taken off `piece`
  for (size_t i = 0; i < std::max<size_t>(answer.bad_records.size(), 1); ++i) {
    const size_t bad = answer.bad_records.empty() ? 0 : answer.bad_records[i];
    if (bad > before) {
      Piece good = split_front(piece, bad - before);
      join(rest, good);
    }
    Piece one = piece.records() > 1 ? split_front(piece, 1) : std::exchange(piece, {});
    if (was_dead(one)) {
      reject(item, one.delivery, 0, answer.why(i));
      item.owed.add(one.take_owed());
    } else {
      item.suspects.add(std::move(one), answer.why(i));
    }
    before = bad + 1;
  }
  join(rest, piece);
  rest.gaps = true;
  if (rest.records() > 0) item.todo.push_front(std::move(rest));
}

// Whether something is under way, or can be sent, that may get through.
bool Deliverer::may_go_on() {
  if (collected_any_) cut();
  const size_t within = slots();
  return std::any_of(
      items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(within),
      [](const auto& item) { return item->sending || (!item->todo.empty() && !item->stuck()); });
}

void Deliverer::nothing_gets_through(const std::string& reason) {
  size_t refused = 0;
  bool all = true;
  for (const std::unique_ptr<Item>& item : items_) {
    refused += item->suspects.size();
    all = all && item->todo.empty();
  }
  // A few at the end of the input, or with nothing behind them for long, must not wait for ever.
  const bool few = all && blamed_ + refused <= Suspects::kMostBlamed;
  int rounds = kRoundsToBlame;  // of what came last: it might have told
  if (few)
    for (const std::unique_ptr<Item>& item : items_)
      if (item->suspects.any()) rounds = std::min(rounds, ++item->rounds);
  if (few && rounds >= kRoundsToBlame) {
    blamed_ += refused;
    works();
    return convict();
  }
  for (const std::unique_ptr<Item>& item : items_) put_back(*item);
  if (few) return wait_for_others(Answer::retry(reason), rounds);
  not_now(Answer::retry(reason + (refused == 1
                                      ? "; nothing else gets through that would show it to be the "
                                        "record's fault"
                                      : "; so is each of " + std::to_string(refused) +
                                            " records alone: that is not taken for their fault")));
}

// For something that would tell whose fault it is.
void Deliverer::wait_for_others(Answer answer, int attempt) {
  answer.reason += "; attempt " + std::to_string(attempt) + " of " +
                   std::to_string(kRoundsToBlame) +
                   ", since nothing else gets through that would tell whose fault it is";
  if (retry_policy_.failures() + 1 >= setup_.config.breaker_threshold)
    answer.retry_after = setup_.config.breaker_cooldown / kRoundsInACooldown;
  not_now(answer, "after the last it is rejected");
}

// The records that were set aside, and what lies behind them, as one again.
void Deliverer::put_back(Item& item) {
  if (!item.suspects.any()) return;
  Piece whole = joined(item.suspects.acquit(item.todo.empty()));
  for (Piece& piece : item.todo) join(whole, piece);
  item.todo.clear();
  item.todo.push_back(std::move(whole));
}

// Those that were set aside are to blame.
void Deliverer::convict() {
  for (const std::unique_ptr<Item>& item : items_)
    for (Suspect& one : item->suspects.ask_again()) {
      reject(*item, one.piece.delivery, 0, one.why);
      item->owed.add(one.piece.take_owed());
    }
}

// --- rejections ---------------------------------------------------------------------------------

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
  Piece piece = std::move(item.todo.front());
  item.todo.pop_front();
  const size_t bad = answer.bad_records.front();
  reject(item, piece.delivery, bad, answer.why(0));
  found_bad(bad);
  bool positions_only = setup_.config.exactly_once && piece.records() == 1 && item.todo.empty();
  Piece before = split_front(piece, bad);
  item.owed.add(split_front(piece, 1).take_owed());
  if (piece.records() > 0 || positions_only) item.todo.push_front(std::move(piece));
  if (before.records() > 0) item.todo.push_front(std::move(before));
}

void Deliverer::rejected(Item& item, const Answer& answer) {
  if (answer.only_the_first && answer.bad_records.size() == 1)
    return rejected_at_first(item, answer);
  if (answer.bad_records.empty() && item.todo.front().records() == 1) found_bad(0);
  Piece piece = std::move(item.todo.front());
  item.todo.pop_front();
  if (piece.records() <= 1 || !answer.bad_records.empty()) {
    std::vector<uint32_t> bad = answer.bad_records;
    if (bad.empty() && piece.records() == 1) bad.push_back(0);
    for (size_t i = 0; i < bad.size(); ++i) reject(item, piece.delivery, bad[i], answer.why(i));
    item.owed.add(take_out(piece, bad));
    // With exactlyOnce the position of what was rejected must still reach the sink.
    bool positions_only = setup_.config.exactly_once && piece.records() == 0 && item.todo.empty();
    if (piece.records() > 0 || positions_only) item.todo.push_front(std::move(piece));
    return;
  }
  Piece half = split_front(piece, piece.records() / 2);
  item.todo.push_front(std::move(piece));
  item.todo.push_front(std::move(half));
}

void Deliverer::reject(Item& item, const Delivery& delivery, size_t index, const Why& why) {
  Located at = locate(delivery, index);
  at.batch->open_rows();  // its letter shows the fields
  setup_.owner.reject_at_sink(*at.batch, at.index, why);
  item.dead_letters = setup_.dead_letters.last();
  ++counters_.dead;
}

}  // namespace leat
