#include "task/chain.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "state/state.h"
#include "task/field_types.h"
#include "task/message_fields.h"

namespace leat {
namespace {

// Looking at the clock costs little, but in turns of one small message each it would be seen.
constexpr uint32_t kTimedTurns = 16;  // one of so many

}  // namespace

// One step. It is also the DeadLetters of the codec or transform it runs, so that each letter knows
// its stage.
class ChainStep : public DeadLetters {
 public:
  // `code`: of its rejections.
  ChainStep(std::string stage, std::string_view code, Rejections rejections)
      : stage_(std::move(stage)), code_(code), rejections_(std::move(rejections)) {}
  virtual Status run(BatchRef& batch) = 0;
  virtual uint64_t dropped() const { return 0; }
  virtual size_t held() const { return 0; }
  virtual TransformState* state() { return nullptr; }
  uint64_t rejected() const { return rejected_; }
  const std::string& stage() const { return stage_; }
  // The last run() did nothing: its codec waits (Turn::kWait).
  bool waits() const { return waits_; }
  StageCounters& counters() { return counters_; }

  void add(const Batch& batch, size_t index, std::string_view reason) override {
    ++rejected_;
    Rejection one{stage_, reason, code_, batch.position_after(index),
                  &batch, index,  {},    batch.acknowledger};
    add(one);
  }
  void add_text(std::string_view bytes, const Position& after, std::string_view reason) override {
    ++rejected_;
    Rejection one{stage_, reason, code_, after, nullptr, 0, bytes, acknowledger_};
    one.from = batch_;
    add(one);
  }
  bool full() const override { return rejections_.full(); }
  // It runs this one next.
  void set_batch(const Batch& batch) {
    batch_ = &batch;
    acknowledger_ = batch.acknowledger;
  }
  // Its number in the chain, from 1. `reads`: it makes records of what the source gave.
  void set_place(size_t number, bool reads) {
    number_ = number;
    reads_ = reads;
  }

 protected:
  bool waits_ = false;

 private:
  void add(Rejection& rejection) {
    rejection.raw = reads_ ? RawIs::kPayload : RawIs::kPart;
    rejection.step = number_;
    rejections_.add(rejection);
  }

  const Batch* batch_ = nullptr;
  Acknowledger* acknowledger_ = nullptr;
  size_t number_ = 0;
  bool reads_ = false;
  std::string stage_;
  std::string_view code_;
  Rejections rejections_;
  uint64_t rejected_ = 0;
  StageCounters counters_;
};

namespace {

class SplitStep final : public ChainStep {
 public:
  SplitStep(const Framing& framing, std::string stage, Rejections rejections)
      : ChainStep(std::move(stage), "decode", std::move(rejections)), framing_(framing) {}
  Status run(BatchRef& batch) override { return framing_.split(*batch, *this); }
  size_t held() const override { return framing_.held(); }

 private:
  const Framing& framing_;
};

class DecodeStep final : public ChainStep {
 public:
  DecodeStep(std::unique_ptr<Decoder> decoder, std::string stage, Rejections rejections)
      : ChainStep(std::move(stage), "decode", std::move(rejections)),
        decoder_(std::move(decoder)) {}
  bool ready() const { return decoder_ != nullptr; }
  Status run(BatchRef& batch) override {
    Result<Turn> turn = decoder_->decode(*batch, *this);
    if (!turn) return fail(turn.error());
    waits_ = *turn == Turn::kWait;
    return {};
  }
  size_t held() const override { return decoder_->held(); }

 private:
  std::unique_ptr<Decoder> decoder_;
};

class MessageFieldsStep final : public ChainStep {
 public:
  using ChainStep::ChainStep;
  Status run(BatchRef& batch) override {
    adder_.run(*batch);
    return {};
  }
  size_t held() const override { return adder_.held(); }

