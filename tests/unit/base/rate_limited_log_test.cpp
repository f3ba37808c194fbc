#include "base/rate_limited_log.h"

#include <gtest/gtest.h>

#include <string>

namespace leat {
namespace {

class HandClock final : public Clock {
 public:
  int64_t unix_us() const override { return now_us; }
  int64_t monotonic_us() const override { return now_us; }
  int64_t since_boot_us() const override { return now_us; }
  int64_t now_us = 1'000'000;
};

class RateLimitedLogTest : public ::testing::Test {
 protected:
  std::string said(uint64_t times) {
    ::testing::internal::CaptureStderr();
    log_.note(times);
    return ::testing::internal::GetCapturedStderr();
  }
  HandClock clock_;
  RateLimitedLog log_{clock_, "line-1", "ttyUSB0: a byte was skipped"};
};

TEST_F(RateLimitedLogTest, says_the_first_at_once_and_the_others_once_a_minute_with_their_number) {
  EXPECT_EQ(said(0), "");
  EXPECT_EQ(said(1), "warn line-1: ttyUSB0: a byte was skipped (1 time so far)\n");
  EXPECT_EQ(said(3), "");
  clock_.now_us += 59'999'999;
  EXPECT_EQ(said(1), "");
  clock_.now_us += 1;
  EXPECT_EQ(said(1), "warn line-1: ttyUSB0: a byte was skipped (6 times so far)\n");
}

TEST_F(RateLimitedLogTest, says_what_was_not_said_when_nothing_more_will_come) {
  said(1);
  ::testing::internal::CaptureStderr();
  log_.finish();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  said(4);
  ::testing::internal::CaptureStderr();
  log_.finish();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "warn line-1: ttyUSB0: a byte was skipped (5 times so far)\n");
}

}  // namespace
}  // namespace leat
