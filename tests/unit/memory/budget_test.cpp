#include "memory/budget.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

namespace leat {
namespace {

class ChargeTest : public ::testing::Test {
 protected:
  Budget budget_{1000};
};

TEST_F(ChargeTest, counts_what_its_holder_keeps_while_it_lives) {
  {
    Charge charge(budget_, 300);
    EXPECT_EQ(budget_.used(), 300U);
    charge.set(100);
    EXPECT_EQ(budget_.used(), 100U);
    charge.add(50);
    EXPECT_EQ(budget_.used(), 150U);
    EXPECT_EQ(charge.bytes(), 150U);
  }
  EXPECT_EQ(budget_.used(), 0U);
  EXPECT_EQ(budget_.peak(), 300U);
}

TEST_F(ChargeTest, goes_with_the_buffer_that_is_moved) {
  std::optional<Charge> first(std::in_place, budget_, 300);
  Charge second(std::move(*first));
  first.reset();
  EXPECT_EQ(budget_.used(), 300U);
  second = Charge(budget_, 20);
  EXPECT_EQ(budget_.used(), 20U);
  second = Charge();
  EXPECT_EQ(budget_.used(), 0U);
}

TEST_F(ChargeTest, wakes_who_was_refused_when_it_shrinks) {
  int woken = 0;
  budget_.on_room([&woken] { ++woken; });
  Charge charge(budget_, 900);
  charge.set(500);
  EXPECT_EQ(woken, 0);  // nobody had asked
  budget_.note_refusal();
  charge.set(950);
  EXPECT_EQ(woken, 0);
  charge.set(100);
  EXPECT_EQ(woken, 1);
}

TEST_F(ChargeTest, a_lower_limit_lets_go_of_nothing_and_begins_nothing) {
  Charge charge(budget_, 900);
  budget_.set_limit(500);
  EXPECT_EQ(budget_.used(), 900U);
  EXPECT_FALSE(budget_.has_room(1));
  charge.set(400);
  EXPECT_TRUE(budget_.has_room(100));
}

TEST_F(ChargeTest, a_higher_limit_wakes_who_was_refused) {
  int woken = 0;
  budget_.on_room([&woken] { ++woken; });
  budget_.note_refusal();
  budget_.set_limit(900);
  EXPECT_EQ(woken, 0);
  budget_.set_limit(2000);
  EXPECT_EQ(woken, 1);
}

TEST_F(ChargeTest, without_a_budget_counts_nothing) {
  Charge charge;
  charge.set(100);
  EXPECT_EQ(charge.bytes(), 0U);
}

}  // namespace
}  // namespace leat
