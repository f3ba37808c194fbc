#include "task/parallel.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace leat {
namespace {

// A tap shows some of the records, and slows nothing down.
constexpr uint32_t kShowOneOf = 8;

// As much is expected to come back as before; what was more is forgotten by one of so many parts at
// a time.
constexpr size_t kForgets = 8;

// An empty rest of what was lent, from there on: cut as a stage does it.
BatchRef rest_of(Batch& lent, const Position& from) {
  Record before;
  before.end_offset = static_cast<uint32_t>(from.offset - lent.begin.offset);
  before.end_line = static_cast<uint32_t>(from.line - lent.begin.line);
  const Position end = lent.end;
  Owed owed = std::move(lent.owed);  // is cut by who knows all that was lent
  std::vector<Record> records = std::exchange(lent.records, {before});
  lent.leave_records(1);
  lent.records = std::move(records);
  lent.end = end;
  lent.owed = std::move(owed);
  return std::exchange(lent.rest, {});
}

}  // namespace

Parallel::Parallel(ParallelSetup setup)
    : setup_(std::move(setup)),
      load_({.max = setup_.max,
             .threshold = setup_.config.parallel.threshold,
             .growth = setup_.config.parallel.growth}),
      share_(share_of(setup_.memory)),
      expected_(share_),
      held_charge_(setup_.budget),
      period_(setup_.codecs.loop()) {}

Parallel::~Parallel() = default;

size_t Parallel::share_of(size_t memory) const {
  return memory / static_cast<size_t>(setup_.max + 1);
}

size_t Parallel::loops() const {
  return static_cast<size_t>(load_.loops());
}

void Parallel::sees(size_t waiting, bool held_up, bool tapped) {
  tapped_ = tapped;
  const int most = load_.most();
  load_.sees(waiting, held_up, setup_.codecs.loop().clock().monotonic_us());
  if (load_.most() > most)
    log::info(setup_.config.name,
              "transforms run on " +
                  format_count(static_cast<uint64_t>(load_.loops()), "further loop") +
                  " now, since too much waited for them");
  keep_loops();
}

void Parallel::keep_loops() {
  if (stopped_ || failed_) return;
  while (loops_.size() < loops()) {
    auto made = FurtherLoop::make(setup_.config, setup_.plan, setup_.runs, setup_.codecs);
    if (!made) {  // the same was made for the chain
      log::error(setup_.config.name, made.error().message());
      failed_ = true;
      break;
    }
    loops_.push_back(std::move(*made));
  }
  while (loops_.size() > loops() && loops_.back()->under_way() == 0) loops_.pop_back();
  if (!loops_.empty() && !period_.active()) watch();
}

void Parallel::watch() {
  period_.start(ParallelLoad::kPeriod, [this] {
    period_.stop();
    load_.period_ends();
    keep_loops();
  });
}

// The first that has room: so the last has nothing to do when fewer would do.
FurtherLoop* Parallel::free_loop() const {
  FurtherLoop* best = nullptr;
  for (size_t i = 0; i < std::min(loops_.size(), loops()); ++i)
    if (const size_t n = loops_[i]->under_way();
        n < FurtherLoop::kMost && (best == nullptr || n < best->under_way()))
      best = &*loops_[i];
  return best;
}

// One that is slow must not let the others fill the memory.
bool Parallel::has_room() const {
  return line_.size() < 2 * FurtherLoop::kMost * std::max<size_t>(loops(), 1) &&
         (loops() == 0 || failed_ || free_loop() != nullptr);
}

void Parallel::lend(BatchRef batch, size_t step, size_t quantum) {
  const size_t records = batch->records.size();
  const size_t expected = std::max(expected_, quantum);
  const bool fits = setup_.budget.has_room(expected);
  if (!fits) expected_ -= expected_ / kForgets;
  const bool here =
      loops() == 0 || failed_ || records == 0 || !fits || (tapped_ && ++shown_ % kShowOneOf == 0);
  Lent lent{.batch = std::move(batch),
            .owed = {},
            .step = step,
            .records = records,
            .charge = here ? Charge() : Charge(setup_.budget, expected),
            .parcel = here ? nullptr : std::make_shared<Parcel>(),
            .back = here};
  Batch& from = *lent.batch;
  from.begin_stage();  // the run is one
  records_ += records;
  if (!here) {
    Parcel& parcel = *lent.parcel;
    lent.owed = std::move(from.owed);
    parcel.first = step;
    parcel.quantum = quantum;
    parcel.share = share_;
    parcel.charged = expected;
    parcel.records = std::move(from.records);
    parcel.shapes = from.shapes();
    parcel.acknowledger = from.acknowledger;
    parcel.begin = from.begin;
    parcel.end = from.end;
    parcel.arrival_us = from.arrival_us;
    parcel.made = from.made;
    parcel.borrows = from.borrows();
  }
  line_.push_back(std::move(lent));
  give_what_waits();
}

