#include "codec/avro/decimal.h"

#include <algorithm>
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

}  // namespace leat
