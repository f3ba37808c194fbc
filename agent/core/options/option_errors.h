// What is wrong with the options of one stage, all of it: its maker looks at everything before it
// gives up, so that a person mends it once.
#pragma once

#include <string>

#include "base/result.h"

namespace leat {

class OptionErrors {
 public:
  // Takes what is wrong, if anything is. Each message begins with the path of its option.
  template <typename T>
  bool good(const Result<T>& result) {
    if (!result) add(result.error());
    return result.has_value();
  }
  void add(const Error& error) {
    if (!text_.empty()) text_ += '\n';
    text_ += error.message();
  }

  // kUsage, with a line for each.
  Status status() const {
    if (text_.empty()) return {};
    return fail(ErrorKind::kUsage, text_);
  }

 private:
  std::string text_;
};

}  // namespace leat
