// A record at which the peer breaks off each time.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "delivery/fixture.h"

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

// As a server does that breaks off at these records, or at all, wherever they are among others.
class CutOffTest : public DelivererTest {
 protected:
  void serve(const std::set<std::string>& bad, int most = 1'000) {
    for (int i = 0; i < most && !deliverer_->settled(); ++i) {
      run_until([this] { return deliverer_->settled() || !sink_.open_attempts.empty(); });
      if (sink_.open_attempts.empty()) break;
      testing::ScriptedSink::Attempt attempt = std::move(sink_.open_attempts.front());
      sink_.open_attempts.pop_front();
      const std::string text = " " + attempt.text + " ";
      const bool cut = breaks_off_at_all_ ||
                       std::any_of(bad.begin(), bad.end(), [&text](const std::string& record) {
                         return text.find(" " + record + " ") != std::string::npos;
                       });
      attempt.done(cut ? Answer::cut_off("closed") : Answer::delivered());
    }
  }
  bool breaks_off_at_all_ = false;
};

TEST_F(CutOffTest, a_record_beside_which_nothing_was_tried_waits_for_the_next_to_tell) {
  limits_.records = 1;
  make();
  add(0, 2);
  for (int i = 0; i < 3; ++i) answer("r0", Answer::cut_off("closed"));
  answer("r1", Answer::delivered());
  answer("r0", Answer::cut_off("closed"));
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
  EXPECT_EQ(read_file(folder_ / "dead.jsonl"), "r0: closed: at this record, 4 times in a row\n");
}

TEST_F(CutOffTest, one_that_was_a_dead_letter_before_is_one_again_and_opens_no_circuit) {
  make();
  source_.dead_before = true;
  add(0, 1);
  for (int i = 0; i < 3; ++i) answer("r0", Answer::cut_off("closed"));
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
  EXPECT_FALSE(deliverer_->retry_policy().active());
}

TEST_F(CutOffTest, one_with_nothing_behind_it_is_rejected_in_the_end) {
  make();
  add(0, 1);
  serve({"r0"}, 20);
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
  EXPECT_EQ(saved(), "10");
}

TEST_F(CutOffTest, and_so_are_two) {
  make();
  add(0, 2);
  serve({"r0", "r1"}, 60);
  EXPECT_EQ(rejected_, (std::vector<std::string>{"r0", "r1"}));
}

TEST_F(CutOffTest, any_number_of_them_in_one_delivery_cost_only_themselves) {
  limits_.records = 40;
  make();
  add(0, 40);
  std::set<std::string> bad;
  for (int i = 0; i < 35; ++i) bad.insert("r" + std::to_string(i));
  serve(bad);
  EXPECT_EQ(rejected_.size(), 35U);
  EXPECT_EQ(saved(), "400");
}

TEST_F(CutOffTest, where_the_peer_breaks_off_at_all_of_many_it_is_none_of_theirs) {
  limits_.records = 40;
  make();
  add(0, 40);
  breaks_off_at_all_ = true;
  serve({}, 500);
  EXPECT_TRUE(rejected_.empty());
  breaks_off_at_all_ = false;
  serve({});
  EXPECT_TRUE(rejected_.empty());
  EXPECT_EQ(saved(), "400");
}

// What is stored says how far it brings it, so nothing may be stored before it.
TEST_F(CutOffTest, with_exactly_once_nothing_overtakes_it) {
  config_.exactly_once = true;
  limits_.records = 1;
  make();
  add(0, 2);
  for (int i = 0; i < 8; ++i) answer("r0", Answer::cut_off("closed"));
  run_until([this] { return !rejected_.empty(); });
  serve({});
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
}

TEST_F(CutOffTest, the_log_promises_no_record_that_it_is_not_lost_and_rejects_it_then) {
  config_.breaker_threshold = 1000;
  make();
  add(0, 1);
  ::testing::internal::CaptureStderr();
  serve({"r0"}, 20);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(said.find("nothing is lost"), std::string::npos) << said;
  EXPECT_NE(said.find("closed; trying again, and if that goes on, in smaller parts"),
            std::string::npos)
      << said;
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

TEST_F(CutOffTest, what_comes_later_is_not_rejected_for_the_attempts_of_another) {
  limits_.records = 1;
  make();
  add(0, 1);
  breaks_off_at_all_ = true;
  serve({}, 7);
  EXPECT_EQ(rejected_, std::vector<std::string>{});
  add(1, 1);
  serve({}, 6);
  EXPECT_EQ(rejected_, std::vector<std::string>{});
  serve({}, 40);
  EXPECT_EQ(rejected_, (std::vector<std::string>{"r0", "r1"}));
}

TEST_F(DelivererTest,
       a_peer_that_needs_a_while_to_come_back_is_no_less_at_an_end_at_the_same_record) {
  limits_.records = 1;
  make();
  add(0, 1);
  for (int i = 0; i < 20 && rejected_.empty(); ++i) {
    answer("r0", Answer::cut_off("closed"));
    for (int refused = 0; refused < 3 && rejected_.empty(); ++refused)
      answer("r0", Answer::retry("the database system is in recovery mode"));
    if (HasFatalFailure()) return;
  }
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
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

TEST_F(CutOffTest, a_peer_that_breaks_off_at_everything_for_a_while_costs_no_record) {
  make();
  add(0, 4);
  breaks_off_at_all_ = true;
  serve({}, 30);
  breaks_off_at_all_ = false;
  serve({});
  EXPECT_EQ(rejected_, std::vector<std::string>{});
  EXPECT_EQ(saved(), "40");
}

TEST_F(CutOffTest, what_has_no_records_is_not_to_blame) {
  config_.exactly_once = true;
  make();
  deliverer_->add(given(0, 0));
  deliverer_->end_of_input();
  for (int i = 0; i < 12; ++i) answer("", Answer::cut_off("closed"));
  answer("", Answer::delivered());
  EXPECT_EQ(rejected_, std::vector<std::string>{});
}

}  // namespace
}  // namespace leat
