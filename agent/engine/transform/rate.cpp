// `rate`: what a counter has gained since the reading before, and that per second.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>

#include "base/text.h"
#include "options/option_errors.h"
#include "transform/remembering.h"
#include "transform/types.h"

namespace leat {
namespace {

// An entry's data: the reading before.
struct Reading {
  int64_t time_us;
  double number;
  uint64_t whole;
  int64_t is_whole;
};

// As its text says it, exactly: not by way of a double.
std::optional<uint64_t> whole_of(const Value& value) {
  if (value.type == Type::kInteger) {
    const int64_t number = integer_of(value);
    if (number < 0) return std::nullopt;
    return static_cast<uint64_t>(number);
  }
  if (!value.is_text() || value.size == 0) return std::nullopt;
  uint64_t out = 0;
  for (const char c : value.view()) {
    if (c < '0' || c > '9' || __builtin_mul_overflow(out, uint64_t{10}, &out) ||
        __builtin_add_overflow(out, static_cast<uint64_t>(c - '0'), &out))
      return std::nullopt;
  }
  return out;
}

Value value_of(Arena& arena, uint64_t number) {
  if (number <= INT64_MAX) return Value::of_integer(static_cast<int64_t>(number));
  const std::string text = std::to_string(number);
  char* at = arena.array<char>(text.size());
  std::copy(text.begin(), text.end(), at);
  return Value::of_text(Type::kDecimal, {at, text.size()}, Form::kText);
}

class RateTransform final : public Remembering {
 public:
  explicit RateTransform(const Options& options)
      : Remembering("rate", options, KeyedState::Kind::kRenewed,
                    " of " + json_quoted(options.string("field"))),
        field_({options.string("field")}),
        rate_name_(options.string("rateField")),
        difference_name_(options.string("differenceField")),
        per_us_(options.duration("per").count() * 1000),
        max_gap_us_(options.duration("maxGap").count() * 1000),
        last_(last_number(options)) {}

  Status run(BatchRef& batch, DeadLetters& dead) override {
    ++batch_number_;
    look_for(field_, "field", *batch);
    look_for(keys_.names(), "key", *batch);
    keep_those(*batch, dead, [&](size_t i) { return take(*batch, i, dead); });
    plans_.trim(*batch);
    return {};
  }

  size_t held() const override { return Remembering::held() + plans_.held(); }

 private:
  // What becomes of the records of one shape.
  struct Plan {
    ShapeRef shape;
    int field = -1;
    int rate = -1;  // places in `shape`; -1: it is not wanted
    int difference = -1;
    uint64_t adopted_in = 0;  // number of the batch that keeps it alive
    size_t heap_bytes() const { return shape->footprint(); }
  };
  struct Gain {
    Value difference = Value::null();
    Value rate = Value::null();
  };

  Plan plan_for(const Shape& from) const {
    std::vector<std::string_view> names;
    for (size_t i = 0; i < from.size(); ++i) names.push_back(from.name(i));
    for (const std::string* added : {&difference_name_, &rate_name_})
      if (!added->empty() && from.find(*added) < 0) names.push_back(*added);
    Plan plan{.shape = std::make_shared<const Shape>(names), .field = from.find(field_[0])};
    if (!rate_name_.empty()) plan.rate = plan.shape->find(rate_name_);
    if (!difference_name_.empty()) plan.difference = plan.shape->find(difference_name_);
    return plan;
  }

  // False when it is a dead letter.
  bool take(Batch& batch, size_t i, DeadLetters& dead) {
    Record& record = batch.records[i];
    Plan& plan =
        plans_.get(batch, record.shape, [this](const Shape& shape) { return plan_for(shape); });
    if (plan.field < 0) return true;  // it is of no such
    const std::optional<Reading> now = reading_of(record.values[plan.field], record.time_us);
    Gain gain;
    if (now) {
      KeyedState::Entry* entry = find();
      if (entry != nullptr) {
        gain = gain_since(*entry, *now, batch.arena);
      } else {
        entry = remember(batch, i, sizeof(Reading), dead);
        if (entry == nullptr) return false;
        entries_.store(*entry, *now);
      }
    }
    if (plan.adopted_in != batch_number_) batch.adopt(plan.shape);
    plan.adopted_in = batch_number_;
    auto* values = batch.arena.array<Value>(plan.shape->size());
    std::copy(record.values, record.values + record.shape->size(), values);
    if (plan.difference >= 0) values[plan.difference] = gain.difference;
    if (plan.rate >= 0) values[plan.rate] = gain.rate;
    record.values = values;
    record.shape = plan.shape.get();
    return true;
  }