void Parallel::give_what_waits() {
  if (stopped_) return;
  for (Lent& lent : line_) {
    if (lent.given || lent.back) continue;
    FurtherLoop* loop = free_loop();
    // Those that there were have become fewer.
    if (loop == nullptr && loops_.empty()) return;
    if (loop == nullptr && loops() == 0 && loops_.front()->under_way() < FurtherLoop::kMost)
      loop = &*loops_.front();
    if (loop == nullptr) return;
    lent.given = true;
    // The batch is kept until no other loop looks at it, whatever becomes of this.
    loop->give(lent.parcel,
               [this, batch = lent.batch, parcel = lent.parcel] { came_back(parcel); });
  }
}

void Parallel::came_back(const std::shared_ptr<Parcel>& parcel) {
  load_.worked(parcel->busy_us);
  const auto found =
      std::ranges::find_if(line_, [&](const Lent& lent) { return lent.parcel == parcel; });
  if (found != line_.end()) {
    found->back = true;
    size_t bytes = 0;
    for (const Parcel::Piece& piece : parcel->pieces) bytes += piece.bytes;
    found->charge.set(bytes);
    expected_ = std::max(bytes, expected_ - expected_ / kForgets);
    held_ = parcel->held * loops_.size();
    held_charge_.set(held_);
  }
  give_what_waits();
  keep_loops();
  if (stopped_ && under_way() == 0) return std::exchange(stopped_, [] {})();
  setup_.wake();
}

size_t Parallel::under_way() const {
  size_t n = 0;
  for (const auto& loop : loops_) n += loop->under_way();
  return n;
}

Status Parallel::take_back(Chain& chain) {
  Lent lent = std::move(line_.front());
  line_.pop_front();
  records_ -= lent.records;
  std::vector<ChainLeft> made;
  Status status;
  if (lent.parcel == nullptr) {
    made.push_back({std::move(lent.batch), lent.step, true});
  } else {
    tell_refused(lent, chain);
    chain.add_counters(lent.parcel->counters);
    status = lent.parcel->status;
    lent.charge = Charge();
    made = made_of(lent);
  }
  if (!status) {  // it is counted as what was left
    const ChainCounters& counted = lent.parcel->counters.chain;
    records_ += lent.records + counted.made - counted.filtered - counted.dropped -
                lent.parcel->refused.size();
  } else if (!made.empty()) {
    chain.take_back(std::move(made));
  }
  give_what_waits();
  return status;
}

void Parallel::tell_refused(const Lent& lent, Chain& chain) {
  for (const Parcel::Refused& refused : lent.parcel->refused) {
    BatchRef batch = batch_of(lent, refused.of, refused.begin, refused.end);
    // Twice: so that nobody takes what came from the source for this one's alone.
    batch->records.assign(refused.alone ? 1 : 2, refused.record);
    chain.reject(refused.step, *batch, 0, refused.reason);
  }
  lent.batch->records.clear();
}

// What was lent, and what is left of it, knows what it was read as; what took its place does not.
BatchRef Parallel::batch_of(const Lent& lent, Parcel::Of of, const Position& begin,
                            const Position& end) {
  BatchRef batch = of == Parcel::Of::kLent   ? lent.batch
                   : of == Parcel::Of::kRest ? rest_of(*lent.batch, begin)
                                             : BatchRef::make(setup_.pool, Content::kRecords);
  batch->acknowledger = lent.batch->acknowledger;
  batch->arrival_us = lent.batch->arrival_us;
  batch->begin = begin;
  batch->end = end;
  return batch;
}

std::vector<ChainLeft> Parallel::made_of(Lent& lent) {
  std::vector<ChainLeft> out;
  for (Parcel::Piece& piece : lent.parcel->pieces) {
    BatchRef batch = batch_of(lent, piece.of, piece.begin, piece.end);
    batch->records = std::move(piece.records);
    batch->made = piece.made;
    for (const ShapeRef& shape : piece.shapes)
      if (std::ranges::find(batch->shapes(), shape) == batch->shapes().end()) batch->adopt(shape);
    if (!piece.memory.empty())
      batch->borrow(std::make_shared<Memory>(std::move(piece.memory)), piece.bytes);
    const bool last = &piece == &lent.parcel->pieces.back();
    if (!lent.owed.empty())
      batch->owed = last ? std::move(lent.owed) : lent.owed.split(*batch->acknowledger, piece.end);
    out.push_back({std::move(batch), piece.step, piece.here});
  }
  return out;
}

void Parallel::forget() {
  for (const Lent& lent : line_)
    if (lent.parcel) lent.parcel->unwanted = true;
  line_.clear();
}

void Parallel::stop(std::function<void()> done) {
  for (const Lent& lent : line_)
    if (lent.parcel) lent.parcel->unwanted = true;
  period_.stop();
  if (under_way() == 0) {
    stopped_ = [] {};
    return done();
  }
  stopped_ = std::move(done);
}

std::optional<int64_t> Parallel::oldest_arrival_us() const {
  if (line_.empty()) return std::nullopt;
  return line_.front().batch->arrival_us;
}

}  // namespace leat
