#include "transform/windows.h"

#include <algorithm>

#include "base/log.h"
#include "stage/codec.h"

namespace leat {

Windows::Windows(const Options& options, WindowParts parts, KeyedState::Kind kind,
                 const std::string& identity)
    : Remembering("window", options, kind, identity + ", " + parts.aggregates.text()),
      aggregates_(std::move(parts.aggregates)),
      correct_us_(parts.correct_for.count() * 1000),
      having_(std::move(parts.having)),
      early_(options.duration("emitEarly")),
      late_are_dead_(options.string("late") == "deadLetter"),
      values_(aggregates_.fields().size()),
      watermark_(options.duration("lateness"), options.duration("idle"),
                 options.duration("maxAhead")) {
  std::vector<std::string_view> names(keys_.names().begin(), keys_.names().end());
  for (const auto& one : aggregates_.all()) names.push_back(one.name);
  names.push_back(options.string("startField"));
  names.push_back(options.string("endField"));
  if (correct_us_ > 0) names.push_back(options.string("correctionField"));
  shape_ = std::make_shared<const Shape>(names);
}

Status Windows::open(CodecContext& context) {
  watermark_.use(context.loop().clock());
  return {};
}

// What begins beyond the limit was counted before the clock was put back: time does not come there.
void Windows::begin() {
  if (!watermark_.begin(*batch_, now_)) say_that_time_begins_anew();
  while (entries_.size() > 0 && may_give()) {
    const auto& [group, last] = *entries_.groups().rbegin();
    if (!watermark_.is_ahead(begin_us(group))) break;
    evict(*last.oldest);
  }
}

Status Windows::run(BatchRef& batch, DeadLetters& dead) {
  batch_ = &*batch;
  enough_ = batch->made + std::min(batch->quantum, SIZE_MAX - batch->made);
  out_.clear();
  const size_t count = batch->records.size();
  if (count > 0) begin();
  look_for(keys_.names(), "key", *batch_);
  look_for(aggregates_.fields(), "set", *batch_);
  for (size_t i = 0; i < batch->records.size(); ++i) {
    const int64_t time_us = batch->records[i].time_us;
    if (watermark_.is_ahead(time_us)) {
      dead.add(*batch, i, Watermark::kAhead);
    } else {
      watermark_.seen(time_us);
      take(i, dead);
    }
    if ((dead.full() || !may_give()) && batch->may_cut(i + 1)) batch->leave_records(i + 1);
  }
  if (batch->end.last) watermark_.end_partition(*batch_);
  if (count == 0) watermark_.advance_in_silence(now_);
  give_closed();
  if (watermark_.is_at_end() && entries_.size() == 0) watermark_.begin_anew();
  if (early_.count() > 0) give_all_early();
  for (Record& record : out_) {  // all of them end where the batch does
    record.end_offset = static_cast<uint32_t>(batch->end.offset - batch->begin.offset);
    record.end_line = static_cast<uint32_t>(batch->end.line - batch->begin.line);
  }
  batch->records.swap(out_);
  keys_.trim(*batch);
  places_.trim(*batch);
  return having_ == nullptr ? Status() : having_->run(batch, dead);
}

std::optional<Milliseconds> Windows::due() const {
  if (entries_.size() == 0) return std::nullopt;
  const Milliseconds closes = watermark_.reaches(next_end_us());
  return next_early_ ? std::min(closes, *next_early_) : closes;
}

void Windows::end_of_input() {
  watermark_.end_of_input();
  if (entries_.size() == 0) watermark_.begin_anew();
}

size_t Windows::held() const {
  return Remembering::held() + places_.held() + heap_bytes_of(out_) + watermark_.held();
}

void Windows::too_late(size_t i, DeadLetters& dead) {
  if (late_are_dead_)
    dead.add(*batch_, i, "late: its window is closed");
  else
    ++dropped_;
}

bool Windows::count(Counted* counted, std::span<char> kept, const Record& record) {
  const std::vector<int>& places = places_.get(*batch_, record.shape, [this](const Shape& shape) {
    return places_of(aggregates_.fields(), shape);
  });
  for (size_t i = 0; i < places.size(); ++i)
    values_[i] = places[i] < 0 ? Value::absent() : record.values[places[i]];
  return aggregates_.count(counted, kept, values_.data(), record.time_us);
}

// What has a text: of the years 1 to 9999. A window that reaches beyond them begins, or ends,
// there.
constexpr int64_t kFirstUs = -62'135'596'800'000'000;
constexpr int64_t kLastUs = 253'402'300'799'999'999;

void Windows::give(std::string_view key, const Counted* counted, std::string_view kept,
                   int64_t start_us, int64_t end_us, bool corrects) {
  batch_->adopt(shape_);
  auto* values = batch_->arena.array<Value>(shape_->size());
  keys_.values_of(key, batch_->arena, values);
  Value* next = values + keys_.names().size();
  aggregates_.results(counted, kept, batch_->arena, next);
  next += aggregates_.all().size();
  *next++ = Value::of_time(std::clamp(start_us, kFirstUs, kLastUs));
  *next++ = Value::of_time(std::clamp(end_us, kFirstUs, kLastUs));
  if (correct_us_ > 0) *next = Value::boolean(corrects);
  batch_->made += sizeof(Record) + shape_->size() * sizeof(Value) + key.size();
  out_.push_back({.shape = shape_.get(), .values = values, .time_us = start_us});
}

// By the clock, and in turns.
void Windows::give_all_early() {
  if (entries_.size() == 0) {
    next_early_.reset();
    early_from_.reset();
    return;
  }
  if (!next_early_) next_early_ = now_ + early_;
  if (now_ < *next_early_) return;
  Entry* entry = early_from_ ? found_again(*early_from_) : entries_.oldest();
  for (; entry != nullptr; entry = behind(*entry)) {
    if (!may_give()) {
      early_from_ = {entry->group(), std::string(entry->key())};
      return;
    }
    give_early(*entry);
  }
  early_from_.reset();
  next_early_ = now_ + early_;
}

Windows::Entry* Windows::found_again(const Place& place) const {
  if (Entry* entry = entries_.find(place.first, place.second)) return entry;
  const auto group = entries_.groups().lower_bound(place.first);
  return group == entries_.groups().end() ? nullptr : group->second.oldest;
}

Windows::Entry* Windows::behind(const Entry& entry) const {
  if (entry.newer() != nullptr) return entry.newer();
  const auto group = entries_.groups().upper_bound(entry.group());
  return group == entries_.groups().end() ? nullptr : group->second.oldest;
}

void Windows::load_more(std::string_view saved) {
  ByteReader reader{saved};
  watermark_.load(reader, now_);
}

}  // namespace leat
