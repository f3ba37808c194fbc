// `window`: what the records of a span of event time come to, for each key.
//
// A group of the state is a window, by its start; an entry holds what is counted of a key in it.
// How far time has come is the highest event time of each partition of the source, less `lateness`;
// of several partitions the one that is furthest behind counts, unless it is silent.
#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "options/option_errors.h"
#include "state/bytes.h"
#include "transform/aggregates.h"
#include "transform/remembering.h"
#include "transform/types.h"

namespace leat {
namespace {

constexpr int64_t kNever = INT64_MIN;
constexpr int64_t kMostAtOnce = 1'000;  // windows that a record is in

class WindowTransform final : public Remembering {
 public:
  WindowTransform(const Options& options, Aggregates aggregates, std::unique_ptr<Transform> having,
                  const std::string& identity)
      : Remembering("window", options, false, identity),
        aggregates_(std::move(aggregates)),
        having_(std::move(having)),
        every_us_(options.duration("every").count() * 1000),
        slide_us_(options.has("slide") ? options.duration("slide").count() * 1000 : every_us_),
        lateness_us_(options.duration("lateness").count() * 1000),
        idle_(options.duration("idle")),
        early_(options.duration("emitEarly")),
        late_are_dead_(options.string("late") == "deadLetter"),
        values_(aggregates_.fields().size()) {
    std::vector<std::string_view> names(keys_.names().begin(), keys_.names().end());
    for (const auto& one : aggregates_.all()) names.push_back(one.name);
    names.push_back(options.string("startField"));
    names.push_back(options.string("endField"));
    shape_ = std::make_shared<const Shape>(names);
  }

  Status run(BatchRef& batch, DeadLetters& dead) override {
    batch_ = &*batch;
    out_.clear();
    const size_t count = batch->records.size();
    if (count > 0) begin_partition();
    look_for(keys_.names(), "key", *batch_);
    look_for(aggregates_.fields(), "set", *batch_);
    for (size_t i = 0; i < batch->records.size(); ++i) {
      take(i, dead);
      if (dead.full() && batch->may_cut(i + 1)) batch->leave_records(i + 1);
    }
    if (batch->end.last) end_partition();
    if (count == 0) advance_in_silence();
    give_results();
    for (Record& record : out_) {  // all of them end where the batch does
      record.end_offset = static_cast<uint32_t>(batch->end.offset - batch->begin.offset);
      record.end_line = static_cast<uint32_t>(batch->end.line - batch->begin.line);
    }
    batch->records.swap(out_);
    keys_.trim(*batch);
    places_.trim(*batch);
    return having_ == nullptr ? Status() : having_->run(batch, dead);
  }

  // Windows that are closed are given in turns; those that are open, when nothing comes any more.
  std::optional<Milliseconds> due() const override {
    if (entries_.size() == 0) return std::nullopt;
    return next_early_ ? std::min(closes(), *next_early_) : closes();
  }

  void end_of_input() override {
    time_us_ = INT64_MAX;
    if (entries_.size() == 0) begin_anew();
  }

  size_t held() const override {
    return Remembering::held() + places_.held() + heap_bytes_of(out_) + heap_bytes_of(partitions_);
  }

 private:
  struct Partition {
    std::string name;  // of its saved position, which lasts; "" where it has none
    uint32_t number = 0;
    bool known = true;  // by its number, in this run
    int64_t highest_us = kNever;
    Milliseconds last{0};  // that anything came
    size_t heap_bytes() const { return name.capacity(); }
  };

  // --- time ---

  // When the first of those that are open does, if nothing comes any more.
  Milliseconds closes() const {
    const int64_t end = entries_.groups().begin()->first + every_us_;
    if (end <= time_us_) return Milliseconds{0};
    if (highest_us_ == kNever) return last_ + idle_;
    return last_ + std::max(idle_, Milliseconds((end + lateness_us_ - highest_us_ + 999) / 1000));
  }

  void begin_partition() {
    Partition& one = partition();
    last_ = one.last = now_;
    others_us_ = INT64_MAX;
    for (const Partition& other : partitions_)
      if (&other != &one && now_ - other.last < idle_)
        others_us_ = std::min(others_us_, other.highest_us);
    reading_ = &one;
  }

