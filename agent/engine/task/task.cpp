#include "task/task.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/units.h"
#include "task/memory_share.h"
#include "task/verdict.h"

namespace leat {
namespace {

// Batches that may wait between source and chain. More would only hold memory: the chain is never
// slower to start than one turn of the loop.
constexpr size_t kMostQueued = 3;

// What one batch of n source bytes may come to need: itself, its decoded values (16 bytes a field,
// measured 1.3 n for telemetry), its encoded form, and a sink's buffer.
constexpr size_t kCostFactor = 4;

// In a turn the chain makes so many times a batch's bytes of its records; ordinary ones do not grow
// so much, and go through in one.
constexpr size_t kQuantum = 2;

size_t source_bytes_of(const Batch& batch) {
  return static_cast<size_t>(batch.end.offset - batch.begin.offset);
}

}  // namespace

Result<std::unique_ptr<Task>> Task::make(TaskSetup setup) {
  std::unique_ptr<Task> task(new Task(std::move(setup)));
  if (Status status = task->build(); !status) return fail(status.error());
  return task;
}

Task::Task(TaskSetup setup)
    : setup_(std::move(setup)),
      replay_(setup_.config.source.type->replay(setup_.plan.source_options)),
      batch_bytes_(batch_bytes_for(setup_.memory, setup_.config.limits)),
      pool_(setup_.budget, spare_blocks_for(setup_.memory)),
      acknowledgements_(setup_.loop, setup_.plan.name, setup_.journal,
                        setup_.config.delivery.exactly_once),
      chain_charge_(setup_.budget),
      idle_(setup_.loop, [this] { work(); }),
      hold_back_(setup_.loop),
      done_(setup_.loop) {}

Status Task::build() {
  const PipelineConfig& config = setup_.config;
  Result<Plan> planned = plan(config, config.name);
  if (!planned) return fail(planned.error());
  Result<Chain> chain =
      Chain::make(config, *planned,
                  {.add = [this](const Rejection& rejection) { reject(rejection); },
                   .full = [this] { return setup_.dead_letters.file().full(); }},
                  kQuantum * batch_bytes_, *this);
  if (!chain) return fail(chain.error());
  chain_ = std::make_unique<Chain>(std::move(*chain));
  Result<std::unique_ptr<Source>> source = config.source.type->make(setup_.plan.source_options);
  if (!source) return fail(source.error());
  source_ = std::move(*source);
  if (replay_ == Replay::kFromPosition) acknowledgements_.may_save_late(*source_);
  Result<std::unique_ptr<Sink>> sink = config.sink.type->make(config.sink.options);
  if (!sink) return fail(sink.error());
  sink_ = std::move(*sink);
  make_spool();
  make_deliverer();
  return {};
}

void Task::make_spool() {
  spool_ = std::make_unique<Spool>(SpoolSetup{.loop = setup_.loop,
                                              .pipeline = setup_.plan.name,
                                              .config = setup_.config.delivery,
                                              .replay = replay_,
                                              .acknowledgements = acknowledgements_,
                                              .dead_letters = setup_.dead_letters.file(),
                                              .journal = setup_.journal,
                                              .owner = *this,
                                              .pool = pool_,
                                              .batch_bytes = batch_bytes_,
                                              .linger = setup_.config.sink.batch.linger});
}

void Task::make_deliverer() {
  deliverer_ = std::make_unique<Deliverer>(DelivererSetup{
      .loop = setup_.loop,
      .agent = setup_.agent,
      .pipeline = setup_.plan.name,
      .limits = setup_.config.sink.batch,
      .in_flight = setup_.config.sink.in_flight,
      .config = setup_.config.delivery,
      .sink = *sink_,
      .acknowledgements = acknowledgements_,
      .dead_letters = setup_.dead_letters.file(),
      .owner = *this,
      .comes_again = replay_ != Replay::kNone,
      .cuts =
          setup_.config.sink.type->sends_keys ? setup_.data_dir + "/cuts/" + setup_.plan.name : "",
      .most_held = most_held_for(setup_.memory, setup_.config.sink.type->consumes)});
  spool_->attach(*deliverer_);
}

void Task::reject_at_sink(const Batch& batch, size_t index, const std::string& reason) {
  reject({setup_.config.sink.type->name,
          reason,
          batch.position_after(index),
          &batch,
          index,
          {},
          batch.acknowledger});
}

// --- start --------------------------------------------------------------------------------------

Status Task::open() {
  sink_open_ = true;
  return sink_->open(*this);
}

void Task::discard(std::function<void()> done) {
  on_finished_ = [done = std::move(done)](const Status& /*status*/) { done(); };
  close();
}

void Task::start(std::function<void(Status)> finished) {
  on_finished_ = std::move(finished);
  if (!sink_open_)
    if (Status status = open(); !status) return fail_with(status.error());
  resume_ = std::make_unique<Resume>(ResumeSetup{.loop = setup_.loop,
                                                 .name = setup_.plan.name,
                                                 .config = setup_.config.delivery,
                                                 .source = *setup_.config.source.type,
                                                 .replay = replay_,
                                                 .sink = *sink_,
                                                 .journal = setup_.journal,
                                                 .moved = moved_});
  resume_->start(
      [this](Result<ResumedFrom> point) {
        resume_.reset();
        if (!point) return fail_with(point.error());
        resume_at(std::move(*point));
      },
      [this] { tell_trouble(); });
}

void Task::resume_at(ResumedFrom point) {
  saved_ = std::move(point.saved);
  noted_ = std::move(point.noted);
  resumed_ = point.spool_left.records;
  spool_->restore(point.spool, point.spool_delivered, point.spool_left);
  life_.run();
  source_open_ = true;
  if (Status status = source_->open(*this); !status) return fail_with(status.error());
  opened_ = true;
}

void Task::set_memory(size_t bytes) {
  batch_bytes_ = batch_bytes_for(bytes, setup_.config.limits);
  pool_.keep(spare_blocks_for(bytes));
  chain_->set_quantum(kQuantum * batch_bytes_);
  spool_->set_batch_bytes(batch_bytes_);
  deliverer_->set_most_held(most_held_for(bytes, setup_.config.sink.type->consumes));
  wake();
}

// What slices are when they go to the sink. Their wrap belongs to it: rows of CSV mean nothing
// under another header.
std::string Task::spool_format() {
  if (setup_.config.sink.format == nullptr) return "";
  return std::string(setup_.config.sink.format->wire) + '\n' + wrap().open;
}

// Only after the configuration has changed: the sink, or its format, is another one.
Result<Turn> Task::adapt_spooled(BatchRef& batch, const std::string& format) {
  if (format == spool_format()) return Turn::kDone;
  return chain_->adapt(batch, format.substr(0, format.find('\n')));
}

// --- running ------------------------------------------------------------------------------------

bool Task::has_credit() const {
  return life_.running() && input_.size() < kMostQueued && !hold_back_.active() &&
         !chain_->waits() &&
         (setup_.budget.has_room(kCostFactor * batch_bytes_) ||
          (!has_input() && spool_->holds_nothing()));
}

BatchRef Task::new_batch(Content content) {
  if (!has_credit()) {
    if (!std::exchange(refused_, true) && !spool_->comes_again()) wake();  // it may be trouble
    setup_.budget.note_refusal();
    return {};
  }
  BatchRef batch = BatchRef::make(pool_, content);
  granted_ = &*batch;
  return batch;
}

void Task::emit(BatchRef batch) {
  if (life_.over()) return;
  log::debug(setup_.config.name, [&batch] {
    const Batch& b = *batch;
    return "read " +
           (b.content == Content::kBytes ? format_count(b.bytes.size(), "byte")
                                         : format_count(b.count(), "record")) +
           " of partition " + std::to_string(b.begin.partition) + ", from " +
           std::to_string(b.begin.offset) + " to " + std::to_string(b.end.offset);
  });
  // It is kept, since what was read is not thrown away; but nothing keeps such batches within the
  // memory.
  if (&*batch != std::exchange(granted_, nullptr) && without_credit_++ == 0)
    log::error(setup_.config.name, "internal error: the source " +
                                       std::string(setup_.config.source.type->name) +
                                       " emits batches without credit; they are kept");
  last_read_ = setup_.loop.now();
  batch->acknowledger = source_.get();
  if (!batch->preamble)
    batch->owed = acknowledgements_.ledger().open(*source_, batch->begin, batch->end);
  input_.push_back(std::move(batch));
  wake();
}

void Task::progress(uint64_t bytes_done, std::optional<uint64_t> bytes_total) {
  bytes_read_ = bytes_done;
  bytes_total_ = bytes_total;
}

void Task::save(SavedPosition what, std::function<void(Status)> done) {
  acknowledgements_.overtaken_by({what});
  setup_.journal.commit(setup_.plan.name, {std::move(what)}, lifetime_.guard(std::move(done)),
                        durability_of(Survives::kPowerCut));
}

void Task::note(std::vector<SavedPosition> what, Survives survives,
                std::function<void(Status)> done) {
  acknowledgements_.overtaken_by(what);
  setup_.journal.commit(setup_.plan.name, std::move(what), lifetime_.guard(std::move(done)),
                        durability_of(survives));
}

JournalClient::Durability Task::durability_of(Survives survives) const {
  return survives == Survives::kPowerCut && setup_.config.delivery.spool.survives_power_cut
             ? JournalClient::Durability::kPower
             : JournalClient::Durability::kProcess;
}

// A failure is told at the end, with what became of the records. When it happened, the source has
// said so: what it gave before may take long to be delivered.
void Task::finished(Status status) {
  input_ended_ = true;
  if (!status) (void)life_.fail_with(Error(ErrorKind::kFatal, status.error().message()));
  wake();
}

// One turn of the chain, so that no pipeline keeps the others from the loop.
void Task::work() {
  idle_.stop();
  tell_trouble();
  if (!life_.moves_records()) return;
  spool_->source_waits(refused_ && !hold_back_.active() && !chain_->waits());
  spool_->check();
  if (life_.draining() && has_turn() && !spool_->wants_more()) spool_->make_safe();
  if (has_turn() && spool_->wants_more()) {
    if (has_room()) {
      run_a_turn();
      if (has_turn()) wake();
    } else {
      setup_.budget.note_refusal();
      deliverer_->hurry();
    }
  }
  if (!life_.moves_records()) return;
  const DeadLetterLimit& limit = setup_.config.max_dead_letters;
  if (Status status = within_limit(limit, setup_.dead_letters.count()); !status)
    return fail_with(status.error());
  give_credit();
  finish_if_settled();
}

// For what a turn may make, once in its records and once in their encoded form; or, where records
// are long or wide, for what the last ones needed. Where nothing is held that could make room, it
// must do without.
bool Task::has_room() {
  size_t bytes = chain_->busy() ? taken_.source_bytes : source_bytes_of(*input_.front());
  return setup_.budget.has_room(std::max(2 * kQuantum * batch_bytes_, cost_.expected(bytes))) ||
         spool_->holds_nothing();
}

void Task::take_next() {
  BatchRef batch = std::move(input_.front());
  input_.pop_front();
  if (!batch->preamble) {
    lines_.begin(*batch);
    taken_ = {.rejected = batch->rejected.empty() ? BatchRef() : batch,
              .source_bytes = source_bytes_of(*batch),
              .records = chain_->counters().read};
  }
  chain_->take(std::move(batch));
}

void Task::run_a_turn() {
  if (!chain_->busy()) take_next();
  uint64_t before = chain_->counters().read;
  size_t source_bytes = taken_.source_bytes;
  size_t used = setup_.budget.used();
  setup_.budget.mark();
  Result<BatchRef> piece = chain_->next();
  if (!piece) return fail_with(piece.error());
  if (!*piece) return;
  chain_charge_.set(chain_->held());
  cost_.learn(source_bytes, setup_.budget.peak_since_mark() - used);
  if ((*piece)->preamble) return;
  setup_.usage.count_records(chain_->counters().read - before);
  if (!chain_->busy()) end_batch((*piece)->end);
  (*piece)->charge_vectors();
  spool_->add(std::move(*piece));
}

// Before its last piece is given on: the position behind it must not be reached before its dead
// letters are known.
void Task::end_batch(const Position& end) {
  Taken taken = std::exchange(taken_, {});
  if (taken.rejected) {
    const std::vector<Rejected>& rejected = taken.rejected->rejected;
    std::vector<uint64_t> behind = lines_.end(end, rejected);
    rejected_by_source_ += rejected.size();
    for (size_t i = 0; i < rejected.size(); ++i)
      reject({.stage = setup_.config.source.type->name,
              .reason = rejected[i].why,
              .position = {end.partition, end.offset, behind[i], end.last},
              .text = rejected[i].bytes,
              .acknowledger = source_.get()});
  } else {
    lines_.end(end);
  }
  if (setup_.limit.any()) hold_back(taken.source_bytes, chain_->counters().read - taken.records);
}

void Task::go_on() {
  if (chain_ == nullptr) return;  // a codec that is just being opened
  chain_->go_on();
  wake();
}

void Task::give_credit() {
  if (!refused_) return;
  if (has_credit()) {
    refused_ = false;
    source_->resume();
  } else if (!has_input() && !hold_back_.active()) {
    setup_.budget.note_refusal();
    deliverer_->hurry();
  }
}

void Task::hold_back(size_t bytes, uint64_t records) {
  Milliseconds wait = setup_.limit.wait_after(bytes, records, setup_.loop.clock().monotonic_us());
  hold_back_.start(wait, [this] {
    hold_back_.stop();
    wake();
  });
}

void Task::reject(const Rejection& rejection) {
  ++dead_letters_;
  setup_.dead_letters.write(rejection, rejection.acknowledger->describe(rejection.position));
}

// --- end ----------------------------------------------------------------------------------------

void Task::finish_if_settled() {
  if (!input_ended_) return;
  if (has_input()) {
    // What a codec waits for may be long in coming, or never come.
    bool may_leave = chain_->waits() ? spool_->comes_again() : spool_->may_leave_rest(has_room());
    if (!life_.draining() || !may_leave) return;
    input_.clear();
    chain_->leave_rest();
  }
  if (!std::exchange(flushed_, true)) spool_->end_of_input(life_.draining());
  if (!spool_->settled()) return;
  if (!setup_.dead_letters.all_durable()) return;
  if (life_.draining() && spool_->records_unsafe() > 0) {
    const std::string& reason = deliverer_->retry_policy().reason();
    log::info(setup_.config.name, (reason.empty() ? "" : reason + ": ") + what_is_left());
  }
  if (life_.draining() || life_.failed()) return close();
  if (Status status = setup_.verdict(); !status) return fail_with(status.error());
  life_.finish();
  sink_->finish([this](Status status) {
    if (!status) return fail_with(status.error());
    close();
  });
}

void Task::drain() {
  if (life_.starting() || life_.finishing()) return close();
  if (!life_.drain()) return;
  flushed_ = false;  // a bounded source may have ended before, but the spool must know of this end
  hold_back_.stop();
  if (source_->drain()) {  // it is stopped when all is settled
    input_ended_ = true;
    wake();
    return;
  }
  source_open_ = false;
  source_->stop([this] {
    input_ended_ = true;
    wake();
  });
}

void Task::abort(const std::string& why) {
  if (life_.over()) return;
  bool loses_input = chain_->waits() && !spool_->comes_again();
  if (!spool_->all_safe() || loses_input) {
    std::string left = what_is_left();
    if (loses_input) left += "; what was read last waits for its codec, and is lost, too";
    life_.fail_with(Error(ErrorKind::kFatal, why + ": " + left));
  }
  close();
}

std::string Task::what_is_left() const {
  uint64_t records = spool_->records_unsafe();
  const bool one = records == 1;
  // Some of them may have arrived, and only the answer has not.
  std::string left =
      format_count(records, "record") + " in flight " + (one ? "is" : "are") + " not confirmed; ";
  if (spool_->comes_again())
    return left + (one ? "it is" : "they are") + " read again when the pipeline starts next";
  return left + (one ? "if it has not arrived it is lost, since the source cannot give it again"
                     : "what of them has not arrived is lost, since the source cannot give it "
                       "again");
}

// The first failure is told at the end, with what became of the records; others, now.
void Task::fail_with(const Error& error) {
  if (life_.over()) return;
  if (!life_.fail_with(error)) log::error(setup_.config.name, error.message());
  close();
}

void Task::close() {
  bool source = std::exchange(source_open_, false);
  bool sink = std::exchange(sink_open_, false);
  if (!life_.close(1 + (source ? 1 : 0) + (sink ? 1 : 0))) return;
  resume_.reset();
  idle_.stop();
  hold_back_.stop();
  deliverer_->stop();
  auto closed = [this] {
    if (!life_.stage_closed()) return;
    // From the loop, not from inside a stage's callback: the listener may destroy the task.
    done_.start_next_turn([this] {
      std::function<void(Status)> listener = std::move(on_finished_);
      listener(life_.result());
    });
  };
  if (source) source_->stop(closed);
  if (sink) sink_->close(closed);
  closed();
}

const std::string& Task::trouble() const {
  return resume_ && !resume_->trouble().empty() ? resume_->trouble()
                                                : deliverer_->retry_policy().reason();
}

void Task::tell_trouble() {
  if (!setup_.on_trouble || told_trouble_ == trouble()) return;
  told_trouble_ = trouble();
  setup_.on_trouble();
}

void Task::kick() {
  if (resume_) return resume_->kick();
  deliverer_->kick();
}

Status Task::tap(uint64_t id, const TapRequest& request, std::shared_ptr<TapLines> lines) {
  if (taps_.full()) return fail(ErrorKind::kUsage, "too many look at it already");
  Result<std::unique_ptr<Tap>> tap = Tap::make(request, chain_->stages(), chain_->last_of_records(),
                                               setup_.loop.clock(), std::move(lines));
  if (!tap) return fail(tap.error());
  taps_.add(id, std::move(*tap));
  chain_->watch(&taps_);
  return {};
}

void Task::untap(uint64_t id) {
  taps_.remove(id);
  if (taps_.empty()) chain_->watch(nullptr);
}

// What is with the deliverer came before what is in the chain, and that before what waits for it.
std::optional<Milliseconds> Task::oldest_waits_for() const {
  std::optional<int64_t> arrival_us = deliverer_->oldest_arrival_us();
  if (!arrival_us) arrival_us = chain_->oldest_arrival_us();
  if (!arrival_us && !input_.empty()) arrival_us = input_.front()->arrival_us;
  if (!arrival_us) return std::nullopt;
  return Milliseconds(std::max<int64_t>(setup_.loop.clock().unix_us() - *arrival_us, 0) / 1000);
}

std::vector<StageStatus> Task::stages() const {
  const DeliveryCounters& delivery = deliverer_->counters();
  std::vector<StageStatus> out;
  out.push_back({std::string(setup_.config.source.type->name),
                 {.out = chain_->counters().read, .failed = rejected_by_source_}});
  chain_->add_stages(out);
  out.push_back({std::string(setup_.config.sink.type->name),
                 {.in = delivery.delivered + delivery.dead,
                  .out = delivery.delivered,
                  .failed = delivery.dead}});
  return out;
}

TaskStatus Task::status() const {
  TaskStatus out;
  out.bytes_read = bytes_read_;
  out.bytes_total = bytes_total_;
  out.records = chain_->counters().read + rejected_by_source_;
  out.delivered = deliverer_->counters().delivered;
  out.filtered = chain_->counters().filtered;
  out.made = chain_->counters().made;
  out.dropped = chain_->counters().dropped;
  out.dead_letters = dead_letters_;
  out.resumed = resumed_;
  out.retries = deliverer_->counters().retries;
  out.waiting = chain_->waiting() + spool_->records_waiting();
  out.spooled = spool_->counters().spooled;
  out.spool_dropped = spool_->counters().dropped_oldest + spool_->counters().dropped_newest;
  out.spool_lost = spool_->lost();
  out.trouble = trouble();
  out.spool_bytes = spool_->bytes();
  out.without_credit = without_credit_;
  out.opened = opened_;
  out.spooling = spool_->in_use();
  out.circuit_open = deliverer_->retry_policy().circuit_open();
  out.next_attempt_in = resume_ ? resume_->next_attempt_in() : deliverer_->next_attempt_in();
  if (last_read_) out.since_read = setup_.loop.now() - *last_read_;
  out.oldest_waits_for = oldest_waits_for();
  out.spool_full_in = spool_->full_in();
  out.latencies = deliverer_->counters().latencies;
  out.stages = stages();
  return out;
}

}  // namespace leat
