// `dedupe`: of records with the same key, the first passes.
#include <memory>

#include "transform/remembering.h"
#include "transform/types.h"

namespace leat {
namespace {

class DedupeTransform final : public Remembering {
 public:
  explicit DedupeTransform(const Options& options)
      : Remembering("dedupe", options, KeyedState::Kind::kRenewed),
        within_us_(options.duration("within").count() * 1000) {}

  Status run(BatchRef& batch, DeadLetters& dead) override {
    look_for(keys_.names(), "key", *batch);
    keep_those(*batch, dead, [&](size_t i) { return passes(*batch, i, dead); });
    return {};
  }

 private:
  // An entry's data is the event time of the record that passed.
  bool passes(const Batch& batch, size_t i, DeadLetters& dead) {
    const Record& record = batch.records[i];
    if (missing() > 0) return true;  // nothing tells it from others
    KeyedState::Entry* entry = find();
    if (entry == nullptr) {
      if (full(batch)) forget_expired(record.time_us);
      entry = remember(batch, i, sizeof(int64_t), dead);
      if (entry == nullptr) return false;
    } else if (is_within(*entry, record.time_us)) {
      return false;
    }
    entries_.store(*entry, record.time_us);
    return true;
  }

  bool is_within(const KeyedState::Entry& entry, int64_t time_us) const {
    if (within_us_ == 0) return true;
    const int64_t away = time_us - entry.stored<int64_t>();
    return away < within_us_ && away > -within_us_;
  }

  // For want of room alone: by the time of one record, whose clock may be wrong, nothing is
  // forgotten that others still need. Two for each that comes, so that nobody waits while many go
  // at once.
  void forget_expired(int64_t time_us) {
    for (int i = 0; i < 2 && entries_.size() > 0 && within_us_ > 0; ++i)
      if (!is_within(*entries_.oldest(), time_us)) entries_.remove(*entries_.oldest());
  }

  const int64_t within_us_;  // 0: always
};

constexpr Option kOptions[] = {
    {.name = "key",
     .type = OptionType::kStrings,
     .required = true,
     .help =
         "The field, or fields, by which a record is known again. One that lacks any of them, or "
         "has null there, passes.",
     .example = "[\"device\", \"seq\"]"},
    {.name = "within",
     .type = OptionType::kDuration,
     .help = "By event time, for how long behind the one that passed (and before it) a record with "
             "the same key is the same. Default: as long as the key is remembered.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000},
    kMaxKeysOption,
    kAtBoundOption};

Result<std::unique_ptr<Transform>> make(const Options& options) {
  return std::make_unique<DedupeTransform>(options);
}

}  // namespace

const TransformType kDedupeTransform{
    .name = "dedupe",
    .help = "Lets the first of the records with the same key pass, and removes the others.",
    .options = kOptions,
    .make = make,
    .code = "room",
    .remembers = true};

}  // namespace leat
