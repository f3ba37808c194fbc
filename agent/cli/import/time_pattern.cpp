#include "cli/import/time_pattern.h"

#include "base/text.h"

namespace leat::datax {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// "" for a run of letters that has no counterpart. Numbers are read with as many digits as there
// are, so one letter is as good as two.
std::string_view directive(std::string_view letters) {
  struct Pair {
    std::string_view java;
    std::string_view ours;
  };
  static constexpr Pair kPairs[] = {
      {"yyyy", "%Y"}, {"yy", "%y"}, {"MM", "%m"}, {"MMM", "%b"}, {"dd", "%d"},
      {"DDD", "%j"},  {"HH", "%H"}, {"hh", "%I"}, {"mm", "%M"},  {"ss", "%S"},
      {"a", "%p"},    {"Z", "%z"},  {"ZZ", "%z"}, {"XXX", "%z"}, {"XX", "%z"},
  };
  for (const Pair& pair : kPairs)
    if (pair.java == letters) return pair.ours;
  return letters.find_first_not_of('S') == std::string_view::npos && letters.size() <= 9 ? "%f"
                                                                                         : "";
}

}  // namespace

Result<std::string> time_pattern(std::string_view java) {
  std::string out;
  bool quoted = false;
  auto literal = [&out](char c) { out += c == '%' ? "%%" : std::string(1, c); };
  for (size_t i = 0; i < java.size();) {
    if (java[i] == '\'') {
      quoted = !quoted;
      if (java.substr(i, 2) == "''") {  // one quote, in quoted text and outside of it
        quoted = !quoted;
        literal(java[++i]);
      }
      ++i;
      continue;
    }
    if (quoted || !is_letter(java[i])) {
      literal(java[i++]);
      continue;
    }
    const size_t end = std::min(java.find_first_not_of(java[i], i), java.size());
    const std::string_view letters = java.substr(i, end - i);
    const std::string_view ours = directive(letters);
    if (ours.empty())
      return fail(ErrorKind::kUsage,
                  "leat has no counterpart of \"" + excerpt(letters) + "\" in a pattern of times");
    out += ours;
    i = end;
  }
  if (quoted) return fail(ErrorKind::kUsage, "a quote (') is not closed");
  return out;
}

}  // namespace leat::datax
