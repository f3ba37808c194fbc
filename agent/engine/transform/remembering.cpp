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

size_t KeyFields::read(const Batch& batch, const Record& record) {
  const std::vector<int>& places = known_.get(
      batch, record.shape, [this](const Shape& shape) { return places_of(names_, shape); });
  key_.clear();
  size_t missing = 0;
  for (const int place : places) {
    const Value value = place < 0 ? Value::absent() : record.values[place];
    missing += value.type == Type::kAbsent || value.type == Type::kNull;
    put_value(key_, value);
  }
  return missing;
}

void KeyFields::values_of(std::string_view key, Arena& arena, Value* out) const {
  ByteReader reader{key};
  for (size_t i = 0; i < names_.size(); ++i) out[i] = take_value(reader, arena);
}

Remembering::Remembering(std::string_view type, const Options& options, bool renews,
                         const std::string& identity)
    : keys_(options.strings("key")),
      entries_(renews),
      path_(options.path()),
      identity_(std::string(type) + (keys_.names().empty() ? "" : " by ") + joined(keys_.names()) +
                identity),
      max_keys_(static_cast<size_t>(options.integer("maxKeys"))),
      evicts_(options.string("atBound") == "evict") {}

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
