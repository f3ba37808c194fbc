#include "record/json_walker.h"

namespace leat {

void JsonWalker::blanks() {
  while (at_ < text_.size() &&
         std::string_view(" \t\n\r").find(text_[at_]) != std::string_view::npos)
    ++at_;
}

bool JsonWalker::string() {
  if (!take('"')) return false;
  while (at_ < text_.size()) {
    char c = text_[at_++];
    if (c == '"') return true;
    if (static_cast<unsigned char>(c) < 0x20) return false;
    if (c == '\\' && !escape()) return false;
  }
  return false;
}

bool JsonWalker::word() {
  for (std::string_view name : {"true", "false", "null"}) {
    if (!text_.substr(at_).starts_with(name)) continue;
    at_ += name.size();
    return true;
  }
  size_t length = json_number_length(text_.substr(at_));
  at_ += length;
  return length > 0;
}

bool JsonWalker::value() {
  std::string open;  // brackets
  while (true) {
    blanks();
    if (peek() == '{' || peek() == '[') {
      if (open.size() == kDeepest) return false;
      open += text_[at_++];
      blanks();
      bool closes = peek() == (open.back() == '{' ? '}' : ']');
      if (!closes) {
        if (open.back() == '{' && !name()) return false;
        continue;
      }
    } else if (!(peek() == '"' ? string() : word())) {
      return false;
    }
    // Behind a value: what it was in ends, or goes on.
    while (true) {
      if (open.empty()) return true;
      blanks();
      if (take(open.back() == '{' ? '}' : ']')) {
        open.pop_back();
        continue;
      }
      if (!take(',')) return false;
      if (open.back() == '{' && !name()) return false;
      break;
    }
  }
}

bool JsonWalker::name() {
  blanks();
  if (!string()) return false;
  blanks();
  return take(':');
}

bool JsonWalker::escape() {
  if (at_ == text_.size()) return false;
  char c = text_[at_++];
  if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
  for (int i = 0; i < 4; ++i, ++at_) {
    if (at_ == text_.size()) return false;
    char d = text_[at_];
    bool hex = (d >= '0' && d <= '9') || ((d | 0x20) >= 'a' && (d | 0x20) <= 'f');
    if (!hex) return false;
  }
  return true;
}

bool is_json(std::string_view text) {
  JsonWalker json(text);
  if (!json.value()) return false;
  json.blanks();
  return json.at_end();
}

}  // namespace leat
