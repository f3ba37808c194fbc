// `sample`: of many records a few, for each key.
#include <memory>

#include "options/option_errors.h"
#include "transform/remembering.h"
#include "transform/types.h"

namespace leat {
namespace {

// An entry's data: how many have come, with `nth`; with `span`, how many have passed of that one.
struct Seen {
  int64_t start_us;
  int64_t count;
};

class SampleTransform final : public Remembering {
 public:
  SampleTransform(const Options& options, const std::string& identity)
      : Remembering("sample", options, KeyedState::Kind::kRenewed, identity),
        nth_(options.has("nth") ? options.integer("nth") : 0),
        most_(options.integer("most")),
        span_us_(options.duration("span").count() * 1000) {}

  Status run(BatchRef& batch, DeadLetters& dead) override {
    look_for(keys_.names(), "key", *batch);
    keep_those(*batch, dead, [&](size_t i) { return passes(*batch, i, dead); });
    return {};
  }

 private:
  bool passes(const Batch& batch, size_t i, DeadLetters& dead) {
    const Record& record = batch.records[i];
    KeyedState::Entry* entry = find();
    if (entry == nullptr) {
      entry = remember(batch, i, sizeof(Seen), dead);
      if (entry == nullptr) return false;
      entries_.store(*entry, Seen{start_of(record.time_us), 0});
    }
    auto seen = entry->stored<Seen>();
    const bool it_does = nth_ > 0 ? is_nth(seen) : has_room(seen, record.time_us);
    if (it_does || nth_ > 0) entries_.store(*entry, seen);
    return it_does;
  }

  bool is_nth(Seen& seen) const {
    const bool first = seen.count == 0;
    seen.count = (seen.count + 1) % nth_;
    return first;
  }

  // Of the span before it is not known any more how many have passed: no other does. One from
  // further back is of a clock that was set back.
  bool has_room(Seen& seen, int64_t time_us) const {
    const int64_t start_us = start_of(time_us);
    if (start_us == seen.start_us - span_us_) return false;
    if (start_us != seen.start_us) seen = {start_us, 0};
    return seen.count++ < most_;
  }

  int64_t start_of(int64_t time_us) const {
    if (span_us_ == 0) return 0;
    const int64_t rest = time_us % span_us_;
    return time_us - rest - (rest < 0 ? span_us_ : 0);
  }

  const int64_t nth_;  // 0: by spans
  const int64_t most_;
  const int64_t span_us_;
};

constexpr Option kOptions[] = {
    {.name = "nth",
     .type = OptionType::kInteger,
     .help = "One of so many records passes: the first, and then each that comes so many behind "
             "the last that passed. Either this or `span`.",
     .min = 2,
     .max = 1'000'000'000},
    {.name = "span",
     .type = OptionType::kDuration,
     .help = "At most `most` records pass of each span of event time. They begin at multiples of "
             "it since 1970, in UTC.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000,
     .example = "\"10s\""},
    {.name = "most",
     .type = OptionType::kInteger,
     .fallback = "1",
     .help = "How many pass of a span: the first that come.",
     .min = 1,
     .max = 1'000'000'000},
    {.name = "key",
     .type = OptionType::kStrings,
     .help = "The field, or fields, with whose values each is counted by itself. Default: all "
             "records together.",
     .example = "\"device\""},
    kMaxKeysOption,
    kAtBoundOption};

Result<std::unique_ptr<Transform>> make(const Options& options) {
  OptionErrors errors;
  if (options.has("nth") == options.has("span"))
    errors.add(options, "span", "one of nth and span is needed, and not both",
               options.has("nth") ? OptionErrors::Kind::kInvalid : OptionErrors::Kind::kMissing);
  if (Status status = errors.status(); !status) return fail(status.error());
  const std::string identity =
      options.has("nth") ? " nth" : " span " + std::to_string(options.duration("span").count());
  return std::make_unique<SampleTransform>(options, identity);
}

}  // namespace

const TransformType kSampleTransform{
    .name = "sample",
    .help = "Lets every nth record pass, or a few of each span of time, for each key.",
    .options = kOptions,
    .make = make,
    .code = "room",
    .remembers = true};

}  // namespace leat
