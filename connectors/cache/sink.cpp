// Puts the last record of each key where `lookup` finds it, in pipelines of the same agent.
//
// A delivery is answered at once: nothing of it can fail but a record that has no key, or is too
// large. What comes again is put in again, so nothing is lost by that, and nothing is there twice.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cache/caches.h"
#include "cache/lookup_key.h"
#include "loop/timer.h"
#include "options/option_errors.h"
#include "stage/sink.h"

namespace leat {
namespace {

constexpr Option kOptions[] = {
    {.name = "name",
     .required = true,
     .help = "Of the cache, as the transform lookup names it. One pipeline fills it.",
     .example = "\"recipes\""},
    {.name = "key",
     .type = OptionType::kStrings,
     .required = true,
     .help = "The field, or fields, by whose values a record is found: of several with the same, "
             "the one that came last. A record that lacks any of them, or has null there, is a "
             "dead letter.",
     .example = "[\"machine\"]"},
    {.name = "ttl",
     .type = OptionType::kDuration,
     .fallback = "1m",
     .help = "How long a record is found, by the clock, after it was put in.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000},
    {.name = "maxRecords",
     .type = OptionType::kInteger,
     .fallback = "1000",
     .help = "How many there are at most: the one that was put in first goes for each that comes.",
     .min = 1,
     .max = 1'000'000},
    {.name = "maxBytes",
     .type = OptionType::kBytes,
     .fallback = "512KiB",
     .help = "What they may take in memory, and never more than half of the pipeline's share of "
             "agent.memory, against which it counts. A record that takes more alone is a dead "
             "letter.",
     .min = 4096},
};

class CacheSink final : public Sink {
 public:
  explicit CacheSink(const Options& options)
      : name_(options.string("name")),
        key_(options.strings("key")),
        bounds_{.ttl = options.duration("ttl"),
                .max_records = static_cast<size_t>(options.integer("maxRecords")),
                .max_bytes = static_cast<size_t>(options.bytes("maxBytes"))} {}
  ~CacheSink() override { release(); }

  Status open(SinkContext& context) override {
    if (context.caches() == nullptr)
      return fail(ErrorKind::kUsage, "cache: is there only within a running agent");
    context_ = &context;
    cache_ = context.caches()->find(name_);
    cache_->add_filler(context.budget());
    timer_ = std::make_unique<Timer>(context.loop());
    return {};
  }

  void deliver(const Delivery& delivery, Done done) override {
    timer_->start_next_turn(
        [answer = put(delivery), done = std::move(done)]() mutable { done(std::move(answer)); });
  }

  void close(std::function<void()> closed) override {
    release();
    closed();
  }

 private:
  Answer put(const Delivery& delivery) {
    // An older run may have had others until now.
    cache_->set_key(key_);
    const CacheBounds bounds{bounds_.ttl, bounds_.max_records,
                             std::min(bounds_.max_bytes, context_->budget().limit() / 2)};
    const Milliseconds now = context_->loop().now();
    std::vector<std::pair<uint32_t, Why>> bad;
    uint32_t index = 0;
    shape_ = nullptr;  // another may have the address of the last one
    delivery.each_record([&](const Record& record) {
      if (!read_key(record))
        bad.emplace_back(index, Why{"has no value in a field of its key", "no-key"});
      else if (!cache_->put(text_.text(), record, bounds, now))
        bad.emplace_back(
            index, Why{"takes more than the cache may have (maxBytes, or memory)", "too-large"});
      ++index;
    });
    return bad.empty() ? Answer::delivered() : Answer::rejected(std::move(bad));
  }

  // False where a part of it is missing, or null.
  bool read_key(const Record& record) {
    if (record.shape != shape_) {
      shape_ = record.shape;
      places_.clear();
      for (const std::string& field : key_) places_.push_back(shape_->find(field));
    }
    text_.clear();
    return std::ranges::all_of(places_,
                               [&](int at) { return at >= 0 && text_.add(record.values[at]); });
  }

  void release() {
    timer_.reset();
    if (cache_ != nullptr) cache_->remove_filler(context_->budget());
    cache_.reset();
  }

  const std::string name_;
  const std::vector<std::string> key_;
  const CacheBounds bounds_;
  SinkContext* context_ = nullptr;
  std::shared_ptr<Cache> cache_;  // while it is open
  std::unique_ptr<Timer> timer_;
  const Shape* shape_ = nullptr;
  std::vector<int> places_;  // of the key's fields in it
  LookupKey text_;
};

Result<std::unique_ptr<Sink>> make(const Options& options) {
  OptionErrors errors;
  if (options.string("name").empty()) errors.add(options, "name", "must not be empty");
  if (options.strings("key").empty()) errors.add(options, "key", "must have a field at least");
  if (Status status = errors.status(); !status) return fail(status.error());
  return std::make_unique<CacheSink>(options);
}

}  // namespace

extern constexpr SinkType kCacheSink{
    .name = "cache",
    .help = "Keeps the last record of each key in memory, where lookup finds it.",
    .consumes = Consumes::kRecords,
    .options = kOptions,
    .batch = {.records = 1000,
              .bytes = 128 * 1024,
              .linger = Milliseconds{10},
              .spacing = Milliseconds{1}},
    .make = make,
    .cache = "name"};

}  // namespace leat