  Partition& partition() {
    const uint32_t number = batch_->begin.partition;
    for (Partition& one : partitions_)
      if (one.known && one.number == number) return one;
    std::string name;
    if (batch_->acknowledger != nullptr)
      name = batch_->acknowledger->saved_position(batch_->begin).partition;
    for (Partition& one : partitions_) {
      if (one.known || one.name != name || (name.empty() && one.number != number)) continue;
      one.known = true;
      one.number = number;
      return one;
    }
    if (partitions_.size() >= kMostPartitions) partitions_.erase(partitions_.begin());
    return partitions_.emplace_back(Partition{std::move(name), number});
  }

  void end_partition() {
    std::erase_if(partitions_, [this](const Partition& one) {
      return one.known && one.number == batch_->begin.partition;
    });
  }

  void advance(int64_t time_us) {
    if (time_us > INT64_MIN + lateness_us_) time_us_ = std::max(time_us_, time_us - lateness_us_);
  }

  // When nothing comes any more, time goes on as the clock does.
  void advance_in_silence() {
    if (highest_us_ == kNever || now_ - last_ < idle_) return;
    advance(highest_us_ + (now_ - last_).count() * 1000);
  }

  void begin_anew() {
    time_us_ = highest_us_ = kNever;
    partitions_.clear();
  }

  // --- records ---

  // Of the windows that it is in, the one that begins last.
  int64_t start_of(int64_t time_us) const {
    int64_t rest = time_us % slide_us_;
    if (rest < 0) rest += slide_us_;
    return time_us - rest;
  }

  void take(size_t i, DeadLetters& dead) {
    const Record& record = batch_->records[i];
    const int64_t time_us = record.time_us;
    if (time_us > reading_->highest_us) {
      reading_->highest_us = time_us;
      highest_us_ = std::max(highest_us_, time_us);
      advance(std::min(time_us, others_us_));
    }
    if (time_us < start_us_ || time_us - start_us_ >= slide_us_) start_us_ = start_of(time_us);
    if (start_us_ + every_us_ <= time_us_) return too_late(i, dead);
    key_.clear();
    keys_.read(*batch_, record, key_);
    for (int64_t start_us = start_us_;
         time_us - start_us < every_us_ && start_us + every_us_ > time_us_; start_us -= slide_us_)
      if (!take_in(start_us, record)) return dead.add(*batch_, i, kNoRoom);
  }

  // False for want of room.
  bool take_in(int64_t start_us, const Record& record) {
    // What first() and last() keep grows under keys that are there.
    if (aggregates_.keeps_any() && !make_room_to_grow(*batch_)) return false;
    KeyedState::Entry* entry = entries_.find(start_us, key_);
    if (entry == nullptr) {
      if (!make_room(*batch_)) return false;
      entry = &entries_.add(start_us, key_, aggregates_.size());
    }
    count(*entry, record);
    return true;
  }

  void count(KeyedState::Entry& entry, const Record& record) {
    const std::vector<int>& places = places_.get(*batch_, record.shape, [this](const Shape& shape) {
      return places_of(aggregates_.fields(), shape);
    });
    for (size_t i = 0; i < places.size(); ++i)
      values_[i] = places[i] < 0 ? Value::absent() : record.values[places[i]];
    auto* counted = reinterpret_cast<Aggregates::Counted*>(entry.data());
    if (aggregates_.count(counted, kept_in(entry), values_.data(), record.time_us))
      return entries_.changed(entry);
    data_.assign(entry.data(), aggregates_.size());
    data_ += aggregates_.kept();
    entries_.replace(entry, data_);
  }

  std::string_view kept_in(const KeyedState::Entry& entry) const {
    return std::string_view(entry.data(), entry.data_size()).substr(aggregates_.size());
  }

  void too_late(size_t i, DeadLetters& dead) {
    if (late_are_dead_)
      dead.add(*batch_, i, "late: its window is closed");
    else
      ++dropped_;
  }

  // --- results ---

  void give_results() {
    const size_t enough = batch_->made + batch_->quantum;
    while (entries_.size() > 0) {
      const auto first = entries_.groups().begin();
      if (first->first + every_us_ > time_us_) break;
      if (batch_->made >= enough) return;
      give(*first->second.oldest);
      entries_.remove(*first->second.oldest);
    }
    if (time_us_ == INT64_MAX) begin_anew();
    if (early_.count() > 0) give_early(enough);
  }

