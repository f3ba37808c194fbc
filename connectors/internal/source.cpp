// Tells how the pipelines of this agent do, each `every`, as records, or what happens to them
// (events.h): for networks in which nobody can come and ask.
//
// What it has told is not told again: a position is only the number of records before it.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/lifetime.h"
#include "events.h"
#include "loop/handles.h"
#include "stage/agent_numbers.h"
#include "stage/source.h"

namespace leat {
namespace {

constexpr std::string_view kTells[] = {"numbers", "events"};

constexpr Option kOptions[] = {
    {.name = "tell",
     .fallback = "numbers",
     .help =
         "numbers: how each pipeline does, again and again; events: what happens, when it does.",
     .choices = kTells},
    {.name = "every",
     .type = OptionType::kDuration,
     .fallback = "10s",
     .help = "How often the numbers are told. Each time there is one record for each pipeline.",
     .min = 100},
    kEventsOption,
    kMinIntervalOption,
};

ShapeRef make_shape() {
  std::vector<std::string_view> names = {"agent", "pipeline", "state", "reason"};
  names.insert(names.end(), kPipelineNumbers.begin(), kPipelineNumbers.end());
  return std::make_shared<const Shape>(names);
}

class InternalSource final : public Source {
 public:
  explicit InternalSource(const Options& options)
      : every_(options.duration("every")), shape_(make_shape()) {}

  Status open(SourceContext& context) override {
    context_ = &context;
    timer_.emplace(context.loop());
    timer_->start_repeating(every_, [this] { ask(); });
    return {};
  }
  // What could not be told for lack of credit is old by now.
  void resume() override {}
  void stop(std::function<void()> closed) override {
    timer_.reset();
    closed();
  }

  SavedPosition saved_position(const Position& position) override {
    return {"internal", std::to_string(position.offset)};
  }
  std::string describe(const Position& position) override {
    return "internal:" + std::to_string(position.offset);
  }

 private:
  void ask() {
    if (std::exchange(asking_, true)) return;  // a loop is stuck
    context_->ask_agent(lifetime_.guard([this](const std::vector<PipelineNumbers>& all) {
      asking_ = false;
      if (timer_ && !all.empty()) tell(all);
    }));
  }

  void tell(const std::vector<PipelineNumbers>& all) {
    BatchRef batch = context_->new_batch(Content::kRecords);
    if (!batch) return;
    batch->adopt(shape_);
    batch->arrival_us = context_->loop().clock().unix_us();
    for (const PipelineNumbers& one : all) {
      auto text = [&batch](const std::string& from) {
        return Value::of_text(Type::kString, batch->arena.copy(from));
      };
      Record record;
      record.shape = shape_.get();
      record.time_us = batch->arrival_us;
      record.values = batch->arena.array<Value>(shape_->size());
      record.values[0] = text(context_->agent());
      record.values[1] = text(one.pipeline);
      record.values[2] = text(one.state);
      record.values[3] = one.reason.empty() ? Value::null() : text(one.reason);
      for (size_t i = 0; i < one.numbers.size(); ++i)
        record.values[4 + i] = Value::of_integer(one.numbers[i]);
      record.end_offset = record.end_line = static_cast<uint32_t>(batch->records.size() + 1);
      batch->records.push_back(record);
    }
    batch->begin.offset = batch->begin.line = told_;
    told_ += batch->records.size();
    batch->end.offset = batch->end.line = told_;
    context_->emit(std::move(batch));
  }

  const Milliseconds every_;
  const ShapeRef shape_;
  SourceContext* context_ = nullptr;
  std::optional<Timer> timer_;  // none before open() and after stop()
  bool asking_ = false;
  uint64_t told_ = 0;  // records
  Lifetime lifetime_;
};

Result<std::unique_ptr<Source>> make(const Options& options) {
  if (options.string("tell") == "events") return std::make_unique<EventsSource>(options);
  return std::make_unique<InternalSource>(options);
}

}  // namespace

extern constexpr SourceType kInternalSource{
    .name = "internal",
    .help =
        "Tells how the pipelines of this agent do, as records: state, counters, spool and memory "
        "of each; or what happens to them.",
    .produces = Produces::kRecords,
    .replay = replays<Replay::kNone>,
    .options = kOptions,
    .make = make};

}  // namespace leat
