#include "histories/delivery_line.h"

#include <algorithm>

namespace leat::testing {

DeliveryLine::DeliveryLine(std::string name, Dice& dice, bool large)
    : name_(std::move(name)), large_(large) {
  static constexpr Replay kReplays[] = {Replay::kFromPosition, Replay::kHoldsAck, Replay::kNone};
  replay_ = kReplays[dice.pick({2, 3, 2})];
  SpoolConfig& spool = config_.spool;
  spool.mode = dice.one_in(2) ? SpoolMode::kAlways : SpoolMode::kOnTrouble;
  if (replay_ == Replay::kFromPosition && dice.one_in(3)) spool.mode = SpoolMode::kNever;
  spool.overflow = static_cast<Overflow>(dice.pick({2, 1, 1}));
  spool.max_bytes = dice.one_in(2) ? static_cast<int64_t>(dice.between(200, 3000)) : 16 << 20;
  spool.survives_power_cut = !dice.one_in(3);
  config_.retry_initial = Milliseconds{10};
  config_.retry_max = Milliseconds{100};
  config_.breaker_threshold = static_cast<int>(dice.between(2, 5));
  config_.breaker_cooldown = Milliseconds{200};
  in_flight_ = dice.one_in(3) ? 2 : 1;
  window_ = dice.between(3, 40);
  text_size_ = large_ ? 20'000 : dice.between(0, 120);
  text_ = dice.bytes(text_size_ + 64);
  std::replace(text_.begin(), text_.end(), '\n', ' ');
}

std::string DeliveryLine::about() const {
  static constexpr const char* kReplay[] = {"replays", "holds acks", "holds acks once", "forgets"};
  static constexpr const char* kMode[] = {"never", "onTrouble", "always"};
  static constexpr const char* kOverflow[] = {"block", "dropOldest", "dropNewest"};
  return name_ + ": source " + kReplay[static_cast<int>(replay_)] + ", spool " +
         kMode[static_cast<int>(config_.spool.mode)] + ", " +
         kOverflow[static_cast<int>(config_.spool.overflow)] + " at " +
         std::to_string(config_.spool.max_bytes) + ", durability " +
         (config_.spool.survives_power_cut ? "power" : "process") + ", inFlight " +
         std::to_string(in_flight_) + ", window " + std::to_string(window_);
}

bool DeliveryLine::start(const Surroundings& around) {
  around_ = around;
  fsync_failed_ = false;
  letters_ = std::make_unique<DeadLetterFile>(*around.loop, name_,
                                              DeadLetterConfig{"/nonexistent/none", 1 << 20});
  acknowledgements_ = std::make_unique<Acknowledgements>(*around.loop, name_, *around.journal,
                                                         config_.exactly_once);
  if (replays()) acknowledgements_->may_save_late(*this);
  acked_at_.clear();
  spool_ = std::make_unique<Spool>(SpoolSetup{.loop = *around.loop,
                                              .pipeline = name_,
                                              .config = config_,
                                              .replay = replay_,
                                              .acknowledgements = *acknowledgements_,
                                              .dead_letters = *letters_,
                                              .journal = *around.journal,
                                              .owner = *this,
                                              .pool = pool_,
                                              .batch_bytes = 512,
                                              .linger = Milliseconds{20}});
  deliverer_ = std::make_unique<Deliverer>(
      DelivererSetup{.loop = *around.loop,
                     .agent = "gw",
                     .pipeline = name_,
                     .limits = {.records = 4, .bytes = 1 << 20, .linger = Milliseconds{20}},
                     .in_flight = in_flight_,
                     .config = config_,
                     .sink = *this,
                     .acknowledgements = *acknowledgements_,
                     .dead_letters = *letters_,
                     .owner = *this,
                     .cuts = around.folder + "/cuts/" + name_});
  spool_->attach(*deliverer_);

  std::optional<Result<SpoolState>> state;
  std::optional<Result<std::vector<SavedPosition>>> saved;
  around.journal->open_spool(name_, [&state](auto opened) { state = std::move(opened); });
  around.journal->load(name_, [&saved](auto loaded) { saved = std::move(loaded); });
  for (int i = 0; i < 10 && !saved; ++i) around.turn();
  if (!state || !*state || !saved || !*saved) return false;
  uint64_t number = 0;
  uint64_t place = 0;
  for (const SavedPosition& position : **saved) {
    if (position.partition == Spool::partition((*state)->epoch))
      number = std::strtoull(position.value.c_str(), nullptr, 10);
    if (position.partition == "place") place = std::strtoull(position.value.c_str(), nullptr, 10);
  }
  std::optional<Result<SpoolTotals>> totals;
  around.journal->count_spooled(name_, number, [&totals](auto counted) { totals = counted; });
  for (int i = 0; i < 10 && !totals; ++i) around.turn();
  if (!totals || !*totals) return false;
  taken_over_ = (*totals)->records;
  given_ = 0;
  resumed_at_ = replay_ == Replay::kFromPosition ? place : acked_;
  if (resumed_at_ > next_) around_.breaks(name_ + " resumes behind what was given");
  if (replays() && resumed_at_ < surely_saved_)
    around_.breaks(name_ + " resumes at " + std::to_string(resumed_at_) + ", and " +
                   std::to_string(surely_saved_) + " was to be saved long ago");
  sent_ = resumed_at_;
  if (replay_ == Replay::kNone) {  // what was on its way is lost
    for (uint64_t n = acked_; n < next_; ++n) lost_.insert(n);
    sent_ = acked_ = next_;
  }
  spool_->restore(**state, number, **totals);
  return true;
}

void DeliveryLine::reject_at_sink(const Batch& batch, size_t index, const Why& /*why*/) {
  std::string_view text = batch.slices[index].view();
  gone_.insert(std::strtoull(text.data() + name_.size() + 1, nullptr, 10));
}

void DeliveryLine::end(Dice& dice) {
  for (Attempt& attempt : attempts_)
    if (dice.one_in(2)) took(attempt, "without having said so");
  attempts_.clear();
  if (spool_ != nullptr)
    dropped_ += spool_->counters().dropped_oldest + spool_->counters().dropped_newest;
  ++ended_;
  deliverer_.reset();
  spool_.reset();
  acknowledgements_.reset();
  letters_.reset();
}

// --- the source ---------------------------------------------------------------------------------

BatchRef DeliveryLine::make_batch(uint64_t first, uint64_t count) {
  BatchRef batch = BatchRef::make(pool_, Content::kSlices);
  batch->begin = {1, first * 10, first};
  batch->end = {1, (first + count) * 10, first + count};
  batch->acknowledger = this;
  batch->owed = acknowledgements_->ledger().open(*this, batch->begin, batch->end);
  for (uint64_t i = 0; i < count; ++i) {
    if (filtered_.count(first + i) != 0) continue;
    std::string line = name_ + ":" + std::to_string(first + i) + " ";
    line += text_.substr((first + i) % 64, text_size_) + "\n";
    std::string_view text = batch->arena.copy(line);
    batch->slices.push_back({text.data(), static_cast<uint32_t>(text.size()),
                             static_cast<uint32_t>((i + 1) * 10), static_cast<uint32_t>(i + 1)});
  }
  return batch;
}

bool DeliveryLine::give(Dice& dice, bool fresh) {
  if (!spool_->wants_more()) return false;
  uint64_t most = fresh ? sent_ + dice.between(1, 6) : next_;
  if (replay_ == Replay::kHoldsAck) {
    spool_->in_flight_full(sent_ >= acked_ + window_, Milliseconds{100});
    most = std::min(most, acked_ + window_);
  }
  if (most <= sent_) return false;
  uint64_t count = std::min<uint64_t>(most - sent_, 6);
  bool filtered = dice.one_in(20);
  uint64_t first = sent_;
  sent_ += count;
  for (uint64_t n = first; n < sent_; ++n) {
    if (filtered && n >= next_) filtered_.insert(n);
    if (filtered_.count(n) == 0)
      ++given_;
    else
      gone_.insert(n);
  }
  next_ = std::max(next_, sent_);
  around_.says([&] {
    return name_ + " gives " + std::to_string(first) + " to " + std::to_string(sent_ - 1) +
           (filtered ? ", filtered" : "");
  });
  spool_->add(make_batch(first, count));
  return true;
}

void DeliveryLine::acked(const Position& position) {
  uint64_t to = position.offset / 10;
  around_.says([&] { return name_ + " acknowledges to " + std::to_string(to); });
  if (fsync_failed_)
    for (uint64_t n = acked_; n < to; ++n)
      if (!safe(n))
        return around_.breaks(name_ + ":" + std::to_string(n) +
                              " is acknowledged after an fsync failed, and not delivered");
  acked_ = std::max(acked_, to);
  acked_at_.emplace_back(around_.loop->clock().monotonic_us(), to);
}

void DeliveryLine::journal_had_its_turn() {
  int64_t before = around_.loop->clock().monotonic_us() - around_.commit_every.count() * 1000;
  for (; !acked_at_.empty() && acked_at_.front().first < before; acked_at_.pop_front())
    surely_saved_ = acked_at_.front().second;
}

SavedPosition DeliveryLine::saved_position(const Position& position) {
  if (replay_ != Replay::kFromPosition) return {};
  return {"place", std::to_string(position.offset / 10)};
}

// --- the sink -----------------------------------------------------------------------------------

void DeliveryLine::deliver(const Delivery& delivery, Done done) {
  Attempt attempt{{}, std::move(done)};
  delivery.each_slice(
      [&attempt](const Slice& slice) { attempt.records.emplace_back(slice.view()); });
  // A server that keeps what it has under a key would take the one for the other.
  const std::string numbers = attempt.numbers(name_.size());
  const auto& [key, before] = *sent_under_.try_emplace(delivery.key, numbers).first;
  if (before != numbers) around_.breaks(name_ + " sends" + numbers + " under the key of" + before);
  attempts_.push_back(std::move(attempt));
}

bool DeliveryLine::answer(Dice& dice, bool well) {
  if (attempts_.empty()) return false;
  Attempt attempt = std::move(attempts_.front());
  attempts_.pop_front();
  size_t outcome = well ? 0 : dice.pick({6, 6, 1});
  if (outcome == 1) {
    around_.says([&] { return name_ + " not now" + attempt.numbers(name_.size()); });
    attempt.done(Answer::retry("down"));
  } else if (outcome == 2 && !attempt.records.empty()) {
    auto bad = static_cast<uint32_t>(dice.below(attempt.records.size()));
    around_.says([&] {
      return name_ + " rejects" + attempt.numbers(name_.size()) + ", its " + std::to_string(bad);
    });
    attempt.done(Answer::rejected("bad", {bad}));
  } else {
    took(attempt, "");
    attempt.done(Answer::delivered());
  }
  return true;
}

std::string DeliveryLine::Attempt::numbers(size_t name_length) const {
  std::string out;
  for (const std::string& record : records)
    out += " " + record.substr(name_length + 1, record.find(' ') - name_length - 1);
  return out;
}

void DeliveryLine::took(const Attempt& attempt, const char* how) {
  around_.says([&] { return name_ + " delivered" + attempt.numbers(name_.size()) + " " + how; });
  for (const std::string& record : attempt.records) took(record);
}

void DeliveryLine::took(const std::string& record) {
  if (!record.starts_with(name_ + ":"))
    return around_.breaks("the sink of " + name_ + " got " + record.substr(0, 20));
  uint64_t n = std::strtoull(record.c_str() + name_.size() + 1, nullptr, 10);
  std::string whole =
      name_ + ":" + std::to_string(n) + " " + text_.substr(n % 64, text_size_) + "\n";
  if (record != whole) return around_.breaks(name_ + ":" + std::to_string(n) + " has changed");
  if (!delivered_.insert(n).second) return;
  // What counts as lost may come late: its COMMIT failed, and yet it was there after the restart.
  if (in_flight_ == 1 && n < newest_ && gone_.count(n) == 0 && lost_.count(n) == 0)
    around_.breaks(name_ + ":" + std::to_string(n) + " comes behind a later one");
  newest_ = std::max(newest_, n + 1);
}

// --- the model ----------------------------------------------------------------------------------

bool DeliveryLine::at_rest() const {
  return sent_ == next_ && attempts_.empty() && spool_->records_waiting() == 0 &&
         spool_->all_safe() && deliverer_->settled() &&
         (replay_ != Replay::kHoldsAck || acked_ == next_);
}

void DeliveryLine::check_totals() {
  uint64_t dropped = spool_->counters().dropped_oldest + spool_->counters().dropped_newest;
  uint64_t ended = deliverer_->counters().delivered + deliverer_->counters().dead + dropped;
  if (taken_over_ + given_ != ended)
    around_.breaks(name_ + ": " + std::to_string(taken_over_) + " records were taken over and " +
                   std::to_string(given_) + " given; " +
                   std::to_string(deliverer_->counters().delivered) + " delivered, " +
                   std::to_string(deliverer_->counters().dead) + " dead, " +
                   std::to_string(dropped) + " dropped");
}

void DeliveryLine::check_all_is_there() {
  uint64_t missing = 0;
  uint64_t first = 0;
  for (uint64_t n = 0; n < next_; ++n)
    if (!safe(n) && lost_.count(n) == 0 && missing++ == 0) first = n;
  if (missing == 0) return;
  uint64_t dropped =
      dropped_ + spool_->counters().dropped_oldest + spool_->counters().dropped_newest;
  std::string what = name_ + ": " + std::to_string(missing) + " of " + std::to_string(next_) +
                     " records are missing, the first is " + std::to_string(first);
  if (config_.spool.overflow == Overflow::kBlock) return around_.breaks(what);
  // The drops of a run that was killed may not have been said.
  if (ended_ == 0 && missing != dropped)
    around_.breaks(what + ", " + std::to_string(dropped) + " were dropped");
}

}  // namespace leat::testing
