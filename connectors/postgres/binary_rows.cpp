#include "connectors/postgres/binary_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>

#include "base/big_endian.h"
#include "base/double_text.h"
#include "base/hex.h"
#include "connectors/postgres/row_values.h"
#include "connectors/postgres/times.h"
#include "protocols/postgres/wire.h"

namespace leat::postgres {
namespace {

constexpr uint32_t kFloat4 = 700;  // catalog/pg_type.dat
constexpr uint32_t kTimestamptz = 1184;
constexpr uint32_t kJsonb = 3802;

constexpr int64_t kUsPerDay = 86'400'000'000;
constexpr int64_t kDaysTo2000 = 10'957;  // since 1970
constexpr int64_t kUsTo2000 = kDaysTo2000 * kUsPerDay;
// The calendar repeats itself.
constexpr int kCycle = 400;  // years
constexpr int64_t kDaysPerCycle = 146'097;

// "12026-01-02…" so many years later.
std::string later(const std::string& text, int64_t years) {
  char* behind = nullptr;
  const int64_t year = std::strtol(text.c_str(), &behind, 10);
  return std::to_string(year + years) + behind;
}

// Days since 2000, some of which are farther away than microseconds can be counted.
std::string date_of(int32_t days) {
  constexpr int32_t kFar = 100'000'000;
  if (days == INT32_MAX) return "infinity";
  if (days == INT32_MIN) return "-infinity";
  const int64_t cycles = std::max(0, days - kFar) / kDaysPerCycle;
  std::string text;
  write_date((days - cycles * kDaysPerCycle + kDaysTo2000) * kUsPerDay, text);
  return cycles == 0 ? text : later(text, cycles * kCycle);
}

// From RFC 3339's form: without zeros at the end of the fraction.
std::string without_zeros(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  return text.substr(0, text.find_last_not_of('0') + 1);
}

// "0044-03-15T12:00:00.500Z BC" as the server writes it: "0044-03-15 12:00:00.5+00 BC".
std::string as_of_server(std::string text, std::string_view zone) {
  const size_t end = text.find('Z');
  if (end == std::string::npos) return text;
  text[text.find('T')] = ' ';
  return without_zeros(text.substr(0, end)).append(zone) + text.substr(end + 1);
}

Value timestamp_of(int64_t us, std::string_view zone, Arena& arena) {
  std::string text;
  int64_t unix_us = 0;
  if (us == INT64_MAX || us == INT64_MIN) {
    text = us > 0 ? "infinity" : "-infinity";
  } else if (__builtin_add_overflow(us, kUsTo2000, &unix_us)) {
    write_timestamp(us - kDaysPerCycle * kUsPerDay + kUsTo2000, text);
    text = later(text, kCycle);
  } else if (is_of_four_digits(unix_us)) {
    return Value::of_time(unix_us);
  } else {
    write_timestamp(unix_us, text);
  }
  return Value::of_text(Type::kString, arena.copy(as_of_server(text, zone)));
}

std::string time_of_day(int64_t us) {
  std::string text = "24:00:00";
  if (us < kUsPerDay) write_time_of_day(us, text);
  return without_zeros(text);
}

// As the server writes a number of these digits, which have an exponent or none: plain where the
// first digit stands at 10^-4 to 10^`most`.
std::string server_text(std::string_view number, int most) {
  std::string digits;
  int first = -1;  // its place: 0 for units
  bool point = false;
  for (size_t i = number[0] == '-' ? 1 : 0; i < number.size(); ++i) {
    const char c = number[i];
    if (c == 'e') {
      first += std::atoi(std::string(number.substr(i + 1)).c_str());
      break;
    }
    if (c == '.') {
      point = true;
    } else {
      if (!digits.empty() || c != '0') digits += c;
      if (digits.empty() ? point : !point) first += point ? -1 : 1;
    }
  }
  while (!digits.empty() && digits.back() == '0') digits.pop_back();
  std::string out = number[0] == '-' ? "-" : "";
  if (digits.empty()) return out + "0";
  const auto count = static_cast<int>(digits.size());
  if (first < -4 || first > most) {
    char exponent[8] = "";
    (void)std::snprintf(exponent, sizeof exponent, "e%+03d", first);
    if (count > 1) digits.insert(1, ".");
    return out + digits + exponent;
  }
  if (first < 0) return out + "0." + std::string(static_cast<size_t>(-first - 1), '0') + digits;
  if (count <= first + 1)
    return out + digits + std::string(static_cast<size_t>(first + 1 - count), '0');
  return out + digits.insert(static_cast<size_t>(first) + 1, ".");
}

// A float4 or float8, of which `write` writes the fewest digits that read back as the same number;
// the server writes those of more than `most` places with an exponent.
template <class Number, class Bits>
std::string float_text(Bits bits, char* (*write)(char*, Number)) {
  const auto number = std::bit_cast<Number>(bits);
  if (!std::isfinite(number))
    return std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
  char text[kDoubleTextSize];
  return server_text({text, static_cast<size_t>(write(text, number) - text)},
                     std::numeric_limits<Number>::digits10 - 1);
}

// Digits to the base of 10,000: how many, the weight of the first, the sign, and how many decimal
// ones stand behind the point.
bool numeric_of(std::string_view bytes, std::string& out) {
  BodyReader reader(bytes);
  const int count = reader.int16();
  const int weight = reader.int16();
  const auto sign = static_cast<uint16_t>(reader.int16());
  const int scale = reader.int16();
  if (!reader.ok()) return false;
  if (sign == 0xC000) out = "NaN";
  if (sign == 0xD000) out = "Infinity";
  if (sign == 0xF000) out = "-Infinity";
  if (!out.empty()) return true;
  std::vector<int> digits;
  for (int i = 0; i < count && reader.ok(); ++i) digits.push_back(reader.int16());
  if (!reader.ok() || !reader.at_end() || scale < 0) return false;
  auto group = [&](int place, bool padded) {
    const bool there = place >= 0 && static_cast<size_t>(place) < digits.size();
    std::string text = std::to_string(there ? digits[static_cast<size_t>(place)] : 0);
    return padded ? std::string(4 - std::min<size_t>(4, text.size()), '0') + text : text;
  };
  if (sign != 0) out += '-';
  out += group(weight < 0 ? -1 : 0, false);
  for (int place = 1; place <= weight; ++place) out += group(place, true);
  if (scale == 0) return true;
  out += '.';
  const size_t end = out.size() + static_cast<size_t>(scale);
  for (int place = weight + 1; out.size() < end; ++place) out += group(place, true);
  out.resize(end);
  return true;
}

std::string uuid_of(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    append_hex(out, static_cast<uint8_t>(bytes[i]));
  }
  return out;
}

bool is_known(const BinaryRows::Field& field) {
  switch (field.kind) {
    case Kind::kArray:
    case Kind::kOther:
      return false;
    case Kind::kText: {  // an enum is one, too; its text would do, but its type is of one database
      constexpr uint32_t kTexts[] = {19, 25, 1042, 1043};  // name, text, char(n), varchar(n)
      return std::ranges::find(kTexts, field.type) != std::end(kTexts);
    }
    default:
      return true;
  }
}

// What the server's text would become (value_of()). Null: it is not of the type.
Value value_in(const BinaryRows::Field& field, std::string_view bytes, Arena& arena) {
  auto is = [&bytes](size_t size) { return bytes.size() == size; };
  auto number = [&bytes]<typename Unsigned>(Unsigned) {
    return read_big_endian<Unsigned>(bytes.data());
  };
  auto text = [&arena, &field](std::string_view value) {
    const std::string_view copy = arena.copy(value);
    return value_of(field.kind, {const_cast<char*>(copy.data()), copy.size()});
  };
  switch (field.kind) {
    case Kind::kBool:
      return is(1) ? Value::boolean(bytes[0] != 0) : Value::null();
    case Kind::kInt2:
      return is(2) ? Value::of_integer(static_cast<int16_t>(number(uint16_t{}))) : Value::null();
    case Kind::kInt4:
      return is(4) ? Value::of_integer(static_cast<int32_t>(number(uint32_t{}))) : Value::null();
    case Kind::kInt8:
      return is(8) ? Value::of_integer(static_cast<int64_t>(number(uint64_t{}))) : Value::null();
    case Kind::kFloat:
      if (!is(field.type == kFloat4 ? 4 : 8)) return Value::null();
      return text(is(4) ? float_text(number(uint32_t{}), write_float)
                        : float_text(number(uint64_t{}), write_double));
    case Kind::kNumeric: {
      std::string digits;
      return numeric_of(bytes, digits) ? text(digits) : Value::null();
    }
    case Kind::kTimestamp:
      return is(8) ? timestamp_of(static_cast<int64_t>(number(uint64_t{})),
                                  field.type == kTimestamptz ? "+00" : "", arena)
                   : Value::null();
    case Kind::kDate:
      return is(4) ? text(date_of(static_cast<int32_t>(number(uint32_t{})))) : Value::null();
    case Kind::kTime:
      return is(8) ? text(time_of_day(static_cast<int64_t>(number(uint64_t{})))) : Value::null();
    case Kind::kUuid:
      return is(16) ? text(uuid_of(bytes)) : Value::null();
    case Kind::kBytea:
      return Value::of_text(Type::kBytes, arena.copy(bytes));
    case Kind::kJson:
      if (field.type == kJsonb && !bytes.empty()) bytes.remove_prefix(1);  // its version
      return text(bytes);
    case Kind::kText:
      return text(bytes);
    case Kind::kArray:
    case Kind::kOther:
      break;
  }
  return Value::null();
}

}  // namespace

