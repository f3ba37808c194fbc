// Orders for one pipeline by its name, also while a change of the whole is under way.
#include <algorithm>

#include "supervisor_bench.h"

namespace leat {
namespace {

using testing::Events;
using testing::FakePipeline;
using testing::kMemory;
using testing::SupervisorTest;
using testing::version_of;

TEST_F(SupervisorTest, one_pipeline_is_drained_and_started_again_by_name) {
  apply(of({version_of("a"), version_of("b")}));
  events();
  EXPECT_TRUE(supervisor_->drain("a"));
  EXPECT_TRUE(over("a"));
  EXPECT_EQ(state_of("a").state, PipelineState::kEnded);
  EXPECT_TRUE(supervisor_->start("a"));
  EXPECT_FALSE(supervisor_->start("b")) << "it runs";
  EXPECT_TRUE(happened("start a1"));
  EXPECT_EQ(events(), (Events{"drain a1", "open a1", "start a1"}));
  EXPECT_EQ(supervisor_->start("x").error().message(), "there is no pipeline \"x\"");
}

TEST_F(SupervisorTest, one_pipeline_is_stopped_or_removed_by_name) {
  world_.drains_slowly = {"a1"};
  apply(of({version_of("a"), version_of("b"), version_of("c")}));
  EXPECT_TRUE(supervisor_->stop_now("a"));
  EXPECT_TRUE(over("a"));
  EXPECT_TRUE(supervisor_->remove("b"));
  EXPECT_TRUE(over("b"));
  settle();
  Snapshot now = snapshot();
  ASSERT_EQ(now.pipelines.size(), 2U);
  EXPECT_EQ(now.pipelines[0].state, PipelineState::kStopped);
  EXPECT_EQ(now.pipelines[1].state, PipelineState::kRunning);
  EXPECT_EQ(supervisor_->config().pipelines.size(), 2U);
  EXPECT_EQ(supervisor_->remove("b").error().kind(), ErrorKind::kUsage);
}

TEST_F(SupervisorTest, a_pipeline_is_restarted_beside_itself_and_alone) {
  world_.drains_slowly = {"a1"};
  apply(of({version_of("a"), version_of("b")}));
  events();
  FakePipeline* old_one = world_.there["a1"];
  EXPECT_TRUE(supervisor_->restart("a"));
  EXPECT_TRUE(happened("drain a1"));
  EXPECT_EQ(events(), (Events{"open a1", "drain a1"}));
  old_one->end({});
  EXPECT_TRUE(happened("start a1"));
  EXPECT_EQ(events(), Events{"start a1"});
}

TEST_F(SupervisorTest, a_paused_pipeline_is_started_by_nothing_but_resuming_it) {
  apply(of({version_of("a"), version_of("b")}));
  events();
  EXPECT_TRUE(supervisor_->pause("a"));
  EXPECT_TRUE(over("a"));
  EXPECT_EQ(state_of("a").state, PipelineState::kPaused);
  EXPECT_EQ(apply(of({version_of("a"), version_of("b")})).kept, (Events{"a", "b"}));
  EXPECT_EQ(apply(of({version_of("a", 2)})).changed, Events{"a"});
  EXPECT_TRUE(over("b"));
  EXPECT_FALSE(supervisor_->restart("a"));
  EXPECT_EQ(events(), (Events{"drain a1", "drain b1"}));
  EXPECT_EQ(idle_, 0) << "it is to be resumed";
  EXPECT_TRUE(supervisor_->resume("a"));
  EXPECT_TRUE(happened("start a2"));
  EXPECT_FALSE(supervisor_->resume("a"));
}

TEST_F(SupervisorTest, a_pipeline_is_resumed_while_it_still_drains) {
  world_.drains_slowly = {"a1"};
  apply(of({version_of("a")}));
  FakePipeline* old_one = world_.there["a1"];
  events();
  EXPECT_TRUE(supervisor_->pause("a"));
  EXPECT_TRUE(supervisor_->resume("a"));
  EXPECT_EQ(events(), (Events{"drain a1", "open a1"}));
  old_one->end({});
  EXPECT_TRUE(happened("start a1"));
  EXPECT_EQ(idle_, 0);
}

TEST_F(SupervisorTest, what_is_removed_while_a_change_opens_it_anew_is_no_part_of_that_change) {
  apply(of({version_of("a"), version_of("b")}));
  events();
  begin(of({version_of("a", 2), version_of("b"), version_of("c")}));
  EXPECT_TRUE(supervisor_->remove("a"));
  std::optional<Change> change = made();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->changed, Events{});
  EXPECT_EQ(change->added, Events{"c"});
  EXPECT_TRUE(gone("a1") && gone("a2") && forgotten("a"));
  Events all = events();
  EXPECT_EQ(std::ranges::count(all, "start a2"), 0);
  EXPECT_EQ(std::ranges::count(all, "discard a2"), 1);
  EXPECT_EQ(supervisor_->config().pipelines.size(), 2U);
}

TEST_F(SupervisorTest, what_is_removed_while_a_change_keeps_it_is_gone_afterwards_too) {
  apply(of({version_of("a"), version_of("b")}));
  begin(of({version_of("a"), version_of("b", 2)}));
  EXPECT_TRUE(supervisor_->remove("a"));
  ASSERT_TRUE(made());
  EXPECT_TRUE(forgotten("a"));
  EXPECT_EQ(supervisor_->config().pipelines.size(), 1U);
  EXPECT_TRUE(wait([this] { return world_.memory["b2"] == static_cast<size_t>(kMemory); }))
      << "something holds a share of it";
}

TEST_F(SupervisorTest, a_removed_pipeline_that_could_not_be_made_does_not_refuse_the_change) {
  apply(of({version_of("a"), version_of("b")}));
  world_.cannot_make["a2"] = fail(ErrorKind::kUsage, "sink: what is this?");
  begin(of({version_of("a", 2), version_of("b", 2)}));
  EXPECT_TRUE(supervisor_->remove("a"));
  ASSERT_TRUE(made());
  EXPECT_TRUE(happened("start b2"));
}

TEST_F(SupervisorTest, a_restart_under_way_is_taken_back_by_removing_the_pipeline) {
  apply(of({version_of("a"), version_of("b")}));
  events();
  EXPECT_TRUE(supervisor_->restart("a"));
  EXPECT_TRUE(supervisor_->remove("a"));
  EXPECT_TRUE(forgotten("a"));
  Events all = events();
  EXPECT_EQ(std::ranges::count(all, "start a1"), 0);
}

TEST_F(SupervisorTest, a_later_change_brings_a_removed_pipeline_back) {
  apply(of({version_of("a"), version_of("b")}));
  begin(of({version_of("a", 2), version_of("b")}));
  EXPECT_TRUE(supervisor_->remove("a"));
  EXPECT_EQ(apply(of({version_of("a", 3), version_of("b")})).added, Events{"a"});
  EXPECT_TRUE(happened("start a3"));
}

TEST_F(SupervisorTest, what_is_drained_while_changes_are_under_way_is_not_started_by_them) {
  apply(of({version_of("a"), version_of("b")}));
  events();
  begin(of({version_of("a", 2), version_of("b")}));
  begin(of({version_of("a", 3), version_of("b")}));  // waits for its turn
  EXPECT_TRUE(supervisor_->drain("a"));
  ASSERT_TRUE(made());
  EXPECT_TRUE(over("a"));
  Events all = events();
  EXPECT_EQ(std::ranges::count(all, "start a2") + std::ranges::count(all, "start a3"), 0);
  EXPECT_EQ(state_of("a").state, PipelineState::kEnded);
  EXPECT_TRUE(supervisor_->start("a"));
  EXPECT_TRUE(happened("start a3")) << "as it is configured now";
}

TEST_F(SupervisorTest, what_is_drained_and_started_while_a_change_is_under_way_starts_as_changed) {
  apply(of({version_of("a")}));
  EXPECT_TRUE(supervisor_->drain("a"));
  ASSERT_TRUE(over("a"));
  events();
  begin(of({version_of("a", 2)}));
  EXPECT_TRUE(supervisor_->drain("a"));
  EXPECT_TRUE(supervisor_->start("a"));
  ASSERT_TRUE(made());
  EXPECT_TRUE(happened("start a2"));
  settle();
  EXPECT_EQ(state_of("a").state, PipelineState::kRunning);
}

TEST_F(SupervisorTest, a_start_under_way_is_taken_back_by_a_drain) {
  apply(of({version_of("a")}));
  EXPECT_TRUE(supervisor_->drain("a"));
  ASSERT_TRUE(over("a"));
  events();
  EXPECT_TRUE(supervisor_->start("a"));
  EXPECT_TRUE(supervisor_->drain("a"));
  EXPECT_EQ(events(), (Events{"open a1", "discard a1"}));
  EXPECT_EQ(state_of("a").state, PipelineState::kEnded);
}

}  // namespace
}  // namespace leat
