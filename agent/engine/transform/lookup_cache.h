// The rows that a `lookup` finds in a cache: fields of the last record that was put in with the
// key.
//
// Thread: the main loop's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/caches.h"
#include "stage/codec.h"

namespace leat {

class CachedRows {
 public:
  // `fields`: names of what is given, and the fields of the record there that they are of.
  CachedRows(std::string cache, const std::vector<std::pair<std::string, std::string>>& fields);
  void open(CodecContext& context);

  const std::vector<std::string>& columns() const { return columns_; }
  // A value for each column, null for what the record lacks; until the next call, but for text,
  // which is the batch's. Null when there is no such record.
  const Value* find(std::string_view key, Batch& batch);
  size_t held() const { return cache_ == nullptr ? 0 : cache_->held(); }

 private:
  const std::string name_;
  std::vector<std::string> columns_;
  std::vector<std::string> from_;
  Loop* loop_ = nullptr;
  std::shared_ptr<Cache> cache_;  // null where there is no agent (leat try, leat test)
  std::vector<Value> row_;
};

}  // namespace leat