 private:
  MessageFieldAdder adder_;
};

// A step that looks at each record and rejects those that will not do, in turns.
class RecordStep : public ChainStep {
 public:
  using ChainStep::ChainStep;

 protected:
  // f(record) is null for a good record, else why it is none.
  template <typename F>
  void keep_good(Batch& batch, F&& f) {
    bad_.clear();
    for (size_t i = 0; i < batch.records.size(); ++i) {
      const std::string* why = f(batch.records[i]);
      if (why == nullptr) continue;
      add(batch, i, *why);
      bad_.push_back(i);
      if (full() && batch.may_cut(i + 1)) batch.leave_records(i + 1);
    }
    if (bad_.empty()) return;
    size_t kept = 0;
    size_t next_bad = 0;
    for (size_t i = 0; i < batch.records.size(); ++i) {
      if (next_bad < bad_.size() && bad_[next_bad] == i)
        ++next_bad;
      else
        batch.records[kept++] = batch.records[i];
    }
    batch.records.resize(kept);
  }

 private:
  std::vector<size_t> bad_;
};

class FieldTypesStep final : public RecordStep {
 public:
  FieldTypesStep(FieldTypes types, std::string stage, Rejections rejections)
      : RecordStep(std::move(stage), "type", std::move(rejections)), types_(std::move(types)) {}
  Status run(BatchRef& batch) override {
    types_.begin();
    const bool copies = batch->borrows();
    keep_good(*batch, [this, &batch, copies](Record& record) {
      if (copies) {
        auto* values = batch->arena.array<Value>(record.shape->size());
        std::ranges::copy(record.fields(), values);
        record.values = values;
      }
      return types_.apply(record, batch->arena) ? nullptr : &types_.problem();
    });
    return {};
  }

 private:
  FieldTypes types_;
};

// Sets the event time from a field. A record without a readable time is a dead letter where that is
// asked for; else it keeps its time of arrival, and is a good record all the same.
class EventTimeStep final : public RecordStep {
 public:
  EventTimeStep(EventTimeConfig config, std::string pipeline, std::string stage,
                Rejections rejections)
      : RecordStep(std::move(stage), "time", std::move(rejections)),
        config_(std::move(config)),
        pipeline_(std::move(pipeline)) {}

  Status run(BatchRef& batch) override {
    const Shape* shape = nullptr;
    int field = -1;
    keep_good(*batch, [&](Record& record) -> const std::string* {
      if (record.shape != shape) {
        shape = record.shape;
        field = shape->find(config_.field);
      }
      std::optional<int64_t> time = field < 0 ? std::nullopt : read(record.values[field]);
      if (time) {
        record.time_us = *time;
      } else if (config_.dead_letter) {
        return &why_;
      } else if (!std::exchange(warned_, true)) {
        log::warn(pipeline_, "time: the field \"" + config_.field +
                                 "\" is missing or not in its format in at least one record; such "
                                 "records get the time of arrival");
      }
      return nullptr;
    });
    return {};
  }

 private:
  std::optional<int64_t> read(const Value& value) {
    switch (value.type) {
      case Type::kTime:
        return value.integer;
      case Type::kInteger:
        return config_.format.read(integer_of(value));
      case Type::kFloat:
      case Type::kDecimal:
        return config_.format.read(real_of(value));
      case Type::kString:
        if (value.form == Form::kPlain) return config_.format.read(value.view());
        scratch_.clear();
        append_text(scratch_, value);
        return config_.format.read(std::string_view(scratch_));
      default:
        return std::nullopt;
    }
  }

  const EventTimeConfig config_;
  const std::string pipeline_;
  const std::string why_ = config_.field + ": missing, or not a time in its format";
  std::string scratch_;
  bool warned_ = false;
};

class TransformStep final : public ChainStep {
 public:
  TransformStep(std::unique_ptr<Transform> transform, std::string stage, std::string_view code,
                Rejections rejections)
      : ChainStep(std::move(stage), code, std::move(rejections)),
        transform_(std::move(transform)) {}
  Status run(BatchRef& batch) override { return transform_->run(batch, *this); }
  uint64_t dropped() const override { return transform_->dropped(); }
  size_t held() const override { return transform_->held(); }
  TransformState* state() override { return transform_->state(); }

