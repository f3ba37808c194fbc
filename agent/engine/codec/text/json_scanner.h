// Scans and validates JSON values (RFC 8259) without converting them: a number stays its text, a
// string stays a slice. The CSV decoder uses number() too.
//
// Scanning functions return the place just behind what they read, or null; then error_at() and
// error_text() say where and why.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/swar.h"
#include "record/value.h"

namespace leat {

// Which numbers are taken: any that can be written, as RFC 8259 has it, or only those that are
// finite as a double.
enum class Numbers : uint8_t { kAny, kDoubles };

class JsonScanner {
 public:
  // Containers inside each other, the record's own object included. Deeper input is refused: nobody
  // means it, and stages behind us may recurse. 64 lets nested() keep its stack in one word.
  static constexpr int kMaxDepth = 64;

  // `newline_is_space`: false for one record a line, where a newline always ends the record.
  explicit JsonScanner(bool newline_is_space, Numbers numbers = Numbers::kAny)
      : newline_is_space_(newline_is_space), numbers_(numbers) {}

  // Nothing at or behind `end` is read.
  void set_end(const char* end) { end_ = end; }
  const char* end() const { return end_; }
  bool newline_is_space() const { return newline_is_space_; }
  const char* error_at() const { return error_at_; }
  const char* error_text() const { return error_text_; }

  const char* skip_space(const char* p) const {
    while (p < end_ && (*p == ' ' || *p == '\t' || *p == '\r' || (*p == '\n' && newline_is_space_)))
      ++p;
    return p;
  }

  // Any value; `p` is at its first byte or at space before it.
  const char* value(const char* p, Value& out) {
    if (p < end_) {
      if (*p == '"') return string(p + 1, out);
      if (*p == '-' || is_digit(*p)) return number(p, out);
    }
    return literal_or_nested(p, out);
  }

  // A string; `p` is just behind its opening quote.
  const char* string(const char* p, Value& out);
  // A number; `p` is at its first byte. Classified as number_from_text() does.
  const char* number(const char* p, Value& out);
  // `"name" :` with the space around, up to the value. `name` is the inside of the quotes.
  const char* member_name(const char* p, Value& name);

  std::nullptr_t fail(const char* at, const char* text) {
    error_at_ = at;
    error_text_ = text;
    return nullptr;
  }

 private:
  static bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

  const char* skip_digits(const char* p) const;
  const char* number_slow(const char* start, const char* p, Value& out);
  const char* escape(const char* p);
  const char* finish_string(const char* start, const char* quote, bool escaped, bool high,
                            Value& out);
  const char* bad_string(const char* p);
  const char* literal_or_nested(const char* p, Value& out);
  const char* literal(const char* p, std::string_view word, const Value& meaning, Value& out);
  const char* nested(const char* p, Value& out);

  const char* end_ = nullptr;
  const char* error_at_ = nullptr;
  const char* error_text_ = "";
  bool newline_is_space_;
  Numbers numbers_;
};

// The whole of `json` as the value it means (RFC 8259 section 2): text that was made elsewhere is
// JSON only when this says so. Error: kData, what is wrong and where.
Result<Value> value_of_json(std::string_view json, Numbers numbers = Numbers::kAny);

// The hot three are inline: the decoder's loop is little else.

inline const char* JsonScanner::skip_digits(const char* p) const {
  for (; end_ - p >= swar::kSize; p += swar::kSize) {
    swar::Word other = swar::non_digit(swar::load(p));
    if (other != 0) return p + swar::first_byte(other);
  }
  while (p < end_ && is_digit(*p)) ++p;
  return p;
}

inline const char* JsonScanner::number(const char* start, Value& out) {
  const char* whole = *start == '-' ? start + 1 : start;
  const char* p = skip_digits(whole);
  std::ptrdiff_t digits = p - whole;
  if (digits == 0 || (digits > 1 && *whole == '0')) return number_slow(start, p, out);
  Type type = Type::kInteger;
  std::ptrdiff_t most = 18;  // that many digits always fit int64
  if (p < end_ && *p == '.') {
    const char* fraction = p + 1;
    p = skip_digits(fraction);
    if (p == fraction) return number_slow(start, p, out);
    digits += p - fraction;
    type = Type::kFloat;
    most = 17;  // that many identify a double (IEEE 754)
  }
  if (digits > most || (p < end_ && (*p | 0x20) == 'e')) return number_slow(start, p, out);
  out = Value::of_text(type, {start, static_cast<size_t>(p - start)}, Form::kText);
  return p;
}

inline const char* JsonScanner::string(const char* start, Value& out) {
  const char* p = start;
  swar::Word high = 0;
  bool escaped = false;
  for (;;) {
    if (end_ - p >= swar::kSize) {
      swar::Word word = swar::load(p);
      swar::Word special = swar::json_special(word);
      if (special == 0) {
        high |= word;
        p += swar::kSize;
        continue;
      }
      high |= word & swar::before_first(special);
      p += swar::first_byte(special);
    } else {
      for (; p < end_ && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) >= 0x20; ++p)
        high |= static_cast<unsigned char>(*p);
      if (p == end_) return bad_string(p);
    }
    if (*p == '"') break;
    if (*p != '\\') return bad_string(p);
    p = escape(p);
    if (p == nullptr) return nullptr;
    escaped = true;
  }
  if (escaped || (high & swar::kHigh) != 0)
    return finish_string(start, p, escaped, (high & swar::kHigh) != 0, out);
  out = Value::of_text(Type::kString, {start, static_cast<size_t>(p - start)});
  return p + 1;
}

}  // namespace leat
