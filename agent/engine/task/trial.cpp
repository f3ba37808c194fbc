#include "task/trial.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "loop/loop.h"
#include "plan/planner.h"
#include "state/state.h"
#include "task/chain.h"

namespace leat {
namespace {

// Nothing else waits for memory here, so that a budget is there to be counted against only.
constexpr size_t kMemory = size_t{256} << 20;

std::string without_line_end(std::string_view bytes) {
  while (!bytes.empty() && (bytes.back() == '\n' || bytes.back() == '\r')) bytes.remove_suffix(1);
  return std::string(bytes);
}

std::string json_of(const Record& record) {
  std::string out;
  append_json(out, record);
  return out;
}

std::vector<TrialRecord> records_of(const Batch& batch) {
  std::vector<TrialRecord> out;
  for (const Record& record : batch.records) out.push_back({json_of(record), true});
  for (const Slice& slice : batch.slices) out.push_back({without_line_end(slice.view()), false});
  return out;
}

// Takes down what each step of the chain does.
class Observer final : public ChainWatcher, public CodecContext {
 public:
  Observer(Trial& trial, const std::string& pipeline, const Clock& clock)
      : trial_(trial), pipeline_(pipeline), loop_(clock) {}

  void attach(Chain& chain) {
    chain_ = &chain;
    for (std::string& name : chain.stages()) trial_.stages.push_back({.name = std::move(name)});
    chain.watch(this);
  }

  // A step says what it rejects before what it made is seen.
  void reject(const Rejection& rejection) {
    std::string what = rejection.batch == nullptr ? without_line_end(rejection.text)
                       : rejection.batch->content == Content::kRecords
                           ? json_of(rejection.batch->records[rejection.index])
                           : without_line_end(rejection.batch->slices[rejection.index].view());
    rejected_.push_back({rejection.position.line, std::string(rejection.reason), std::move(what)});
  }

  void behind(size_t step, const Batch& batch) override {
    TrialStage& stage = trial_.stages[step];
    std::ranges::move(records_of(batch), std::back_inserter(stage.records));
    std::ranges::move(std::exchange(rejected_, {}), std::back_inserter(stage.dead_letters));
    stage.filtered += chain_->counters().filtered - before_.filtered;
    stage.dropped += chain_->counters().dropped - before_.dropped;
    before_ = chain_->counters();
  }

  Loop& loop() override { return loop_; }
  const std::string& pipeline() override { return pipeline_; }
  void go_on() override {}

 private:
  Trial& trial_;
  const std::string& pipeline_;
  Loop loop_;
  Chain* chain_ = nullptr;
  std::vector<TrialDeadLetter> rejected_;
  ChainCounters before_;
};

void read_stream(std::string_view bytes, const Framing& framing, Batch& batch) {
  std::string_view end = framing.terminator();
  const bool whole = framing.complete_prefix(bytes) == bytes.size();
  const size_t size = bytes.size() + (whole ? 0 : end.size());
  auto* copy = batch.arena.array<char>(size);
  bytes.copy(copy, bytes.size());
  if (!whole) end.copy(copy + bytes.size(), end.size());
  batch.bytes = {copy, size};
  batch.end.offset = size;
  batch.end.last = true;
}

Status read_messages(const SourceConfig& source, const TrialSample& sample, Batch& batch) {
  const bool has_fields =
      source.type->has_fields != nullptr && source.type->has_fields(source.options);
  std::string_view rest = sample.bytes;
  uint32_t line = 0;
  while (!rest.empty()) {
    std::string_view message = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), message.size() + 1));
    std::string_view kept = batch.arena.copy(message);
    ++line;
    batch.slices.push_back({.data = kept.data(),
                            .size = static_cast<uint32_t>(kept.size()),
                            .end_offset = line,
                            .end_line = line});
    if (!has_fields) continue;
    if (sample.address.empty())
      return fail(ErrorKind::kUsage,
                  "the source makes fields of where a message comes from: give "
                  "that, too (--topic)");
    if (Status added = source.type->add_fields(source.options, sample.address, batch); !added)
      return added;
  }
  batch.end.offset = line;
  batch.end.line = line;
  return {};
}

bool is_due(const Chain& chain) {
  return std::ranges::any_of(chain.states(),
                             [](TransformState* state) { return state->due().has_value(); });
}

}  // namespace

Result<Trial> try_pipeline(const PipelineConfig& config, const TrialSample& sample,
                           const Clock& clock) {
  const SourceConfig& source = config.source;
  if (source.type->produces == Produces::kRecords)
    return fail(ErrorKind::kUsage, config.name + ": its source, " + std::string(source.type->name) +
                                       ", makes its records itself: there is nothing to try");
  Result<Plan> planned = plan(config, config.name);
  if (!planned) return fail(planned.error());
  Trial trial;
  Budget budget(kMemory);
  BlockPool pool(budget);
  Observer observer(trial, config.name, clock);
  Result<Chain> chain =
      Chain::make(config, *planned,
                  {.add = [&observer](const Rejection& rejection) { observer.reject(rejection); }},
                  SIZE_MAX, observer);
  if (!chain) return fail(chain.error());
  observer.attach(*chain);

  const bool stream = source.type->produces == Produces::kBytes;
  BatchRef batch = BatchRef::make(pool, stream ? Content::kBytes : Content::kSlices);
  batch->arrival_us = clock.unix_us();
  if (stream) {
    read_stream(sample.bytes, *chain->framing(), *batch);
  } else if (Status read = read_messages(source, sample, *batch); !read) {
    return fail(read.error());
  }
  chain->take(std::move(batch));
  bool ended = false;
  while (chain->busy() || !ended || is_due(*chain)) {
    if (!chain->busy() && !std::exchange(ended, true))
      for (TransformState* state : chain->states()) state->end_of_input();
    if (!chain->busy() && !is_due(*chain)) break;
    if (!chain->busy()) {  // what was held for more of the input
      BatchRef nothing = BatchRef::make(pool, Content::kRecords);
      nothing->arrival_us = clock.unix_us();
      chain->take(std::move(nothing), chain->first_state());
    }
    Result<BatchRef> made = chain->next();
    if (!made) return fail(made.error());
    if (!*made) return fail(ErrorKind::kUnavailable, "a format waits for what is not here");
    for (TrialRecord& record : records_of(**made)) trial.sent.push_back(std::move(record));
  }
  if (const WriteFormat* format = config.sink.format; format != nullptr && !trial.sent.empty())
    trial.opening = without_line_end(format->wrap(chain->encoder()).open);
  return trial;
}

}  // namespace leat
