#include "connectors/postgres/row_values.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/big_endian.h"
#include "record/sql_time.h"

namespace leat::postgres {
namespace {

int digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : -1;
}

Value float_of(std::string_view text) {
  if (json_number_length(text) == text.size())
    return Value::of_text(Type::kFloat, text, Form::kText);
  if (text == "Infinity") return Value::of_float(std::numeric_limits<double>::infinity());
  if (text == "-Infinity") return Value::of_float(-std::numeric_limits<double>::infinity());
  return Value::of_float(std::nan(""));
}

// As the server writes one; it fits into 64 bits.
bool is_integer(std::string_view text) {
  constexpr size_t kMostDigits = 19;
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.size() <= kMostDigits &&
         std::ranges::all_of(text, [](char c) { return digit(c) >= 0; });
}

int nibble(char c) {
  if (digit(c) >= 0) return digit(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// In the place of their text, which is twice as long.
std::optional<Value> bytes_of(std::span<char> text) {
  if (text.size() < 2 || text[0] != '\\' || text[1] != 'x' || text.size() % 2 != 0)
    return std::nullopt;
  const std::span<char> hex = text.subspan(2);
  for (char c : hex)
    if (nibble(c) < 0) return std::nullopt;
  for (size_t i = 0; i < hex.size(); i += 2)
    hex[i / 2] = static_cast<char>(nibble(hex[i]) * 16 + nibble(hex[i + 1]));
  return Value::of_text(Type::kBytes, {hex.data(), hex.size() / 2});
}

// On one line: in JSON, what ends one can only stand between its parts.
Value json_of(std::span<char> text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return Value::of_text(Type::kJson, {text.data(), text.size()});
}

}  // namespace

bool split_row(std::string_view body, std::vector<std::string_view>& fields) {
  fields.clear();
  const char* at = body.data();
  const char* const end = at + body.size();
  if (body.size() < sizeof(uint16_t)) return false;
  int count = read_big_endian<uint16_t>(at);
  for (at += sizeof(uint16_t); count > 0; --count) {
    if (end - at < static_cast<ptrdiff_t>(sizeof(uint32_t))) return false;
    const auto size = static_cast<int32_t>(read_big_endian<uint32_t>(at));
    at += sizeof(uint32_t);
    if (size > end - at) return false;
    const auto length = static_cast<size_t>(std::max(size, 0));
    fields.emplace_back(size < 0 ? nullptr : at, length);
    at += length;
  }
  return at == end;
}

Value value_of(Kind kind, std::span<char> bytes) {
  const std::string_view text(bytes.data(), bytes.size());
  switch (kind) {
    case Kind::kBool:
      return Value::boolean(text == "t");
    case Kind::kInt2:
    case Kind::kInt4:
    case Kind::kInt8:
      if (is_integer(text)) return Value::of_text(Type::kInteger, text, Form::kText);
      break;
    case Kind::kFloat:
      return float_of(text);
    case Kind::kNumeric:
      if (!text.empty() && json_number_length(text) == text.size())
        return Value::of_text(Type::kDecimal, text, Form::kText);
      break;
    case Kind::kTimestamp:
      if (std::optional<int64_t> time =
              read_sql_time(text.ends_with("+00") ? text.substr(0, text.size() - 3) : text))
        return Value::of_time(*time);
      break;
    case Kind::kBytea:
      if (std::optional<Value> value = bytes_of(bytes)) return *value;
      break;
    case Kind::kJson:
    case Kind::kArray:
      return json_of(bytes);
    case Kind::kText:
    case Kind::kDate:
    case Kind::kTime:
    case Kind::kUuid:
    case Kind::kOther:
      break;
  }
  return Value::of_text(Type::kString, text);
}

}  // namespace leat::postgres
