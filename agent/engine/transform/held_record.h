// A record that is held back, as bytes of the state: its event time, and the fields that it has.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "record/batch.h"

namespace leat {

void put_record(std::string& out, const Record& record);

class HeldRecords {
 public:
  // What put_record() wrote, in the batch's arena; it counts as made there. Where it ends is for
  // the caller to say.
  Record take(std::string_view held, Batch& batch);

 private:
  const ShapeRef& shape_of(const std::vector<std::string_view>& names);

  static constexpr size_t kMostShapes = 8;  // more are made anew, as they come
  std::vector<ShapeRef> shapes_;
  std::vector<std::string_view> names_;
  std::vector<Value> values_;
};

}  // namespace leat
