// What a stage worked out per shape, found again by the shape's address.
//
// Lifetime: an entry keeps its shape alive, so an address cannot come to mean another shape.
// Results of get() stay valid until the next trim(). Thread: the pipeline's loop thread.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <unordered_map>
#include <utility>
#include <vector>

#include "record/batch.h"

namespace leat {

// What a value takes beside its own size: vectors say it by their capacity, others by heap_bytes().
template <typename T>
size_t heap_bytes_of(const T& value) {
  if constexpr (requires { value.heap_bytes(); }) {
    return value.heap_bytes();
  } else {
    return 0;
  }
}
template <typename T>
size_t heap_bytes_of(const std::vector<T>& values) {
  return values.capacity() * sizeof(T);
}

template <typename T>
class ShapeCache {
 public:
  // `make(const Shape&)` is called for a shape not seen before. `shape` must be adopted by `batch`.
  template <typename Make>
  T& get(const Batch& batch, const Shape* shape, Make&& make) {
    if (shape == last_shape_) return *last_;
    auto found = entries_.find(shape);
    if (found == entries_.end()) {
      found = entries_.emplace(shape, Entry{owner(batch, shape), make(*shape)}).first;
      held_ += shape->footprint() + kEntry + heap_bytes_of(found->second.value);
    }
    last_shape_ = shape;
    last_ = &found->second.value;
    return *last_;
  }

  // Behind a batch: forgets everything once it takes more than its share of what the pipeline may
  // hold. Streams have a handful of shapes, or some thousand small ones; one that has a new shape
  // per record gains nothing from a cache.
  void trim(const Batch& batch) {
    constexpr size_t kShare = 16;
    constexpr size_t kAlways = 16 * 1024;
    if (held_ > std::max(batch.pool().budget().limit() / kShare, kAlways)) clear();
  }

  void clear() {
    entries_.clear();
    held_ = 0;
    last_shape_ = nullptr;
    last_ = nullptr;
  }

  // Bytes, with those of the shapes.
  size_t held() const { return held_; }

 private:
  struct Entry {
    ShapeRef keep;
    T value;
  };
  static constexpr size_t kEntry = sizeof(Entry) + 5 * sizeof(void*);  // with the map's node

  ShapeRef owner(const Batch& batch, const Shape* shape) {
    const auto& shapes = batch.shapes();
    // Shapes are adopted in the order of the records, so the next one is nearly always the next.
    for (size_t i = 0; i < shapes.size(); ++i) {
      if (++hint_ >= shapes.size()) hint_ = 0;
      if (shapes[hint_].get() == shape) return shapes[hint_];
    }
    std::abort();  // a record whose shape nobody keeps alive: a bug in the stage that made it
  }

  std::unordered_map<const Shape*, Entry> entries_;
  size_t held_ = 0;
  const Shape* last_shape_ = nullptr;
  T* last_ = nullptr;
  size_t hint_ = 0;
};

}  // namespace leat
