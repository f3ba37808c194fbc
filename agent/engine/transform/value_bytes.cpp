#include "transform/value_bytes.h"

#include <cctype>
#include <cstdlib>
#include <cstring>

namespace leat {
namespace {

// Before a value: of what type it is. What stands for a number is its text.
constexpr char kNothing = '-';
constexpr char kNumber = 'n';
constexpr char kBool = 'b';
constexpr char kTime = 't';
constexpr struct {
  Type type;
  char tag;
} kTexts[] = {{Type::kString, 's'}, {Type::kBytes, 'x'}, {Type::kJson, 'j'}};

void put(std::string& out, char tag, std::string_view text) {
  out += tag;
  put_text(out, text);
}

// Of one that is not text already.
void put_number_text(std::string& out, const Value& value) {
  std::string text;
  append_text(text, value);
  put(out, kNumber, text);
}

}  // namespace

void put_value(std::string& out, const Value& value) {
  switch (value.type) {
    case Type::kAbsent:
    case Type::kNull:
      return put(out, kNothing, {});
    case Type::kBool:
      return put(out, kBool, value.integer != 0 ? "1" : "");
    case Type::kTime:
      return put(out, kTime, {reinterpret_cast<const char*>(&value.integer), sizeof(int64_t)});
    case Type::kInteger:
    case Type::kFloat:
      if (!value.is_text()) return put_number_text(out, value);
      return put(out, kNumber, value.view());
    case Type::kDecimal:
      return put(out, kNumber, value.view());
    case Type::kString:
      if (value.form == Form::kText) {
        std::string text;
        append_unescaped(text, value.view());
        return put(out, 's', text);
      }
      break;
    default:
      break;
  }
  for (const auto& one : kTexts)
    if (one.type == value.type) put(out, one.tag, value.view());
}

Value take_value(ByteReader& from, Arena& arena) {
  if (from.rest.empty()) return Value::null();
  const char tag = from.rest.front();
  from.rest.remove_prefix(1);
  const std::string_view text = from.text();
  for (const auto& one : kTexts)
    if (one.tag == tag) return Value::of_text(one.type, arena.copy(text));
  int64_t time = 0;
  if (tag == kBool) return Value::boolean(!text.empty());
  if (tag == kTime && text.size() == sizeof(time)) {
    std::memcpy(&time, text.data(), sizeof(time));
    return Value::of_time(time);
  }
  // NaN and infinite numbers are none in JSON, and were of a float.
  if (tag == kNumber && !text.empty() && std::isalpha(static_cast<unsigned char>(text.back())))
    return Value::of_float(std::strtod(std::string(text).c_str(), nullptr));
  const bool number = tag == kNumber && !text.empty() && json_number_length(text) == text.size();
  return number ? number_from_text(arena.copy(text)) : Value::null();
}

}  // namespace leat
