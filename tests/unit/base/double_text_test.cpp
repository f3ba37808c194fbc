#include "base/double_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <limits>
#include <random>
#include <string>

namespace leat {
namespace {

std::string text_of(double value) {
  char buffer[kDoubleTextSize];
  return {buffer, static_cast<size_t>(write_double(buffer, value) - buffer)};
}

TEST(DoubleText, is_the_shorter_of_plain_digits_and_an_exponent) {
  struct Case {
    double value;
    const char* text;
  };
  const Case cases[] = {
      {0.0, "0"},
      {-0.0, "-0"},
      {1.0, "1"},
      {-1.5, "-1.5"},
      {0.1, "0.1"},
      {21.5, "21.5"},
      {0.30000000000000004, "0.30000000000000004"},
      {100000.0, "1e+05"},
      {1e5 + 0.25, "100000.25"},
      {1e6, "1e+06"},
      {1250000.0, "1250000"},
      {0.001, "0.001"},
      {0.0001, "1e-04"},
      {0.00015, "0.00015"},
      {1.5e-7, "1.5e-07"},
      {1e22, "1e+22"},
      {9007199254740993.0, "9007199254740992"},
      {123456789012345680000.0, "123456789012345680000"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {-2.2250738585072014e-308, "-2.2250738585072014e-308"},
      {5e-324, "5e-324"},
  };
  for (const Case& c : cases) EXPECT_EQ(text_of(c.value), c.text);
}

// The digits are as few as those of the standard library, and read back as the same value.
TEST(DoubleText, reads_back_as_the_same_value_with_as_few_digits_as_any) {
  std::mt19937_64 random(20261125);
  for (int i = 0; i < 200'000; ++i) {
    uint64_t bits = random();
    // Every second one as measured values are: few digits, a small exponent.
    double value = static_cast<double>(static_cast<int64_t>(bits % 2'000'001) - 1'000'000) / 1000;
    if (i % 2 == 0) std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    std::string text = text_of(value);
    EXPECT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    char shortest[64];
    auto end = std::to_chars(shortest, shortest + sizeof shortest, value).ptr;
    EXPECT_LE(text.size(), static_cast<size_t>(end - shortest)) << text;
    EXPECT_LE(text.size(), kDoubleTextSize);
  }
}

TEST(DoubleText, of_a_float_reads_back_as_the_same_float_with_as_few_digits_as_any) {
  std::mt19937_64 random(20261127);
  const uint32_t corners[] = {0,          0x80000000, 1,          0x007fffff,
                              0x00800000, 0x7f7fffff, 0x3dcccccd, 0x4b800001};
  for (uint32_t i = 0; i < 200'000; ++i) {
    const auto value =
        std::bit_cast<float>(i < std::size(corners) ? corners[i] : static_cast<uint32_t>(random()));
    if (!std::isfinite(value)) continue;
    char buffer[kDoubleTextSize];
    const std::string text(buffer, write_float(buffer, value));
    EXPECT_EQ(std::strtof(text.c_str(), nullptr), value) << text;
    char shortest[64];
    auto end = std::to_chars(shortest, shortest + sizeof shortest, value).ptr;
    EXPECT_LE(text.size(), static_cast<size_t>(end - shortest)) << text;
  }
}

}  // namespace
}  // namespace leat
