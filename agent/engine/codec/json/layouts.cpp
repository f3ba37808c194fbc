#include "codec/json/layouts.h"

#include <functional>
#include <optional>
#include <utility>

namespace leat {
namespace {

void compile(JsonKey& key) {
  if (key.size > JsonKey::kShort) return;
  char mask[JsonKey::kShort] = {};
  std::memset(mask, 0xFF, key.size);
  std::memcpy(key.bytes, key.text, key.size);
  std::memcpy(key.mask, mask, sizeof mask);
}

// The name at `p`, where a member begins; `first` in its object. None when there is no name, or one
// that must be unescaped.
std::optional<std::string_view> name_at(const char* p, const char* end, bool first) {
  if (!first) {
    if (p == end || *p++ != ',') return std::nullopt;
    if (p < end && *p == ' ') ++p;
  }
  if (p == end || *p++ != '"') return std::nullopt;
  const char* start = p;
  while (p < end && *p != '"' && *p != '\\' && *p != '\n') ++p;
  if (p == end || *p != '"') return std::nullopt;
  return std::string_view(start, static_cast<size_t>(p - start));
}

}  // namespace

JsonLayout::JsonLayout(ShapeRef of, bool with_spaces) : shape(std::move(of)), spaced(with_spaces) {
  size_t total = 0;
  for (size_t i = 0; i < shape->size(); ++i) total += shape->json_key(i).size() + 2;
  text_.reserve(total);  // so that it does not move while keys point into it
  keys.resize(shape->size());
  for (size_t i = 0; i < keys.size(); ++i) {
    size_t start = text_.size();
    std::string_view quoted = shape->json_key(i).substr(1);
    if (i > 0) text_ += spaced ? ", " : ",";
    text_ += quoted;
    if (spaced) text_ += ' ';
    keys[i].text = text_.data() + start;
    keys[i].size = static_cast<uint32_t>(text_.size() - start);
    compile(keys[i]);
  }
}

size_t JsonLayout::footprint() const {
  return sizeof(JsonLayout) + keys.capacity() * sizeof(JsonKey) + text_.capacity() +
         shape->footprint();
}

size_t JsonLayout::footprint_of(const std::vector<std::string_view>& names) {
  constexpr size_t kField = 136;  // key, field of the shape, nodes and tables
  size_t bytes = 0;
  for (std::string_view name : names) bytes += kField + 2 * name.size();
  return bytes;
}

// --- the tree of names ---

std::string_view JsonLayouts::last_name(const Node& node) const {
  const JsonLayout* some = layout(node.any[0] != 0 ? node.any[0] : node.any[1]);
  return some->shape->name(node.depth - 1);
}

// Where the child is in the table, or would be.
size_t JsonLayouts::place(uint32_t parent, std::string_view name) const {
  size_t at = std::hash<std::string_view>()(name) + parent * size_t{0x9E3779B1};
  for (;; ++at) {
    at &= table_.size() - 1;
    if (table_[at] == 0) return at;
    const Node& node = nodes_[table_[at]];
    if (node.parent == parent && last_name(node) == name) return at;
  }
}

uint32_t JsonLayouts::obtain_child(uint32_t parent, std::string_view name, uint32_t number,
                                   bool spaced) {
  size_t at = place(parent, name);
  if (table_[at] == 0) {
    table_[at] = static_cast<uint32_t>(nodes_.size());
    nodes_.push_back({parent, nodes_[parent].depth + 1, {}, {}});
  }
  uint32_t node = table_[at];
  uint32_t& any = nodes_[node].any[spaced ? 1 : 0];
  if (any == 0) any = number;
  if (2 * nodes_.size() > table_.size()) grow();
  return node;
}

void JsonLayouts::grow() {
  table_.assign(2 * table_.size(), 0);
  for (uint32_t node = 1; node < nodes_.size(); ++node)
    table_[place(nodes_[node].parent, last_name(nodes_[node]))] = node;
}

void JsonLayouts::insert(std::unique_ptr<JsonLayout> made) {
  JsonLayout& layout = *made;
  layout_bytes_ += layout.footprint();
  layouts_.push_back(std::move(made));
  auto number = static_cast<uint32_t>(layouts_.size());
  uint32_t node = kRoot;
  for (size_t i = 0; i < layout.keys.size(); ++i) {
    node = obtain_child(node, layout.shape->name(i), number, layout.spaced);
    layout.keys[i].node = node;
  }
  nodes_[node].exact[layout.spaced ? 1 : 0] = number;
}

void JsonLayouts::clear() {
  layouts_.clear();
  layout_bytes_ = 0;
  nodes_ = {Node{}};
  table_ = std::vector<uint32_t>(64);
}

size_t JsonLayouts::footprint() const {
  return layout_bytes_ + nodes_.capacity() * sizeof(Node) + table_.capacity() * sizeof(uint32_t);
}

// --- layouts ---

JsonLayout* JsonLayouts::continue_from(const JsonLayout* from, size_t field, const char* p,
                                       const char* end) const {
  uint32_t at = field == 0 ? kRoot : from->keys[field - 1].node;
  if (p < end && *p == '}') {
    const uint32_t* exact = nodes_[at].exact;
    return layout(exact[exact[1] != 0 && (from->spaced || exact[0] == 0) ? 1 : 0]);
  }
  std::optional<std::string_view> name = name_at(p, end, field == 0);
  if (!name) return nullptr;
  uint32_t next = child(at, *name);
  if (next == 0) return nullptr;
  for (uint32_t number : nodes_[next].any) {
    JsonLayout* found = layout(number);
    if (found != nullptr && found->keys[field].matches(p, end)) return found;
  }
  return nullptr;
}

JsonLayout* JsonLayouts::find(const std::vector<std::string_view>& names, bool spaced) const {
  uint32_t node = kRoot;
  for (std::string_view name : names)
    if ((node = child(node, name)) == 0) return nullptr;
  return layout(nodes_[node].exact[spaced ? 1 : 0]);
}

JsonLayout* JsonLayouts::obtain(const std::vector<std::string_view>& names, bool spaced) {
  if (JsonLayout* known = find(names, spaced)) return known;
  JsonLayout* other_style = find(names, !spaced);
  ShapeRef shape = other_style ? other_style->shape : std::make_shared<const Shape>(names);
  // Before the others go: `names` may be theirs.
  auto made = std::make_unique<JsonLayout>(std::move(shape), spaced);
  if (footprint() + made->footprint() + made->keys.size() * sizeof(Node) > most_) clear();
  insert(std::move(made));
  return layouts_.back().get();
}

}  // namespace leat
