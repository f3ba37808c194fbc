#include "connectors/postgres/cuts.h"

#include <gtest/gtest.h>

namespace leat::postgres {
namespace {

Delivery delivery(std::string key, size_t records) {
  Delivery out;
  out.key = std::move(key);
  out.records = records;
  return out;
}

TEST(PostgresCuts, a_few_cuts_of_one_delivery_have_it_halved_until_a_record_stands_alone) {
  Cuts cuts;
  EXPECT_FALSE(cuts.cut(delivery("all", 4), "cut"));
  EXPECT_FALSE(cuts.cut(delivery("all", 4), "cut"));
  auto halve = cuts.cut(delivery("all", 4), "cut");
  ASSERT_TRUE(halve);
  EXPECT_EQ(halve->outcome, Outcome::kRejected);
  EXPECT_TRUE(halve->bad_records.empty());
  cuts.delivered();
  EXPECT_TRUE(cuts.cut(delivery("half", 2), "cut"));  // at once, from here on
  EXPECT_FALSE(cuts.cut(delivery("one", 1), "cut"));
  EXPECT_FALSE(cuts.cut(delivery("one", 1), "cut"));
  auto rejected = cuts.cut(delivery("one", 1), "cut");
  ASSERT_TRUE(rejected);
  EXPECT_EQ(rejected->reason, "cut: at this record, 3 times in a row");
  EXPECT_FALSE(cuts.cut(delivery("next", 4), "cut"));  // the hunt is over
}

TEST(PostgresCuts, cuts_of_different_deliveries_are_the_networks) {
  Cuts cuts;
  for (int i = 0; i < 20; ++i)
    EXPECT_FALSE(cuts.cut(delivery(std::to_string(i), i % 2 == 0 ? 1 : 500), "cut")) << i;
}

TEST(PostgresCuts, what_is_delivered_in_the_end_was_not_to_blame) {
  Cuts cuts;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(cuts.cut(delivery("same", 1), "cut"));
    EXPECT_FALSE(cuts.cut(delivery("same", 1), "cut"));
    cuts.delivered();
  }
}

TEST(PostgresCuts, a_hunt_that_finds_nothing_ends) {
  Cuts cuts;
  for (int i = 0; i < 3; ++i) (void)cuts.cut(delivery("all", 4), "cut");
  for (int i = 0; i < 64; ++i) cuts.delivered();
  EXPECT_FALSE(cuts.cut(delivery("other", 4), "cut"));
}

}  // namespace
}  // namespace leat::postgres
