// Makes synthetic telemetry (telemetry.h) at a rate, or as fast as the pipeline takes it.
//
// A position is the number of records before it, so the stream is the same after a restart.
#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "loop/handles.h"
#include "stage/source.h"
#include "telemetry.h"

namespace leat {
namespace {

constexpr Option kOptions[] = {
    {.name = "rate",
     .type = OptionType::kInteger,
     .fallback = "0",
     .help = "Records per second; 0: as fast as the pipeline takes them.",
     .max = 1'000'000'000},
    {.name = "count",
     .type = OptionType::kInteger,
     .fallback = "0",
     .help = "Records in all, over all restarts; 0: without end."},
    {.name = "seed",
     .type = OptionType::kInteger,
     .fallback = "1",
     .help = "The same seed gives the same records."},
    {.name = "devices",
     .type = OptionType::kInteger,
     .fallback = "512",
     .help = "How many devices the records come from.",
     .min = 1,
     .max = 1'000'000},
};

// Records that fall due sooner than this after one another come together: an agent that makes
// 10,000 records a second should not wake 10,000 times.
constexpr int64_t kTickUs = 20'000;

class GeneratorSource final : public Source {
 public:
  explicit GeneratorSource(const Options& options)
      : rate_(options.integer("rate")),
        count_(options.integer("count") == 0 ? UINT64_MAX
                                             : static_cast<uint64_t>(options.integer("count"))),
        partition_("seed " + std::to_string(options.integer("seed")) + ", devices " +
                   std::to_string(options.integer("devices"))),
        telemetry_(static_cast<uint64_t>(options.integer("seed")),
                   static_cast<uint32_t>(options.integer("devices"))) {}

  Status open(SourceContext& context) override {
    context_ = &context;
    for (const SavedPosition& saved : context.saved()) {
      // Another seed or number of devices is another stream, which starts at its own beginning.
      if (saved.partition != partition_) continue;
      const char* end = saved.value.data() + saved.value.size();
      auto [stop, error] = std::from_chars(saved.value.data(), end, next_);
      if (error != std::errc() || stop != end)
        return fail(ErrorKind::kFatal,
                    "generator: saved position \"" + saved.value + "\" is not a number of records");
    }
    timer_.emplace(context.loop());
    idle_.emplace(context.loop(), [this] { step(); });
    restart_count();
    schedule();
    return {};
  }

  void resume() override {
    if (!std::exchange(out_of_credit_, false) || stopped()) return;
    // What was not made for lack of credit is not made up for: that would be a flood.
    restart_count();
    schedule();
  }

  void stop(std::function<void()> closed) override {
    timer_.reset();
    idle_.reset();
    closed();
  }

  bool offsets_last() const override { return true; }
  SavedPosition saved_position(const Position& position) override {
    return {partition_, std::to_string(position.offset)};
  }
  std::string describe(const Position& position) override {
    return "generator:" + std::to_string(position.offset);
  }

 private:
  bool stopped() const { return !timer_.has_value(); }

  void restart_count() {
    since_us_ = context_->loop().clock().monotonic_us();
    made_ = 0;
  }

  // Records that are due and not made. The first is due at once.
  uint64_t due() const {
    if (rate_ == 0) return count_ - std::min(next_, count_);
    auto elapsed = static_cast<double>(context_->loop().clock().monotonic_us() - since_us_);
    auto in_all = static_cast<uint64_t>(elapsed * static_cast<double>(rate_) / 1e6) + 1;
    uint64_t left = count_ - std::min(next_, count_);
    return std::min(left, in_all - std::min(made_, in_all));
  }

  // Arranges for the next step. Without credit, or at the end, there is none, and no timer runs.
  void schedule() {
    if (rate_ == 0 || next_ >= count_) return idle_->start();
    int64_t wait_us = 0;
    if (due() == 0) {
      double next_at = static_cast<double>(made_) * 1e6 / static_cast<double>(rate_);
      int64_t elapsed = context_->loop().clock().monotonic_us() - since_us_;
      wait_us = std::max(kTickUs, static_cast<int64_t>(next_at) - elapsed);
    }
    timer_->start(Milliseconds{(wait_us + 999) / 1000}, [this] { step(); });
  }

  // Makes at most one batch: the quantum after which other pipelines have their turn.
  void step() {
    idle_->stop();
    if (next_ >= count_) return context_->finished({});
    uint64_t wanted = due();
    if (wanted > 0) {
      BatchRef batch = context_->new_batch(Content::kRecords);
      if (!batch) {
        out_of_credit_ = true;
        return;
      }
      uint64_t fit =
          std::max<uint64_t>(context_->batch_bytes() / generator::Telemetry::kRecordBytes, 1);
      emit(std::move(batch), static_cast<uint32_t>(std::min(wanted, fit)));
    }
    if (!stopped()) schedule();
  }

  void emit(BatchRef batch, uint32_t count) {
    telemetry_.fill(*batch, next_, count);
    batch->begin.offset = batch->begin.line = next_;
    next_ += count;
    made_ += count;
    batch->end.offset = batch->end.line = next_;
    batch->arrival_us = context_->loop().clock().unix_us();
    context_->emit(std::move(batch));
  }

  const int64_t rate_;
  const uint64_t count_;
  const std::string partition_;
  const generator::Telemetry telemetry_;

  SourceContext* context_ = nullptr;
  std::optional<Timer> timer_;  // none before open() and after stop()
  std::optional<Idle> idle_;
  uint64_t next_ = 0;     // index of the record to make next
  int64_t since_us_ = 0;  // monotonic; from when `made_` counts, at `rate_`
  uint64_t made_ = 0;
  bool out_of_credit_ = false;
};

Result<std::unique_ptr<Source>> make(const Options& options) {
  return std::make_unique<GeneratorSource>(options);
}

}  // namespace

extern constexpr SourceType kGeneratorSource{
    .name = "generator",
    .help =
        "Makes synthetic telemetry, for trying things. The same seed gives the same records, "
        "also after a restart.",
    .produces = Produces::kRecords,
    .replay = replays<Replay::kFromPosition>,
    .options = kOptions,
    .bounded = [](const Options& options) { return options.integer("count") > 0; },
    .begins_anew = [](const Options&) { return true; },
    .make = make};

}  // namespace leat
