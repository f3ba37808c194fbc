#include "task/turn_cost.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(TurnCostTest, expects_nothing_before_the_first_turn) {
  EXPECT_EQ(TurnCost().expected(1000), 0U);
}

TEST(TurnCostTest, expects_as_much_for_each_byte_as_the_last_turn_needed) {
  TurnCost cost;
  cost.learn(1000, 40'000);
  EXPECT_EQ(cost.expected(500), 20'000U);
}

TEST(TurnCostTest, one_ordinary_turn_between_costly_ones_changes_little) {
  TurnCost cost;
  cost.learn(1000, 40'000);
  cost.learn(1000, 1000);
  EXPECT_EQ(cost.expected(1000), 36'000U);
  for (int i = 0; i < 100; ++i) cost.learn(1000, 1000);
  EXPECT_EQ(cost.expected(1000), 1000U);
}

}  // namespace
}  // namespace leat
