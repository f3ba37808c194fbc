#include "connectors/postgres/implausible.h"

#include <algorithm>

namespace leat::postgres {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_blank(char c) {  // isspace() of the server
  return c == ' ' || (c >= '\t' && c <= '\r');
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool begins_with(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(),
                                                  [](char a, char b) { return a == lower(b); });
}

bool has(std::string_view text, char c) {
  return text.find(c) != std::string_view::npos;
}

// A sign, then a digit; since PostgreSQL 16 also 0x1F, 0o17, 0b1 and 1_000.
bool integer_like(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  if (text.empty() || !is_digit(text[0])) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    char l = lower(c);
    return is_digit(c) || (l >= 'a' && l <= 'f') || l == 'x' || l == 'o' || l == '_';
  });
}

// The same, and .5, NaN, inf; for strtod() also 0x1p-3.
bool number_like(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  if (text.empty() || has(text, ',')) return false;
  return is_digit(text[0]) || text[0] == '.' || begins_with(text, "nan") ||
         begins_with(text, "inf");
}

// https://www.postgresql.org/docs/current/datatype-datetime.html
bool time_like(std::string_view text) {
  static constexpr std::string_view kWords[] = {"now",       "today",     "tomorrow",
                                                "yesterday", "epoch",     "infinity",
                                                "+infinity", "-infinity", "allballs"};
  if (std::any_of(text.begin(), text.end(), is_digit)) return true;
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [text](std::string_view word) { return begins_with(text, word); });
}

bool uuid_like(std::string_view text) {
  constexpr int kHexDigits = 32;
  int digits = 0;
  for (char c : text) {
    char l = lower(c);
    bool hex = is_digit(c) || (l >= 'a' && l <= 'f');
    if (!hex && c != '-' && c != '{' && c != '}') return false;
    digits += hex ? 1 : 0;
  }
  return digits == kHexDigits;
}

}  // namespace

bool is_implausible(Kind kind, std::string_view text) {
  switch (kind) {
    case Kind::kInt2:
    case Kind::kInt4:
    case Kind::kInt8:
      return !integer_like(trimmed(text));
    case Kind::kFloat:
    case Kind::kNumeric:
      return !number_like(trimmed(text));
    case Kind::kBool: {
      text = trimmed(text);
      return text.empty() || !has("tfyno01", lower(text[0]));
    }
    case Kind::kDate:
    case Kind::kTime:
    case Kind::kTimestamp:
      return !time_like(trimmed(text));
    case Kind::kUuid:
      return !uuid_like(text);
    default:
      return false;
  }
}

}  // namespace leat::postgres
