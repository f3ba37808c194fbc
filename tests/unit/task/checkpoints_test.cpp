// What transforms remember, saved with the positions it covers: here with `dedupe`.
#include <algorithm>

#include "journal/journal_vfs.h"
#include "state/state.h"
#include "task/fixture.h"

namespace leat {
namespace {

using testing::TaskTest;
using Lines = std::vector<std::string>;

class CheckpointsTest : public TaskTest {
 protected:
  CheckpointsTest() {
    config_.delivery.checkpoint = Milliseconds{30'000};
    dedupe({"k"});
  }
  ~CheckpointsTest() override { let_go(); }

  void dedupe(const Lines& key) {
    config_.transforms.clear();
    testing::add_transform(config_, "dedupe", {{"key", key}});
  }
  template <Replay kReplay>
  void use_source() {
    config_.source.type = &testing::kScriptedSource<Produces::kBytes, kReplay>;
  }
  static std::string key(int k) { return "{\"k\":" + std::to_string(k) + "}"; }
  // These keys are read in one batch; those that the sink gets of it.
  Lines passed(const std::vector<int>& keys) {
    give(keys);
    Lines got = attempted();
    answer(Answer::delivered());
    return got;
  }
  void give(const std::vector<int>& keys) {
    Lines lines;
    for (int k : keys) lines.push_back(key(k));
    ASSERT_TRUE(run_until([&] { return read(lines); }));
  }
  // All that can be done now is done.
  void settle() {
    bool flushed = false;
    client_->flush([&flushed] { flushed = true; });
    ASSERT_TRUE(run_until([&flushed] { return flushed; }));
  }
  void wait(Milliseconds time) {
    const Milliseconds until = loop_.now() + time;
    ASSERT_TRUE(run_until([&] { return loop_.now() >= until; }));
    settle();
  }
  std::vector<SavedPosition> in_the_journal() {
    std::vector<SavedPosition> out;
    bool there = false;
    client_->load(config_.name, [&](Result<std::vector<SavedPosition>> saved) {
      out = *saved;
      there = true;
    });
    EXPECT_TRUE(run_until([&there] { return there; }));
    return out;
  }
  std::string saved(const std::string& partition) {
    for (const SavedPosition& one : in_the_journal())
      if (one.partition == partition) return one.value;
    return "";
  }
  size_t state_rows() {
    size_t rows = 0;
    for (const SavedPosition& one : in_the_journal())
      rows += one.partition.size() > 6 && is_state(one.partition);
    return rows;
  }
  // As after kill -9; the source begins again where the journal says.
  void crash_and_resume() {
    let_go();
    start();
    offset_ = 0;
    for (const SavedPosition& one : source().context->saved())
      if (one.partition == "f1") offset_ = std::stoull(one.value);
  }
  bool acked(uint64_t offset) {
    return run_until([offset] { return !source().acks.empty() && source().acks.back() >= offset; });
  }
};

TEST_F(CheckpointsTest,
       nothing_is_acknowledged_before_what_it_left_in_a_transform_is_saved_with_it) {
  start();
  EXPECT_EQ(passed({1, 1, 2}), (Lines{key(1), key(2)}));
  wait(Milliseconds{10'000});
  EXPECT_TRUE(source().acks.empty());
  EXPECT_EQ(saved("f1"), "");
  ASSERT_TRUE(acked(24));
  EXPECT_EQ(saved("f1"), "24");
  EXPECT_EQ(state_rows(), 1U);
}

TEST_F(CheckpointsTest, after_a_crash_the_records_behind_the_checkpoint_make_the_same_again) {
  start();
  passed({1, 2});
  ASSERT_TRUE(acked(16));
  EXPECT_EQ(passed({2, 3}), Lines{key(3)});
  crash_and_resume();
  EXPECT_EQ(offset_, 16U);
  EXPECT_EQ(passed({2, 3}), Lines{key(3)});
  EXPECT_EQ(passed({3, 1, 4}), Lines{key(4)});
}

TEST_F(CheckpointsTest,
       a_checkpoint_waits_for_what_came_out_before_it_and_not_for_what_comes_later) {
  start();
  give({1, 2});
  attempted();
  wait(Milliseconds{60'000});
  EXPECT_EQ(state_rows(), 0U);
  give({3});
  EXPECT_EQ(attempted(), (Lines{key(1), key(2)}));
  answer(Answer::delivered());
  ASSERT_TRUE(acked(16));
  EXPECT_EQ(saved("f1"), "16");
  crash_and_resume();
  EXPECT_EQ(offset_, 16U);
  EXPECT_EQ(passed({3}), Lines{key(3)});
}

TEST_F(CheckpointsTest, a_full_window_of_the_source_has_one_taken_at_once) {
  use_source<Replay::kHoldsAck>();
  start();
  passed({1, 2});
  source().context->in_flight_full(true, Milliseconds{20});
  ASSERT_TRUE(run_until([] { return !source().acks.empty(); }));
  EXPECT_EQ(state_rows(), 1U);
  source().context->in_flight_full(false, Milliseconds{20});
  passed({3});
  settle();
  EXPECT_EQ(source().acks.size(), 1U);
}

TEST_F(CheckpointsTest, a_source_that_holds_its_acknowledgement_waits_no_longer_than_max_ack_hold) {
  use_source<Replay::kHoldsAck>();
  // Far apart: while the journal's thread works, the time of the loop goes on.
  config_.delivery.spool.max_ack_hold = Milliseconds{600'000};
  config_.delivery.checkpoint = Milliseconds{360'000'000};
  start();
  const Milliseconds begun = loop_.now();
  passed({1, 2});
  wait(Milliseconds{4'000});
  EXPECT_TRUE(source().acks.empty());
  ASSERT_TRUE(acked(16));
  EXPECT_LT(loop_.now() - begun, Milliseconds{3'600'000});
}

TEST_F(CheckpointsTest, records_that_all_stay_in_a_transform_are_acknowledged_all_the_same) {
  start();
  passed({1});
  give({1, 1});
  ASSERT_TRUE(acked(24));
  EXPECT_TRUE(sink().attempts.empty());
}

TEST_F(CheckpointsTest, nothing_is_written_while_nothing_comes) {
  start();
  passed({1});
  ASSERT_TRUE(acked(8));
  const uint64_t commits = written().commits;
  wait(Milliseconds{300'000});
  EXPECT_EQ(written().commits, commits);
}

TEST_F(CheckpointsTest, changes_alone_are_written_and_put_together_when_they_have_become_much) {
  config_.delivery.checkpoint = Milliseconds{1'000};
  config_.transforms[0].options.set("within", int64_t{1});
  start();
  std::vector<int> some;
  for (int k = 100; k < 150; ++k) some.push_back(k);
  passed(some);
  ASSERT_TRUE(acked(offset_));
  some.pop_back();
  size_t most = 0;
  size_t rows = 1;
  for (int i = 0; i < 40 && rows >= most; ++i) {
    ASSERT_EQ(passed(some).size(), some.size());
    ASSERT_TRUE(acked(offset_));
    rows = state_rows();
    most = std::max(most, rows);
  }
  EXPECT_GT(most, 10U);
  EXPECT_EQ(rows, 1U);
  passed({100});
  ASSERT_TRUE(acked(offset_));
  EXPECT_EQ(state_rows(), 2U);
}

TEST_F(CheckpointsTest, it_is_saved_when_the_pipeline_ends_and_when_it_is_told_to) {
  start();
  passed({1, 2});
  task_->drain();
  ASSERT_TRUE(ended());
  EXPECT_EQ(saved("f1"), "16");
  crash_and_resume();
  EXPECT_EQ(passed({1, 3}), Lines{key(3)});
  end_of_input();
  ASSERT_TRUE(ended());
  EXPECT_TRUE(result_);
  EXPECT_EQ(saved("f1"), "32");
  start();
  EXPECT_EQ(passed({3, 2, 4}), Lines{key(4)});
}

TEST_F(CheckpointsTest, an_end_that_leaves_what_is_not_delivered_leaves_the_checkpoint_before_it) {
  start();
  passed({1});
  ASSERT_TRUE(acked(8));
  give({1, 2});
  answer(Answer::retry("away"));
  task_->drain();
  ASSERT_TRUE(ended());
  EXPECT_EQ(saved("f1"), "8");
  crash_and_resume();
  EXPECT_EQ(passed({1, 2}), Lines{key(2)});
}

class WindowsTest : public CheckpointsTest {
 protected:
  WindowsTest() {
    config_.transforms.clear();
    testing::add_transform(config_, "window",
                           {{"every", int64_t{60'000}},
                            {"idle", int64_t{10'000}},
                            {"set", Options::Map{{"n", "count(*)"}, {"sum", "sum(k)"}}}});
  }
  ~WindowsTest() override { let_go(); }
  // The beginning of the result that comes next.
  std::string counted() {
    const Lines got = attempted();
    return got.empty() ? "" : got[0].substr(0, got[0].find(",\"windowStart"));
  }
};

TEST_F(WindowsTest,
       one_that_closes_as_time_passes_is_not_forgotten_before_its_result_is_delivered) {
  config_.delivery.checkpoint = Milliseconds{1'000};
  start();
  give({1, 2});
  ASSERT_TRUE(acked(16));
  EXPECT_TRUE(sink().attempts.empty());
  EXPECT_EQ(counted(), R"({"n":2,"sum":3)");
  wait(Milliseconds{300'000});
  crash_and_resume();
  EXPECT_EQ(counted(), R"({"n":2,"sum":3)");
  answer(Answer::delivered());
  wait(Milliseconds{5'000});
  crash_and_resume();
  EXPECT_EQ(offset_, 16U);
  wait(Milliseconds{300'000});
  EXPECT_TRUE(sink().attempts.empty());
}

TEST_F(WindowsTest, all_are_closed_at_the_end_of_the_input_and_stay_open_over_a_restart) {
  start();
  give({1, 2});
  task_->drain();
  ASSERT_TRUE(ended());
  EXPECT_TRUE(sink().attempts.empty());
  crash_and_resume();
  EXPECT_EQ(offset_, 16U);
  give({3});
  end_of_input();
  EXPECT_EQ(counted(), R"({"n":3,"sum":6)");
  EXPECT_FALSE(ended_);
  answer(Answer::delivered());
  ASSERT_TRUE(ended());
  EXPECT_TRUE(result_);
  EXPECT_EQ(saved("f1"), "24");
}

TEST_F(WindowsTest, what_one_gives_at_the_end_is_input_of_the_one_behind_it) {
  testing::add_transform(config_, "window",
                         {{"every", int64_t{3'600'000}}, {"set", Options::Map{{"all", "sum(n)"}}}});
  start();
  give({1, 2});
  end_of_input();
  EXPECT_EQ(counted(), R"({"all":2)");
  answer(Answer::delivered());
  ASSERT_TRUE(ended());
  EXPECT_TRUE(result_);
}

TEST_F(WindowsTest, while_the_sink_is_away_the_loop_is_not_kept_busy_with_what_is_due) {
  start();
  give({1});
  attempted();
  answer(Answer::retry("away", Milliseconds{3'600'000}));
  give({2});
  loop_.advance(std::chrono::seconds(90));  // another window is due
  for (int i = 0; i < 100; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
  EXPECT_NE(uv_backend_timeout(loop_.uv()), 0);  // it would sleep
}

TEST_F(CheckpointsTest, the_source_does_not_see_what_is_saved_beside_its_positions) {
  start();
  passed({1});
  ASSERT_TRUE(acked(8));
  crash_and_resume();
  ASSERT_EQ(source().context->saved().size(), 1U);
}

TEST_F(CheckpointsTest, another_key_begins_anew_and_other_bounds_do_not) {
  start();
  passed({1});
  ASSERT_TRUE(acked(8));
  config_.transforms[0].options.set("maxKeys", int64_t{7});
  crash_and_resume();
  EXPECT_EQ(passed({1, 2}), Lines{key(2)});
  ASSERT_TRUE(acked(24));
  dedupe({"other"});
  ::testing::internal::CaptureStderr();
  crash_and_resume();
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("nothing has the state of \"dedupe by"),
            std::string::npos);
  EXPECT_EQ(passed({1}), Lines{key(1)});
  config_.transforms.clear();
  crash_and_resume();
  settle();
  EXPECT_EQ(saved("state:"), "");
}

TEST_F(CheckpointsTest, a_row_that_is_damaged_or_missing_is_said_and_the_rest_is_used) {
  start();
  passed({1});
  ASSERT_TRUE(acked(8));
  passed({2});
  ASSERT_TRUE(acked(16));
  client_->commit("p", {{"state:0000000000000001", "nonsense"}}, [](const Status&) {});
  ::testing::internal::CaptureStderr();
  crash_and_resume();
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("is not all there: a row is damaged"),
            std::string::npos);
  EXPECT_EQ(passed({1, 2}), Lines{key(2)});
  ASSERT_TRUE(acked(offset_));
  ::testing::internal::CaptureStderr();
  crash_and_resume();
  EXPECT_EQ(::testing::internal::GetCapturedStderr().find("not all there"), std::string::npos);
  EXPECT_EQ(passed({1, 2, 3}), Lines{key(3)});
}

}  // namespace
}  // namespace leat