  // What is no number that is not negative is no reading of a counter.
  static std::optional<Reading> reading_of(const Value& value, int64_t time_us) {
    if (value.type != Type::kInteger && value.type != Type::kFloat && value.type != Type::kDecimal)
      return std::nullopt;
    Reading out{.time_us = time_us, .number = real_of(value), .whole = 0, .is_whole = 0};
    if (const std::optional<uint64_t> whole = whole_of(value)) {
      out.whole = *whole;
      out.is_whole = 1;
    }
    if (!std::isfinite(out.number) || out.number < 0) return std::nullopt;
    return out;
  }

  Gain gain_since(KeyedState::Entry& entry, const Reading& now, Arena& arena) {
    const auto before = entry.stored<Reading>();
    const int64_t passed_us = now.time_us - before.time_us;
    if (passed_us >= max_gap_us_ || passed_us <= -max_gap_us_) {
      entries_.store(entry, now);
      return {};
    }
    if (passed_us < 0) return {};  // what lies between was counted with the one before it
    entries_.store(entry, now);
    Gain out;
    double gained;
    if (now.is_whole != 0 && before.is_whole != 0) {
      const uint64_t whole = gained_of(before.whole, now.whole, last_);
      out.difference = value_of(arena, whole);
      gained = static_cast<double>(whole);
    } else {
      gained = gained_of(before.number, now.number, static_cast<double>(last_));
      out.difference = Value::of_float(gained);
    }
    if (passed_us > 0)
      out.rate =
          Value::of_float(gained * static_cast<double>(per_us_) / static_cast<double>(passed_us));
    return out;
  }

  // A counter that has less than before has wrapped, where that is by less than half of what it can
  // hold, or has begun anew, at 0.
  template <typename Number>
  static Number gained_of(Number before, Number now, Number last) {
    if (now >= before) return now - before;
    const Number over_end = last - before + now + 1;
    return before <= last && over_end - 1 < last / 2 ? over_end : now;
  }

  // Not the first that it does not reach, which 64 bits could not hold.
  static uint64_t last_number(const Options& options) {
    if (options.has("bits")) return UINT64_MAX >> (64 - options.integer("bits"));
    return options.has("wrap") ? static_cast<uint64_t>(options.integer("wrap")) - 1 : 0;
  }

  const std::vector<std::string> field_;  // one
  const std::string rate_name_;           // "": not wanted
  const std::string difference_name_;
  const int64_t per_us_;
  const int64_t max_gap_us_;
  const uint64_t last_;  // behind which it goes on at 0; 0: it never does
  ShapeCache<Plan> plans_;
  uint64_t batch_number_ = 0;
};

constexpr Option kOptions[] = {
    {.name = "field",
     .required = true,
     .help = "The field with the counter. A record without it passes as it is.",
     .example = "\"energy\""},
    {.name = "key",
     .type = OptionType::kStrings,
     .help = "The field, or fields, with whose values each counter is one by itself. Default: one "
             "for all records.",
     .example = "\"meter\""},
    {.name = "rateField",
     .fallback = "rate",
     .help = "The field for what was gained per second (`per`), a float. Empty: none."},
    {.name = "differenceField",
     .fallback = "difference",
     .help = "The field for what was gained since the reading before: a whole number when both "
             "readings are. Empty: none."},
    {.name = "per",
     .type = OptionType::kDuration,
     .fallback = "1s",
     .help = "The time that the rate is of.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000},
    {.name = "wrap",
     .type = OptionType::kInteger,
     .help = "The first number that the counter does not reach, since it goes on at 0 (65536, "
             "4294967296). Default: it never does, and one with less than before began anew.",
     .min = 2},
    {.name = "bits",
     .type = OptionType::kInteger,
     .help = "The same by the bits that the counter has (16, 32, 64): instead of `wrap`.",
     .min = 1,
     .max = 64},
    {.name = "maxGap",
     .type = OptionType::kDuration,
     .fallback = "1d",
     .help = "Behind a gap of this, by event time, a counter begins anew: the fields are null, as "
             "with its first reading. So it does when its clock was set back by so much.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000},
    kMaxKeysOption,
    kAtBoundOption};

Result<std::unique_ptr<Transform>> make(const Options& options) {
  OptionErrors errors;
  const std::string& rate = options.string("rateField");
  const std::string& difference = options.string("differenceField");
  if (rate.empty() && difference.empty())
    errors.add(options, "rateField", "one of rateField and differenceField is needed");
  if (!rate.empty() && rate == difference)
    errors.add(options, "differenceField", "must be another field than rateField");
  if (options.has("wrap") && options.has("bits"))
    errors.add(options, "bits", "must not be given together with wrap");
  if (Status status = errors.status(); !status) return fail(status.error());
  return std::make_unique<RateTransform>(options);
}

}  // namespace

const TransformType kRateTransform{
    .name = "rate",
    .help = "Adds what a counter has gained since the reading before, and that per second.",
    .options = kOptions,
    .make = make,
    .code = "room",
    .remembers = true};

}  // namespace leat
