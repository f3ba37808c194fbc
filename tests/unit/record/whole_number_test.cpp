#include "record/whole_number.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

std::string digits(std::string_view text) {
  std::string out = "left from before";
  switch (whole_number(text, out)) {
    case WholeNumber::kWhole:
      return out;
    case WholeNumber::kFraction:
      return "fraction";
    case WholeNumber::kTooLong:
      break;
  }
  return "too long";
}

TEST(WholeNumber, has_all_its_digits_however_it_is_written) {
  EXPECT_EQ(digits("0"), "0");
  EXPECT_EQ(digits("-0.0"), "0");
  EXPECT_EQ(digits("0e99999999999999999999"), "0");
  EXPECT_EQ(digits("44.0"), "44");
  EXPECT_EQ(digits("-1.5e1"), "-15");
  EXPECT_EQ(digits("1E+3"), "1000");
  EXPECT_EQ(digits("9007199254740993.0"), "9007199254740993");
  EXPECT_EQ(digits("900719925474099300e-2"), "9007199254740993");
}

TEST(WholeNumber, is_none_with_the_least_fraction_or_too_many_digits) {
  EXPECT_EQ(digits("1.0000000000000000000001"), "fraction");
  EXPECT_EQ(digits("1e-400"), "fraction");
  EXPECT_EQ(digits("1e-99999999999999999999"), "fraction");
  EXPECT_EQ(digits("18446744073709551615"), "too long");
  EXPECT_EQ(digits("1e999"), "too long");
  EXPECT_EQ(digits("9223372036854775808"), "9223372036854775808") << "the caller looks";
}

TEST(WholeNumber, of_an_int64_is_within_it) {
  std::string digits;
  EXPECT_EQ(whole_int64("-9223372036854775808.0", digits), INT64_MIN);
  EXPECT_EQ(whole_int64("9223372036854775808", digits), std::nullopt);
  EXPECT_EQ(whole_int64("1e19", digits), std::nullopt);
  EXPECT_EQ(whole_int64("0.5", digits), std::nullopt);
}

}  // namespace
}  // namespace leat
