#include "pipeline/pipeline.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "task/dead_letter_line.h"

namespace leat {
namespace {

// Batches that may wait between source and chain. More would only hold memory: the chain is never
// slower to start than one turn of the loop.
constexpr size_t kRingCapacity = 3;

// What one batch of n source bytes may come to need: itself, its decoded values (16 bytes a field,
// measured 1.3 n for telemetry), its encoded form, and a sink's buffer.
constexpr size_t kCostFactor = 4;

// In a turn the chain makes so many times a batch's bytes of its records; ordinary ones do not grow
// so much, and go through in one.
constexpr size_t kQuantum = 2;

// Measured on telemetry: below 64 KiB the cost per batch shows, above 256 KiB the caches do not
// hold it any more.
size_t choose_batch_bytes(size_t memory, const LimitsConfig& limits) {
  size_t bytes = std::clamp<size_t>(memory / 64, 16 * 1024, 128 * 1024);
  // A throttled stream should flow, not come in gulps.
  if (limits.records_per_second > 0 || limits.bytes_per_second > 0)
    bytes = std::min<size_t>(bytes, 16 * 1024);
  return bytes;
}

size_t source_bytes_of(const Batch& batch) {
  return static_cast<size_t>(batch.end.offset - batch.begin.offset);
}

// What is not counted block by block: what the allocator keeps between its pieces, work in hand,
// spare blocks. It comes out of what the pipeline may take, too.
size_t counted(size_t memory) {
  return memory - memory / 8;
}

// Freed blocks that are kept at hand, uncounted: little where little may be used.
size_t spare_blocks(size_t memory) {
  return std::clamp<size_t>(memory / 16 / BlockPool::kBlockSize, 2, 16);
}

}  // namespace

Result<std::unique_ptr<Pipeline>> Pipeline::make(const PipelineConfig& config,
                                                 const PipelineEnvironment& environment) {
  std::unique_ptr<Pipeline> pipeline(new Pipeline(config, environment));
  if (Status status = pipeline->build(); !status) return fail(status.error());
  return pipeline;
}

Pipeline::Pipeline(const PipelineConfig& config, const PipelineEnvironment& environment)
    : config_(config),
      environment_(environment),
      batch_bytes_(choose_batch_bytes(environment.memory, config.limits)),
      budget_(counted(environment.memory)),
      pool_(budget_, spare_blocks(environment.memory)),
      ring_(kRingCapacity + 1),
      idle_(environment.loop, [this] { work(); }),
      throttle_(environment.loop),
      retry_(environment.loop) {
  budget_.on_room([this] { wake(); });
}

Pipeline::~Pipeline() {
  budget_.on_room(nullptr);
}

bool Pipeline::bounded() const {
  const SourceType& type = *config_.source.type;
  return type.bounded != nullptr && type.bounded(config_.source.options);
}

Status Pipeline::build() {
  Result<Plan> planned = plan(config_, config_.name);
  if (!planned) return fail(planned.error());
  Result<Chain> chain =
      Chain::make(config_, *planned,
                  {.add = [this](const Rejection& rejection) { reject(rejection); },
                   .full = [this] { return dead_letter_file_->full(); }},
                  kQuantum * batch_bytes_);
  if (!chain) return fail(chain.error());
  chain_ = std::make_unique<Chain>(std::move(*chain));
  Result<std::unique_ptr<Source>> source = config_.source.type->make(config_.source.options);
  if (!source) return fail(source.error());
  source_ = std::move(*source);
  Result<std::unique_ptr<Sink>> sink = config_.sink.type->make(config_.sink.options);
  if (!sink) return fail(sink.error());
  sink_ = std::move(*sink);

  DeadLetterConfig letters = config_.dead_letters;
  if (letters.path.empty())
    letters.path = environment_.data_dir + "/dead-letters/" + config_.name + ".jsonl";
  dead_letter_file_ =
      std::make_unique<DeadLetterFile>(environment_.loop, config_.name, letters, &budget_);
  spool_ = std::make_unique<Spool>(
      SpoolSetup{.loop = environment_.loop,
                 .clock = environment_.clock,
                 .pipeline = config_.name,
                 .config = config_.delivery,
                 .replay = config_.source.type->replay(config_.source.options),
                 .source = *source_,
                 .dead_letters = *dead_letter_file_,
                 .journal = environment_.journal,
                 .pool = pool_,
                 .batch_bytes = batch_bytes_,
                 .linger = config_.sink.batch.linger,
                 .form = [this] { return form(); },
                 .adapt = [this](BatchRef& batch,
                                 const std::string& form) { return adapt_spooled(batch, form); }});
  spool_->on_change([this] { wake(); });
  std::string stage(config_.sink.type->name);
  deliverer_ = std::make_unique<Deliverer>(DelivererSetup{
      .loop = environment_.loop,
      .clock = environment_.clock,
      .agent = environment_.agent,
      .pipeline = config_.name,
      .limits = config_.sink.batch,
      .in_flight = config_.sink.in_flight,
      .config = config_.delivery,
      .sink = *sink_,
      .source = *spool_,
      .journal = environment_.journal,
      .dead_letters = *dead_letter_file_,
      .cuts = config_.sink.type->sends_keys ? environment_.data_dir + "/cuts/" + config_.name : "",
      .bury =
          [this, stage](const Batch& batch, size_t index, const std::string& why) {
            reject({stage, why, batch.position_after(index), &batch, index, {}});
          },
      // What comes behind it must fit, too: in trouble that goes to the journal.
      .most_held = environment_.memory / (config_.sink.type->takes == Takes::kSlices ? 2 : 4)});
  spool_->attach(*deliverer_);
  deliverer_->on_change([this] { wake(); });
  deliverer_->on_failed([this](const Error& error) { fail_with(error); });
  return {};
}

// --- start --------------------------------------------------------------------------------------

void Pipeline::start(std::function<void(Status)> finished) {
  on_finished_ = std::move(finished);
  sink_open_ = true;
  if (Status status = sink_->open(*this); !status) return fail_with(status.error());
  load_positions();
}

// First what the journal knows, then with exactlyOnce what the sink knows: that is where the
// records before the sink have come from, the source or the spool. A pipeline that is told to end
// meanwhile is gone before the answers come.
void Pipeline::load_positions() {
  std::weak_ptr<bool> alive = alive_;
  environment_.journal.open_spool(
      config_.name,
      [this, alive](Result<SpoolState> spooled) {
        if (alive.expired() || state_ != State::kStarting) return;
        if (!spooled) return fail_with(spooled.error());
        spooled_ = std::move(*spooled);
      },
      config_.source.type->replay(config_.source.options) == Replay::kFromPosition);
  using Saved = Result<std::vector<SavedPosition>>;
  environment_.journal.load(config_.name, [this, alive](Saved saved) {
    if (alive.expired() || state_ != State::kStarting) return;
    if (!saved) return fail_with(saved.error());
    saved_ = std::move(*saved);
    if (config_.delivery.exactly_once) return load_from_sink(Milliseconds{500});
    restore_spool(saved_);
  });
}

void Pipeline::load_from_sink(Milliseconds next_delay) {
  sink_->load_positions([this, next_delay](Result<std::vector<SavedPosition>> saved) {
    if (state_ != State::kStarting) return;
    start_trouble_.clear();
    if (saved) return restore_spool(*saved);
    if (saved.error().kind() != ErrorKind::kUnavailable) return fail_with(saved.error());
    start_trouble_ = saved.error().message();
    tell_trouble();
    static constexpr Milliseconds kLongest{30'000};
    if (next_delay == Milliseconds{500})
      log::warn(config_.name,
                "waiting for the sink to say where to resume: " + saved.error().message());
    retry_.start(next_delay,
                 [this, next_delay] { load_from_sink(std::min(next_delay * 2, kLongest)); });
  });
}

// `delivered`: how far the sink, or for the sake of it the journal, has come.
void Pipeline::restore_spool(const std::vector<SavedPosition>& delivered) {
  uint64_t number = 0;
  for (const SavedPosition& position : delivered)
    if (position.partition == Spool::partition(spooled_.epoch))
      number = std::strtoull(position.value.c_str(), nullptr, 10);
  if (config_.delivery.spool.mode == SpoolMode::kNever) {
    if (config_.delivery.exactly_once) noted_ = std::move(saved_);
    saved_ = delivered;
  }
  std::erase_if(saved_, [this](const SavedPosition& position) {
    return position.partition == Spool::partition(spooled_.epoch);
  });
  std::weak_ptr<bool> alive = alive_;
  auto counted = [this, alive, number](Result<SpoolTotals> totals) {
    if (alive.expired() || state_ != State::kStarting) return;
    if (!totals) return fail_with(totals.error());
    spool_->restore(spooled_, number, *totals);
    open_source();
  };
  if (spooled_.end == spooled_.first) return counted(SpoolTotals{});
  environment_.journal.count_spooled(config_.name, number, counted);
}

void Pipeline::open_source() {
  state_ = State::kRunning;
  source_open_ = true;
  if (Status status = source_->open(*this); !status) fail_with(status.error());
}

// What slices are when they go to the sink. Their enclosure belongs to it: rows of CSV mean nothing
// under another header.
std::string Pipeline::form() {
  if (config_.sink.format == nullptr) return "";
  return std::string(config_.sink.format->wire) + '\n' + enclosure().open;
}

// Only after the configuration has changed: the sink, or its format, is another one.
Status Pipeline::adapt_spooled(BatchRef& batch, const std::string& form) {
  if (form == this->form()) return {};
  return chain_->adapt(batch, form.substr(0, form.find('\n')));
}

// --- running ------------------------------------------------------------------------------------

bool Pipeline::has_credit() const {
  return state_ == State::kRunning && queued_ < kRingCapacity && !throttle_.active() &&
         (budget_.has_room(kCostFactor * batch_bytes_) ||
          (queued_ == 0 && !chain_->busy() && spool_->holds_nothing()));
}

BatchRef Pipeline::new_batch(Content content) {
  if (!has_credit()) {
    refused_ = true;
    budget_.note_refusal();
    return {};
  }
  return BatchRef::make(pool_, content);
}

void Pipeline::emit(BatchRef batch) {
  if (state_ == State::kClosing || state_ == State::kDone) return;
  // The ring has one place more than new_batch() grants, for the batch that a source may hold.
  ring_.push(std::move(batch));
  ++queued_;
  wake();
}

void Pipeline::progress(uint64_t bytes_done, std::optional<uint64_t> bytes_total) {
  bytes_read_ = bytes_done;
  bytes_total_ = bytes_total;
}

void Pipeline::window_full(bool full) {
  spool_->window_full(full);
}

void Pipeline::save(SavedPosition what, std::function<void(Status)> done) {
  environment_.journal.commit(config_.name, {std::move(what)}, std::move(done),
                              config_.delivery.spool.survives_power_cut
                                  ? JournalClient::Durability::kPower
                                  : JournalClient::Durability::kProcess);
}

void Pipeline::note(std::vector<SavedPosition> what, std::function<void(Status)> done) {
  std::weak_ptr<bool> alive = alive_;
  environment_.journal.commit(config_.name, std::move(what),
                              [alive, done = std::move(done)](Status status) {
                                if (!alive.expired()) done(std::move(status));
                              });
}

void Pipeline::finished(Status status) {
  input_ended_ = true;
  if (!status && result_) {
    log::error(config_.name, status.error().message());
    result_ = fail(ErrorKind::kFatal, status.error().message());
  }
  wake();
}

// One turn of the chain, so that no pipeline keeps the others from the loop.
void Pipeline::work() {
  idle_.stop();
  tell_trouble();
  if (state_ != State::kRunning && state_ != State::kDraining) return;
  spool_->check();
  if (has_input() && spool_->wants_more()) {
    if (has_room()) {
      run_a_turn();
      if (has_input()) wake();
    } else {
      budget_.note_refusal();
      deliverer_->hurry();
    }
  }
  if (state_ != State::kRunning && state_ != State::kDraining) return;
  give_credit();
  finish_if_settled();
}

// For what a turn may make, once in its records and once in their encoded form; or, where records
// are long or wide, for what the last ones needed. Where nothing is held that could make room, it
// must do without.
bool Pipeline::has_room() {
  size_t bytes = chain_->busy() ? taken_.source_bytes : source_bytes_of(**ring_.front());
  auto expected = static_cast<size_t>(growth_ * static_cast<double>(bytes));
  return budget_.has_room(std::max(2 * kQuantum * batch_bytes_, expected)) ||
         spool_->holds_nothing();
}

// The source cannot count lines before they are decoded, so it says only in which line it began,
// and they are counted here.
void Pipeline::take(BatchRef batch) {
  if (!batch->preamble) {
    uint64_t line = lines_.try_emplace(batch->begin.partition, batch->begin.line).first->second;
    batch->begin.line = batch->end.line = line;
    taken_ = {.rejected = batch->rejected.empty() ? BatchRef() : batch,
              .begin_line = line,
              .source_bytes = source_bytes_of(*batch),
              .records = chain_->records()};
  }
  chain_->take(std::move(batch));
}

void Pipeline::run_a_turn() {
  if (!chain_->busy()) {
    std::optional<BatchRef> batch = ring_.pop();
    --queued_;
    take(std::move(*batch));
  }
  uint64_t before = chain_->records();
  size_t source_bytes = taken_.source_bytes;
  size_t used = budget_.used();
  budget_.mark();
  Result<BatchRef> piece = chain_->next();
  if (!piece) return fail_with(piece.error());
  chain_charge_.set(chain_->held());
  // Falls off slowly, so that one ordinary batch between large ones changes little.
  growth_ *= 0.9;
  if (source_bytes > 0)
    growth_ = std::max(growth_, static_cast<double>(budget_.peak_since_mark() - used) /
                                    static_cast<double>(source_bytes));
  if ((*piece)->preamble) return;
  environment_.usage.count_records(chain_->records() - before);
  if (!chain_->busy()) end_batch(*piece);
  (*piece)->charge_vectors();
  spool_->add(std::move(*piece));
}

// Before its last piece is given on: the position behind it must not be reached before its dead
// letters are known.
void Pipeline::end_batch(const BatchRef& last_piece) {
  const Position& end = last_piece->end;
  uint64_t& line = lines_[end.partition];
  line = end.line;
  Taken taken = std::exchange(taken_, {});
  if (taken.rejected) {
    for (const Rejected& piece : taken.rejected->rejected) {
      Position after = end;
      after.line = piece.end_line > 0 ? taken.begin_line + piece.end_line : line + 1;
      line = std::max(line, after.line);
      reject({config_.source.type->name, piece.why, after, nullptr, 0, piece.bytes});
    }
  }
  if (end.last) lines_.erase(end.partition);
  if (config_.limits.records_per_second > 0 || config_.limits.bytes_per_second > 0)
    throttle(taken.source_bytes, chain_->records() - taken.records);
}

void Pipeline::give_credit() {
  if (!refused_) return;
  if (has_credit()) {
    refused_ = false;
    source_->resume();
  } else if (!has_input() && !throttle_.active()) {
    budget_.note_refusal();
    deliverer_->hurry();
  }
}

// Holds the source back for as long as this batch may take at the configured rate.
void Pipeline::throttle(size_t bytes, uint64_t records) {
  double seconds = 0;
  if (config_.limits.records_per_second > 0)
    seconds = static_cast<double>(records) / static_cast<double>(config_.limits.records_per_second);
  if (config_.limits.bytes_per_second > 0)
    seconds = std::max(
        seconds, static_cast<double>(bytes) / static_cast<double>(config_.limits.bytes_per_second));
  int64_t now = environment_.clock.monotonic_us();
  not_before_us_ = std::max(not_before_us_, now) + static_cast<int64_t>(seconds * 1e6);
  throttle_.start(Milliseconds((not_before_us_ - now) / 1000), [this] {
    throttle_.stop();
    wake();
  });
}

void Pipeline::reject(const Rejection& rejection) {
  ++dead_letters_;
  std::string where = spool_->describe(rejection.position);
  int64_t now = environment_.clock.unix_us();
  dead_letter_file_->append(dead_letter_line(rejection, config_.name, where, now));
  // The file tells of each; the log tells of the first, and then of their number once a minute.
  constexpr int64_t kQuietUs = 60'000'000;
  int64_t monotonic = environment_.clock.monotonic_us();
  if (dead_letters_ > 1 && monotonic - last_dead_letter_log_us_ < kQuietUs) return;
  last_dead_letter_log_us_ = monotonic;
  log::warn(config_.name, where + ": " + std::string(rejection.stage) + ": " +
                              std::string(rejection.reason) + " (dead letter " +
                              format_count(static_cast<int64_t>(dead_letters_)) +
                              ", kept in the dead-letter file)");
}

// --- end ----------------------------------------------------------------------------------------

void Pipeline::finish_if_settled() {
  if (!input_ended_) return;
  if (has_input()) {
    if (state_ != State::kDraining || !spool_->may_leave_rest(has_room())) return;
    while (ring_.pop()) --queued_;
    chain_->leave_rest();
  }
  if (!std::exchange(flushed_, true)) spool_->end_of_input(state_ == State::kDraining);
  if (!spool_->settled()) return;
  if (dead_letter_file_->durable() < dead_letter_file_->last()) return;
  if (state_ == State::kDraining && spool_->records_unsafe() > 0) {
    const std::string& reason = deliverer_->trouble().reason();
    log::info(config_.name, (reason.empty() ? "" : reason + ": ") + what_is_left());
  }
  if (state_ == State::kDraining || !result_) return close();
  state_ = State::kFinishing;
  sink_->finish([this](Status status) {
    if (!status) return fail_with(status.error());
    close();
  });
}

void Pipeline::drain() {
  if (state_ == State::kStarting || state_ == State::kFinishing) return close();
  if (state_ != State::kRunning) return;
  state_ = State::kDraining;
  flushed_ = false;  // a bounded source may have ended before, but the spool must know of this end
  throttle_.stop();
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

void Pipeline::abort(const std::string& why) {
  if (state_ == State::kClosing || state_ == State::kDone) return;
  if (result_ && !spool_->all_safe())
    result_ = fail(ErrorKind::kFatal, why + ": " + what_is_left());
  close();
}

std::string Pipeline::what_is_left() const {
  uint64_t records = spool_->records_unsafe();
  std::string left = format_count(records, "record") + " in flight ";
  left += records == 1 ? "was" : "were";
  left += " not delivered; ";
  left += records == 1 ? "it " : "they ";
  if (spool_->comes_again())
    return left + (records == 1 ? "is" : "are") + " read again when the pipeline starts next";
  return left + (records == 1 ? "is" : "are") + " lost, since the source cannot give " +
         (records == 1 ? "it" : "them") + " again";
}

void Pipeline::fail_with(const Error& error) {
  if (state_ == State::kClosing || state_ == State::kDone) return;
  if (result_) {
    result_ = fail(error);  // told at the end, with what became of the records
  } else {
    log::error(config_.name, error.message());
  }
  close();
}

void Pipeline::close() {
  state_ = State::kClosing;
  idle_.stop();
  throttle_.stop();
  retry_.stop();
  if (deliverer_) deliverer_->stop();
  auto closed = [this] {
    if (--closing_ > 0) return;
    state_ = State::kDone;
    // From the loop, not from inside a stage's callback: the listener may destroy the pipeline.
    retry_.start(Milliseconds{0}, [this] {
      std::function<void(Status)> listener = std::move(on_finished_);
      listener(result_);
    });
  };
  closing_ = 1 + (source_open_ ? 1 : 0) + (sink_open_ ? 1 : 0);
  if (std::exchange(source_open_, false)) source_->stop(closed);
  if (std::exchange(sink_open_, false)) sink_->close(closed);
  closed();
}

const std::string& Pipeline::trouble() const {
  return start_trouble_.empty() ? deliverer_->trouble().reason() : start_trouble_;
}

void Pipeline::tell_trouble() {
  if (!environment_.on_trouble || told_trouble_ == trouble()) return;
  told_trouble_ = trouble();
  environment_.on_trouble();
}

PipelineStatus Pipeline::status() const {
  PipelineStatus out;
  out.bytes_read = bytes_read_;
  out.bytes_total = bytes_total_;
  out.records = chain_->records();
  out.delivered = deliverer_->counters().delivered;
  out.filtered = chain_->filtered();
  out.dropped = chain_->dropped();
  out.dead_letters = dead_letters_;
  out.retries = deliverer_->counters().retries;
  out.waiting = spool_->records_waiting();
  out.spooled = spool_->counters().spooled;
  out.spool_dropped = spool_->counters().dropped_oldest + spool_->counters().dropped_newest;
  out.memory_peak = budget_.peak();
  out.trouble = trouble();
  out.spool_bytes = spool_->bytes();
  return out;
}

}  // namespace leat
