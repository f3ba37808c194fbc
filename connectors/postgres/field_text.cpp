#include "connectors/postgres/field_text.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/hex.h"
#include "base/text.h"
#include "connectors/postgres/array_text.h"
#include "connectors/postgres/implausible.h"
#include "connectors/postgres/times.h"
#include "record/json_walker.h"
#include "record/whole_number.h"

namespace leat::postgres {
namespace {

constexpr size_t kLongestField = 1'000'000'000;  // the server takes less than 1 GiB

// Types that take text of any form.
bool takes_any(Kind kind) {
  return kind == Kind::kText || kind == Kind::kOther;
}

ConversionError check_range(Kind kind, std::string_view digits) {
  // Too short for anything but to fit, as it nearly always is.
  size_t safe = kind == Kind::kInt2 ? 4 : kind == Kind::kInt4 ? 9 : 18;
  if (digits.size() <= safe) return ConversionError::kNone;
  int64_t number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  bool fits =
      error == std::errc() &&
      (kind == Kind::kInt8 || number == (kind == Kind::kInt2 ? static_cast<int16_t>(number)
                                                             : static_cast<int32_t>(number)));
  return fits ? ConversionError::kNone : ConversionError::kRange;
}

}  // namespace

bool is_large_integer(const Value& value) {
  constexpr size_t kAlwaysExact = 15;
  constexpr int64_t kTwoTo53 = int64_t{1} << 53;
  if (value.type == Type::kInteger) {
    if (value.form == Form::kText && value.size <= kAlwaysExact) return false;
    const int64_t number = integer_of(value);
    return number > kTwoTo53 || number < -kTwoTo53;
  }
  return value.type == Type::kDecimal &&
         value.view().find_first_of(".eE") == std::string_view::npos;
}

bool has_leading_zeros(const Value& value) {
  if (value.type != Type::kString) return false;
  std::string_view text = value.view();
  if (text.starts_with('-')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] != '.' &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

int64_t characters(std::string_view text) {
  int64_t count = 0;
  for (char c : text) count += (c & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

ConversionError check_text(std::string_view text) {
  // Eight bytes at a time as long as all is ASCII without NUL, as it nearly always is.
  const char* p = text.data();
  size_t left = text.size();
  bool ascii = true;
  for (; left >= 8; p += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, p, sizeof word);
    constexpr uint64_t kHigh = 0x8080808080808080U;
    constexpr uint64_t kOnes = 0x0101010101010101U;
    if ((word & kHigh) != 0) {
      ascii = false;
      break;
    }
    if (((word - kOnes) & kHigh) != 0) return ConversionError::kNul;  // no high bits: exact
  }
  for (; ascii && left > 0; ++p, --left) {
    if (*p == '\0') return ConversionError::kNul;
    if ((*p & 0x80) != 0) ascii = false;
    if (!ascii) break;
  }
  if (ascii) return ConversionError::kNone;
  std::string_view rest(p, left);
  if (rest.find('\0') != std::string_view::npos) return ConversionError::kNul;
  return is_utf8(rest) ? ConversionError::kNone : ConversionError::kUtf8;
}

ConversionError FieldText::of(const Column& column, const Value& value, std::string_view& text) {
  ConversionError error = column.guessed ? check_guess(column.kind, value) : ConversionError::kNone;
  if (error != ConversionError::kNone) return error;
  error = column.kind == Kind::kArray && value.type == Type::kJson
              ? of_array(column, value.view(), text)
              : convert(column.kind, value, text);
  if (error != ConversionError::kNone) return error;
  if (text.size() > kLongestField) return ConversionError::kTooLong;
  // Numbers and times need no look.
  if (value.type == Type::kString || value.type == Type::kJson)
    if (error = check_text(text); error != ConversionError::kNone) return error;
  if (column.most_characters > 0 && text.size() > static_cast<size_t>(column.most_characters)) {
    // Blanks at the end that are too many are cut by the server, as the SQL standard wants it.
    size_t end = text.find_last_not_of(' ');
    std::string_view needed = text.substr(0, end == std::string_view::npos ? 0 : end + 1);
    if (characters(needed) > column.most_characters) return ConversionError::kTooLong;
  }
  return ConversionError::kNone;
}

// What a column whose type was made from other values must not do to this one.
ConversionError FieldText::check_guess(Kind kind, const Value& value) {
  if (has_leading_zeros(value)) return ConversionError::kZeros;
  if (kind == Kind::kFloat && is_large_integer(value)) return ConversionError::kRounded;
  return ConversionError::kNone;
}

ConversionError FieldText::convert(Kind kind, const Value& value, std::string_view& text) {
  switch (value.type) {
    case Type::kAbsent:
    case Type::kNull:
      break;
    case Type::kString:
      return of_string(kind, value, text);
    case Type::kBool:  // no number: one among numbers is a reading of something else
      if (!takes_any(kind) && kind != Kind::kBool && kind != Kind::kJson) break;
      text = value.integer != 0 ? "true" : "false";
      return ConversionError::kNone;
    case Type::kInteger:
    case Type::kFloat:
    case Type::kDecimal:
      return of_number(kind, value, text);
    case Type::kTime:
      return of_time(kind, value, text);
    case Type::kBytes:
      if (kind == Kind::kBytea) {
        text_ = "\\x";
        append_hex(text_, value.view());
        text = text_;
        return ConversionError::kNone;
      }
      if (!takes_any(kind) && kind != Kind::kJson) break;
      text = kind == Kind::kJson ? as_json(value) : as_it_is(value);
      return ConversionError::kNone;
    case Type::kJson:
      if (!takes_any(kind) && kind != Kind::kJson) break;
      text = value.view();
      return ConversionError::kNone;
  }
  return ConversionError::kType;
}

// The value as text, without a copy where it is text.
std::string_view FieldText::as_it_is(const Value& value) {
  bool escaped = value.type == Type::kString && value.form == Form::kText;
  if (value.is_text() && !escaped && value.type != Type::kBytes) return value.view();
  plain_.clear();
  append_text(plain_, value);
  return plain_;
}

std::string_view FieldText::as_json(const Value& value) {
  text_.clear();
  append_json(text_, value);
  return text_;
}

// For JSON, a string that is an array or object is taken for what it says: CSV and raw messages
// have no other way to say it. Any other string is a JSON string.
ConversionError FieldText::of_string(Kind kind, const Value& value, std::string_view& text) {
  text = as_it_is(value);
  if (kind == Kind::kJson) {
    size_t first = text.find_first_not_of(" \t");
    bool nested = first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
    if (nested && is_json(text)) return ConversionError::kNone;
    // Before it is escaped: a NUL would be hidden as \u0000.
    if (ConversionError error = check_text(text); error != ConversionError::kNone) return error;
    text = as_json(value);
    return ConversionError::kNone;
  }
  return is_implausible(kind, text) ? ConversionError::kSyntax : ConversionError::kNone;
}

ConversionError FieldText::of_number(Kind kind, const Value& value, std::string_view& text) {
  switch (kind) {
    case Kind::kInt2:
    case Kind::kInt4:
    case Kind::kInt8:
      text = as_it_is(value);
      if (value.type != Type::kInteger) {
        if (value.form == Form::kPlain && value.type == Type::kFloat && !std::isfinite(value.real))
          return ConversionError::kRange;
        const WholeNumber whole = whole_number(text, text_);
        if (whole != WholeNumber::kWhole)
          return whole == WholeNumber::kFraction ? ConversionError::kFraction
                                                 : ConversionError::kRange;
        text = text_;
      }
      return check_range(kind, text);
    case Kind::kBool:
      if (value.type != Type::kInteger) return ConversionError::kType;
      text = as_it_is(value);
      return text == "0" || text == "1" ? ConversionError::kNone : ConversionError::kRange;
    case Kind::kJson:
      text = value.form == Form::kText ? value.view() : as_json(value);
      return ConversionError::kNone;
    case Kind::kFloat:
    case Kind::kNumeric:
    case Kind::kText:
    case Kind::kOther:
      text = as_it_is(value);
      return ConversionError::kNone;
    case Kind::kBytea:
    case Kind::kDate:
    case Kind::kTime:
    case Kind::kTimestamp:
    case Kind::kUuid:
    case Kind::kArray:
      break;
  }
  return ConversionError::kType;
}

ConversionError FieldText::of_time(Kind kind, const Value& value, std::string_view& text) {
  switch (kind) {
    case Kind::kDate:
      write_date(value.integer, text_);
      break;
    case Kind::kTime:
      write_time_of_day(value.integer, text_);
      break;
    case Kind::kTimestamp:
    case Kind::kText:
    case Kind::kOther:
      write_timestamp(value.integer, text_);
      break;
    case Kind::kJson:
      write_timestamp(value.integer, text_);
      text_.insert(text_.begin(), '"');
      text_ += '"';
      break;
    default:
      return ConversionError::kType;
  }
  text = text_;
  return ConversionError::kNone;
}

ConversionError FieldText::of_array(const Column& column, std::string_view json,
                                    std::string_view& text) {
  ArrayText array(array_, column.delimiter);
  JsonArray elements(json);
  while (true) {
    switch (elements.next()) {
      case JsonArray::Step::kOpens:
        array.open();
        continue;
      case JsonArray::Step::kCloses:
        array.close();
        continue;
      case JsonArray::Step::kBroken:
        return ConversionError::kSyntax;
      case JsonArray::Step::kEnd:
        text = array_;
        return ConversionError::kNone;
      case JsonArray::Step::kElement:
        break;
    }
    const Value& element = elements.element();
    if (element.type == Type::kNull) {
      array.null();
      continue;
    }
    std::string_view inside;
    if (ConversionError error = convert(column.element, element, inside);
        error != ConversionError::kNone)
      return error;
    array.add(inside);
  }
}

}  // namespace leat::postgres
