// The key under which `lookup` finds a row or a record: values of some fields, as the text that
// they are. A number and a text that look the same are the same. Thread: any, one at a time.
#pragma once

#include <string>
#include <string_view>

#include "record/value.h"

namespace leat {

class LookupKey {
 public:
  void clear() { text_.clear(); }
  // False where there is none: it is missing, or null.
  bool add(const Value& value);
  std::string_view text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace leat