std::shared_ptr<const BinaryRows> BinaryRows::of(std::vector<Field> fields) {
  if (!std::ranges::all_of(fields, is_known)) return nullptr;
  return std::shared_ptr<const BinaryRows>(new BinaryRows(std::move(fields)));
}

Value* BinaryRows::values_of(std::string_view row, Arena& arena) const {
  Value* values = arena.array<Value>(fields_.size());
  BodyReader reader(row);
  (void)reader.int16();
  for (size_t i = 0; i < fields_.size(); ++i) {
    const int32_t size = reader.int32();
    values[i] = !reader.ok() || size < 0
                    ? Value::null()
                    : value_in(fields_[i], reader.bytes(static_cast<size_t>(size)), arena);
  }
  return values;
}

namespace {

const BinaryRows* form_of(const Part& part) {
  return static_cast<const BinaryRows*>(part.batch->rows.get());
}

bool are_alike(const Part& one, const Part& other) {
  if (form_of(one) == form_of(other)) return true;
  if (form_of(other) == nullptr || form_of(one)->fields() != form_of(other)->fields()) return false;
  const Shape& names = *one.batch->records[one.first].shape;
  const Shape& others = *other.batch->records[other.first].shape;
  bool same = names.size() == others.size();
  for (size_t i = 0; same && i < names.size(); ++i) same = names.name(i) == others.name(i);
  return same;
}

}  // namespace

const BinaryRows* rows_of(const Delivery& delivery) {
  const Part* first = nullptr;
  for (const Part& part : delivery.parts) {
    if (part.count == 0) continue;
    if (first == nullptr) first = &part;
    if (form_of(*first) == nullptr || !are_alike(*first, part)) return nullptr;
  }
  return first == nullptr ? nullptr : form_of(*first);
}

void open_rows(const Delivery& delivery) {
  for (const Part& part : delivery.parts) part.batch->open_rows();
}

}  // namespace leat::postgres
