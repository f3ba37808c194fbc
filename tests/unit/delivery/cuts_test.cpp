#include "delivery/cuts.h"

#include <gtest/gtest.h>

#include "fixture.h"

namespace leat {
namespace {

using testing::DelivererTest;
using testing::make_batch;
using testing::TempDir;
using testing::write_file;

TEST(Cuts, of_what_was_not_saved_are_found_again_in_order) {
  TempDir folder;
  std::string path = folder / "cuts/p";
  {
    Cuts cuts(path, "p");
    EXPECT_TRUE(cuts.again().empty());
    uint64_t oldest = 1;
    for (uint64_t i = 1; i <= 300; ++i) {
      EXPECT_EQ(cuts.next_number(), i);
      if (i > 3) oldest = i - 3;
      cuts.note(i, oldest, {7, i * 10, i % 2});
    }
  }
  Cuts cuts(path, "p");
  EXPECT_EQ(
      cuts.again(),
      (std::deque<Cuts::Former>{
          {297, {7, 2970, 1}}, {298, {7, 2980, 0}}, {299, {7, 2990, 1}}, {300, {7, 3000, 0}}}));
  EXPECT_EQ(cuts.next_number(), 301U);
}

TEST(Cuts, of_what_a_spool_does_not_hold_are_forgotten_but_no_number_is_given_anew) {
  TempDir folder;
  const Cuts::Spooled delivered{3, 0, 10, {1}};
  const Cuts::Spooled held{3, 10, 20, {2}};
  const Cuts::Spooled never_stored{3, 20, 30, {3}};
  const Cuts::Spooled of_another{4, 10, 20, {4}};
  {
    Cuts cuts(folder / "cuts", "p");
    cuts.note(1, 1, {}, delivered);
    cuts.note(2, 1, {7, 20, 0}, held);
    cuts.note(3, 1, {7, 30, 0}, never_stored);
    cuts.note(4, 1, {}, of_another);
  }
  Cuts cuts(folder / "cuts", "p");
  EXPECT_EQ(cuts.again().size(), 4U);
  EXPECT_EQ(cuts.spool_holds(3, 10, 20), 30U);
  EXPECT_EQ(cuts.again(), (std::deque<Cuts::Former>{{2, {7, 20, 0}, held}, {3, {7, 30, 0}, {}}}));
}

TEST(Cuts, that_cannot_be_read_are_not_made_again) {
  TempDir folder;
  for (std::string content : {std::string(10, 'x'), std::string(48 * 128, 'x')}) {
    write_file(folder / "cuts", content);
    EXPECT_TRUE(Cuts(folder / "cuts", "p").again().empty());
  }
}

TEST(Cuts, that_cannot_be_written_stop_nothing) {
  Cuts cuts("/proc/nowhere/cuts", "p");
  cuts.note(1, 1, {});
  cuts.note(2, 1, {});
  EXPECT_EQ(cuts.next_number(), 1U);
}

TEST(Cuts, are_noted_in_a_new_file_soon_after_theirs_was_deleted) {
  TempDir folder;
  Cuts cuts(folder / "cuts", "p");
  cuts.note(1, 1, {7, 10, 0});
  std::filesystem::remove(folder / "cuts");
  for (uint64_t i = 2; i <= 70; ++i) cuts.note(i, i, {7, i * 10, 0});
  EXPECT_EQ(Cuts(folder / "cuts", "p").again(), (std::deque<Cuts::Former>{{70, {7, 700, 0}}}));
}

class FormerCuts : public DelivererTest {
 protected:
  // Text and key of all attempts that are under way, as "text=key".
  std::vector<std::string> attempts(size_t count) {
    run_until([&] { return sink_.open_attempts.size() == count; });
    std::vector<std::string> out;
    for (const auto& attempt : sink_.open_attempts) out.push_back(attempt.text + "=" + attempt.key);
    return out;
  }
  void restart(int in_flight) {
    sink_.open_attempts.clear();
    make(in_flight);
  }
};

TEST_F(FormerCuts, are_made_again_after_a_kill) {
  make(3);
  add(0, 3);
  attempts(1);  // it lingered
  add(3, 1);
  attempts(2);
  add(4, 6);
  std::vector<std::string> before = attempts(3);
  restart(3);
  add(0, 10);  // all of it is there at once by now
  EXPECT_EQ(attempts(3), before);
  answer("r0 r1 r2", Answer::delivered());
  answer("r3", Answer::delivered());
  answer("r4 r5 r6 r7", Answer::delivered());
  answer("r8 r9", Answer::delivered());
  run_until_settled();
}

TEST_F(FormerCuts, are_made_again_after_a_second_kill_that_came_before_all_were) {
  make(3);
  add(0, 3);
  attempts(1);
  add(3, 1);
  attempts(2);
  add(4, 2);
  std::vector<std::string> before = attempts(3);
  restart(3);
  add(0, 3);
  attempts(1);
  restart(3);
  add(0, 10);
  EXPECT_EQ(attempts(3), before);
}

TEST_F(FormerCuts, of_one_file_do_not_keep_those_of_another_from_being_made_again) {
  make(2);
  add(0, 1);
  attempts(1);
  deliverer_->add(given(0, 2, 2));
  std::vector<std::string> before = attempts(2);
  restart(2);
  deliverer_->add(given(0, 5, 2));  // of the first nothing is left
  EXPECT_EQ(attempts(1)[0], before[1]);
}

TEST_F(FormerCuts, are_kept_of_all_that_was_delivered_and_is_not_saved) {
  journal_->set_commit_every(Milliseconds{3'600'000});
  limits_.records = 2;
  make();
  acknowledgements_->may_save_late(source_);
  std::vector<std::string> before;
  for (int i = 0; i < 200; ++i) {
    add(i, 1);
    deliverer_->flush();
    before.push_back(attempts(1)[0]);
    answer("r" + std::to_string(i), Answer::delivered());
  }
  restart(100);
  std::string position = saved();
  int from = position == "nothing" ? 0 : std::stoi(position) / 10;
  ASSERT_LT(from, 200);
  add(from, 200 - from);
  before.erase(before.begin(), before.begin() + from);
  EXPECT_EQ(attempts(before.size()), before);
}

TEST_F(FormerCuts, of_what_is_saved_are_not_made_again) {
  make(2);
  add(0, 1);
  answer("r0", Answer::delivered());
  run_until_settled();
  add(1, 2);
  std::vector<std::string> before = attempts(1);
  restart(2);
  add(1, 5);
  EXPECT_EQ(attempts(1), before);
  answer("r1 r2", Answer::delivered());
  answer("r3 r4 r5", Answer::delivered());
  run_until_settled();
}

TEST_F(FormerCuts, hold_across_several_batches_and_for_records_that_end_at_one_place) {
  BatchRef same = make_batch(pool_, 0, 4);
  same->acknowledger = &source_;
  for (size_t i = 0; i < 3; ++i) same->slices[i].end_offset = 30;  // an array of three
  limits_.records = 2;
  make(3);
  deliverer_->add(same);
  std::vector<std::string> before = attempts(2);
  limits_.records = 4;
  restart(3);
  deliverer_->add(same);
  EXPECT_EQ(attempts(2), before);
  EXPECT_EQ(sink_.open_attempts[0].text, "r0 r1");
}

TEST_F(FormerCuts, that_do_not_come_again_are_given_up) {
  make(2);
  add(0, 3);
  attempts(1);
  restart(2);
  add(0, 2);  // the file was cut off
  answer("r0 r1", Answer::delivered());
  run_until_settled();
  add(5, 2);
  answer("r5 r6", Answer::delivered());
  run_until_settled();
}

TEST_F(FormerCuts, of_a_source_that_counts_anew_are_not_noted_and_its_keys_differ) {
  source_.lasting = false;
  make(2);
  add(0, 2);
  std::string before = attempts(1)[0];
  restart(2);
  add(0, 4);
  EXPECT_EQ(attempts(1)[0].substr(0, 11), "r0 r1 r2 r3");
  restart(2);
  add(0, 2);
  EXPECT_NE(attempts(1)[0], before);
}

}  // namespace
}  // namespace leat
