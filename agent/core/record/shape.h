// The ordered field names that many records have in common. Records of a stream nearly always look
// alike, so names are kept once, and stages cache what they work out per shape.
//
// Names may come from whoever sends records, so a shape is small (one block of text, 16 bytes a
// field and a table to find wide ones by), and says what it takes (footprint()).
//
// Immutable; shared by reference count; may be read from any thread.
#pragma once

#include <cstdint>
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
  std::string_view name(size_t i) const { return text(fields_[i].name, fields_[i].name_size); }
  // The name as a JSON member start with a comma before it: `,"temp":`. The encoder writes it; the
  // decoder compares with it to recognise the next field without parsing.
  std::string_view json_key(size_t i) const { return text(fields_[i].key, fields_[i].key_size); }
  // Index of `name`, or -1. About as quick in a wide shape as in a narrow one.
  int find(std::string_view name) const;

  bool same_names(const std::vector<std::string_view>& names) const;
  size_t footprint() const;

 private:
  // Narrower ones are searched one by one.
  static constexpr size_t kNarrow = 8;

  struct Field {  // places in text_
    uint32_t key;
    uint32_t key_size;
    uint32_t name;  // inside the key, unless JSON must escape something in it
    uint32_t name_size;
  };
  std::string_view text(uint32_t at, uint32_t size) const { return {text_.data() + at, size}; }
  void make_table();

  std::vector<Field> fields_;
  std::string text_;
  // Open addressing by hash_name(), a power of two, at most half full: 1 + the index of a field; 0
  // where there is none. Empty for narrow shapes.
  std::vector<uint32_t> table_;
};

using ShapeRef = std::shared_ptr<const Shape>;

}  // namespace leat
