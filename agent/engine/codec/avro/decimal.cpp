#include "codec/avro/decimal.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

namespace leat {
namespace {

void negate(std::string& bytes) {
  bool carry = true;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
    const auto flipped =
        static_cast<unsigned>(static_cast<unsigned char>(~*byte)) + (carry ? 1U : 0U);
    *byte = static_cast<char>(flipped);
    carry = flipped > 0xff;
  }
}

}  // namespace

std::string avro_decimal_text(std::string_view bytes, int scale) {
  std::string magnitude(bytes);
  const bool negative = !bytes.empty() && static_cast<signed char>(bytes[0]) < 0;
  if (negative) negate(magnitude);
  // Digits, nine at a time, the lowest first.
  constexpr uint64_t kNine = 1'000'000'000;
  std::vector<uint32_t> groups;
  for (char byte : magnitude) {
    uint64_t carry = static_cast<unsigned char>(byte);
    for (uint32_t& group : groups) {
      carry += static_cast<uint64_t>(group) << 8;
      group = static_cast<uint32_t>(carry % kNine);
      carry /= kNine;
    }
    if (carry > 0) groups.push_back(static_cast<uint32_t>(carry));
  }
  std::string digits;
  for (uint32_t group : groups)
    for (int i = 0; i < 9; ++i, group /= 10) digits += static_cast<char>('0' + group % 10);
  const auto behind = static_cast<size_t>(scale);
  while (digits.size() > behind + 1 && digits.back() == '0') digits.pop_back();
  while (digits.size() < behind + 1) digits += '0';
  if (behind > 0) digits.insert(behind, 1, '.');
  if (negative) digits += '-';
  std::ranges::reverse(digits);
  return digits;
}

std::optional<std::string> avro_decimal_bytes(std::string_view text, int precision, int scale) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  int64_t exponent = 0;
  if (const size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view power = text.substr(e + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    if (std::from_chars(power.data(), power.data() + power.size(), exponent).ec != std::errc())
      return std::nullopt;
    text = text.substr(0, e);
  }
  std::string digits(text);
  if (const size_t point = digits.find('.'); point != std::string::npos) {
    exponent -= static_cast<int64_t>(digits.size() - point - 1);
    digits.erase(point, 1);
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  if (digits.empty()) return std::string(1, '\0');
  const int64_t zeros = exponent + scale;
  if (zeros < 0 || zeros > precision || static_cast<int64_t>(digits.size()) + zeros > precision)
    return std::nullopt;
  digits.append(static_cast<size_t>(zeros), '0');
  std::string bytes;  // the lowest first
  for (char digit : digits) {
    unsigned carry = static_cast<unsigned>(digit - '0');
    for (char& byte : bytes) {
      carry += static_cast<unsigned>(static_cast<unsigned char>(byte)) * 10;
      byte = static_cast<char>(carry);
      carry >>= 8;
    }
    if (carry > 0) bytes += static_cast<char>(carry);
  }
  if (static_cast<signed char>(bytes.back()) < 0) bytes += '\0';
  std::ranges::reverse(bytes);
  if (!negative) return bytes;
  negate(bytes);
  // -128 needs no byte more than 127.
  while (bytes.size() > 1 && bytes[0] == '\xff' && static_cast<signed char>(bytes[1]) < 0)
    bytes.erase(0, 1);
  return bytes;
}

}  // namespace leat
