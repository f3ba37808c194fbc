#include "transform/held_record.h"

#include <algorithm>

#include "transform/value_bytes.h"

namespace leat {

namespace {

bool is_number(Type type) {
  return type == Type::kInteger || type == Type::kFloat || type == Type::kDecimal;
}

}  // namespace

// Beside its bytes, which are the same for the same number, each value has its type: 5 that was a
// decimal is one again.
void put_record(std::string& out, const Record& record) {
  put_signed(out, record.time_us);
  for (size_t i = 0; i < record.shape->size(); ++i) {
    const Value& value = record.values[i];
    if (value.type == Type::kAbsent) continue;
    put_text(out, record.shape->name(i));
    put_number(out, static_cast<uint64_t>(value.type));
    put_value(out, value);
  }
}

Record HeldRecords::take(std::string_view held, Batch& batch) {
  ByteReader reader{held};
  Record record{.time_us = reader.signed_number()};
  names_.clear();
  values_.clear();
  while (!reader.rest.empty() && !reader.bad) {
    names_.push_back(reader.text());
    const auto type = static_cast<Type>(reader.number());
    Value& value = values_.emplace_back(take_value(reader, batch.arena));
    if (is_number(value.type) && is_number(type)) value.type = type;
  }
  const ShapeRef& shape = shape_of(names_);
  batch.adopt(shape);
  record.shape = shape.get();
  record.values = batch.arena.array<Value>(values_.size());
  std::ranges::copy(values_, record.values);
  batch.made += sizeof(Record) + values_.size() * sizeof(Value) + held.size();
  return record;
}

const ShapeRef& HeldRecords::shape_of(const std::vector<std::string_view>& names) {
  const auto known = std::ranges::find_if(
      shapes_, [&names](const ShapeRef& one) { return one->same_names(names); });
  if (known != shapes_.end()) return *known;
  if (shapes_.size() == kMostShapes) shapes_.erase(shapes_.begin());
  return shapes_.emplace_back(std::make_shared<const Shape>(names));
}

}  // namespace leat
