// Refusals that may be about all that comes: whose fault they are.
#include "delivery/suspects.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "delivery/fixture.h"

namespace leat {
namespace {

class SuspectsTest : public testing::DelivererTest {
 protected:
  // Answers as a server does that refuses these records, or all, wherever they are among others;
  // until nothing is open any more, or so many answers were given.
  void serve(const std::set<std::string>& bad, int most = 10'000) {
    for (int i = 0; i < most && !deliverer_->settled(); ++i) {
      run_until([this] { return deliverer_->settled() || !sink_.open_attempts.empty(); });
      if (sink_.open_attempts.empty()) break;
      testing::ScriptedSink::Attempt attempt = std::move(sink_.open_attempts.front());
      sink_.open_attempts.pop_front();
      bool refused = refuses_all_;
      ++attempts_[attempt.text];
      for (const std::string& record : bad)
        refused =
            refused || (" " + attempt.text + " ").find(" " + record + " ") != std::string::npos;
      if (!refused) accepted_.push_back(attempt.text);
      attempt.done(refused ? Answer::refused("400: no") : Answer::delivered());
    }
  }
  bool refuses_all_ = false;
  std::vector<std::string> accepted_;
  std::map<std::string, int> attempts_;
};

TEST_F(SuspectsTest, a_record_beside_which_others_get_through_is_to_blame) {
  make();
  add(0, 4);
  serve({"r1"});
  EXPECT_EQ(rejected_, std::vector<std::string>{"r1"});
  EXPECT_EQ(accepted_, (std::vector<std::string>{"r0", "r2", "r3"}));
  EXPECT_EQ(saved(), "40");
}

TEST_F(SuspectsTest, one_that_was_a_dead_letter_before_is_one_again_at_once) {
  make();
  source_.dead_before = true;
  add(0, 1);
  answer("r0", Answer::refused("400: no"));
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
  EXPECT_FALSE(deliverer_->retry_policy().active());
  EXPECT_EQ(deliverer_->counters().retries, 0U);
}

TEST_F(SuspectsTest, and_many_of_them_cost_no_wait_either) {
  limits_.records = 40;
  make();
  source_.dead_before = true;
  add(0, 40);
  refuses_all_ = true;
  serve({});
  EXPECT_EQ(rejected_.size(), 40U);
  EXPECT_EQ(deliverer_->counters().retries, 0U);
}

TEST_F(SuspectsTest, beside_one_that_was_a_dead_letter_before_the_others_are_judged_as_ever) {
  testing::ScriptedSource again;
  again.dead_before = true;
  make();
  deliverer_->add(given_by(again, 0, 1, 2));
  add(1, 3);
  refuses_all_ = true;
  serve({}, 20);
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
  refuses_all_ = false;
  serve({});
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
  EXPECT_EQ(saved(), "40");
  deliverer_.reset();
  acknowledgements_.reset();  // before who gave it
}

TEST_F(SuspectsTest, those_that_the_sink_names_are_dead_letters_again_beside_the_others) {
  testing::ScriptedSource again;
  again.dead_before = true;
  make();
  deliverer_->add(given_by(again, 0, 1, 2));
  add(1, 3);
  Answer named = Answer::rejected("400: no", {0, 2});
  named.in_doubt = true;
  answer("r0 r1 r2 r3", std::move(named));
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
  serve({});
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
  deliverer_.reset();
  acknowledgements_.reset();  // before who gave it
}

TEST_F(SuspectsTest, so_is_the_last_of_a_delivery) {
  make();
  add(0, 4);
  serve({"r3"});
  EXPECT_EQ(rejected_, std::vector<std::string>{"r3"});
  EXPECT_FALSE(deliverer_->retry_policy().active());
}

TEST_F(SuspectsTest, where_every_record_is_refused_it_is_none_of_theirs) {
  limits_.records = 40;
  make();
  add(0, 40);
  refuses_all_ = true;
  serve({}, 500);
  EXPECT_TRUE(rejected_.empty());
  EXPECT_TRUE(deliverer_->retry_policy().active());
  EXPECT_NE(deliverer_->retry_policy().reason().find("records alone"), std::string::npos)
      << deliverer_->retry_policy().reason();
  EXPECT_EQ(deliverer_->records_waiting(), 40U);
  refuses_all_ = false;
  serve({});
  EXPECT_TRUE(rejected_.empty());
  EXPECT_EQ(saved(), "400");
}

// "It once answered 204" proves nothing.
TEST_F(SuspectsTest, what_was_delivered_before_proves_nothing) {
  limits_.records = 20;
  make();
  add(0, 20);
  serve({});
  refuses_all_ = true;
  add(20, 20);
  serve({}, 500);
  EXPECT_TRUE(rejected_.empty());
  refuses_all_ = false;
  serve({});
  EXPECT_EQ(saved(), "400");
}

TEST_F(SuspectsTest, a_record_that_fills_a_delivery_waits_for_the_next_to_tell) {
  limits_.records = 1;
  make();
  add(0, 1);
  answer("r0", Answer::refused("400: no"));
  EXPECT_TRUE(rejected_.empty());
  add(1, 1);
  answer("r0", Answer::refused("400: no"));
  EXPECT_TRUE(rejected_.empty());
  answer("r1", Answer::delivered());
  answer("r0", Answer::refused("400: no"));
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
  EXPECT_EQ(saved(), "20");
}

TEST_F(SuspectsTest, a_server_that_is_well_again_in_the_middle_of_it_costs_no_record) {
  make();
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::refused("400: no"));
  answer("r0 r1", Answer::refused("400: no"));
  answer("r0", Answer::refused("400: no"));
  answer("r1", Answer::delivered());
  answer("r0", Answer::delivered());
  answer("r2 r3", Answer::delivered());
  run_until_settled();
  EXPECT_TRUE(rejected_.empty());
  EXPECT_EQ(saved(), "40");
}

TEST_F(SuspectsTest, one_with_nothing_behind_it_does_not_wait_for_ever) {
  limits_.records = 1;
  make();
  add(0, 1);
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(rejected_.empty());
    answer("r0", Answer::refused("400: no"));
  }
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
}

