#include "config/places.h"

#include <algorithm>
#include <map>

#include "config/json.h"

namespace leat {
namespace {

struct Offsets {
  size_t key = 0;
  size_t value = 0;
};

// Walks JSON that is known to be right, and notes where what stands. cJSON does not.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::map<std::string, Offsets> scan() {
    value("", 0);
    return std::move(found_);
  }

 private:
  // Space and comments.
  void skip_space() {
    for (;;) {
      at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
      std::string_view rest = text_.substr(at_, 2);
      if (rest != "//" && rest != "/*") return;
      size_t end = text_.find(rest == "//" ? "\n" : "*/", at_ + 2);
      at_ = end == std::string_view::npos ? text_.size() : end + (rest == "//" ? 1 : 2);
    }
  }
  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // The text of the string here. Escapes are rare in keys, and stay: such a key is not found.
  std::string_view string() {
    size_t start = ++at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    std::string_view inside = text_.substr(start, std::min(at_, text_.size()) - start);
    ++at_;
    return inside;
  }

  void value(const std::string& path, size_t key) {
    skip_space();
    if (at_ >= text_.size()) return;
    found_[path] = {key, at_};
    if (take('{')) {
      while (!take('}') && at_ < text_.size()) {
        size_t start = at_;
        std::string child = path_of_key(path, string());
        (void)take(':');
        value(child, start);
        (void)take(',');
      }
    } else if (take('[')) {
      for (size_t index = 0; !take(']') && at_ < text_.size(); ++index) {
        value(path_of_index(path, index), at_);
        (void)take(',');
      }
    } else if (text_[at_] == '"') {
      (void)string();
    } else {
      at_ = std::min(text_.find_first_of(",]}/ \t\r\n", at_), text_.size());
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  std::map<std::string, Offsets> found_;
};

// "pipelines[0].sink.url" → "pipelines[0].sink" → "pipelines[0]" → "pipelines" → ""
std::string parent_of(const std::string& path) {
  size_t end = path.find_last_of(".[");
  return end == std::string::npos ? "" : path.substr(0, end);
}

}  // namespace

Place place_at(std::string_view text, size_t offset) {
  std::string_view before = text.substr(0, std::min(offset, text.size()));
  size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  // Bytes that continue a UTF-8 sequence are no characters of their own.
  auto starts = [](char c) { return (c & 0xC0) != 0x80; };
  return {static_cast<int>(std::ranges::count(before, '\n')) + 1,
          static_cast<int>(std::ranges::count_if(before.substr(line_start), starts)) + 1};
}

void set_places(std::string_view text, Problems& problems) {
  if (problems.empty()) return;
  const std::map<std::string, Offsets> found = Scanner(text).scan();
  for (Problem& problem : problems.all()) {
    if (problem.line != 0 || problem.kind == Problem::Kind::kSyntax) continue;
    auto at = found.find(problem.path);
    bool key = problem.kind == Problem::Kind::kUnknownKey ||
               problem.kind == Problem::Kind::kDuplicateKey ||
               problem.kind == Problem::Kind::kUnused;
    for (std::string path = problem.path; at == found.end() && !path.empty();) {
      path = parent_of(path);
      at = found.find(path);
    }
    if (at == found.end()) continue;
    Place place = place_at(text, key ? at->second.key : at->second.value);
    problem.line = place.line;
    problem.column = place.column;
  }
}

}  // namespace leat
