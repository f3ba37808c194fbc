#include "connectors/postgres/numeric.h"

#include <algorithm>
#include <charconv>

namespace leat::postgres {
namespace {

constexpr int16_t kPositive = 0x0000;
constexpr int16_t kNegative = 0x4000;
constexpr uint16_t kNan = 0xC000;
// Limits of the type (https://www.postgresql.org/docs/current/datatype-numeric.html).
constexpr int64_t kMostIntegerDigits = 131'072;
constexpr int64_t kMostDecimals = 16'383;

struct Number {
  bool negative = false;
  std::string_view whole;     // digits before the point
  std::string_view fraction;  // and behind it
  int64_t exponent = 0;

  // The digit at place `i` of whole and fraction together.
  char digit(size_t i) const { return i < whole.size() ? whole[i] : fraction[i - whole.size()]; }
  size_t digits() const { return whole.size() + fraction.size(); }
};

Number split(std::string_view text) {
  Number number;
  if (text.starts_with('-')) {
    number.negative = true;
    text.remove_prefix(1);
  }
  size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view exponent = text.substr(e + 1);
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    constexpr int64_t kBeyondAll = 1'000'000'000;
    auto [end, error] =
        std::from_chars(exponent.data(), exponent.data() + exponent.size(), number.exponent);
    if (error != std::errc())
      number.exponent = exponent.starts_with('-') ? -kBeyondAll : kBeyondAll;
    number.exponent = std::clamp(number.exponent, -kBeyondAll, kBeyondAll);
    text = text.substr(0, e);
  }
  size_t point = text.find('.');
  number.whole = text.substr(0, point);
  if (point != std::string_view::npos) number.fraction = text.substr(point + 1);
  return number;
}

// Index of the first digit that is not zero; digits() when all are.
size_t first_digit(const Number& number) {
  size_t first = 0;
  while (first < number.digits() && number.digit(first) == '0') ++first;
  return first;
}

}  // namespace

int64_t integer_digits(std::string_view text) {
  Number number = split(text);
  size_t first = first_digit(number);
  if (first == number.digits()) return 0;
  return std::max<int64_t>(
      0, static_cast<int64_t>(number.whole.size()) + number.exponent - static_cast<int64_t>(first));
}

void append_numeric_nan(Buffer& out) {
  out.append_int32(8);
  out.append_int16(0);
  out.append_int16(0);
  out.append_int16(static_cast<int16_t>(kNan));
  out.append_int16(0);
}

Misfit append_numeric(Buffer& out, std::string_view text) {
  Number number = split(text);
  // Place p stands for 10^p. The first digit's is:
  int64_t top = static_cast<int64_t>(number.whole.size()) - 1 + number.exponent;
  int64_t decimals =
      std::max<int64_t>(0, static_cast<int64_t>(number.fraction.size()) - number.exponent);
  size_t first = first_digit(number);
  size_t last = number.digits();  // behind the last that is not zero
  while (last > first && number.digit(last - 1) == '0') --last;
  top -= static_cast<int64_t>(first);
  if (first != last && top >= kMostIntegerDigits) return Misfit::kRange;
  if (decimals > kMostDecimals) return Misfit::kRange;

  // Groups of four digits, aligned at the decimal point: group g holds the places 4g … 4g+3.
  auto group_of = [](int64_t place) { return place >= 0 ? place / 4 : -((3 - place) / 4); };
  size_t start = out.size();
  (void)out.room(12);
  out.take(12);
  int64_t groups = 0;
  int64_t weight = 0;
  if (first != last) {
    weight = group_of(top);
    int64_t bottom = group_of(top - static_cast<int64_t>(last - first) + 1);
    groups = weight - bottom + 1;
    size_t next = first;
    int64_t place = top;
    for (int64_t group = weight; group >= bottom; --group) {
      int value = 0;
      for (int64_t p = group * 4 + 3; p >= group * 4; --p) {
        value *= 10;
        if (p != place || next == last) continue;
        value += number.digit(next) - '0';
        ++next;
        --place;
      }
      out.append_int16(static_cast<int16_t>(value));
    }
  }
  char* head = out.data() + start;
  put_int32(head, static_cast<int32_t>(out.size() - start - 4));
  put_int16(head + 4, static_cast<int16_t>(groups));
  put_int16(head + 6, static_cast<int16_t>(weight));
  put_int16(head + 8, number.negative && groups > 0 ? kNegative : kPositive);
  put_int16(head + 10, static_cast<int16_t>(decimals));
  return Misfit::kNone;
}

}  // namespace leat::postgres
