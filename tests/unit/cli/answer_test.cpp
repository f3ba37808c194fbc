#include "cli/answer.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(ShortTime, is_in_whole_seconds_and_not_zero_below_one) {
  EXPECT_EQ(short_time(0.4), "400ms");
  EXPECT_EQ(short_time(0), "0ms");
  EXPECT_EQ(short_time(12.9), "12.0s");
  EXPECT_EQ(short_time(61.5), "1m 1s");
}

TEST(LongTime, is_in_days_and_then_in_years) {
  EXPECT_EQ(long_time(3'600), "0 days");
  EXPECT_EQ(long_time(86'400), "1 day");
  EXPECT_EQ(long_time(int64_t{400} * 86'400), "400 days");
  EXPECT_EQ(long_time(int64_t{4'000} * 86'400), "10 years");
}

}  // namespace
}  // namespace leat
