// The ordered field names that many records have in common. Records of a stream nearly always look
// alike, so names are kept once, and stages cache what they work out per shape.
//
// Immutable; shared by reference count; may be read from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

class Shape {
 public:
  // Names must be unique; a later duplicate is the caller's to resolve (JSON: the last one wins).
  explicit Shape(const std::vector<std::string_view>& names);

  size_t size() const { return fields_.size(); }
  std::string_view name(size_t i) const { return fields_[i].name; }
  // The name as a JSON member start with a comma before it: `,"temp":`. The encoder writes it; the
  // decoder compares with it to recognise the next field without parsing.
  std::string_view json_key(size_t i) const { return fields_[i].json_key; }
  // Index of `name`, or -1.
  int find(std::string_view name) const;

  bool same_names(const std::vector<std::string_view>& names) const;
  size_t footprint() const { return footprint_; }

 private:
  struct Field {
    std::string name;
    std::string json_key;
  };
  std::vector<Field> fields_;
  size_t footprint_ = 0;
};

using ShapeRef = std::shared_ptr<const Shape>;

}  // namespace leat
