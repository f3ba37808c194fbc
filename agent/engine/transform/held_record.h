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
  ShapeRef shape_;  // of the one taken last: mostly that of the next, too
  std::vector<std::string_view> names_;
  std::vector<Value> values_;
};

}  // namespace leat
