// One field's value: 16 bytes, trivially copyable. Text points into memory the batch owns.
//
// A decoder does not convert what nobody may look at: a number read from JSON or CSV stays the
// text it was ("kText"), is converted when an expression touches it, and is written out unchanged
// otherwise. That is both faster and exact ("44.50" stays "44.50").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat {

enum class Type : uint8_t {
  kAbsent,  // the record has no such field (not the same as null)
  kNull,
  kBool,
  kInteger,  // int64
  kFloat,    // double
  kDecimal,  // exact number that int64 and double cannot hold: always kText
  kString,   // UTF-8
  kBytes,
  kTime,  // microseconds since the Unix epoch, UTC
  kJson,  // nested array or object, as its JSON text
};

const char* type_name(Type type);  // "integer"; also the names used in config (csv columns)

enum class Form : uint8_t {
  kPlain,  // number in `integer`/`real`; or text in `text`,`size` exactly as it is meant
  kText,   // kInteger, kFloat, kDecimal: the number's text, in the grammar of RFC 8259 section 6.
           // kString: the inside of a JSON string that has escapes in it (RFC 8259 section 7)
};

struct Value {
  Type type = Type::kAbsent;
  Form form = Form::kPlain;
  uint32_t size = 0;  // of text
  union {
    int64_t integer = 0;  // kInteger, kTime, kBool (0 or 1)
    double real;          // kFloat
    const char* text;     // kString, kBytes, kJson, kDecimal, and numbers in kText form
  };

  std::string_view view() const { return {text, size}; }
  bool is_text() const {
    return form == Form::kText || type == Type::kString || type == Type::kBytes ||
           type == Type::kJson || type == Type::kDecimal;
  }

  static Value absent() { return {}; }
  static Value null() { return of(Type::kNull, 0); }
  static Value boolean(bool b) { return of(Type::kBool, b ? 1 : 0); }
  static Value of_integer(int64_t i) { return of(Type::kInteger, i); }
  static Value of_time(int64_t unix_us) { return of(Type::kTime, unix_us); }
  static Value of_float(double d) {
    Value v;
    v.type = Type::kFloat;
    v.real = d;
    return v;
  }
  static Value of_text(Type type, std::string_view text, Form form = Form::kPlain) {
    Value v;
    v.type = type;
    v.form = form;
    v.size = static_cast<uint32_t>(text.size());
    v.text = text.data();
    return v;
  }

 private:
  static Value of(Type type, int64_t integer) {
    Value v;
    v.type = type;
    v.integer = integer;
    return v;
  }
};
static_assert(sizeof(Value) == 16);

// The number in a kInteger of either form.
int64_t integer_of(const Value& value);
// The number in a kInteger, kFloat or kDecimal of either form, rounded to double.
double real_of(const Value& value);

// Classifies a number's text (already known to follow RFC 8259 section 6): kInteger when it fits
// int64, kFloat when a double holds it exactly enough to be useful (up to 17 significant digits
// and in range), kDecimal otherwise. Always kText form.
Value number_from_text(std::string_view text);
// Length of the JSON number at the start of `text`, 0 when there is none.
size_t json_number_length(std::string_view text);

// Appends the meaning of a kString (escapes resolved; RFC 8259 section 7). Lone surrogates become
// U+FFFD.
void append_unescaped(std::string& out, std::string_view json_string_inside);

// Text of a value for people and for text columns: "44.50", "true", "2026-01-02T03:04:05Z"; null
// and absent are empty, bytes are base64.
void append_text(std::string& out, const Value& value);
// The value as JSON (RFC 8259): time as an RFC 3339 string, bytes as a base64 string, absent as
// null; NaN and infinities, which it has not, as the strings "NaN", "Infinity" and "-Infinity".
void append_json(std::string& out, const Value& value);

}  // namespace leat
