#include "control/auth/refusals.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/hand_loop.h"

namespace leat::control {
namespace {

TEST(Refusals, are_counted_by_kind_and_said_at_most_once_a_minute) {
  testing::FakeClock clock;
  std::vector<std::string> said;
  Refusals refusals(clock, [&said](const std::string& what) { said.push_back(what); });
  for (int i = 0; i < 1000; ++i) refusals.add(Refusal::kBadSignature);
  refusals.add(Refusal::kReplayed);
  EXPECT_EQ(said, std::vector<std::string>{"bad signature 1"});
  clock.advance(std::chrono::seconds(61));
  refusals.add(Refusal::kBadSignature);
  ASSERT_EQ(said.size(), 2U);
  EXPECT_EQ(said[1], "bad signature 1000, replayed 1");
  EXPECT_EQ(refusals.total(), 1002U);
  EXPECT_EQ(refusals.counts()[static_cast<size_t>(Refusal::kReplayed)], 1U);
}

TEST(Refusals, only_who_has_a_key_is_told_why) {
  for (size_t i = 0; i < kRefusals; ++i) {
    const auto one = static_cast<Refusal>(i);
    EXPECT_FALSE(name_of(one).empty());
    EXPECT_EQ(is_from_key_holder(one), !reason_of(one).empty()) << name_of(one);
  }
}

}  // namespace
}  // namespace leat::control
