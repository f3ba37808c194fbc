#include "connectors/postgres/encode.h"

#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/double_text.h"
#include "base/text.h"
#include "base/time_format.h"
#include "connectors/postgres/numeric.h"
#include "connectors/postgres/times.h"

namespace leat::postgres {
namespace {

constexpr size_t kLongestField = 1'000'000'000;  // the server takes less than 1 GiB

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool same_word(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i)
    if ((text[i] | 0x20) != (lower[i] | 0x20)) return false;
  return true;
}

// The number in a text, as number_from_text() makes it; kAbsent when it is none.
Value number_in(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  if (text.empty() || json_number_length(text) != text.size()) return Value::absent();
  return number_from_text(text);
}

// "NaN", "Infinity", "-inf", …
bool special_number(std::string_view text, double& number) {
  text = trimmed(text);
  bool negative = text.starts_with('-');
  std::string_view word = negative ? text.substr(1) : text;
  if (same_word(word, "infinity") || same_word(word, "inf")) {
    number = negative ? -HUGE_VAL : HUGE_VAL;
    return true;
  }
  number = std::numeric_limits<double>::quiet_NaN();
  return same_word(text, "nan");
}

Misfit read_integer(const Value& value, std::string_view string, int64_t& out) {
  switch (value.type) {
    case Type::kBool:
      out = value.integer;
      return Misfit::kNone;
    case Type::kInteger:
      out = integer_of(value);
      return Misfit::kNone;
    case Type::kFloat:
    case Type::kDecimal: {
      double number = real_of(value);
      constexpr double kBound = 9223372036854775808.0;  // 2^63
      if (!(number >= -kBound && number < kBound)) return Misfit::kRange;
      if (number != std::trunc(number)) return Misfit::kFraction;
      constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it a double has lost digits
      if (value.type == Type::kDecimal && std::fabs(number) > kExact) return Misfit::kRange;
      out = static_cast<int64_t>(number);
      return Misfit::kNone;
    }
    case Type::kString: {
      Value number = number_in(string);
      if (number.type == Type::kAbsent) return Misfit::kSyntax;
      return read_integer(number, {}, out);
    }
    default:
      return Misfit::kType;
  }
}

Misfit read_real(const Value& value, std::string_view string, double& out) {
  switch (value.type) {
    case Type::kBool:
      out = static_cast<double>(value.integer);
      return Misfit::kNone;
    case Type::kInteger:
    case Type::kFloat:
    case Type::kDecimal:
      out = real_of(value);
      // An infinity that is meant is no text.
      if (value.is_text() && std::isinf(out)) return Misfit::kRange;
      return Misfit::kNone;
    case Type::kString: {
      if (special_number(string, out)) return Misfit::kNone;
      Value number = number_in(string);
      if (number.type == Type::kAbsent) return Misfit::kSyntax;
      return read_real(number, {}, out);
    }
    default:
      return Misfit::kType;
  }
}

Misfit append_integer(Buffer& out, Kind kind, const Value& value, std::string_view string) {
  int64_t number = 0;
  if (Misfit misfit = read_integer(value, string, number); misfit != Misfit::kNone) return misfit;
  switch (kind) {
    case Kind::kInt2:
      if (number != static_cast<int16_t>(number)) return Misfit::kRange;
      out.append_int32(2);
      out.append_int16(static_cast<int16_t>(number));
      return Misfit::kNone;
    case Kind::kInt4:
      if (number != static_cast<int32_t>(number)) return Misfit::kRange;
      out.append_int32(4);
      out.append_int32(static_cast<int32_t>(number));
      return Misfit::kNone;
    default:
      out.append_int32(8);
      out.append_int64(number);
      return Misfit::kNone;
  }
}

Misfit append_real(Buffer& out, Kind kind, const Value& value, std::string_view string) {
  double number = 0;
  if (Misfit misfit = read_real(value, string, number); misfit != Misfit::kNone) return misfit;
  if (kind == Kind::kFloat8) {
    int64_t bits;
    std::memcpy(&bits, &number, sizeof bits);
    out.append_int32(8);
    out.append_int64(bits);
    return Misfit::kNone;
  }
  if (std::isfinite(number) && std::fabs(number) > static_cast<double>(FLT_MAX))
    return Misfit::kRange;
  auto single = static_cast<float>(number);
  int32_t bits;
  std::memcpy(&bits, &single, sizeof bits);
  out.append_int32(4);
  out.append_int32(bits);
  return Misfit::kNone;
}

Misfit append_exact(Buffer& out, const Column& column, const Value& value,
                    std::string_view string) {
  char digits[32];
  std::string_view text;
  switch (value.type) {
    case Type::kBool:
      text = value.integer != 0 ? "1" : "0";
      break;
    case Type::kInteger:
    case Type::kFloat:
    case Type::kDecimal:
      if (value.is_text()) {
        text = value.view();
        break;
      }
      if (value.type == Type::kFloat && std::isnan(value.real)) {
        append_numeric_nan(out);
        return Misfit::kNone;
      }
      if (value.type == Type::kFloat && std::isinf(value.real)) return Misfit::kRange;
      {
        char* end = value.type == Type::kFloat
                        ? write_double(digits, value.real)
                        : std::to_chars(digits, digits + sizeof digits, value.integer).ptr;
        text = {digits, static_cast<size_t>(end - digits)};
      }
      break;
    case Type::kString: {
      Value number = number_in(string);
      double special = 0;
      if (number.type != Type::kAbsent) {
        text = number.view();
      } else if (special_number(string, special)) {
        if (!std::isnan(special)) return Misfit::kRange;
        append_numeric_nan(out);
        return Misfit::kNone;
      } else {
        return Misfit::kSyntax;
      }
      break;
    }
    default:
      return Misfit::kType;
  }
  // Rounding to the scale may still add a digit; the server says so then.
  if (column.bounded_numeric && integer_digits(text) > std::max(column.integer_digits, 0))
    return Misfit::kRange;
  return append_numeric(out, text);
}

Misfit append_bool(Buffer& out, const Value& value, std::string_view string) {
  bool truth = false;
  if (value.type == Type::kBool) {
    truth = value.integer != 0;
  } else if (value.type == Type::kInteger) {
    int64_t number = integer_of(value);
    if (number != 0 && number != 1) return Misfit::kRange;
    truth = number == 1;
  } else if (value.type == Type::kString) {
    std::string_view word = trimmed(string);
    static constexpr std::string_view kTrue[] = {"true", "t", "yes", "y", "on", "1"};
    static constexpr std::string_view kFalse[] = {"false", "f", "no", "n", "off", "0"};
    bool known = false;
    for (std::string_view name : kTrue)
      if (same_word(word, name)) known = truth = true;
    for (std::string_view name : kFalse)
      if (same_word(word, name)) known = true;
    if (!known) return Misfit::kSyntax;
  } else {
    return Misfit::kType;
  }
  out.append_int32(1);
  out.append(static_cast<char>(truth ? 1 : 0));
  return Misfit::kNone;
}

// The ends of time, as the server writes them.
bool infinite(std::string_view text, bool& negative) {
  text = trimmed(text);
  negative = text == "-infinity";
  return negative || text == "infinity";
}

Misfit append_moment(Buffer& out, Kind kind, const Value& value, std::string_view string) {
  int64_t us = 0;
  bool negative = false;
  bool unending = false;
  if (value.type == Type::kTime) {
    us = value.integer;
  } else if (value.type == Type::kString) {
    std::string_view text = trimmed(string);
    unending = kind != Kind::kTime && infinite(text, negative);
    std::optional<int64_t> read;
    if (kind == Kind::kTime) read = read_time_of_day(text);
    if (!read && !unending) read = read_timestamp(text);
    if (!read && !unending) return Misfit::kSyntax;
    us = read.value_or(0);
  } else {
    return Misfit::kType;
  }
  if (kind == Kind::kDate) {
    int64_t day = day_of(us) - kEpochUs / kUsPerDay;
    if (unending) day = negative ? INT32_MIN : INT32_MAX;
    out.append_int32(4);
    out.append_int32(static_cast<int32_t>(day));
    return Misfit::kNone;
  }
  if (kind == Kind::kTime) {
    us -= day_of(us) * kUsPerDay;
  } else {
    us = unending ? (negative ? INT64_MIN : INT64_MAX) : us - kEpochUs;
  }
  out.append_int32(8);
  out.append_int64(us);
  return Misfit::kNone;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Pairs of hex digits; in a uuid, hyphens between them and braces around do not count.
Misfit append_hex(Buffer& out, std::string_view text, bool uuid) {
  if (uuid && text.size() > 2 && text.front() == '{' && text.back() == '}')
    text = text.substr(1, text.size() - 2);
  size_t start = out.size();
  out.append_int32(0);
  char* bytes = out.room(text.size() / 2 + 1);
  size_t n = 0;
  for (size_t i = 0; i < text.size();) {
    if (uuid && text[i] == '-' && n > 0) {
      ++i;
      continue;
    }
    int high = hex_digit(text[i]);
    int low = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
    if (high < 0 || low < 0) return Misfit::kSyntax;
    bytes[n++] = static_cast<char>(high * 16 + low);
    i += 2;
  }
  constexpr size_t kUuidSize = 16;
  if (uuid && n != kUuidSize) return Misfit::kSyntax;
  out.take(n);
  put_int32(out.data() + start, static_cast<int32_t>(n));
  return Misfit::kNone;
}

Misfit append_bytes(Buffer& out, const Value& value, std::string_view string) {
  std::string_view bytes = value.view();
  if (value.type == Type::kString) {
    if (string.starts_with("\\x")) return append_hex(out, string.substr(2), false);
    bytes = string;
  } else if (value.type != Type::kBytes && value.type != Type::kJson) {
    return Misfit::kType;
  }
  if (bytes.size() > kLongestField) return Misfit::kTooLong;
  out.append_int32(static_cast<int32_t>(bytes.size()));
  out.append(bytes);
  return Misfit::kNone;
}

}  // namespace

int64_t characters(std::string_view text) {
  int64_t count = 0;
  for (char c : text) count += (c & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

Misfit check_text(std::string_view text) {
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
    if (((word - kOnes) & kHigh) != 0) return Misfit::kNul;  // no high bits: exact
  }
  for (; ascii && left > 0; ++p, --left) {
    if (*p == '\0') return Misfit::kNul;
    if ((*p & 0x80) != 0) ascii = false;
    if (!ascii) break;
  }
  if (ascii) return Misfit::kNone;
  std::string_view rest(p, left);
  if (rest.find('\0') != std::string_view::npos) return Misfit::kNul;
  return is_utf8(rest) ? Misfit::kNone : Misfit::kUtf8;
}

// The meaning of a kString.
std::string_view FieldEncoder::plain_text(const Value& value) {
  if (value.form == Form::kPlain) return value.view();
  scratch_.clear();
  append_unescaped(scratch_, value.view());
  return scratch_;
}

Misfit FieldEncoder::append_text(Buffer& out, const Column& column, const Value& value) {
  std::string_view text;
  if (value.type == Type::kString) {
    text = plain_text(value);
  } else if (value.is_text() && value.type != Type::kBytes) {
    text = value.view();
  } else {
    scratch_.clear();
    leat::append_text(scratch_, value);
    text = scratch_;
  }
  if (text.size() > kLongestField) return Misfit::kTooLong;
  if (Misfit misfit = check_text(text); misfit != Misfit::kNone) return misfit;
  if (column.most_characters > 0 && text.size() > static_cast<size_t>(column.most_characters)) {
    // Blanks at the end that are too many are cut by the server, as the SQL standard wants it.
    size_t end = text.find_last_not_of(' ');
    std::string_view needed = text.substr(0, end == std::string_view::npos ? 0 : end + 1);
    if (characters(needed) > column.most_characters) return Misfit::kTooLong;
  }
  out.append_int32(static_cast<int32_t>(text.size()));
  out.append(text);
  return Misfit::kNone;
}

// A string that is a JSON array or object is taken for what it says: CSV and raw messages have no
// other way to say it. Any other string is a JSON string.
Misfit FieldEncoder::append_json(Buffer& out, bool with_version, const Value& value) {
  std::string_view text = value.view();
  if (value.type == Type::kString) {
    std::string_view inside = trimmed(plain_text(value));
    bool nested = inside.size() > 1 && (inside[0] == '{' || inside[0] == '[');
    if (nested && is_json(inside)) {
      text = inside;
    } else {
      if (Misfit misfit = check_text(plain_text(value)); misfit != Misfit::kNone) return misfit;
      text_.clear();
      leat::append_json(text_, value);
      text = text_;
    }
  } else if (value.type != Type::kJson) {
    text_.clear();
    leat::append_json(text_, value);
    text = text_;
  }
  if (text.size() > kLongestField) return Misfit::kTooLong;
  if (Misfit misfit = check_text(text); misfit != Misfit::kNone) return misfit;
  constexpr char kVersion = 1;  // jsonb_recv
  out.append_int32(static_cast<int32_t>(text.size() + (with_version ? 1 : 0)));
  if (with_version) out.append(kVersion);
  out.append(text);
  return Misfit::kNone;
}

Misfit FieldEncoder::append_binary(Buffer& out, const Column& column, const Value& value) {
  if (value.type == Type::kNull || value.type == Type::kAbsent) {
    out.append_int32(-1);
    return Misfit::kNone;
  }
  std::string_view string;
  switch (column.kind) {
    case Kind::kText:
      return append_text(out, column, value);
    case Kind::kJson:
    case Kind::kJsonb:
      return append_json(out, column.kind == Kind::kJsonb, value);
    case Kind::kArray:
    case Kind::kOther:
      return Misfit::kType;
    default:
      if (value.type == Type::kString) string = plain_text(value);
  }
  switch (column.kind) {
    case Kind::kBool:
      return append_bool(out, value, string);
    case Kind::kInt2:
    case Kind::kInt4:
    case Kind::kInt8:
      return append_integer(out, column.kind, value, string);
    case Kind::kFloat4:
    case Kind::kFloat8:
      return append_real(out, column.kind, value, string);
    case Kind::kNumeric:
      return append_exact(out, column, value, string);
    case Kind::kBytea:
      return append_bytes(out, value, string);
    case Kind::kDate:
    case Kind::kTime:
    case Kind::kTimestamp:
    case Kind::kTimestampTz:
      return append_moment(out, column.kind, value, string);
    case Kind::kUuid:
      if (value.type != Type::kString) return Misfit::kType;
      return append_hex(out, trimmed(string), true);
    default:
      return Misfit::kType;
  }
}

}  // namespace leat::postgres
