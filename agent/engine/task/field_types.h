// The types that `fieldTypes` of a source declares: each value is made to be of its field's type
// where nothing is lost by it ("21" is a float), or is a mismatch.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time_format.h"
#include "memory/arena.h"
#include "record/batch.h"

namespace leat {

class FieldTypes {
 public:
  explicit FieldTypes(const std::vector<std::pair<std::string, Type>>& declared);

  // Another batch begins: shapes of the last one may be gone.
  void begin() { shape_ = nullptr; }

  // Null and absent are of any type. False: a value cannot be of its type, and problem() says
  // which; it is as it was, while others may be of theirs already. What must be written anew goes
  // to `arena`.
  bool apply(const Record& record, Arena& arena);
  const std::string& problem() const { return problem_; }

 private:
  bool fit(Type type, Value& value, Arena& arena);
  bool fit_text(Type type, Value& value);

  struct Field {
    std::string name;
    Type type;
    int place = -1;  // in shape_
  };
  std::vector<Field> fields_;
  const Shape* shape_ = nullptr;  // of the last record
  TimeFormat rfc3339_;
  std::string problem_;
  std::string digits_;
};

}  // namespace leat
