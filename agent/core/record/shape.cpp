#include "record/shape.h"

#include <bit>
#include <functional>

#include "base/text.h"

namespace leat {
namespace {

size_t hash_name(std::string_view name) {
  return std::hash<std::string_view>()(name);
}

}  // namespace

Shape::Shape(const std::vector<std::string_view>& names) {
  fields_.reserve(names.size());
  size_t bytes = 0;
  for (std::string_view name : names) bytes += name.size() + 4;
  text_.reserve(bytes);
  auto at = [this] { return static_cast<uint32_t>(text_.size()); };
  for (std::string_view name : names) {
    Field field{.key = at(), .key_size = 0, .name = at() + 2, .name_size = 0};
    field.name_size = static_cast<uint32_t>(name.size());
    std::string quoted = json_quoted(name);
    text_ += ',';
    text_ += quoted;
    text_ += ':';
    field.key_size = at() - field.key;
    if (std::string_view(quoted).substr(1, name.size()) != name) {
      field.name = at();  // escaped, so it stands behind the key
      text_ += name;
    }
    fields_.push_back(field);
  }
  text_.shrink_to_fit();
  if (fields_.size() > kNarrow) make_table();
}

void Shape::make_table() {
  table_.assign(std::bit_ceil(2 * fields_.size()), 0);
  for (size_t i = 0; i < fields_.size(); ++i) {
    size_t at = hash_name(name(i));
    while (table_[at & (table_.size() - 1)] != 0) ++at;
    table_[at & (table_.size() - 1)] = static_cast<uint32_t>(i + 1);
  }
}

int Shape::find(std::string_view wanted) const {
  if (table_.empty()) {
    for (size_t i = 0; i < fields_.size(); ++i)
      if (name(i) == wanted) return static_cast<int>(i);
    return -1;
  }
  for (size_t at = hash_name(wanted);; ++at) {
    uint32_t entry = table_[at & (table_.size() - 1)];
    if (entry == 0) return -1;
    if (name(entry - 1) == wanted) return static_cast<int>(entry - 1);
  }
}

bool Shape::same_names(const std::vector<std::string_view>& names) const {
  if (names.size() != fields_.size()) return false;
  for (size_t i = 0; i < names.size(); ++i)
    if (name(i) != names[i]) return false;
  return true;
}

size_t Shape::footprint() const {
  return sizeof(Shape) + fields_.capacity() * sizeof(Field) + text_.capacity() +
         table_.capacity() * sizeof(uint32_t);
}

}  // namespace leat
