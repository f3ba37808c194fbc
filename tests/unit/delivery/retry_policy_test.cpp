#include "delivery/retry_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

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
  Milliseconds wait = trouble.failed("503", Milliseconds{0});
  EXPECT_GE(wait, RetryPolicy::kFirstCooldown / 2);
  EXPECT_LE(wait, RetryPolicy::kFirstCooldown);
  EXPECT_TRUE(trouble.circuit_open());
  trouble.failed("503", Milliseconds{0});
  EXPECT_EQ(trouble.openings(), 1U) << "it was open";
  trouble.over();
  EXPECT_FALSE(trouble.active());
  for (int i = 0; i < 9; ++i) trouble.failed("503", Milliseconds{0});
  EXPECT_EQ(trouble.openings(), 2U);
  trouble.over();
  EXPECT_LE(trouble.failed("503", Milliseconds{0}).count(), 100);
}

// 29.4 s after an outage of 5 s nothing had been tried.
TEST_F(TroubleTest,
       the_cooldown_is_at_most_half_of_what_the_outage_has_lasted_and_grows_to_its_end) {
  config_.breaker_threshold = 5;
  RetryPolicy trouble(config_, clock_, "test", 1);
  Milliseconds lasted{0};
  int cooldowns = 0;
  while (lasted < Milliseconds{300'000}) {
    Milliseconds wait = trouble.failed("503", Milliseconds{0});
    if (trouble.circuit_open() && lasted < Milliseconds{59'000}) {
      EXPECT_LE(wait, std::max(RetryPolicy::kFirstCooldown, lasted / 2));
      EXPECT_GE(wait, std::max(RetryPolicy::kFirstCooldown, lasted / 2) / 2);
      ++cooldowns;
    } else if (lasted > Milliseconds{60'000}) {
      EXPECT_GE(wait, config_.breaker_cooldown);
      EXPECT_LE(wait, config_.breaker_cooldown * 11 / 10);
    }
    lasted += wait;
    clock_.advance(wait);
  }
  EXPECT_LT(cooldowns, 15);
}

TEST_F(TroubleTest, a_cooldown_shorter_than_the_first_is_kept) {
  config_.breaker_threshold = 1;
  config_.breaker_cooldown = Milliseconds{500};
  RetryPolicy trouble(config_, clock_, "test", 1);
  Milliseconds wait = trouble.failed("503", Milliseconds{0});
  EXPECT_GE(wait, Milliseconds{500});
  EXPECT_LE(wait, Milliseconds{550});
}

TEST_F(TroubleTest, when_the_network_changes_the_cooldown_grows_anew) {
  config_.breaker_threshold = 1;
  RetryPolicy trouble(config_, clock_, "test", 1);
  trouble.failed("no route", Milliseconds{0});
  clock_.advance(std::chrono::minutes(10));
  EXPECT_GE(trouble.failed("no route", Milliseconds{0}), config_.breaker_cooldown);
  trouble.network_changed();
  EXPECT_LE(trouble.failed("name not found", Milliseconds{0}), RetryPolicy::kFirstCooldown);
}

// They lose it at the same moment, and are worse off for having a circuit that opens at once.
TEST_F(TroubleTest, five_hundred_agents_do_not_come_back_within_one_second) {
  for (auto [threshold, outage] : {std::pair{1, 60'000}, {5, 5'000}, {5, 60'000}}) {
    config_.breaker_threshold = threshold;
    ::testing::internal::CaptureStderr();
    std::vector<int> back(1'000, 0);  // so many in each tenth of a second after the outage
    for (uint64_t seed = 1; seed <= 500; ++seed) {
      testing::FakeClock clock;
      RetryPolicy trouble(config_, clock, "test", seed);
      Milliseconds passed{0};
      while (passed < Milliseconds{outage}) {
        Milliseconds wait = trouble.failed("connection refused", Milliseconds{0});
        passed += wait;
        clock.advance(wait);
      }
      ++back[static_cast<size_t>((passed.count() - outage) / 100)];
    }
    ::testing::internal::GetCapturedStderr();
    int most = 0;
    for (size_t i = 0; i + 10 < back.size(); ++i)
      most = std::max(most, std::accumulate(&back[i], &back[i + 10], 0));
    EXPECT_LT(most, 350) << threshold << ", " << outage;
    if (outage == 5'000) {
      EXPECT_EQ(std::accumulate(&back[45], &back[0] + back.size(), 0), 0) << "after 4.5 s";
    }
  }
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

// A full journal, or disk, holds the source back; a line or a broker at QoS 0 does not wait.
TEST_F(TroubleTest, nothing_is_promised_for_a_source_that_gives_nothing_again) {
  for (SpoolMode mode : {SpoolMode::kNever, SpoolMode::kOnTrouble, SpoolMode::kAlways}) {
    config_.spool.mode = mode;
    RetryPolicy trouble(config_, clock_, "test", 1, false);
    ::testing::internal::CaptureStderr();
    trouble.failed("503", Milliseconds{0});
    std::string log = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(log.find("nothing is lost"), std::string::npos) << log;
    const char* place = mode == SpoolMode::kNever ? "what the memory has no room for is lost"
                                                  : "what the journal has no room for is lost";
    EXPECT_NE(log.find(place), std::string::npos) << log;
  }
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