TEST_F(SuspectsTest, what_comes_later_has_eight_attempts_of_its_own) {
  limits_.records = 1;
  make();
  refuses_all_ = true;
  add(0, 1);
  serve({}, 7);
  add(1, 1);
  serve({}, 4);
  EXPECT_EQ(rejected_, std::vector<std::string>{});
  add(2, 1);
  serve({});
  EXPECT_EQ(rejected_, (std::vector<std::string>{"r0", "r1", "r2"}));
  EXPECT_EQ(attempts_["r2"], 8);
}

TEST_F(SuspectsTest, but_only_ten_in_a_row_are_rejected_so) {
  limits_.records = 1;
  make();
  refuses_all_ = true;
  for (int i = 0; i < 10; ++i) {
    add(i, 1);
    serve({});
  }
  EXPECT_EQ(rejected_.size(), 10U);
  add(10, 1);
  serve({}, 100);
  EXPECT_EQ(rejected_.size(), 10U);
  EXPECT_FALSE(deliverer_->settled());
  refuses_all_ = false;
  serve({});
  EXPECT_EQ(saved(), "110");
}

TEST_F(SuspectsTest, a_good_record_behind_many_bad_ones_is_found) {
  limits_.records = 100;
  make();
  add(0, 100);
  std::set<std::string> bad;
  for (int i = 0; i < 90; ++i) bad.insert("r" + std::to_string(i));
  serve(bad);
  EXPECT_EQ(rejected_.size(), 90U);
  EXPECT_EQ(saved(), "1000");
}

TEST_F(SuspectsTest, a_server_that_turns_bad_in_the_middle_costs_ten_records_at_most) {
  limits_.records = 100;
  make();
  add(0, 100);
  serve({"r1"}, 12);
  refuses_all_ = true;
  serve({}, 500);
  EXPECT_LE(rejected_.size(), 11U);
  EXPECT_FALSE(deliverer_->settled());
  refuses_all_ = false;
  serve({});
  EXPECT_EQ(saved(), "1000");
}

TEST_F(SuspectsTest, what_a_server_in_trouble_refused_is_tried_again) {
  make();
  add(0, 2);
  answer("r0 r1", Answer::refused("400: no"));
  answer("r0", Answer::refused("400: no"));
  answer("r1", Answer::retry("503"));
  answer("r0 r1", Answer::delivered());
  run_until_settled();
  EXPECT_TRUE(rejected_.empty());
}

TEST_F(SuspectsTest, with_several_under_way_any_that_gets_through_tells) {
  limits_.records = 1;
  make(2);
  add(0, 1);
  add(1, 1);
  run_until([this] { return sink_.open_attempts.size() == 2; });
  answer("r0", Answer::refused("400: no"));
  EXPECT_TRUE(rejected_.empty());
  answer("r1", Answer::delivered());
  answer("r0", Answer::refused("400: no"));
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
}

TEST_F(SuspectsTest, each_that_the_sink_names_keeps_its_reason) {
  make();
  add(0, 2);
  Answer both = Answer::rejected({{0, "not authorised a"}, {1, "not authorised b"}});
  both.in_doubt = true;
  answer("r0 r1", both);
  EXPECT_TRUE(rejected_.empty());
  add(2, 4);
  answer("r0 r1", both);
  answer("r2 r3 r4 r5", Answer::delivered());
  answer("r0 r1", both);
  run_until_settled();
  EXPECT_EQ(testing::read_file(folder_ / "dead.jsonl"),
            "r0: not authorised a\nr1: not authorised b\n");
}

TEST_F(SuspectsTest, those_that_the_sink_names_are_set_aside_and_the_rest_goes_on) {
  make();
  add(0, 4);
  Answer named = Answer::rejected({{1, "closes at a"}, {2, "closes at b"}});
  named.in_doubt = true;
  answer("r0 r1 r2 r3", named);
  answer("r0 r3", Answer::delivered());
  Answer both = Answer::rejected({{0, "closes at a"}, {1, "closes at b"}});
  both.in_doubt = true;
  answer("r1 r2", both);
  run_until_settled();
  EXPECT_EQ(rejected_, (std::vector<std::string>{"r1", "r2"}));
  EXPECT_EQ(saved(), "40");
}

TEST_F(SuspectsTest, of_a_few_it_is_said_how_often_they_are_tried_before_they_are_rejected) {
  make();
  add(0, 1);
  ::testing::internal::CaptureStderr();
  refuses_all_ = true;
  serve({});
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(rejected_, std::vector<std::string>{"r0"});
  EXPECT_NE(said.find("400: no; attempt 1 of 8, since nothing else gets through that would tell "
                      "whose fault it is; after the last it is rejected"),
            std::string::npos)
      << said;
  EXPECT_EQ(said.find("nothing is lost"), std::string::npos) << said;
}

}  // namespace
}  // namespace leat
