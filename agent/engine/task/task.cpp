#include "task/task.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/units.h"
#include "task/memory_share.h"
#include "task/verdict.h"

namespace leat {
namespace {

// What one batch of n source bytes may come to need: itself, its decoded values (16 bytes a field,
// measured 1.3 n for telemetry), its encoded form, and a sink's buffer.
constexpr size_t kCostFactor = 4;

// In a turn the chain makes so many times a batch's bytes of its records; ordinary ones do not grow
// so much, and go through in one.
constexpr size_t kQuantum = 2;

}  // namespace

Result<std::unique_ptr<Task>> Task::make(TaskSetup setup, std::unique_ptr<Source> source) {
  std::unique_ptr<Task> task(new Task(std::move(setup)));
  if (Status status = task->build(std::move(source)); !status) return fail(status.error());
  return task;
}

Task::Task(TaskSetup setup)
    : setup_(std::move(setup)),
      replay_(setup_.config.source.type->replay(setup_.plan.source_options)),
      batch_bytes_(batch_bytes_for(setup_.memory, setup_.config.limits)),
      pool_(setup_.budget, spare_blocks_for(setup_.memory)),
      acknowledgements_(setup_.loop, setup_.plan.name, setup_.journal,
                        setup_.config.delivery.exactly_once),
      checkpoints_({.loop = setup_.loop,
                    .pipeline = setup_.plan.name,
                    .journal = setup_.journal,
                    .usage = setup_.usage,
                    .acknowledgements = acknowledgements_,
                    .config = setup_.config.delivery,
                    .replay = replay_,
                    .budget = setup_.budget,
                    .wake = [this] { wake(); }}),
      queue_(setup_.loop, setup_.limit, [this] { wake(); }),
      idle_(setup_.loop, [this] { work(); }),
      done_(setup_.loop) {}

Status Task::build(std::unique_ptr<Source> source) {
  const PipelineConfig& config = setup_.config;
  Result<Plan> planned = plan(config, config.name);
  if (!planned) return fail(planned.error());
  std::vector<ParallelRun> runs;
#ifdef LEAT_PARALLEL
  if (setup_.further_loops > 0) runs = parallel_runs(config, *planned);
#endif
  Result<Chain> chain =
      Chain::make(config, *planned,
                  {.add = [this](const Rejection& rejection) { reject(rejection); },
                   .full = [this] { return setup_.dead_letters.file().full(); }},
                  kQuantum * batch_bytes_, *this, runs, false);
  if (!chain) return fail(chain.error());
  chain_ = std::make_unique<Chain>(std::move(*chain));
  chain_->charge_held_to(setup_.budget);
  chain_->keep(&checkpoints_);
  checkpoints_.attach(chain_->states());
#ifdef LEAT_PARALLEL
  if (!runs.empty()) make_parallel(*planned, std::move(runs));
#endif
  if (Status made = stages_.make(config, setup_.plan.source_options, std::move(source)); !made)
    return made;
  if (replay_ == Replay::kFromPosition) acknowledgements_.may_save_late(stages_.source());
  make_spool();
  make_deliverer();
  return {};
}

#ifdef LEAT_PARALLEL
void Task::make_parallel(const Plan& plan, std::vector<ParallelRun> runs) {
  parallel_ = std::make_unique<Parallel>(ParallelSetup{.config = setup_.config,
                                                       .max = setup_.further_loops,
                                                       .plan = plan,
                                                       .runs = std::move(runs),
                                                       .codecs = *this,
                                                       .pool = pool_,
                                                       .budget = setup_.budget,
                                                       .memory = setup_.memory,
                                                       .wake = [this] { wake(); }});
  // Some more than those, so that it does not look as if fewer waited while the source reads on.
  queue_.let_wait(static_cast<size_t>(setup_.config.parallel.threshold) + 3);
}
#endif

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
      .sink = stages_.sink(),
      .acknowledgements = acknowledgements_,
      .dead_letters = setup_.dead_letters.file(),
      .owner = *this,
      .comes_again = replay_ != Replay::kNone,
      .cuts =
          setup_.config.sink.type->sends_keys ? setup_.data_dir + "/cuts/" + setup_.plan.name : "",
      .most_held = most_held_for(setup_.memory, setup_.config.sink.takes())});
  spool_->attach(*deliverer_);
}