  // What has been counted so far in those that are open.
  void give_early(size_t enough) {
    if (entries_.size() == 0) {
      next_early_.reset();
      early_from_.reset();
      return;
    }
    if (!next_early_) next_early_ = now_ + early_;
    if (now_ < *next_early_) return;
    const KeyedState::Entry* entry = early_from_ ? found_again(*early_from_) : entries_.oldest();
    for (; entry != nullptr; entry = behind(*entry)) {
      if (batch_->made >= enough) {
        early_from_ = {entry->group(), std::string(entry->key())};
        return;
      }
      give(*entry);
    }
    early_from_.reset();
    next_early_ = now_ + early_;
  }

  using Place = std::pair<int64_t, std::string>;  // group and key

  const KeyedState::Entry* found_again(const Place& place) const {
    if (const KeyedState::Entry* entry = entries_.find(place.first, place.second)) return entry;
    const auto group = entries_.groups().lower_bound(place.first);
    return group == entries_.groups().end() ? nullptr : group->second.oldest;
  }

  const KeyedState::Entry* behind(const KeyedState::Entry& entry) const {
    if (entry.newer() != nullptr) return entry.newer();
    const auto group = entries_.groups().upper_bound(entry.group());
    return group == entries_.groups().end() ? nullptr : group->second.oldest;
  }

  void give(const KeyedState::Entry& entry) {
    if (entry.data_size() < aggregates_.size()) return;
    batch_->adopt(shape_);
    auto* values = batch_->arena.array<Value>(shape_->size());
    const size_t keys = keys_.names().size();
    keys_.values_of(entry.key(), batch_->arena, values);
    aggregates_.results(reinterpret_cast<const Aggregates::Counted*>(entry.data()), kept_in(entry),
                        batch_->arena, values + keys);
    values[shape_->size() - 2] = Value::of_time(entry.group());
    values[shape_->size() - 1] = Value::of_time(entry.group() + every_us_);
    batch_->made += sizeof(Record) + shape_->size() * sizeof(Value) + entry.key().size();
    out_.push_back({.shape = shape_.get(), .values = values, .time_us = entry.group()});
  }

  void evict(KeyedState::Entry& entry) override {
    give(entry);
    entries_.remove(entry);
  }

  // --- saved ---

  void save_more(std::string& out) override {
    put_signed(out, time_us_);
    put_signed(out, highest_us_);
    for (const Partition& one : partitions_) {
      put_text(out, one.name);
      put_number(out, one.number);
      put_signed(out, one.highest_us);
    }
  }

  void load_more(std::string_view saved) override {
    ByteReader reader{saved};
    time_us_ = reader.signed_number();
    highest_us_ = reader.signed_number();
    partitions_.clear();
    last_ = now_;
    while (!reader.rest.empty() && !reader.bad) {
      Partition one{std::string(reader.text()), static_cast<uint32_t>(reader.number()), false};
      one.highest_us = reader.signed_number();
      one.last = now_;
      partitions_.push_back(std::move(one));
    }
  }

  // More would be files that are read no more.
  static constexpr size_t kMostPartitions = 1000;

  Aggregates aggregates_;
  const std::unique_ptr<Transform> having_;
  const int64_t every_us_;
  const int64_t slide_us_;  // from the start of one to that of the next
  const int64_t lateness_us_;
  const Milliseconds idle_;
  const Milliseconds early_;  // 0: never
  const bool late_are_dead_;
  ShapeRef shape_;  // of what is given: key, results, start, end
  ShapeCache<std::vector<int>> places_;
  std::vector<Value> values_;  // of the record at hand
  std::string key_;            // of it
  std::string data_;

  int64_t time_us_ = kNever;     // windows that end here, or before, are closed
  int64_t highest_us_ = kNever;  // event time
  Milliseconds last_{0};         // that anything came
  std::vector<Partition> partitions_;
  Partition* reading_ = nullptr;  // during a batch
  int64_t others_us_ = 0;         // how far the others are that are not silent
  int64_t start_us_ = 0;          // of the window that was used last

  std::optional<Milliseconds> next_early_;
  std::optional<Place> early_from_;  // where the next turn goes on with them

