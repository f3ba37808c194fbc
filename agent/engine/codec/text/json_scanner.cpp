#include "codec/text/json_scanner.h"

#include <cmath>

#include "base/text.h"

namespace leat {
namespace {

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

// Everything that is not plain and short: long numbers, exponents, and what is wrong. `p` is where
// the fast scan stopped.
const char* JsonScanner::number_slow(const char* start, const char* p, Value& out) {
  const char* whole = *start == '-' ? start + 1 : start;
  p = skip_digits(whole);
  if (p == whole) return fail(p, "expected a digit after '-'");
  if (p - whole > 1 && *whole == '0') return fail(whole, "a number cannot start with 0");
  if (p < end_ && *p == '.') {
    const char* fraction = p + 1;
    p = skip_digits(fraction);
    if (p == fraction) return fail(p, "expected a digit after '.'");
  }
  if (p < end_ && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p < end_ && (*p == '+' || *p == '-')) ++p;
    const char* exponent = p;
    p = skip_digits(exponent);
    if (p == exponent) return fail(p, "expected a digit in the exponent");
  }
  out = number_from_text({start, static_cast<size_t>(p - start)});
  if (numbers_ == Numbers::kDoubles && std::isinf(real_of(out)))
    return fail(start, "a number beyond those of a double");
  return p;
}

// `p` is at a backslash. Returns the place behind the escape (RFC 8259 section 7).
const char* JsonScanner::escape(const char* p) {
  if (end_ - p < 2) return fail(end_, "string without closing quote");
  constexpr std::string_view kSimple = "\"\\/bfnrt";
  if (kSimple.find(p[1]) != std::string_view::npos) return p + 2;
  if (p[1] != 'u') return fail(p, "unknown escape in a string");
  for (int i = 2; i < 6; ++i)
    if (p + i >= end_ || !is_hex(p[i])) return fail(p, "expected four hex digits after \\u");
  return p + 6;
}

const char* JsonScanner::finish_string(const char* start, const char* quote, bool escaped,
                                       bool high, Value& out) {
  std::string_view inside(start, static_cast<size_t>(quote - start));
  if (high && !is_utf8(inside)) return fail(start, "invalid UTF-8 in a string");
  out = Value::of_text(Type::kString, inside, escaped ? Form::kText : Form::kPlain);
  return quote + 1;
}

// `p` is where a string stopped without its quote.
const char* JsonScanner::bad_string(const char* p) {
  if (p == end_ || (*p == '\n' && !newline_is_space_))
    return fail(p, "string without closing quote");
  return fail(p, *p == '\0' ? "NUL byte in a string" : "control character in a string");
}

const char* JsonScanner::literal(const char* p, std::string_view word, const Value& meaning,
                                 Value& out) {
  std::string_view rest(p, static_cast<size_t>(end_ - p));
  if (!rest.starts_with(word)) return fail(p, "expected a value");
  out = meaning;
  return p + word.size();
}

const char* JsonScanner::literal_or_nested(const char* p, Value& out) {
  if (p >= end_) return fail(p, "expected a value");
  switch (*p) {
    case 't':
      return literal(p, "true", Value::boolean(true), out);
    case 'f':
      return literal(p, "false", Value::boolean(false), out);
    case 'n':
      return literal(p, "null", Value::null(), out);
    case '{':
    case '[':
      return nested(p, out);
    case ' ':
    case '\t':
    case '\r':
    case '\n': {  // where the decoder predicted less space than there is
      const char* start = skip_space(p);
      if (start == p) return fail(p, "expected a value");
      return value(start, out);
    }
    default:
      return fail(p, "expected a value");
  }
}

const char* JsonScanner::member_name(const char* p, Value& name) {
  if (p >= end_ || *p != '"') return fail(p, "expected a name in quotes");
  p = string(p + 1, name);
  if (p == nullptr) return nullptr;
  p = skip_space(p);
  if (p >= end_ || *p != ':') return fail(p, "expected ':'");
  return skip_space(p + 1);
}

// Without recursion: `objects` has one bit for each open container, the innermost lowest.
const char* JsonScanner::nested(const char* start, Value& out) {
  const char* p = start;
  uint64_t objects = 0;
  int depth = 0;
  Value ignored;
  for (;;) {  // p is at the first byte of a value
    bool empty = false;
    if (p < end_ && (*p == '{' || *p == '[')) {
      if (depth + 1 >= kMaxDepth) return fail(p, "nested more than 64 levels deep");
      ++depth;
      bool object = *p == '{';
      objects = objects << 1 | (object ? 1 : 0);
      p = skip_space(p + 1);
      empty = p < end_ && *p == (object ? '}' : ']');
      if (!empty) {
        if (object) p = member_name(p, ignored);
        if (p == nullptr) return nullptr;
        continue;
      }
    } else {
      p = value(p, ignored);  // neither space nor a container, so this does not recurse
      if (p == nullptr) return nullptr;
      p = skip_space(p);
    }
    // Behind a value, or at the end of an empty container: closes what ends here.
    for (;;) {
      bool object = (objects & 1) != 0;
      if (p < end_ && *p == (object ? '}' : ']')) {
        ++p;
        objects >>= 1;
        if (--depth == 0) {
          out = Value::of_text(Type::kJson, {start, static_cast<size_t>(p - start)});
          return p;
        }
        p = skip_space(p);
        continue;
      }
      if (p >= end_ || *p != ',')
        return fail(p, object ? "expected ',' or '}'" : "expected ',' or ']'");
      p = skip_space(p + 1);
      if (object) p = member_name(p, ignored);
      if (p == nullptr) return nullptr;
      break;
    }
  }
}

Result<Value> value_of_json(std::string_view json, Numbers numbers) {
  JsonScanner scanner(true, numbers);
  const char* start = json.data();
  scanner.set_end(start + json.size());
  Value out;
  const char* p = scanner.value(start, out);
  if (p != nullptr) p = scanner.skip_space(p);
  if (p != nullptr && p == scanner.end()) return out;
  if (p != nullptr) scanner.fail(p, "expected nothing behind the value");
  return ::leat::fail(ErrorKind::kData, "invalid JSON at character " +
                                            std::to_string(scanner.error_at() - start + 1) + ": " +
                                            scanner.error_text());
}

}  // namespace leat
