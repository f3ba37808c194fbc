// `deadband`: what hardly moves is left out.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "base/text.h"
#include "options/option_errors.h"
#include "transform/remembering.h"
#include "transform/thinning.h"
#include "transform/types.h"

namespace leat {
namespace {

// Of a value that is no number, and of a bound that is not given.
constexpr double kNone = NAN;

// An entry's data: of the record that passed last. Its text follows, where that is compared.
struct Passed {
  int64_t time_us;
  double number;
};

std::optional<double> positive(const std::string& text) {
  if (text.empty() || json_number_length(text) != text.size()) return std::nullopt;
  const double number = std::strtod(text.c_str(), nullptr);
  if (!std::isfinite(number) || number < 0) return std::nullopt;
  return number;
}

class DeadbandTransform final : public Remembering {
 public:
  DeadbandTransform(const Options& options, double absolute, double percent)
      : Remembering("deadband", options, KeyedState::Kind::kRenewed,
                    " of " + json_quoted(options.string("field"))),
        field_({options.string("field")}),
        absolute_(absolute),
        share_(percent / 100),
        changed_(options.boolean("changed")),
        max_silence_us_(options.duration("maxSilence").count() * 1000) {}

  Status run(BatchRef& batch, DeadLetters& dead) override {
    look_for(field_, "field", *batch);
    look_for(keys_.names(), "key", *batch);
    keep_those(*batch, dead, [&](size_t i) { return passes(*batch, i, dead); });
    places_.trim(*batch);
    return {};
  }

  size_t held() const override { return Remembering::held() + places_.held(); }

 private:
  bool passes(const Batch& batch, size_t i, DeadLetters& dead) {
    const Record& record = batch.records[i];
    const int place = places_.get(
        batch, record.shape, [this](const Shape& shape) { return places_of(field_, shape); })[0];
    if (place < 0 || record.values[place].type == Type::kAbsent) return true;  // it is of no such
    const Value& value = record.values[place];
    const double number = number_of(value);
    text_.clear();
    if (changed_ || std::isnan(number)) append_text(text_, value);
    KeyedState::Entry* entry = find();
    if (entry != nullptr && !moved(*entry, number, record.time_us)) return false;
    if (entry != nullptr && sizeof(Passed) + text_.size() > entry->data_size()) {
      if (!make_room_to_grow(batch)) {
        dead.add(batch, i, kNoRoom);
        return false;
      }
      entry = find();  // it may have been the oldest
    }
    if (entry == nullptr) entry = remember(batch, i, sizeof(Passed), dead);
    if (entry == nullptr) return false;
    const Passed now{record.time_us, number};
    text_.insert(0, reinterpret_cast<const char*>(&now), sizeof(now));
    entries_.replace(*entry, text_);
    return true;
  }

  bool moved(const KeyedState::Entry& entry, double number, int64_t time_us) const {
    Passed last{};
    if (entry.data_size() < sizeof(last)) return true;
    std::memcpy(&last, entry.data(), sizeof(last));
    // One so far back, too: the one that passed last was of a clock that was ahead.
    if (max_silence_us_ > 0 &&
        (time_us - last.time_us >= max_silence_us_ || last.time_us - time_us >= max_silence_us_))
      return true;
    if (std::isnan(last.number) != std::isnan(number)) return true;
    const std::string_view text(entry.data() + sizeof(last), entry.data_size() - sizeof(last));
    if ((changed_ || std::isnan(number)) && text != text_) return true;
    if (std::isinf(last.number) || std::isinf(number)) return number != last.number;
    const double moved = std::abs(number - last.number);
    return moved > absolute_ || moved > share_ * std::abs(last.number);  // false with kNone
  }

  const std::vector<std::string> field_;  // one
  const double absolute_;
  const double share_;
  const bool changed_;
  const int64_t max_silence_us_;  // 0: for ever
  ShapeCache<std::vector<int>> places_;
  std::string text_;
};

constexpr Option kOptions[] = {
    {.name = "field",
     .required = true,
     .help = "The field whose value counts. A record without it passes.",
     .example = "\"temp\""},
    {.name = "key",
     .type = OptionType::kStrings,
     .help = "The field, or fields, with whose values each is looked at by itself. Default: all "
             "records together.",
     .example = "\"device\""},
    {.name = "absolute",
     .help =
         "A value passes that is away from the one that passed last by more than this, a number "
         "(\"0.5\").",
     .example = "\"0.5\""},
    {.name = "percent",
     .help = "A value passes that is away from the one that passed last by more than this share of "
             "that (\"2\": by more than 2 %)."},
    {.name = "changed",
     .type = OptionType::kBool,
     .fallback = "false",
     .help =
         "A value passes that is not written as the one that passed last: for what is no number, "
         "too. One at least of absolute, percent and changed is needed."},
#ifdef LEAT_THINNING
    {.name = "tolerance",
     .help = "Instead of these: a straight line between two records that pass, one behind the "
             "other by event time, is never farther than this, a number (\"0.5\"), from a value "
             "between them that was left out."},
#endif
    {.name = "maxSilence",
     .type = OptionType::kDuration,
     .help =
         "A value passes all the same when the one that passed last is so long ago, by event time. "
         "Default: never.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000},
    kMaxKeysOption,
    kAtBoundOption};

Result<std::unique_ptr<Transform>> make(const Options& options) {
  OptionErrors errors;
  auto bound = [&](std::string_view name) {
    if (!options.has(name)) return kNone;
    std::optional<double> number = positive(options.string(name));
    if (!number)
      errors.add(options, name, "must be a number that is not negative, in a string (\"0.5\")");
    return number.value_or(kNone);
  };
  const double absolute = bound("absolute");
  const double percent = bound("percent");
  const bool lines = kThinning && options.has("tolerance");
  const double tolerance = lines ? bound("tolerance") : kNone;
  if (lines) {
    const auto unused = [&](std::string_view name, bool given) {
      if (given)
        errors.add(options, name, "does not go with tolerance", OptionErrors::Kind::kUnused);
    };
    unused("absolute", options.has("absolute"));
    unused("percent", options.has("percent"));
    unused("changed", options.boolean("changed"));
  } else if (!options.has("absolute") && !options.has("percent") && !options.boolean("changed")) {
    errors.add(options, "absolute", "missing: one of absolute, percent and changed is needed",
               OptionErrors::Kind::kMissing);
  }
  if (Status status = errors.status(); !status) return fail(status.error());
  if constexpr (kThinning)
    if (lines) return make_swinging_door(options, tolerance);
  return std::make_unique<DeadbandTransform>(options, absolute, percent);
}

}  // namespace

double number_of(const Value& value) {
  switch (value.type) {
    case Type::kInteger:
    case Type::kFloat:
    case Type::kDecimal:
      return real_of(value);
    case Type::kBool:
      return static_cast<double>(value.integer);
    default:
      return kNone;
  }
}

const TransformType kDeadbandTransform{
    .name = "deadband",
    .help = "Lets a value pass that has moved enough since the one that passed last.",
    .options = kOptions,
    .make = make,
    .code = "room",
    .remembers = true};

}  // namespace leat
