// What a stage worked out per shape, found again by the shape's address.
//
// Lifetime: an entry keeps its shape alive, so an address cannot come to mean another shape.
// Results of get() stay valid until the next trim(). Thread: the pipeline's loop thread.
#pragma once

#include <cstdlib>
#include <unordered_map>
#include <utility>

#include "record/batch.h"

namespace leat {

template <typename T>
class ShapeCache {
 public:
  // `make(const Shape&)` is called for a shape not seen before. `shape` must be adopted by `batch`.
  template <typename Make>
  T& get(const Batch& batch, const Shape* shape, Make&& make) {
    if (shape == last_shape_) return *last_;
    auto found = entries_.find(shape);
    if (found == entries_.end())
      found = entries_.emplace(shape, Entry{owner(batch, shape), make(*shape)}).first;
    last_shape_ = shape;
    last_ = &found->second.value;
    return *last_;
  }

  // Between batches: forgets everything once there are many. Streams have a handful of shapes; one
  // that has a new shape per record gains nothing from a cache.
  void trim() {
    if (entries_.size() > kMaxShapes) clear();
  }

  void clear() {
    entries_.clear();
    last_shape_ = nullptr;
    last_ = nullptr;
  }

 private:
  static constexpr size_t kMaxShapes = 64;

  struct Entry {
    ShapeRef keep;
    T value;
  };

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
  const Shape* last_shape_ = nullptr;
  T* last_ = nullptr;
  size_t hint_ = 0;
};

}  // namespace leat
