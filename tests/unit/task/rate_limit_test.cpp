#include "task/rate_limit.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

constexpr int64_t kSecond = 1'000'000;

TEST(RateLimitTest, without_limits_nothing_waits) {
  RateLimit limit({});
  EXPECT_FALSE(limit.any());
  EXPECT_EQ(limit.wait_after(1 << 20, 1000, 5 * kSecond), Milliseconds{0});
}

TEST(RateLimitTest, a_batch_is_followed_by_the_time_that_it_may_take) {
  RateLimit limit({.records_per_second = 100});
  EXPECT_TRUE(limit.any());
  EXPECT_EQ(limit.wait_after(1 << 20, 50, 5 * kSecond), Milliseconds{500});
}

TEST(RateLimitTest, the_stricter_of_two_limits_counts) {
  RateLimit limit({.records_per_second = 100, .bytes_per_second = 1000});
  EXPECT_EQ(limit.wait_after(2000, 50, 0), Milliseconds{2000});
}

TEST(RateLimitTest, what_comes_too_early_waits_the_longer) {
  RateLimit limit({.bytes_per_second = 1000});
  EXPECT_EQ(limit.wait_after(1000, 1, 0), Milliseconds{1000});
  EXPECT_EQ(limit.wait_after(1000, 1, kSecond / 2), Milliseconds{1500});
}

TEST(RateLimitTest, time_in_which_nothing_came_is_not_saved_up) {
  RateLimit limit({.bytes_per_second = 1000});
  limit.wait_after(1000, 1, 0);
  EXPECT_EQ(limit.wait_after(1000, 1, 60 * kSecond), Milliseconds{1000});
}

}  // namespace
}  // namespace leat
