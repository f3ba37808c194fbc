#include "record/batch.h"

namespace leat {

Batch::~Batch() {
  if (charged_ > 0) pool_.budget().release(charged_);
}

void Batch::adopt(const ShapeRef& shape) {
  if (!shapes_.empty() && shapes_.back() == shape) return;
  shapes_.push_back(shape);
  pool_.budget().charge(shape->footprint());
  charged_ += shape->footprint();
}

void Batch::charge_vectors() {
  size_t held = slices.capacity() * sizeof(Slice) + records.capacity() * sizeof(Record);
  pool_.budget().charge(held);
  charged_ += held;
}

void append_json(std::string& out, const Record& record) {
  out += '{';
  bool first = true;
  for (size_t i = 0; i < record.shape->size(); ++i) {
    const Value& value = record.values[i];
    if (value.type == Type::kAbsent) continue;
    out += record.shape->json_key(i).substr(first ? 1 : 0);
    first = false;
    append_json(out, value);
  }
  out += '}';
}

}  // namespace leat
