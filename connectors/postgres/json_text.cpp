// JSON inside a value: whether it is JSON, and an array as PostgreSQL writes arrays.
#include "connectors/postgres/encode.h"

namespace leat::postgres {
namespace {

constexpr size_t kDeepest = 500;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Walks over JSON text without recursion. Every step checks that there is something left.
class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  void blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool at_end() const { return at_ == text_.size(); }
  size_t place() const { return at_; }
  std::string_view since(size_t place) const { return text_.substr(place, at_ - place); }

  // A string with its quotes.
  bool string() {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\' && !escape()) return false;
    }
    return false;
  }

  // true, false, null or a number.
  bool word() {
    for (std::string_view name : {"true", "false", "null"}) {
      if (!text_.substr(at_).starts_with(name)) continue;
      at_ += name.size();
      return true;
    }
    size_t length = json_number_length(text_.substr(at_));
    at_ += length;
    return length > 0;
  }

  // Any value, nested ones with all that is in them.
  bool value() {
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

 private:
  bool name() {
    blanks();
    if (!string()) return false;
    blanks();
    return take(':');
  }

  bool escape() {
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

  std::string_view text_;
  size_t at_ = 0;
};

// An element of an array literal, in quotes.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

bool append_element(std::string& out, Walker& json) {
  size_t start = json.place();
  char first = json.peek();
  if (first == '"') {
    if (!json.string()) return false;
    std::string_view inside = json.since(start);
    std::string meaning;
    append_unescaped(meaning, inside.substr(1, inside.size() - 2));
    append_quoted(out, meaning);
    return true;
  }
  if (first == '{') {
    if (!json.value()) return false;
    append_quoted(out, json.since(start));
    return true;
  }
  if (!json.word()) return false;
  std::string_view word = json.since(start);
  out += word == "null" ? "NULL" : word;
  return true;
}

}  // namespace

bool is_json(std::string_view text) {
  Walker json(text);
  if (!json.value()) return false;
  json.blanks();
  return json.at_end();
}

bool append_array_literal(std::string& out, std::string_view text) {
  Walker json(text);
  json.blanks();
  size_t depth = 0;
  do {
    json.blanks();
    if (json.take('[')) {
      if (++depth > kDeepest) return false;
      out += '{';
      json.blanks();
      if (json.peek() != ']') continue;
    } else if (depth == 0 || !append_element(out, json)) {
      return false;
    }
    // Behind an element.
    json.blanks();
    while (depth > 0 && json.take(']')) {
      --depth;
      out += '}';
      json.blanks();
    }
    if (depth == 0) return json.at_end();
    if (!json.take(',')) return false;
    out += ',';
  } while (true);
}

}  // namespace leat::postgres
