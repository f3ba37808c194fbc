#include "record/shape.h"

#include "base/text.h"

namespace leat {

Shape::Shape(const std::vector<std::string_view>& names) {
  fields_.reserve(names.size());
  footprint_ = sizeof(Shape) + names.size() * sizeof(Field);
  for (std::string_view name : names) {
    Field field{std::string(name), "," + json_quoted(name) + ":"};
    footprint_ += field.name.capacity() + field.json_key.capacity();
    fields_.push_back(std::move(field));
  }
}

int Shape::find(std::string_view name) const {
  for (size_t i = 0; i < fields_.size(); ++i)
    if (fields_[i].name == name) return static_cast<int>(i);
  return -1;
}

bool Shape::same_names(const std::vector<std::string_view>& names) const {
  if (names.size() != fields_.size()) return false;
  for (size_t i = 0; i < names.size(); ++i)
    if (fields_[i].name != names[i]) return false;
  return true;
}

}  // namespace leat
