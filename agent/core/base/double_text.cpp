#include "base/double_text.h"

#define FMT_HEADER_ONLY
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>

namespace leat {
namespace {

char* write_zeros(char* at, int count) {
  std::memset(at, '0', static_cast<size_t>(count));
  return at + count;
}

char* write_bytes(char* at, const char* from, int count) {
  std::memcpy(at, from, static_cast<size_t>(count));
  return at + count;
}

// 0.00ddd, ddd.ddd or ddd000: `point` digits stand before the point.
char* write_plain(char* at, const char* digits, int count, int point) {
  if (point <= 0) {
    *at++ = '0';
    *at++ = '.';
    return write_bytes(write_zeros(at, -point), digits, count);
  }
  if (point >= count) return write_zeros(write_bytes(at, digits, count), point - count);
  at = write_bytes(at, digits, point);
  *at++ = '.';
  return write_bytes(at, digits + point, count - point);
}

// d.ddde±xx
char* write_scientific(char* at, const char* digits, int count, int exponent) {
  *at++ = digits[0];
  if (count > 1) {
    *at++ = '.';
    at = write_bytes(at, digits + 1, count - 1);
  }
  *at++ = 'e';
  *at++ = exponent < 0 ? '-' : '+';
  exponent = std::abs(exponent);
  if (exponent < 10) *at++ = '0';
  return std::to_chars(at, at + 3, exponent).ptr;
}

int plain_size(int count, int point) {
  if (point <= 0) return 2 - point + count;
  return point >= count ? point : count + 1;
}

int scientific_size(int count, int exponent) {
  return count + (count > 1 ? 1 : 0) + (std::abs(exponent) < 100 ? 4 : 5);
}

template <class Number>
char* write(char* at, Number value) {
  if (std::signbit(value)) *at++ = '-';
  if (value == 0) {
    *at++ = '0';
    return at;
  }
  auto decimal = fmt::detail::dragonbox::to_decimal(std::fabs(value));
  char digits[20];
  int count = static_cast<int>(
      std::to_chars(digits, digits + sizeof digits, decimal.significand).ptr - digits);
  while (count > 1 && digits[count - 1] == '0') {
    --count;
    ++decimal.exponent;
  }
  const int point = count + decimal.exponent;
  if (plain_size(count, point) <= scientific_size(count, point - 1)) {
    return write_plain(at, digits, count, point);
  }
  return write_scientific(at, digits, count, point - 1);
}

}  // namespace

char* write_double(char* at, double value) {
  return write(at, value);
}
char* write_float(char* at, float value) {
  return write(at, value);
}

}  // namespace leat
