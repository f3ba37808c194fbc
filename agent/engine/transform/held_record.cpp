#include "transform/held_record.h"

#include <algorithm>

#include "transform/value_bytes.h"

namespace leat {

void put_record(std::string& out, const Record& record) {
  put_signed(out, record.time_us);
  for (size_t i = 0; i < record.shape->size(); ++i) {
    if (record.values[i].type == Type::kAbsent) continue;
    put_text(out, record.shape->name(i));
    put_value(out, record.values[i]);
  }
}

Record HeldRecords::take(std::string_view held, Batch& batch) {
  ByteReader reader{held};
  Record record{.time_us = reader.signed_number()};
  names_.clear();
  values_.clear();
  while (!reader.rest.empty() && !reader.bad) {
    names_.push_back(reader.text());
    values_.push_back(take_value(reader, batch.arena));
  }
  if (shape_ == nullptr || !shape_->same_names(names_))
    shape_ = std::make_shared<const Shape>(names_);
  batch.adopt(shape_);
  record.shape = shape_.get();
  record.values = batch.arena.array<Value>(values_.size());
  std::ranges::copy(values_, record.values);
  batch.made += sizeof(Record) + values_.size() * sizeof(Value) + held.size();
  return record;
}

}  // namespace leat
