#include "connectors/postgres/row_values.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

namespace leat::postgres {
namespace {

int digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : -1;
}

// `text` has them all.
int number_in(std::string_view text, size_t from, size_t count) {
  int value = 0;
  for (size_t i = from; i < from + count; ++i) value = value * 10 + digit(text[i]);
  return value;
}

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": days since 1970-01-01.
int64_t days_of(int year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const int era = year / 400;
  const int of_era = year - era * 400;
  const int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return int64_t{era} * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

// "2026-01-02 03:04:05.123456+00", or without the zone.
std::optional<int64_t> time_of(std::string_view text) {
  if (text.ends_with("+00")) text.remove_suffix(3);
  constexpr std::string_view kForm = "0000-00-00 00:00:00";
  if (text.size() < kForm.size()) return std::nullopt;
  for (size_t i = 0; i < kForm.size(); ++i)
    if (kForm[i] == '0' ? digit(text[i]) < 0 : text[i] != kForm[i]) return std::nullopt;
  int64_t us = days_of(number_in(text, 0, 4), number_in(text, 5, 2), number_in(text, 8, 2));
  us = us * 24 + number_in(text, 11, 2);
  us = us * 60 + number_in(text, 14, 2);
  us = (us * 60 + number_in(text, 17, 2)) * 1'000'000;
  if (text.size() == kForm.size()) return us;
  std::string_view fraction = text.substr(kForm.size());
  if (fraction[0] != '.' || fraction.size() > 7) return std::nullopt;
  int64_t unit = 100'000;
  for (char c : fraction.substr(1)) {
    if (digit(c) < 0) return std::nullopt;
    us += digit(c) * unit;
    unit /= 10;
  }
  return us;
}

Value float_of(std::string_view text, Arena& arena) {
  if (json_number_length(text) == text.size())
    return Value::of_text(Type::kFloat, arena.copy(text), Form::kText);
  if (text == "Infinity") return Value::of_float(std::numeric_limits<double>::infinity());
  if (text == "-Infinity") return Value::of_float(-std::numeric_limits<double>::infinity());
  return Value::of_float(std::nan(""));
}

int nibble(char c) {
  if (digit(c) >= 0) return digit(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<Value> bytes_of(std::string_view hex, Arena& arena) {
  if (!hex.starts_with("\\x") || hex.size() % 2 != 0) return std::nullopt;
  hex.remove_prefix(2);
  char* out = static_cast<char*>(arena.allocate(hex.size() / 2, 1));
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = nibble(hex[i]);
    const int low = nibble(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out[i / 2] = static_cast<char>(high * 16 + low);
  }
  return Value::of_text(Type::kBytes, {out, hex.size() / 2});
}

// On one line: in JSON, what ends one can only stand between its parts.
Value json_of(std::string_view text, Arena& arena) {
  const std::string_view copy = arena.copy(text);
  char* at = const_cast<char*>(copy.data());
  for (size_t i = 0; i < copy.size(); ++i)
    if (at[i] == '\n' || at[i] == '\r') at[i] = ' ';
  return Value::of_text(Type::kJson, copy);
}

}  // namespace

Value value_of(Kind kind, std::string_view text, Arena& arena) {
  switch (kind) {
    case Kind::kBool:
      return Value::boolean(text == "t");
    case Kind::kInt2:
    case Kind::kInt4:
    case Kind::kInt8: {
      int64_t number = 0;
      auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error == std::errc() && end == text.data() + text.size())
        return Value::of_integer(number);
      break;
    }
    case Kind::kFloat:
      return float_of(text, arena);
    case Kind::kNumeric:
      if (!text.empty() && json_number_length(text) == text.size())
        return Value::of_text(Type::kDecimal, arena.copy(text), Form::kText);
      break;
    case Kind::kTimestamp:
      if (std::optional<int64_t> time = time_of(text)) return Value::of_time(*time);
      break;
    case Kind::kBytea:
      if (std::optional<Value> bytes = bytes_of(text, arena)) return *bytes;
      break;
    case Kind::kJson:
    case Kind::kArray:
      return json_of(text, arena);
    case Kind::kText:
    case Kind::kDate:
    case Kind::kTime:
    case Kind::kUuid:
    case Kind::kOther:
      break;
  }
  return Value::of_text(Type::kString, arena.copy(text));
}

}  // namespace leat::postgres
