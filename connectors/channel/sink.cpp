// Hands records to every pipeline that reads this channel. A delivery is answered when each of them
// has delivered or journaled it.
//
// What is under way is bounded by `buffer`; further deliveries wait here, unanswered, and hold the
// pipeline back. A subscriber that does not run is waited for in the same way, for as long as it
// takes: nothing is tried again, so nobody gets anything twice for it.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/lifetime.h"
#include "base/log.h"
#include "channel/channels.h"
#include "options.h"
#include "stage/sink.h"

namespace leat {
namespace {

// Of answered handovers, those whose records a subscriber still has: mostly it is just about to let
// go of them, and the memory can be used again. More than these is given away.
constexpr size_t kMostLent = 2;

constexpr Option kOptions[] = {
    channel::name_option("\"results\""),
    {.name = "buffer",
     .type = OptionType::kBytes,
     .fallback = "256KiB",
     .help =
         "How many bytes of records a subscriber may be behind the fastest. One that is slower, "
         "and cannot keep them in its spool, then holds back all.",
     .min = 1},
};

class ChannelSink final : public Sink {
 public:
  explicit ChannelSink(const Options& options)
      : name_(options.string("name")), buffer_(static_cast<size_t>(options.bytes("buffer"))) {}

  Status open(SinkContext& context) override {
    if (context.channels() == nullptr)
      return fail(ErrorKind::kUsage, "channel: is there only within a running agent");
    context_ = &context;
    writer_ = std::make_unique<ChannelWriter>(context.channels()->find(name_), buffer_,
                                              context.loop(), [this] { woken(); });
    timer_ = std::make_unique<Timer>(context.loop());
    return {};
  }

  void deliver(const Delivery& delivery, Done done) override {
    waiting_.push_back({&delivery, std::move(done)});
    hand_on();
  }

  void close(std::function<void()> closed) override {
    timer_.reset();
    writer_.reset();
    waiting_.clear();
    // What a subscriber has taken its next run may be given again, so it stays, read or not.
    for (UnderWay& one : std::exchange(under_way_, {})) give_away(one);
    for (UnderWay& one : std::exchange(lent_, {})) let_go(one);
    closed();
  }

 private:
  struct Waiting {
    const Delivery* delivery;
    Done done;
  };
  struct UnderWay {
    std::shared_ptr<Handover> what;
    std::vector<BatchRef> batches;  // whose records these are
    Done done;
  };

  void hand_on() {
    while (!waiting_.empty() && has_room(*waiting_.front().delivery)) {
      UnderWay one = make_handover(*waiting_.front().delivery);
      if (!writer_->hand(one.what)) break;
      one.done = std::move(waiting_.front().done);
      waiting_.erase(waiting_.begin());
      bytes_ += one.what->bytes;
      under_way_.push_back(std::move(one));
    }
    const bool waited = std::exchange(waits_, !waiting_.empty());
    if (waited != waits_) writer_->waits(waits_);
    if (waits_ && !timer_->active()) timer_->start(kPatience, [this] { say_who_is_missing(); });
    if (!waits_) timer_->stop();
  }

  // One that is larger than the buffer goes alone.
  bool has_room(const Delivery& delivery) const {
    return under_way_.empty() || bytes_ + delivery.bytes <= buffer_;
  }

  static UnderWay make_handover(const Delivery& delivery) {
    UnderWay out{.what = std::make_shared<Handover>(), .batches = {}, .done = nullptr};
    Handover& what = *out.what;
    what.bytes = delivery.bytes;
    what.records.reserve(delivery.records);
    for (const Part& part : delivery.parts) {
      if (what.records.empty()) what.arrival_us = part.batch->arrival_us;
      const auto first = part.batch->records.begin() + part.first;
      what.records.insert(what.records.end(), first, first + part.count);
      for (const ShapeRef& shape : part.batch->shapes())
        if (what.shapes.empty() || what.shapes.back() != shape) what.shapes.push_back(shape);
      out.batches.push_back(part.batch);
    }
    return out;
  }

  void woken() {
    const auto gone = lifetime_.witness();
    std::erase_if(lent_, [](const UnderWay& one) { return is_free(one); });
    // In order, and each is out of the way when its answer brings the next.
    for (auto one = settled(); one != under_way_.end(); one = settled()) {
      UnderWay done = std::move(*one);
      under_way_.erase(one);
      bytes_ -= done.what->bytes;
      const Done answer = std::move(done.done);
      if (!is_free(done)) lend(std::move(done));
      answer(Answer::delivered());
      if (*gone || writer_ == nullptr) return;
    }
    hand_on();
  }

  std::vector<UnderWay>::iterator settled() {
    return std::ranges::find_if(under_way_,
                                [](const UnderWay& one) { return one.what->owed == 0; });
  }

  static bool is_free(const UnderWay& one) { return one.what->borrowed == 0; }

  void lend(UnderWay one) {
    lent_.push_back(std::move(one));
    if (lent_.size() <= kMostLent) return;
    let_go(lent_.front());
    lent_.erase(lent_.begin());
  }

  // Whoever has the records keeps what they are made of.
  static void let_go(UnderWay& one) {
    if (!is_free(one)) give_away(one);
  }

  static void give_away(UnderWay& one) {
    for (const BatchRef& batch : one.batches)
      for (std::shared_ptr<const void>& piece : batch->give_away_memory())
        one.what->memory.push_back(std::move(piece));
  }

  void say_who_is_missing() {
    timer_->start(kPatience * 6, [this] { say_who_is_missing(); });
    std::string names;
    for (const std::string& name : writer_->absent()) names += (names.empty() ? "" : ", ") + name;
    if (under_way_.empty())
      log::warn(context_->pipeline(), "channel " + name_ + ": waits, since no pipeline reads it");
    else if (!names.empty())
      log::warn(context_->pipeline(),
                "channel " + name_ + ": waits for what does not run: " + names);
  }

  static constexpr Milliseconds kPatience{10'000};

  const std::string name_;
  const size_t buffer_;
  SinkContext* context_ = nullptr;
  // Some dozens at most.
  std::vector<Waiting> waiting_;
  std::vector<UnderWay> under_way_;
  std::vector<UnderWay> lent_;
  size_t bytes_ = 0;  // of under_way_
  bool waits_ = false;
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<ChannelWriter> writer_;  // while it is open
  Lifetime lifetime_;
};

Result<std::unique_ptr<Sink>> make(const Options& options) {
  return std::make_unique<ChannelSink>(options);
}

}  // namespace

extern constexpr SinkType kChannelSink{
    .name = "channel",
    .help = "Hands records, in memory, to every pipeline whose source is the channel of this name.",
    .consumes = Consumes::kRecords,
    .options = kOptions,
    .max_in_flight = 256,
    .default_in_flight = 256,
    .keeps_order = true,
    .batch = {.records = 1000,
              .bytes = 128 * 1024,
              .linger = Milliseconds{10},
              .spacing = Milliseconds{1}},
    .make = make,
    .channel = "name"};

}  // namespace leat
