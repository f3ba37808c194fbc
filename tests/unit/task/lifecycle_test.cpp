#include "task/lifecycle.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

using State = Lifecycle::State;

TEST(LifecycleTest, a_bounded_run_starts_runs_finishes_and_closes) {
  Lifecycle life;
  EXPECT_TRUE(life.starting());
  EXPECT_FALSE(life.moves_records());
  EXPECT_TRUE(life.run());
  EXPECT_TRUE(life.moves_records());
  EXPECT_TRUE(life.finish());
  EXPECT_FALSE(life.moves_records());
  EXPECT_TRUE(life.close(1));
  EXPECT_TRUE(life.stage_closed());
  EXPECT_EQ(life.state(), State::kDone);
  EXPECT_TRUE(life.result());
}

TEST(LifecycleTest, a_drained_one_has_no_last_word) {
  Lifecycle life;
  life.run();
  EXPECT_TRUE(life.drain());
  EXPECT_TRUE(life.moves_records());
  EXPECT_FALSE(life.finish());
  EXPECT_EQ(life.state(), State::kDraining);
}

TEST(LifecycleTest, steps_that_do_not_follow_change_nothing) {
  Lifecycle life;
  EXPECT_FALSE(life.drain());
  EXPECT_FALSE(life.finish());
  EXPECT_FALSE(life.stage_closed());
  EXPECT_EQ(life.state(), State::kStarting);
  life.run();
  EXPECT_FALSE(life.run());
  life.drain();
  EXPECT_FALSE(life.drain());
}

TEST(LifecycleTest, is_done_when_the_last_stage_has_closed) {
  Lifecycle life;
  EXPECT_TRUE(life.close(3));
  EXPECT_FALSE(life.stage_closed());
  EXPECT_FALSE(life.stage_closed());
  EXPECT_TRUE(life.over());
  EXPECT_TRUE(life.stage_closed());
  EXPECT_FALSE(life.stage_closed());
}

TEST(LifecycleTest, is_closed_once) {
  Lifecycle life;
  EXPECT_TRUE(life.close(2));
  EXPECT_FALSE(life.close(1));
  EXPECT_FALSE(life.run());
  EXPECT_FALSE(life.stage_closed());
}

TEST(LifecycleTest, the_first_failure_is_the_result) {
  Lifecycle life;
  EXPECT_TRUE(life.fail_with(Error(ErrorKind::kFatal, "first")));
  EXPECT_FALSE(life.fail_with(Error(ErrorKind::kFatal, "second")));
  ASSERT_TRUE(life.failed());
  EXPECT_EQ(life.result().error().message(), "first");
}

}  // namespace
}  // namespace leat
