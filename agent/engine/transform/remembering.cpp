#include "transform/remembering.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "transform/value_bytes.h"

namespace leat {
namespace {

// For people, too.
std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + json_quoted(name);
  return out;
}

bool has(const Batch& batch, const std::string& field) {
  return std::ranges::any_of(batch.shapes(),
                             [&field](const ShapeRef& shape) { return shape->find(field) >= 0; });
}

constexpr Milliseconds kWarnAgain{3'600'000};

}  // namespace

std::vector<int> places_of(const std::vector<std::string>& names, const Shape& shape) {
  std::vector<int> places;
  for (const std::string& name : names) places.push_back(shape.find(name));
  return places;
}

size_t KeyFields::read(const Batch& batch, const Record& record, std::string& out) {
  const std::vector<int>& places = known_.get(
      batch, record.shape, [this](const Shape& shape) { return places_of(names_, shape); });
  size_t missing = 0;
  for (const int place : places) {
    const Value value = place < 0 ? Value::absent() : record.values[place];
    missing += value.type == Type::kAbsent || value.type == Type::kNull;
    put_value(out, value);
  }
  return missing;
}

void KeyFields::values_of(std::string_view key, Arena& arena, Value* out) const {
  ByteReader reader{key};
  for (size_t i = 0; i < names_.size(); ++i) out[i] = take_value(reader, arena);
}

Remembering::Remembering(std::string_view type, const Options& options, KeyedState::Kind kind,
                         const std::string& identity)
    : keys_(options.strings("key")),
      entries_(kind),
      path_(options.path()),
      identity_(std::string(type) + (keys_.names().empty() ? "" : " by ") + joined(keys_.names()) +
                identity),
      max_keys_(static_cast<size_t>(options.integer("maxKeys"))),
      evicts_(options.string("atBound") == "evict") {}

const Remembering::Key* Remembering::look_ahead(const Batch& batch, size_t from) {
  ahead_text_.clear();
  const size_t most = std::min(kAhead, batch.records.size() - from);
  size_t count = 0;
  for (; count < most && ahead_text_.size() < kAheadBytes; ++count) {
    Key& key = ahead_[count];
    key.begin = ahead_text_.size();
    key.missing = keys_.read(batch, batch.records[from + count], ahead_text_);
    key.size = ahead_text_.size() - key.begin;
    key.hash = KeyedState::hash_of(0, std::string_view(ahead_text_).substr(key.begin, key.size));
    entries_.fetch_place(key.hash);
  }
  for (size_t i = 0; i < count; ++i) entries_.fetch_entry(ahead_[i].hash);
  ahead_end_ = ahead_ + count;
  return ahead_;
}

KeyedState::Entry* Remembering::remember(const Batch& batch, size_t i, size_t data_size,
                                         DeadLetters& dead) {
  if (make_room(batch)) return &entries_.add(0, key(), data_size);
  dead.add(batch, i, kNoRoom);
  return nullptr;
}

bool Remembering::takes_too_much(const Batch& batch) const {
  return entries_.bytes_to_come() > batch.pool().budget().limit() / 2;
}

bool Remembering::full(const Batch& batch) const {
  return entries_.size() >= max_keys_ || takes_too_much(batch);
}

bool Remembering::make_room(const Batch& batch) {
  if (!full(batch)) return true;
  if (!evicts_) return false;
  while (entries_.size() > 0 && full(batch)) let_go_of_oldest();
  return true;
}

bool Remembering::make_room_to_grow(const Batch& batch) {
  if (!takes_too_much(batch)) return true;
  if (!evicts_) return false;
  while (entries_.size() > 0 && takes_too_much(batch)) let_go_of_oldest();
  return true;
}

void Remembering::let_go_of_oldest() {
  evict(*entries_.oldest());
  ++evicted_;
  if (warned_ && now_ - *warned_ < kWarnAgain) return;
  warned_ = now_;
  log::warn("leat", path_ +
                        ": no more keys can be remembered (maxKeys, or memory), so the oldest "
                        "goes for each that comes");
}

void Remembering::say_that_time_begins_anew() const {
  log::warn("leat", path_ +
                        ": the clock was put back by more than maxAhead, so event time begins anew "
                        "with what comes now");
}

void Remembering::look_for(const std::vector<std::string>& fields, std::string_view option,
                           const Batch& batch) {
  if (batch.records.empty() || std::ranges::find(looked_for_, option) != looked_for_.end()) return;
  looked_for_.push_back(option);
  for (const std::string& field : fields)
    if (!has(batch, field))
      log::warn("leat", path_ + "." + std::string(option) +
                            ": no record of the first batch has a field \"" + excerpt(field) +
                            "\"");
}

void Remembering::save(std::string& out, bool all) {
  std::string more;
  save_more(more);
  put_text(out, more);
  entries_.save(out, all);
}

Status Remembering::load(std::string_view saved) {
  ByteReader reader{saved};
  const std::string_view more = reader.text();
  if (reader.bad) return fail(ErrorKind::kData, "what was saved of it cannot be read");
  load_more(more);
  return entries_.load(reader.rest);
}

}  // namespace leat
