#include "connectors/postgres/numeric.h"

#include <gtest/gtest.h>

#include <vector>

namespace leat::postgres {
namespace {

// "digits weight sign scale", as numeric_send would write them.
std::string binary(std::string_view text) {
  Buffer out;
  if (Misfit misfit = append_numeric(out, text); misfit != Misfit::kNone) {
    EXPECT_EQ(misfit, Misfit::kRange);
    EXPECT_EQ(out.size(), 0U);
    return "out of range";
  }
  BodyReader body(out.view());
  EXPECT_EQ(body.int32(), static_cast<int32_t>(out.size() - 4));
  int digits = body.int16();
  std::string rest = " " + std::to_string(body.int16());
  rest += body.int16() == 0x4000 ? " -" : " +";
  rest += std::to_string(body.int16());
  std::string list;
  for (int i = 0; i < digits; ++i) list += (i == 0 ? "" : ",") + std::to_string(body.int16());
  EXPECT_TRUE(body.ok() && body.at_end()) << text;
  return list + rest;
}

// Expected values are those of PostgreSQL 15's numeric_send.
TEST(Numeric, has_digits_to_the_base_of_ten_thousand) {
  EXPECT_EQ(binary("0"), " 0 +0");
  EXPECT_EQ(binary("-0"), " 0 +0");
  EXPECT_EQ(binary("0.00"), " 0 +2");
  EXPECT_EQ(binary("1"), "1 0 +0");
  EXPECT_EQ(binary("-44.50"), "44,5000 0 -2");
  EXPECT_EQ(binary("10000"), "1 1 +0");
  EXPECT_EQ(binary("99990001"), "9999,1 1 +0");
  EXPECT_EQ(binary("12345.678"), "1,2345,6780 1 +3");
  EXPECT_EQ(binary("0.0001"), "1 -1 +4");
  EXPECT_EQ(binary("0.00001"), "1000 -2 +5");
  EXPECT_EQ(binary("100000000"), "1 2 +0");
  EXPECT_EQ(binary("1.00010"), "1,1 0 +5");
}

TEST(Numeric, understands_exponents) {
  EXPECT_EQ(binary("1e5"), "10 1 +0");
  EXPECT_EQ(binary("1.5E+2"), "150 0 +0");
  EXPECT_EQ(binary("1.5e-7"), "15 -2 +8");
  EXPECT_EQ(binary("120e-1"), "12 0 +1");
}

TEST(Numeric, ends_where_the_type_ends) {
  EXPECT_EQ(binary("1e131071"), "1000 32767 +0");
  EXPECT_EQ(binary("1e131072"), "out of range");
  EXPECT_EQ(binary("1e99999999999999999999"), "out of range");
  EXPECT_EQ(binary("0e99999999999999999999"), " 0 +0");
  EXPECT_EQ(binary("1e-16383"), "10 -4096 +16383");
  EXPECT_EQ(binary("1e-16384"), "out of range");
  EXPECT_EQ(binary("1e-99999999999999999999"), "out of range");
}

TEST(Numeric, counts_the_digits_before_the_point) {
  EXPECT_EQ(integer_digits("0"), 0);
  EXPECT_EQ(integer_digits("0.5"), 0);
  EXPECT_EQ(integer_digits("-12.5"), 2);
  EXPECT_EQ(integer_digits("1.5e3"), 4);
  EXPECT_EQ(integer_digits("1500e-3"), 1);
  EXPECT_EQ(integer_digits("0.05e1"), 0);
}

}  // namespace
}  // namespace leat::postgres
