#include "connectors/postgres/row_values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <string>

namespace leat::postgres {
namespace {

class RowValuesTest : public ::testing::Test {
 protected:
  Value of(Kind kind, std::string_view text) {
    std::string& kept = texts_.emplace_back(text);
    return value_of(kind, {kept.data(), kept.size()});
  }
  std::string json(Kind kind, std::string_view text) {
    std::string out;
    append_json(out, of(kind, text));
    return out;
  }
  std::deque<std::string> texts_;
};

TEST_F(RowValuesTest, times_are_exact_to_the_microsecond) {
  EXPECT_EQ(json(Kind::kTimestamp, "2026-01-02 03:04:05.123456+00"),
            "\"2026-01-02T03:04:05.123456Z\"");
  EXPECT_EQ(json(Kind::kTimestamp, "1969-12-31 23:59:59.9"), "\"1969-12-31T23:59:59.900Z\"");
  EXPECT_EQ(json(Kind::kTimestamp, "2000-02-29 00:00:00"), "\"2000-02-29T00:00:00Z\"");
  EXPECT_EQ(json(Kind::kTimestamp, "0001-01-01 00:00:00"), "\"0001-01-01T00:00:00Z\"");
  EXPECT_EQ(json(Kind::kTimestamp, "9999-12-31 23:59:59.999999"),
            "\"9999-12-31T23:59:59.999999Z\"");
}

TEST_F(RowValuesTest, times_that_are_none_here_stay_text) {
  for (const char* text : {"infinity", "-infinity", "0044-03-15 12:00:00 BC",
                           "12026-01-02 00:00:00", "2026-01-02 03:04:05.1234567", ""}) {
    const Value value = of(Kind::kTimestamp, text);
    EXPECT_EQ(value.type, Type::kString) << text;
    EXPECT_EQ(value.view(), text);
  }
}

TEST_F(RowValuesTest, numbers_keep_their_digits) {
  EXPECT_EQ(json(Kind::kNumeric, "12345678901234567890.1234567890"),
            "12345678901234567890.1234567890");
  EXPECT_EQ(of(Kind::kNumeric, "5").type, Type::kDecimal) << "the column says what it is";
  EXPECT_EQ(of(Kind::kNumeric, "NaN").type, Type::kString);
  EXPECT_EQ(json(Kind::kFloat, "1e-07"), "1e-07");
  EXPECT_TRUE(std::isnan(of(Kind::kFloat, "NaN").real));
  EXPECT_TRUE(std::isinf(of(Kind::kFloat, "-Infinity").real));
  EXPECT_EQ(integer_of(of(Kind::kInt8, "-9223372036854775808")), INT64_MIN);
  EXPECT_EQ(of(Kind::kInt4, "12x").type, Type::kString);
}

TEST_F(RowValuesTest, bytes_and_truth_are_what_they_are) {
  EXPECT_EQ(of(Kind::kBytea, "\\x00ff").view(), std::string_view("\0\xff", 2));
  EXPECT_EQ(of(Kind::kBytea, "\\x").view(), "");
  EXPECT_EQ(of(Kind::kBool, "t").integer, 1);
  EXPECT_EQ(of(Kind::kBool, "f").integer, 0);
}

TEST_F(RowValuesTest, json_is_on_one_line) {
  EXPECT_EQ(of(Kind::kJson, "{\"a\":\r\n \"x\\n\"}").view(), "{\"a\":   \"x\\n\"}");
}

}  // namespace
}  // namespace leat::postgres
