#include "codec/json_layouts.h"

#include <algorithm>

namespace leat {
namespace {

bool same_prefix(const Shape& a, const Shape& b, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (a.name(i) != b.name(i)) return false;
  return true;
}

void compile(JsonKey& key) {
  if (key.size > JsonKey::kShort) return;
  char mask[JsonKey::kShort] = {};
  std::memset(mask, 0xFF, key.size);
  std::memcpy(key.bytes, key.text, key.size);
  std::memcpy(key.mask, mask, sizeof mask);
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

JsonLayout* JsonLayouts::continue_from(const JsonLayout* from, size_t field, const char* p,
                                       const char* end) {
  for (const auto& layout : layouts_) {
    if (layout.get() == from || layout->keys.size() < field) continue;
    bool goes_on =
        layout->keys.size() == field ? p < end && *p == '}' : layout->keys[field].matches(p, end);
    if (goes_on && same_prefix(*from->shape, *layout->shape, field)) return use(layout.get());
  }
  return nullptr;
}

JsonLayout* JsonLayouts::find(const std::vector<std::string_view>& names, bool spaced) {
  for (const auto& layout : layouts_)
    if (layout->spaced == spaced && layout->shape->same_names(names)) return use(layout.get());
  return nullptr;
}

void JsonLayouts::drop_oldest() {
  auto oldest = std::min_element(layouts_.begin(), layouts_.end(),
                                 [](const auto& a, const auto& b) { return a->used < b->used; });
  fields_ -= (*oldest)->keys.size();
  layouts_.erase(oldest);
}

JsonLayout* JsonLayouts::obtain(const std::vector<std::string_view>& names, bool spaced) {
  if (JsonLayout* layout = find(names, spaced)) return layout;
  JsonLayout* other_style = find(names, !spaced);
  ShapeRef shape = other_style ? other_style->shape : std::make_shared<const Shape>(names);
  auto made = std::make_unique<JsonLayout>(std::move(shape), spaced);
  fields_ += names.size();
  while (!layouts_.empty() && (layouts_.size() == kKept || fields_ > kMaxFields)) drop_oldest();
  layouts_.push_back(std::move(made));
  return use(layouts_.back().get());
}

}  // namespace leat
