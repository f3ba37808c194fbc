// Gives what the producers of this channel hand over. It takes their debts over: a handover is
// settled with them when all that came of it is delivered, or in this pipeline's journal.
//
// A position is the number of records before it in this run, and nothing of it is saved: what was
// not settled is given again, here to the next run, and after a crash by the producer's source.
#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "base/lifetime.h"
#include "channel/channels.h"
#include "options.h"
#include "stage/source.h"

namespace leat {
namespace {

constexpr Option kOptions[] = {channel::name_option("\"readings\"")};

// While others are held back, what fills the buffer goes to the journal so soon.
constexpr Milliseconds kPatience{100};
// While nobody is, it only goes without lingering: `maxAckHold` bounds that.
constexpr Milliseconds kNoHurry{24 * 60 * 60'000};

class ChannelSource final : public Source {
 public:
  explicit ChannelSource(const Options& options) : name_(options.string("name")) {}

  Status open(SourceContext& context) override {
    if (context.channels() == nullptr)
      return fail(ErrorKind::kUsage, "channel: is there only within a running agent");
    context_ = &context;
    reader_ = std::make_unique<ChannelReader>(context.channels()->find(name_), context.pipeline(),
                                              context.loop(), [this] { look(); });
    timer_ = std::make_unique<Timer>(context.loop());
    timer_->start_next_turn([this] { look(); });
    return {};
  }

  void resume() override { look(); }

  // It goes on settling what it has taken.
  bool drain() override {
    reads_ = false;
    return true;
  }

  void stop(std::function<void()> closed) override {
    reads_ = false;
    timer_.reset();
    reader_.reset();
    closed();
  }

  void released(const Position& position) override {
    size_t settled = 0;
    while (!taken_.empty() && taken_.front() <= position.offset) {
      taken_.pop_front();
      ++settled;
    }
    if (settled > 0 && reader_ != nullptr) reader_->settle(settled);
  }
  SavedPosition saved_position(const Position& /*position*/) override { return {}; }
  std::string describe(const Position& position) override {
    return "channel " + name_ + ":" + std::to_string(position.line);
  }

 private:
  void look() {
    if (!reads_) return;
    if (const ChannelReader::Pressure now = reader_->pressure(); now != pressure_) {
      pressure_ = now;
      context_->in_flight_full(now.full, now.hurry ? kPatience : kNoHurry);
    }
    while (reads_ && reader_->any()) {
      BatchRef batch = context_->new_batch(Content::kRecords);
      if (!batch) return;  // resume() follows
      emit(std::move(batch));
    }
    if (!reads_ || !reader_->over()) return;
    reads_ = false;
    context_->finished({});
  }

  void emit(BatchRef batch) {
    const std::shared_ptr<Borrowed> borrowed = reader_->take();
    const Handover& what = **borrowed;
    batch->records = what.records;
    uint32_t end = 0;
    for (Record& record : batch->records) record.end_offset = record.end_line = ++end;
    for (const ShapeRef& shape : what.shapes) batch->adopt(shape);
    batch->borrow(borrowed, what.bytes);
    batch->arrival_us = what.arrival_us;
    batch->begin.offset = batch->begin.line = next_;
    next_ += batch->records.size();
    batch->end.offset = batch->end.line = next_;
    taken_.push_back(next_);
    context_->emit(std::move(batch));
  }

  const std::string name_;
  SourceContext* context_ = nullptr;
  std::unique_ptr<ChannelReader> reader_;  // while it is open
  std::unique_ptr<Timer> timer_;
  ChannelReader::Pressure pressure_;
  bool reads_ = true;
  uint64_t next_ = 0;           // records before the next one
  std::deque<uint64_t> taken_;  // where each handover ends that is not settled
};

Result<std::unique_ptr<Source>> make(const Options& options) {
  return std::make_unique<ChannelSource>(options);
}

}  // namespace

extern constexpr SourceType kChannelSource{
    .name = "channel",
    .help = "Gives, in memory, what pipelines hand over whose sink is the channel of this name.",
    .produces = Produces::kRecords,
    .replay = replays<Replay::kHoldsAck>,
    .options = kOptions,
    .make = make,
    .channel = "name"};

}  // namespace leat
