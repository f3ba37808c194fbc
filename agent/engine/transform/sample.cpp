// `sample`: of many records a few, for each key.
#include <memory>
#include <utility>

#include "options/option_errors.h"
#include "transform/remembering.h"
#include "transform/thinning.h"
#include "transform/types.h"
#include "transform/watermark.h"

namespace leat {
namespace {

// From the first to the last span, by their starts, in which some have passed. Of those before the
// last it is not known any more how many.
struct Stretch {
  int64_t first_us;
  int64_t last_us;
  int64_t count;  // of the last
};

// An entry's data. With `nth`, how many have come is in now.count; with `span`, two clocks that are
// far apart have a stretch each.
struct Seen {
  Stretch now;    // of the clock that was seen last
  Stretch other;  // its first behind its last: there is none
};

// Records that are farther apart, in spans, are of two clocks.
constexpr uint64_t kFarSpans = 1000;

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
      const int64_t start_us = start_of(record.time_us);
      entries_.store(*entry, Seen{{start_us, start_us, 0}, {1, 0, 0}});
    }
    auto seen = entry->stored<Seen>();
    const bool it_does = nth_ > 0 ? is_nth(seen) : has_room(seen, record.time_us);
    if (it_does || nth_ > 0) entries_.store(*entry, seen);
    return it_does;
  }

  bool is_nth(Seen& seen) const {
    const bool first = seen.now.count == 0;
    seen.now.count = (seen.now.count + 1) % nth_;
    return first;
  }

  // No other passes of a span that has gone by. A third clock takes the place of the one that was
  // not seen for longer.
  bool has_room(Seen& seen, int64_t time_us) const {
    const int64_t start_us = start_of(time_us);
    if (!covers(seen.now, start_us) && (covers(seen.other, start_us) || is_far(seen.now, start_us)))
      std::swap(seen.now, seen.other);
    Stretch& now = seen.now;
    if (is_far(now, start_us)) now = {start_us, start_us, 0};
    if (start_us < now.first_us) {
      now.first_us = start_us;
      return true;
    }
    if (start_us < now.last_us) return false;
    if (start_us > now.last_us) {
      now.last_us = start_us;
      now.count = 0;
    }
    return now.count++ < most_;
  }

  static bool covers(const Stretch& stretch, int64_t start_us) {
    return stretch.first_us <= start_us && start_us <= stretch.last_us;
  }

  bool is_far(const Stretch& stretch, int64_t start_us) const {
    if (stretch.first_us > stretch.last_us) return true;
    if (covers(stretch, start_us)) return false;
    const auto at = static_cast<uint64_t>(start_us);
    const uint64_t away = start_us < stretch.first_us ? static_cast<uint64_t>(stretch.first_us) - at
                                                      : at - static_cast<uint64_t>(stretch.last_us);
    return away / static_cast<uint64_t>(span_us_) > kFarSpans;
  }

  int64_t start_of(int64_t time_us) const {
    return span_us_ == 0 ? 0 : start_of_span(time_us, span_us_);
  }

  const int64_t nth_;  // 0: by spans
  const int64_t most_;
  const int64_t span_us_;
};

#ifdef LEAT_THINNING
constexpr std::string_view kPicks[] = {"first", "last"};
#endif

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
#ifdef LEAT_THINNING
    {.name = "pick",
     .fallback = "first",
     .help = "Which pass of a span: the first that come, at once; or the last one by event time, "
             "when the span is over.",
     .choices = kPicks},
    kMaxAheadOption,
#endif
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
  const bool last = kThinning && options.string("pick") == "last";
  if (last && options.has("nth")) errors.add(options, "pick", "last is for the records of a span");
  if (last && options.integer("most") != 1) errors.add(options, "most", "must be 1 with pick last");
  if (Status status = errors.status(); !status) return fail(status.error());
  if constexpr (kThinning)
    if (last) return make_last_of_span(options);
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