 private:
  std::unique_ptr<Transform> transform_;
};

class EncodeStep final : public ChainStep {
 public:
  EncodeStep(std::unique_ptr<Encoder> encoder, std::string stage, Rejections rejections)
      : ChainStep(std::move(stage), "encode", std::move(rejections)),
        encoder_(std::move(encoder)) {}
  const Encoder* encoder() const { return encoder_.get(); }
  size_t held() const override { return encoder_->held(); }
  Status run(BatchRef& batch) override {
    Result<BatchRef> encoded = encoder_->encode(*batch, *this);
    if (!encoded) return fail(encoded.error());
    waits_ = !*encoded;
    if (waits_) return {};
    if (size_t left = (*encoded)->not_encoded; left > 0) {
      batch->leave_records(batch->records.size() - left);
      (*encoded)->end = batch->end;
    }
    batch = std::move(*encoded);
    return {};
  }

 private:
  std::unique_ptr<Encoder> encoder_;
};

template <typename Codec>
Result<std::unique_ptr<Codec>> opened(Result<std::unique_ptr<Codec>> codec, CodecContext& context) {
  if (!codec) return codec;
  if (Status status = (*codec)->open(context); !status) return fail(status.error());
  return codec;
}

Result<std::unique_ptr<ChainStep>> make_transform(const PipelineConfig& config, const Step& step,
                                                  const Rejections& rejections,
                                                  CodecContext& codecs) {
  const TransformConfig& transform = config.transforms[step.transform];
  Result<std::unique_ptr<Transform>> made = transform.type->make(transform.options);
  if (!made) return fail(made.error());
  if (Status status = (*made)->open(codecs); !status) return fail(status.error());
  return std::make_unique<TransformStep>(std::move(*made), step.label, transform.type->code,
                                         rejections);
}

}  // namespace

Chain::Chain() = default;
Chain::Chain(Chain&&) noexcept = default;
Chain::~Chain() = default;

Result<Chain> Chain::make(const PipelineConfig& config, const Plan& plan, Rejections rejections,
                          size_t quantum, CodecContext& codecs, std::vector<ParallelRun> runs,
                          bool only_runs) {
  Chain chain;
  chain.quantum_ = quantum;
  chain.codecs_ = &codecs;
  chain.rejections_ = rejections;
  chain.runs_ = std::move(runs);
  chain.only_runs_ = only_runs;
  if (only_runs) {
    if (Status made = chain.make_runs(config, plan, rejections); !made) return fail(made.error());
    return chain;
  }
  const ReadFormat* read = config.source.format;
  if (read != nullptr && config.source.type->produces == Produces::kBytes) {
    chain.framing_ = read->make_framing(config.source.format_options);
    chain.needs_preamble_ = read->needs_preamble(config.source.format_options);
  }
  for (const Step& step : plan.final) {
    switch (step.kind) {
      case Step::Kind::kSource:
      case Step::Kind::kSink:
        break;
      case Step::Kind::kSplit:
        chain.steps_.push_back(
            std::make_unique<SplitStep>(*chain.framing_, step.label, rejections));
        chain.needs_preamble_ = false;
        chain.first_of_records_ = chain.steps_.size();
        break;
      case Step::Kind::kDecode: {
        Result<std::unique_ptr<Decoder>> decoder =
            opened(read->make_decoder(config.source.format_options), codecs);
        if (!decoder) return fail(decoder.error());
        chain.steps_.push_back(
            std::make_unique<DecodeStep>(std::move(*decoder), step.label, rejections));
        chain.first_of_records_ = chain.steps_.size();
        break;
      }
      case Step::Kind::kMessageFields:
        chain.steps_.push_back(std::make_unique<MessageFieldsStep>(step.label, "", rejections));
        break;
      case Step::Kind::kFieldTypes:
        chain.steps_.push_back(std::make_unique<FieldTypesStep>(FieldTypes(config.source.fields),
                                                                step.label, rejections));
        break;
      case Step::Kind::kEventTime:
        chain.steps_.push_back(std::make_unique<EventTimeStep>(*config.source.time, config.name,
                                                               step.label, rejections));
        break;
      case Step::Kind::kTransform: {
        auto made = make_transform(config, step, rejections, codecs);
        if (!made) return fail(made.error());
        chain.steps_.push_back(std::move(*made));
        break;
      }
      case Step::Kind::kEncode: {
        Result<std::unique_ptr<Encoder>> encoder =
            opened(config.sink.format->make_encoder(config.sink.format_options), codecs);
        if (!encoder) return fail(encoder.error());
        auto made = std::make_unique<EncodeStep>(std::move(*encoder), step.label, rejections);
        chain.encoder_ = made->encoder();
        chain.encode_ = made.get();
        chain.steps_.push_back(std::move(made));
        break;
      }
    }
  }
  if (chain.encode_ == nullptr && config.sink.format != nullptr) {
    // Bytes pass through; only what was spooled in another format must be encoded.
    Result<std::unique_ptr<Encoder>> encoder =
        opened(config.sink.format->make_encoder(config.sink.format_options), codecs);
    if (!encoder) return fail(encoder.error());
    chain.spare_encode_ = std::make_unique<EncodeStep>(std::move(*encoder), "spool", rejections);
    chain.encode_ = chain.spare_encode_.get();
  }
  for (size_t i = chain.steps_.size(); i-- > 0;) {
    chain.steps_[i]->set_place(i + 1, i < chain.first_of_records_);
    if (chain.steps_[i]->state() != nullptr) chain.first_state_ = i;
  }
  return chain;
}

std::vector<std::string> Chain::stages() const {
  std::vector<std::string> names;
  for (const std::unique_ptr<ChainStep>& step : steps_) names.push_back(step->stage());
  return names;
}

std::vector<TransformState*> Chain::states() const {
  std::vector<TransformState*> states;
  for (const std::unique_ptr<ChainStep>& step : steps_)
    if (TransformState* state = step->state(); state != nullptr) states.push_back(state);
  return states;
}

// Steps keep their numbers; those between the runs are not there.
Status Chain::make_runs(const PipelineConfig& config, const Plan& plan,
                        const Rejections& rejections) {
  steps_.resize(plan.final.size() - 2);
  for (const ParallelRun& run : runs_) {
    for (size_t i = run.first; i < run.behind; ++i) {
      auto made = make_transform(config, plan.final[i + 1], rejections, *codecs_);
      if (!made) return fail(made.error());
      steps_[i] = std::move(*made);
      steps_[i]->set_place(i + 1, false);
    }
  }
  return {};
}

void Chain::take(BatchRef batch, size_t step) {
  if (step >= first_of_records_) counters_.read += batch->count();
  left_.push_back({std::move(batch), step});
}

size_t Chain::last_of_records() const {
  const bool encodes = encoder_ != nullptr && steps_.size() > 1;
  return steps_.size() - (encodes ? 2 : 1);
}

// Where the turn of this one ends, if it comes so far.
size_t Chain::stop_behind(const ChainLeft& turn) const {
  if (!lends_ && !only_runs_) return steps_.size();
  for (const ParallelRun& run : runs_) {
    if (only_runs_ ? turn.step < run.behind : turn.step <= run.first && !turn.here)
      return only_runs_ ? run.behind : run.first;
    if (turn.here && turn.step < run.first) return run.first;
  }
  return steps_.size();
}

Result<BatchRef> Chain::next() {
  took_back_ = taking_back();
  std::vector<ChainLeft>& left = took_back_ ? back_ : left_;
  ChainLeft turn = std::move(left.back());
  left.pop_back();
  ++turns_;
  const size_t stop = stop_behind(turn);
  at_run_.reset();
  if (stop < steps_.size() && !only_runs_) at_run_ = stop;
  auto& [batch, step, here] = turn;
  bool preamble = batch->preamble;
  for (; step < stop; ++step) {
    if (preamble) {  // only the decoder looks at it
      steps_[step]->set_batch(*batch);
      if (Status status = steps_[step]->run(batch); !status) return fail(status.error());
      at_run_.reset();
      return steps_[step]->waits() ? wait_at(std::move(turn)) : std::move(batch);
    }
    batch->quantum = quantum_;
    batch->begin_stage();
    BatchRef before = batch;
    bool reads = step < first_of_records_;
    steps_[step]->set_batch(*batch);
    if (watcher_ != nullptr) watcher_->before(step, *batch);
    if (Status status = run(*steps_[step], batch, reads); !status) return fail(status.error());
    if (&*batch != &*before) {  // it takes the place of that one
      batch->acknowledger = before->acknowledger;
      batch->owed.add(std::move(before->owed));
    }
    if (steps_[step]->waits()) return wait_at(std::move(turn));
    if (step == first_state_ && keeper_ != nullptr) keeper_->hold(*batch);
    if (reads && step + 1 == first_of_records_) counters_.read += batch->count();
    if (step == 0) batch->owed.set_line(batch->end);
    if (watcher_ != nullptr) watcher_->behind(step, *batch);
    if (before->rest) left.push_back({std::exchange(before->rest, {}), step, here && in_run(step)});
  }
  return std::move(batch);
}

size_t Chain::behind_run(size_t first) const {
  return std::ranges::find(runs_, first, &ParallelRun::first)->behind;
}

bool Chain::in_run(size_t step) const {
  return std::ranges::any_of(
      runs_, [step](const ParallelRun& run) { return run.first <= step && step < run.behind; });
}

void Chain::take_back(std::vector<ChainLeft> made) {
  back_ = std::move(made);
  std::ranges::reverse(back_);
}

std::vector<ChainLeft> Chain::take_left() {
  std::ranges::reverse(left_);
  return std::exchange(left_, {});
}

RunCounters Chain::take_counters() {
  RunCounters out{std::exchange(counters_, {}), {}};
  for (const std::unique_ptr<ChainStep>& step : steps_)
    out.stages.push_back(step ? std::exchange(step->counters(), {}) : StageCounters());
  return out;
}

void Chain::add_counters(const RunCounters& counters) {
  counters_.filtered += counters.chain.filtered;
  counters_.made += counters.chain.made;
  counters_.dropped += counters.chain.dropped;
  for (size_t i = 0; i < counters.stages.size(); ++i) steps_[i]->counters() += counters.stages[i];
}

void Chain::reject(size_t step, const Batch& batch, size_t index, std::string_view reason) {
  steps_[step]->set_batch(batch);
  steps_[step]->add(batch, index, reason);
}

// Counts what becomes of each record. A step says itself what it rejects and drops; the rest that
// does not come out again was filtered, or there are more.
Status Chain::run(ChainStep& step, BatchRef& batch, bool reads) {
  const BatchRef before = batch;
  const uint64_t in = batch->count();
  const uint64_t rejected_before = step.rejected();
  const uint64_t dropped_before = step.dropped();
  if (TransformState* state = step.state(); state != nullptr) state->set_now(codecs_->loop().now());
  const bool timed = turns_ % kTimedTurns == 1;
  const int64_t begun_us = timed ? codecs_->loop().clock().monotonic_us() : 0;
  Status status = step.run(batch);
  const uint64_t rejected = step.rejected() - rejected_before;
  const uint64_t dropped = step.dropped() - dropped_before;
  const bool counts = status && !step.waits();
  StageCounters& stage = step.counters();
  stage.failed += rejected + dropped;
  if (counts) stage.out += batch->count();
  if (reads) {
    counters_.read += rejected;
    if (counts) count_in(stage, batch->count() + rejected, timed, begun_us);
    return status;
  }
  counters_.dropped += dropped;
  if (!status) {
    unfinished_ += in - rejected - dropped;
    return status;
  }
  const uint64_t left = before->rest ? before->rest->count() : 0;
  const uint64_t known = batch->count() + left + rejected + dropped;
  if (counts) count_in(stage, in - left, timed, begun_us);
  if (in > known) stage.filtered += in - known;
  if (in > known) counters_.filtered += in - known;
  if (known > in) counters_.made += known - in;
  return status;
}

void Chain::count_in(StageCounters& stage, uint64_t records, bool timed, int64_t begun_us) const {
  stage.in += records;
  if (!timed) return;
  stage.timed_records += records;
  stage.timed_us += static_cast<uint64_t>(codecs_->loop().clock().monotonic_us() - begun_us);
}

void Chain::add_stages(std::vector<StageStatus>& out) const {
  for (const std::unique_ptr<ChainStep>& step : steps_)
    out.push_back({step->stage(), step->counters(), step->held()});
}

uint64_t Chain::keys_evicted() const {
  uint64_t out = 0;
  for (const std::unique_ptr<ChainStep>& step : steps_)
    if (const TransformState* state = step->state(); state != nullptr) out += state->evicted();
  return out;
}

std::optional<int64_t> Chain::oldest_arrival_us() const {
  if (!busy()) return std::nullopt;
  return (taking_back() ? back_ : left_).back().batch->arrival_us;
}

uint64_t Chain::waiting() const {
  uint64_t records = unfinished_;
  for (const ChainLeft& left : left_)
    if (left.step >= first_of_records_) records += left.batch->count();
  for (const ChainLeft& left : back_) records += left.batch->count();
  return records;
}

void Chain::leave_rest() {
  unfinished_ = waiting();
  left_.clear();
  back_.clear();
}

BatchRef Chain::wait_at(ChainLeft left) {
  (took_back_ ? back_ : left_).push_back(std::move(left));
  at_run_.reset();
  waits_ = true;
  back_waits_ = took_back_;
  return {};
}

Result<Turn> Chain::adapt(BatchRef& batch, const std::string& wire) {
  std::unique_ptr<Decoder> decoder;
  if (!wire.empty()) {
    const WriteFormat* written = find_format_of_wire(wire);
    const ReadFormat* read = written == nullptr ? nullptr : find_read_format(written->read_as);
    if (read != nullptr) {
      Result<std::unique_ptr<Decoder>> made =
          opened(read->make_decoder(Options(read->options)), *codecs_);
      if (made) decoder = std::move(*made);
      for (Slice& slice : batch->slices) slice.size -= std::min(slice.size, written->separator);
    }
    DecodeStep decode(std::move(decoder), "spool", rejections_);
    decode.set_batch(*batch);
    if (!decode.ready()) {
      for (size_t i = 0; i < batch->count(); ++i)
        decode.add(*batch, i, "spooled as " + wire + ", which the sink does not take any more");
      batch->slices.clear();
      return Turn::kDone;
    }
    if (Status status = decode.run(batch); !status) return fail(status.error());
    if (decode.waits()) return Turn::kWait;
  }
  if (encode_ == nullptr) return Turn::kDone;
  if (Status status = encode_->run(batch); !status) return fail(status.error());
  return encode_->waits() ? Turn::kWait : Turn::kDone;
}

size_t Chain::held() const {
  size_t bytes = 0;
  for (const std::unique_ptr<ChainStep>& step : steps_)
    if (step) bytes += step->held();
  return bytes;
}

}  // namespace leat