  Batch* batch_ = nullptr;  // at hand
  std::vector<Record> out_;
};

constexpr std::string_view kLateChoices[] = {"drop", "deadLetter"};

constexpr Option kOptions[] = {
    {.name = "every",
     .type = OptionType::kDuration,
     .required = true,
     .help = "The length of a window. They begin at multiples of it since 1970, in UTC.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000,
     .example = "\"1m\""},
    {.name = "slide",
     .type = OptionType::kDuration,
     .help = "From the start of a window to that of the next, so that they overlap: \"10s\" with "
             "`every` \"1m\" gives the last minute each ten seconds. Each record counts in as many "
             "as `every` has of it (1,000 at most), and costs that. Default: as long as `every`.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000},
    {.name = "key",
     .type = OptionType::kStrings,
     .help = "The field, or fields, for whose values each there is a result. Default: one for all "
             "records.",
     .example = "\"device\""},
    {.name = "set",
     .type = OptionType::kMap,
     .required = true,
     .help = "The fields of a result: avg, count, first, last, max, min, stddev or sum of a field "
             "(\"avg(temp)\"), or \"count(*)\". What is computed of fields is for a map before it.",
     .example = "{\"temp\": \"avg(temp)\", \"n\": \"count(*)\"}"},
    {.name = "having",
     .help =
         "An SQL expression over the fields of a result (\"n > 10\"). Those for which it is not "
         "true are left out."},
    {.name = "lateness",
     .type = OptionType::kDuration,
     .fallback = "0s",
     .help =
         "How far behind the highest event time records may come and still be counted: a window "
         "closes that much after its end.",
     .max = int64_t{3650} * 86'400'000},
    {.name = "late",
     .fallback = "drop",
     .help = "What becomes of a record whose window is closed: dropped (and counted), or a dead "
             "letter.",
     .choices = kLateChoices},
    {.name = "idle",
     .type = OptionType::kDuration,
     .fallback = "1m",
     .help =
         "A partition of the source (a file, say) that has given nothing for so long does not hold "
         "the others back. When none gives anything, time goes on with the clock from then on, "
         "so that the last windows close, too.",
     .min = 1},
    {.name = "emitEarly",
     .type = OptionType::kDuration,
     .help = "By the clock, each time so long behind the last, also what has been counted so far "
             "in the windows that are open, for a live display: the same key and start come again. "
             "Default: only what is final.",
     .min = 1},
    {.name = "startField",
     .fallback = "windowStart",
     .help = "The field for the start of the window, which is the event time of the result, too."},
    {.name = "endField", .fallback = "windowEnd", .help = "The field for the end of the window."},
    kMaxKeysOption,
    kAtBoundOption};

Result<std::unique_ptr<Transform>> make(const Options& options) {
  OptionErrors errors;
  Result<Aggregates> aggregates = Aggregates::parse(options, "set");
  (void)errors.good(aggregates);
  const Milliseconds every = options.duration("every");
  const Milliseconds slide = options.has("slide") ? options.duration("slide") : every;
  if (slide > every || every.count() / slide.count() > kMostAtOnce)
    errors.add(options, "slide", "must not be longer than every, nor shorter than 1/1000 of it");
  std::vector<std::string> names;
  auto add = [&](const std::string& name, const std::string& path) {
    if (std::ranges::find(names, name) != names.end())
      errors.add({.path = path, .text = "a result would have the field \"" + name + "\" twice"});
    names.push_back(name);
  };
  for (const std::string& name : options.strings("key")) add(name, options.path("key"));
  for (const auto& [name, text] : options.map("set"))
    add(name, path_of_key(options.path("set"), name));
  for (const char* option : {"startField", "endField"})
    add(options.string(option), options.path(option));
  std::unique_ptr<Transform> having;
  if (options.has("having")) {
    Options where(kFilterTransform.options, options.path());
    where.set("where", options.string("having"));
    Result<std::unique_ptr<Transform>> made = kFilterTransform.make(where);
    if (made) {
      having = std::move(*made);
    } else {
      std::string why = made.error().message();
      const std::string path = options.path("where") + ": ";
      if (why.starts_with(path)) why = why.substr(path.size());
      errors.add(options, "having", why);
    }
  }
  if (Status status = errors.status(); !status) return fail(status.error());
  const std::string identity = " every " + std::to_string(every.count()) + " ms by " +
                               std::to_string(slide.count()) + " ms, " + aggregates->text();
  return std::make_unique<WindowTransform>(options, std::move(*aggregates), std::move(having),
                                           identity);
}

}  // namespace

const TransformType kWindowTransform{
    .name = "window",
    .help = "Makes one record of those of a span of event time, for each key.",
    .options = kOptions,
    .make = make,
    .code = "window",
    .remembers = true};

}  // namespace leat
