#include "delivery/retry_policy.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/hand_loop.h"

namespace leat {
namespace {

class TroubleTest : public ::testing::Test {
 protected:
  TroubleTest() {
    config_.retry_initial = Milliseconds{100};
    config_.retry_max = Milliseconds{1000};
    config_.breaker_threshold = 8;
    config_.breaker_cooldown = Milliseconds{30'000};
  }
  DeliveryConfig config_;
  testing::FakeClock clock_;
};

TEST_F(TroubleTest, delays_grow_to_the_maximum_and_are_spread_over_all_of_it) {
  int64_t largest[7] = {};
  int64_t smallest[7];
  std::fill(std::begin(smallest), std::end(smallest), INT64_MAX);
  for (uint64_t seed = 1; seed < 400; ++seed) {
    RetryPolicy trouble(config_, clock_, "test", seed);
    for (int i = 0; i < 7; ++i) {
      int64_t ms = trouble.failed("503", Milliseconds{0}).count();
      largest[i] = std::max(largest[i], ms);
      smallest[i] = std::min(smallest[i], ms);
    }
  }
  const int64_t ceilings[] = {100, 200, 400, 800, 1000, 1000, 1000};
  for (int i = 0; i < 7; ++i) {
    EXPECT_LE(largest[i], ceilings[i]);
    EXPECT_GT(largest[i], ceilings[i] * 9 / 10);
    EXPECT_LT(smallest[i], ceilings[i] / 10);
  }
}

TEST_F(TroubleTest, the_circuit_opens_at_the_threshold_and_closes_when_it_is_over) {
  RetryPolicy trouble(config_, clock_, "test", 1);
  for (int i = 0; i < 7; ++i) trouble.failed("503", Milliseconds{0});
  EXPECT_FALSE(trouble.circuit_open());
  EXPECT_GE(trouble.failed("503", Milliseconds{0}).count(), 30'000);
  EXPECT_TRUE(trouble.circuit_open());
  trouble.over();
  EXPECT_FALSE(trouble.active());
  EXPECT_LE(trouble.failed("503", Milliseconds{0}).count(), 100);
}

TEST_F(TroubleTest, what_the_peer_asked_for_is_a_lower_bound) {
  RetryPolicy trouble(config_, clock_, "test", 1);
  EXPECT_GE(trouble.failed("429", Milliseconds{5000}).count(), 5000);
}

TEST_F(TroubleTest, nothing_is_promised_that_the_overflow_does_not_keep) {
  config_.spool.mode = SpoolMode::kOnTrouble;
  config_.spool.overflow = Overflow::kDropOldest;
  RetryPolicy trouble(config_, clock_, "test", 1);
  ::testing::internal::CaptureStderr();
  trouble.failed("503", Milliseconds{0});
  std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(log.find("nothing is lost"), std::string::npos) << log;
  EXPECT_NE(log.find("beyond maxSpool the oldest records are dropped"), std::string::npos) << log;
}

TEST_F(TroubleTest, it_is_said_once_and_then_once_a_minute) {
  config_.breaker_threshold = 1000;
  RetryPolicy trouble(config_, clock_, "test", 1);
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 600; ++i) {
    trouble.failed("503 Service Unavailable", Milliseconds{0});
    clock_.advance(std::chrono::milliseconds(500));
  }
  trouble.over();
  std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1 + 4 + 1) << log;
  EXPECT_NE(log.find("delivering again after 5m 0s and 600 failed attempts"), std::string::npos)
      << log;
}

}  // namespace
}  // namespace leat
