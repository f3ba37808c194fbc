#include "delivery/isolation.h"

#include <gtest/gtest.h>

#include "fixture.h"

namespace leat {
namespace {

using testing::DelivererTest;
using testing::read_file;

TEST_F(DelivererTest, what_is_cut_off_each_time_is_halved_until_the_record_stands_alone) {
  make();
  add(0, 4);
  for (int i = 0; i < 3; ++i) answer("r0 r1 r2 r3", Answer::cut_off("closed"));
  answer("r0 r1", Answer::delivered());
  answer("r2 r3", Answer::cut_off("closed"));  // halved at once, from here on
  for (int i = 0; i < 3; ++i) answer("r2", Answer::cut_off("closed"));
  answer("r3", Answer::delivered());
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{"r2"});
  EXPECT_EQ(saved(), "40");
  EXPECT_EQ(read_file(folder_ / "dead.jsonl"), "r2: closed: at this record, 3 times in a row\n");
}

TEST_F(DelivererTest, a_record_beside_which_nothing_was_tried_takes_more_to_be_blamed) {
  limits_.records = 1;
  make();
  add(0, 2);
  for (int i = 0; i < 8; ++i) answer("r0", Answer::cut_off("closed"));
  answer("r1", Answer::delivered());
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
}

TEST_F(DelivererTest, a_record_beside_which_another_delivery_got_through_takes_less) {
  limits_.records = 1;
  make(2);
  add(0, 2);
  answer("r0", Answer::cut_off("closed"));
  answer("r1", Answer::delivered());
  for (int i = 0; i < 2; ++i) answer("r0", Answer::cut_off("closed"));
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
}

TEST_F(DelivererTest, an_accident_in_the_middle_costs_no_record) {
  limits_.records = 1;
  make();
  add(0, 20);
  for (int i = 0; i < 20; ++i) {
    const std::string name = "r" + std::to_string(i);
    answer(name, Answer::cut_off("closed"));
    answer(name, Answer::retry("connection refused"));
    answer(name, Answer::cut_off("closed"));
    answer(name, Answer::delivered());
  }
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{});
}

TEST_F(DelivererTest, an_outage_blames_no_record_however_often_it_is_tried) {
  make();
  add(0, 4);
  for (int i = 0; i < 30; ++i) answer("r0 r1 r2 r3", Answer::retry("connection refused"));
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{});
}

TEST_F(DelivererTest, of_another_delivery_in_flight_nothing_is_blamed) {
  make(2);
  add(0, 8);
  for (int i = 0; i < 3; ++i) {
    run_until([this] { return !sink_.open_attempts.empty(); });
    const bool both = sink_.open_attempts.size() == 2;
    answer("r0 r1 r2 r3", Answer::cut_off("closed"));
    if (both) answer("r4 r5 r6 r7", Answer::retry("503"));
  }
  answer("r0 r1", Answer::delivered());
  answer("r2 r3", Answer::delivered());
  answer("r4 r5 r6 r7", Answer::delivered());
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{});
}

TEST_F(DelivererTest, a_peer_that_breaks_off_at_everything_for_a_while_costs_no_record) {
  make();
  add(0, 4);
  for (int i = 0; i < 3; ++i) answer("r0 r1 r2 r3", Answer::cut_off("closed"));
  answer("r0 r1", Answer::cut_off("closed"));
  for (int i = 0; i < 7; ++i) answer("r0", Answer::cut_off("closed"));
  answer("r0", Answer::delivered());
  answer("r1", Answer::delivered());
  answer("r2 r3", Answer::delivered());
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{});
}

TEST(Isolation, ten_records_in_a_row_with_none_delivered_speak_about_the_peer) {
  Isolation isolation;
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(isolation.cut_off(1, 8, true), Isolation::Verdict::kReject);
  EXPECT_EQ(isolation.cut_off(1, 8, true), Isolation::Verdict::kNotNow);
  EXPECT_EQ(isolation.cut_off(100, 30, false), Isolation::Verdict::kNotNow);
  isolation.delivered();
  EXPECT_EQ(isolation.cut_off(1, 3, true),
            Isolation::Verdict::kReject);  // beside one that got through
}

TEST(Isolation, what_has_no_records_is_not_to_blame) {
  Isolation isolation;
  EXPECT_EQ(isolation.cut_off(0, 30, true), Isolation::Verdict::kNotNow);
}

}  // namespace
}  // namespace leat