void Task::reject_at_sink(const Batch& batch, size_t index, const Why& why) {
  const WriteFormat* format = setup_.config.sink.format;
  reject({.stage = setup_.config.sink.type->name,
          .reason = why.reason,
          .code = why.code.empty() ? "refused" : std::string_view(why.code),
          .position = batch.position_after(index),
          .batch = &batch,
          .index = index,
          .acknowledger = batch.acknowledger,
          .raw = RawIs::kOutput,
          .format = format == nullptr ? std::string_view() : format->wire});
}

// --- start --------------------------------------------------------------------------------------

Status Task::open() {
  return stages_.open_sink(*this);
}

void Task::discard(std::function<void()> done) {
  on_finished_ = [done = std::move(done)](const Status& /*status*/) { done(); };
  close();
}

void Task::start(std::function<void(Status)> finished) {
  on_finished_ = std::move(finished);
  if (setup_.plan.joins) return;
  if (Status status = open(); !status) return fail_with(status.error());
  resume_ = std::make_unique<Resume>(ResumeSetup{.loop = setup_.loop,
                                                 .name = setup_.plan.name,
                                                 .config = setup_.config.delivery,
                                                 .source = *setup_.config.source.type,
                                                 .replay = replay_,
                                                 .sink = stages_.sink(),
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
  point_ = std::move(point);
  checkpoints_.restore(point_.saved);
  chain_->count_held();
  spool_->restore(point_.spool, point_.spool_delivered, point_.spool_left);
  life_.run();
  if (Status status = stages_.open_source(*this); !status) return fail_with(status.error());
  if (setup_.resumed) setup_.resumed(point_);
  if (first_feed_) begin_feed(std::exchange(first_feed_, nullptr));
  wake();  // what was remembered may be due, though nothing comes
}

// What is spooled is with the one that it joins.
void Task::join(const ResumedFrom& point) {
  if (!life_.starting()) return;
  if (Status status = open(); !status) return fail_with(status.error());
  resume_at({.saved = point.saved, .noted = point.noted, .spool = {}, .spool_left = {}});
}

void Task::set_memory(size_t bytes) {
  batch_bytes_ = batch_bytes_for(bytes, setup_.config.limits);
  pool_.keep(spare_blocks_for(bytes));
  chain_->set_quantum(kQuantum * batch_bytes_);
  if (parallel() != nullptr) parallel()->set_memory(bytes);
  spool_->set_batch_bytes(batch_bytes_);
  deliverer_->set_most_held(most_held_for(bytes, setup_.config.sink.takes()));
  wake();
}

Result<std::unique_ptr<Encoder>> Task::new_encoder() {
  Result<std::unique_ptr<Encoder>> made = format()->make_encoder(setup_.config.sink.format_options);
  if (made)
    if (Status opened = (*made)->open(*this); !opened) return fail(opened.error());
  return made;
}

// What slices are when they go to the sink. Their wrap belongs to it: rows of CSV mean nothing
// under another header.
std::string Task::spool_format() {
  if (setup_.config.sink.format == nullptr) return "";
  return std::string(setup_.config.sink.format->wire) + '\n' + wrap().open;
}

Brought Task::brought_by(const Batch& batch, size_t index) {
  const Position behind = batch.position_after(index);
  if (feed_ != nullptr && batch.acknowledger == feed_.get()) return feed_->brought_by(behind);
  return {.metadata = batch.acknowledger->metadata_of(behind)};
}

// Only after the configuration has changed: the sink, or its format, is another one.
Result<Turn> Task::adapt_spooled(BatchRef& batch, const std::string& format) {
  if (format == spool_format()) return Turn::kDone;
  return chain_->adapt(batch, format.substr(0, format.find('\n')));
}

// --- running ------------------------------------------------------------------------------------

bool Task::has_credit() const {
  return life_.running() && queue_.has_room() && !chain_->waits() &&
         (setup_.budget.has_room(kCostFactor * batch_bytes_) ||
          (!has_input() && spool_->holds_nothing()));
}

BatchRef Task::new_batch_for(size_t reader, Content content) {
  if (!has_credit()) {
    if (queue_.refuse() && !spool_->comes_again()) wake();  // it may be trouble
    setup_.budget.note_refusal();
    return {};
  }
  return queue_.grant(reader, pool_, content);
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
  batch->acknowledger = &stages_.source();
  if (!batch->preamble)
    batch->owed = acknowledgements_.ledger().open(stages_.source(), batch->begin, batch->end);
  if (!queue_.add(std::move(batch)))
    log::error(setup_.config.name, "internal error: the source " +
                                       std::string(setup_.config.source.type->name) +
                                       " emits batches without credit; they are kept");
  wake();
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
  queue_.end();
  if (!status) (void)life_.fail_with(status.error());
  wake();
}

// One turn of the chain, so that no pipeline keeps the others from the loop.
void Task::work() {
  idle_.stop();
  tell_trouble();
  if (!life_.moves_records()) return;
  spool_->source_waits(queue_.refused() && !queue_.held_back() && !chain_->waits() &&
                       !waits_for_transforms());
  spool_->check();
  if (life_.draining() && has_turn() && !spool_->wants_more()) spool_->make_safe();
  see_load();
  take_tick();
  if (feeds()) take_from_feed();
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
  see_load();
  checkpoints_.check(!chain_->busy(), queue_.empty() && all_is_here());
  const DeadLetterLimit& limit = setup_.config.max_dead_letters;
  if (Status status = within_limit(limit, setup_.dead_letters.count()); !status)
    return fail_with(status.error());
  give_credit();
  finish_if_settled();
}

// What comes back goes on before more is begun, and no more is begun than other loops can take.
bool Task::has_turn() const {
  if (chain_->waits()) return !chain_->back_waits() && comes_back();
  if (parallel() == nullptr || !parallel()->lends()) return has_input();
  if (comes_back()) return true;
  return (chain_->reading() || !queue_.empty() || checkpoints_.has_turn()) &&
         parallel()->has_room();
}

bool Task::waits_for_transforms() const {
  return parallel() != nullptr && parallel()->lends() && spool_->wants_more();
}

void Task::see_load() {
  if (parallel() == nullptr) return;
  parallel()->sees(queue_.size(), !spool_->wants_more() || !has_room(), !taps_.empty());
  chain_->lend(parallel()->lends());
}

// False when it has failed.
bool Task::take_what_is_back() {
  if (parallel() == nullptr || chain_->taking_back() || !parallel()->ready()) return true;
  const Status status = parallel()->take_back(*chain_);
  if (!status) fail_with(status.error());
  return status.has_value();
}

// For what a turn may make, once in its records and once in their encoded form; or, where records
// are long or wide, for what the last ones needed. Where nothing is held that could make room, it
// must do without: what other loops work at will.
bool Task::has_room() {
  size_t bytes = chain_->busy() ? queue_.bytes_taken() : queue_.bytes_next();
  return setup_.budget.has_room(std::max(2 * kQuantum * batch_bytes_, cost_.expected(bytes))) ||
         (spool_->holds_nothing() && (all_is_here() || comes_back()));
}

// What is to come out comes before more goes in.
void Task::take_tick() {
  if (chain_->busy() || !checkpoints_.has_turn()) return;
  BatchRef batch = checkpoints_.tick(pool_);
  queue_.other_taken(*batch, chain_->counters().read);
  chain_->take(std::move(batch), chain_->first_state());
}

// In turns with the source.
void Task::take_from_feed() {
  if (chain_->busy() || !life_.running() || queue_.held_back() || !spool_->wants_more()) return;
  if (std::exchange(fed_last_, false) && !queue_.empty()) return wake();
  if (!setup_.budget.has_room(kCostFactor * batch_bytes_) && !spool_->holds_nothing()) {
    setup_.budget.note_refusal();
    return deliverer_->hurry();
  }
  Feed::Given given = feed_->next();
  if (!given.batch) return;
  fed_last_ = true;
  Batch& batch = *given.batch;
  batch.acknowledger = feed_.get();
  batch.owed = acknowledgements_.ledger().open(*feed_, batch.begin, batch.end);
  queue_.other_taken(batch, chain_->counters().read);
  chain_->take(std::move(given.batch), given.step);
  wake();
}

Status Task::feed(const MakeFeed& make) {
  const bool starts = life_.starting() && !life_.failed();
  if (!starts && (!life_.running() || !stages_.opened() || flushed_))
    return fail(ErrorKind::kUsage, setup_.config.name + ": does not run");
  if (feeds() || first_feed_)
    return fail(ErrorKind::kUsage, setup_.config.name + ": dead letters are being tried again");
  if (starts)
    first_feed_ = make;
  else
    begin_feed(make);
  return {};
}

void Task::begin_feed(const MakeFeed& make) {
  if (deliverer_->settled()) former_feeds_.clear();
  if (feed_ != nullptr) former_feeds_.push_back(std::move(feed_));
  feed_ = make(*this);
  wake();
}

void Task::run_a_turn() {
  if (!take_what_is_back() || (chain_->waits() && !chain_->taking_back())) return;
  uint64_t before = chain_->counters().read;
  if (!chain_->busy()) {
    if (queue_.empty() || (parallel() != nullptr && parallel()->lends() && !parallel()->has_room()))
      return;  // what is due has just become so; what has come back left nothing
    chain_->take(queue_.take(before));
  }
  cost_.begin(setup_.budget);
  Result<BatchRef> piece = chain_->next();
  if (!piece) return fail_with(piece.error());
  if (!*piece) return;
  chain_->count_held();
  if (!chain_->took_back()) {
    cost_.end(setup_.budget, queue_.bytes_taken());
    if ((*piece)->preamble) return;
    setup_.usage.count_records(chain_->counters().read - before);
    if (!chain_->reading()) end_batch((*piece)->end);
  }
  if (parallel() != nullptr)
    if (const std::optional<size_t> step = chain_->at_run())
      return parallel()->lend(std::move(*piece), *step, kQuantum * batch_bytes_);
  (*piece)->charge_vectors();
  spool_->add(std::move(*piece));
}

// Before its last piece is given on: the position behind it must not be reached before its dead
// letters are known.
void Task::end_batch(const Position& end) {
  queue_.taken_ends(end, chain_->counters().read,
                    [this](const Rejected& what, const Position& behind) {
                      reject({.stage = setup_.config.source.type->name,
                              .reason = what.why,
                              .code = "source",
                              .position = behind,
                              .text = what.bytes,
                              .acknowledger = &stages_.source()});
                    });
}

void Task::go_on() {
  if (chain_ == nullptr) return;  // a codec that is just being opened
  chain_->go_on();
  wake();
}

void Task::give_credit() {
  if (!queue_.refused()) return;
  if (has_credit()) {
    queue_.resumed();
    stages_.source().resume();
  } else if (!has_input() && !queue_.held_back()) {
    setup_.budget.note_refusal();
    deliverer_->hurry();
  }
}

void Task::reject(Rejection rejection) {
  if (feed_ != nullptr && rejection.acknowledger == feed_.get()) feed_->rejected(rejection);
  // What is in the spool is known there, and whoever gave it has forgotten it.
  Brought brought;
  if (rejection.acknowledger == spool_.get())
    brought = spool_->brought_at(rejection.position);
  else if (rejection.batch != nullptr)
    brought = spool_->brought_with(*rejection.batch, rejection.index);
  if (brought.metadata.empty())
    brought.metadata = rejection.acknowledger->metadata_of(rejection.position);
  if (brought.attempt > 1) {
    rejection.id = brought.letter;
    rejection.attempt = brought.attempt;
  }
  rejection.metadata = brought.metadata;
  if (!rejection.was_dead()) ++dead_letters_;
  setup_.dead_letters.write(rejection, rejection.acknowledger->describe(rejection.position));
}

// --- end ----------------------------------------------------------------------------------------

void Task::finish_if_settled() {
  if (!queue_.ended() || (feeds() && !life_.draining())) return;
  if (!life_.draining() && !life_.failed() && !has_input() && checkpoints_.end_of_input())
    return wake();
  if (has_input()) {
    // What a codec waits for may be long in coming, or never come.
    const bool stands =
        chain_->waits() && (chain_->back_waits() || (all_is_here() && !chain_->taking_back()));
    bool may_leave = stands ? spool_->comes_again() : spool_->may_leave_rest(has_room());
    if (!life_.draining() || !may_leave) return;
    queue_.clear();
    chain_->leave_rest();
    if (parallel() != nullptr) parallel()->forget();
  }
  if (!std::exchange(flushed_, true)) spool_->end_of_input(life_.draining());
  if (!spool_->settled()) return;
  const bool waited_enough = life_.draining() && deliverer_->silent();
  if (!setup_.dead_letters.all_durable() && !(waited_enough && spool_->comes_again())) return;
  if (!checkpoints_.finished(!chain_->busy(), life_.draining())) return;
  if (life_.draining() && spool_->records_unsafe() > 0) {
    std::string reason = deliverer_->trouble();
    if (reason.empty() && waited_enough) reason = "the sink does not answer, or not soon";
    log::info(setup_.config.name,
              (reason.empty() ? "" : reason + ": ") + what_is_left());  // words elsewhere
  }
  if (life_.draining() || life_.failed()) return close();
  const Result<bool> is_last = setup_.verdict();
  if (!is_last) return fail_with(is_last.error());
  if (!*is_last) return close();
  life_.finish();
  stages_.sink().finish([this](Status status) {
    if (!status) return fail_with(status.error());
    close();
  });
}

void Task::drain() {
  if (life_.starting() || life_.finishing()) return close();
  if (!life_.drain()) return;
  if (feed_ != nullptr) feed_->stop();
  flushed_ = false;  // a bounded source may have ended before, but the spool must know of this end
  queue_.hold_back_no_more();
  deliverer_->drain();
  stages_.drain_source([this] {
    queue_.end();
    wake();
  });
}

void Task::abort(const std::string& why) {
  if (life_.over()) return;
  bool loses_input = chain_->waits() && !spool_->comes_again();
  if (!spool_->all_safe() || loses_input || !all_is_here()) {
    std::string left = what_is_left();
    if (loses_input) left += "; what was read last waits for its codec, and is lost, too";
    life_.fail_with(Error(ErrorKind::kFatal, why + ": " + left));
  }
  close();
}

std::string Task::what_is_left() const {
  uint64_t records = spool_->records_unsafe();
  if (parallel() != nullptr) records += parallel()->records();
  const bool one = records == 1;
  // Some of them may have arrived, and only the answer has not.
  std::string left = format_count(records, "record") + " in flight " + (one ? "is" : "are") +
                     " not confirmed; ";  // logged: info
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
  if (!life_.close(1 + stages_.open() + (parallel() == nullptr ? 0 : 1))) return;
  resume_.reset();
  first_feed_ = nullptr;
  if (feed_ != nullptr) feed_->stop();
  idle_.stop();
  queue_.hold_back_no_more();
  checkpoints_.stop();
  deliverer_->stop();
  auto closed = [this] {
    if (!life_.stage_closed()) return;
    // From the loop, not from inside a stage's callback: the listener may destroy the task.
    done_.start_next_turn([this] {
      std::function<void(Status)> listener = std::move(on_finished_);
      listener(life_.result());
    });
  };
  stages_.close(closed);
  if (parallel() != nullptr) parallel()->stop(closed);
  closed();
}

const std::string& Task::trouble() const {
  return resume_ && !resume_->trouble().empty() ? resume_->trouble() : deliverer_->trouble();
}

void Task::tell_trouble() {
  const bool open = deliverer_->retry_policy().circuit_open();
  if (!setup_.on_trouble || (told_trouble_ == trouble() && told_open_ == open)) return;
  told_trouble_ = trouble();
  told_open_ = open;
  setup_.on_trouble();
}

void Task::kick() {
  if (resume_) return resume_->kick();
  deliverer_->kick();
}

void Task::hold(const std::string& why) {
  deliverer_->hold(why);
  wake();
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

}  // namespace leat
