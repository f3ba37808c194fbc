#include "fleet/rollout.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace leat::fleet {
namespace {

constexpr int64_t kSecond = 1'000'000;

// Gateways g000, g001, … and a clock moved by hand.
class RolloutTest : public ::testing::Test {
 protected:
  static std::string id(size_t i) {
    char out[8];
    std::snprintf(out, sizeof out, "g%03zu", i);
    return out;
  }

  Rollout of(size_t gateways, const Steps& steps) {
    std::map<std::string, Member> members;
    for (size_t i = 0; i < gateways; ++i) members[id(i)] = {};
    return begun(std::move(members), steps);
  }

  Rollout begun(std::map<std::string, Member> members, const Steps& steps) {
    Rollout out(steps, members, [this] { return "c" + std::to_string(++commands_); });
    for (const auto& [name, member] : members) out.online(name, true);
    return out;
  }

  static void succeed(Rollout& rollout, const std::vector<std::string>& ids) {
    for (const std::string& one : ids) rollout.answered(one, Progress::kSucceeded, "");
  }

  int64_t now_ = 5 * kSecond;
  int commands_ = 0;
  const Steps steps_ = {.canary = 1,
                        .share = 0.1,
                        .wait = Milliseconds{60'000},
                        .patience = Milliseconds{120'000},
                        .max_failures = 2};
};

TEST_F(RolloutTest, the_canary_goes_first_and_a_tenth_follows_when_it_has_ended_well) {
  Rollout rollout = of(30, steps_);
  EXPECT_EQ(rollout.next(now_), std::vector{id(0)});
  EXPECT_TRUE(rollout.next(now_).empty());
  rollout.answered(id(0), Progress::kRunning, "");
  EXPECT_TRUE(rollout.next(now_).empty());
  rollout.answered(id(0), Progress::kSucceeded, "");
  EXPECT_TRUE(rollout.next(now_).empty());
  EXPECT_EQ(rollout.next_step_in(now_), Milliseconds{60'000});
  now_ += 60 * kSecond;
  EXPECT_EQ(rollout.next(now_), (std::vector{id(1), id(2), id(3)}));
  EXPECT_EQ(rollout.step(), 2u);
}

TEST_F(RolloutTest, all_are_reached_in_the_end) {
  Rollout rollout = of(30, steps_);
  size_t sent = 0;
  while (!rollout.over()) {
    const std::vector<std::string> next = rollout.next(now_);
    sent += next.size();
    succeed(rollout, next);
    now_ += 60 * kSecond;
  }
  EXPECT_EQ(sent, 30u);
  EXPECT_EQ(commands_, 30);
  EXPECT_EQ(rollout.stopped(), "");
}

TEST_F(RolloutTest, a_canary_that_fails_stops_it_whatever_may_fail) {
  Rollout rollout = of(30, steps_);
  (void)rollout.next(now_);
  rollout.answered(id(0), Progress::kRolledBack, "delivers nothing");
  EXPECT_TRUE(rollout.next(now_ + 600 * kSecond).empty());
  EXPECT_TRUE(rollout.over());
  EXPECT_EQ(rollout.stopped(), "a gateway of the first step failed");
  EXPECT_EQ(rollout.members().at(id(0)).text, "delivers nothing");
}

TEST_F(RolloutTest, it_goes_on_with_as_many_failures_as_allowed_and_stops_with_one_more) {
  Rollout rollout = of(30, steps_);
  succeed(rollout, rollout.next(now_));
  (void)rollout.next(now_);
  now_ += 60 * kSecond;
  (void)rollout.next(now_);
  rollout.answered(id(1), Progress::kFailed, "");
  rollout.answered(id(2), Progress::kRolledBack, "");
  rollout.answered(id(3), Progress::kSucceeded, "");
  (void)rollout.next(now_);
  now_ += 60 * kSecond;
  EXPECT_EQ(rollout.next(now_).size(), 3u);
  rollout.answered(id(4), Progress::kFailed, "");
  EXPECT_FALSE(rollout.over()) << "two of the step have not answered";
  EXPECT_EQ(rollout.stopped(), "3 gateways failed, and --max-failures is 2");
  succeed(rollout, {id(5), id(6)});
  EXPECT_TRUE(rollout.next(now_ + 60 * kSecond).empty());
  EXPECT_TRUE(rollout.over());
}

TEST_F(RolloutTest, a_gateway_without_an_answer_fails_when_its_time_is_over) {
  Rollout rollout = of(3, steps_);
  (void)rollout.next(now_);
  (void)rollout.next(now_ + 119 * kSecond);
  EXPECT_EQ(rollout.members().at(id(0)).progress, Progress::kSent);
  (void)rollout.next(now_ + 120 * kSecond);
  EXPECT_EQ(rollout.members().at(id(0)).progress, Progress::kSilent);
  EXPECT_EQ(rollout.members().at(id(0)).text, "it did not answer within 2m 0s");
  EXPECT_EQ(rollout.stopped(), "a gateway of the first step failed");
}

TEST_F(RolloutTest, a_late_answer_counts_after_all) {
  Rollout rollout = of(3, steps_);
  (void)rollout.next(now_);
  (void)rollout.next(now_ + 120 * kSecond);
  EXPECT_TRUE(rollout.answered(id(0), Progress::kSucceeded, ""));
  EXPECT_EQ(rollout.stopped(), "");
  EXPECT_FALSE(rollout.answered(id(0), Progress::kRunning, "")) << "that one came late, too";
  EXPECT_EQ(rollout.members().at(id(0)).progress, Progress::kSucceeded);
}

TEST_F(RolloutTest, who_is_away_is_passed_over_and_taken_when_it_is_back) {
  Rollout rollout = of(3, steps_);
  rollout.online(id(0), false);
  succeed(rollout, rollout.next(now_));
  EXPECT_EQ(rollout.members().at(id(1)).progress, Progress::kSucceeded);
  (void)rollout.next(now_);
  now_ += 60 * kSecond;
  EXPECT_EQ(rollout.next(now_), std::vector{id(2)});
  succeed(rollout, {id(2)});
  EXPECT_TRUE(rollout.over());
  EXPECT_EQ(rollout.members().at(id(0)).progress, Progress::kWaiting);
  rollout.online(id(0), true);
  EXPECT_FALSE(rollout.over());
  (void)rollout.next(now_);
  now_ += 60 * kSecond;
  EXPECT_EQ(rollout.next(now_), std::vector{id(0)});
}

TEST_F(RolloutTest, one_that_goes_on_waits_for_those_on_their_way_before_the_next_step) {
  std::map<std::string, Member> members;
  members[id(0)] = {.progress = Progress::kSucceeded, .correlation = "a", .step = 1};
  members[id(1)] = {.progress = Progress::kRunning, .correlation = "b", .step = 2};
  members[id(2)] = {};
  Rollout rollout = begun(members, steps_);
  EXPECT_TRUE(rollout.next(now_).empty());
  rollout.answered(id(1), Progress::kSucceeded, "");
  (void)rollout.next(now_);
  now_ += 60 * kSecond;
  EXPECT_EQ(rollout.next(now_), std::vector{id(2)});
  EXPECT_EQ(rollout.step(), 3u);
}

TEST_F(RolloutTest, one_that_had_failed_too_often_stays_stopped_when_it_goes_on) {
  std::map<std::string, Member> members;
  for (size_t i = 0; i < 3; ++i)
    members[id(i)] = {.progress = Progress::kFailed, .correlation = "a", .step = 2};
  members[id(3)] = {};
  Rollout rollout = begun(members, steps_);
  EXPECT_TRUE(rollout.next(now_).empty());
  EXPECT_TRUE(rollout.over());
}

TEST_F(RolloutTest, a_step_may_be_a_number) {
  Steps steps = steps_;
  steps.count = 7;
  steps.canary = 2;
  steps.wait = Milliseconds{0};
  Rollout rollout = of(30, steps);
  std::vector<std::string> first = rollout.next(now_);
  EXPECT_EQ(first.size(), 2u);
  succeed(rollout, first);
  EXPECT_EQ(rollout.next(now_).size(), 7u);
}

TEST_F(RolloutTest, answers_of_others_and_of_those_not_asked_change_nothing) {
  Rollout rollout = of(3, steps_);
  EXPECT_FALSE(rollout.answered("nobody", Progress::kSucceeded, ""));
  EXPECT_FALSE(rollout.answered(id(2), Progress::kSucceeded, ""));
  EXPECT_EQ(rollout.members().at(id(2)).progress, Progress::kWaiting);
}

}  // namespace
}  // namespace leat::fleet
