// Walks over JSON text (RFC 8259).
#pragma once

#include <string>
#include <string_view>

#include "record/value.h"

namespace leat {

// Without recursion. Every step checks that there is something left.
class JsonWalker {
 public:
  static constexpr size_t kDeepest = 500;

  explicit JsonWalker(std::string_view text) : text_(text) {}

  void blanks();
  bool take(char c) {
    if (peek() != c || at_end()) return false;
    ++at_;
    return true;
  }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool at_end() const { return at_ == text_.size(); }
  size_t place() const { return at_; }
  std::string_view since(size_t place) const { return text_.substr(place, at_ - place); }

  bool string();  // with its quotes
  bool word();    // true, false, null or a number
  bool value();   // any value, nested ones with all that is in them

 private:
  bool name();
  bool escape();

  std::string_view text_;
  size_t at_ = 0;
};

// True when the text is one JSON value, nested at most kDeepest deep.
bool is_json(std::string_view text);

}  // namespace leat
