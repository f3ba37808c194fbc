#include "transform/lookup_cache.h"

#include <algorithm>
#include <optional>
#include <span>

namespace leat {

CachedRows::CachedRows(std::string cache,
                       const std::vector<std::pair<std::string, std::string>>& fields)
    : name_(std::move(cache)) {
  for (const auto& [to, from] : fields) {
    columns_.push_back(to);
    from_.push_back(from);
  }
  row_.resize(columns_.size());
}

void CachedRows::open(CodecContext& context) {
  loop_ = &context.loop();
  if (context.caches() != nullptr) cache_ = context.caches()->find(name_);
}

// What is in the cache may be gone with the next record that is put in, so its text is copied.
const Value* CachedRows::find(std::string_view key, Batch& batch) {
  if (cache_ == nullptr) return nullptr;
  const std::optional<std::span<const CachedField>> found = cache_->find(key, loop_->now());
  if (!found) return nullptr;
  for (size_t i = 0; i < from_.size(); ++i) {
    const auto field = std::ranges::find(*found, from_[i], &CachedField::name);
    Value value = field == found->end() ? Value::null() : field->value;
    if (value.is_text()) {
      value.text = batch.arena.copy(value.view()).data();
      batch.made += value.size;
    }
    row_[i] = value;
  }
  return row_.data();
}

}  // namespace leat
