// Each way from one configuration to another, with pipelines that the test leads.
#include <algorithm>

#include "supervisor_bench.h"

namespace leat {
namespace {

using testing::Events;
using testing::FakePipeline;
using testing::kMemory;
using testing::SupervisorTest;
using testing::version_of;

TEST_F(SupervisorTest, opens_everything_before_it_starts_anything) {
  apply(of({version_of("a"), version_of("b")}));
  EXPECT_EQ(events(), (Events{"open a1", "open b1", "start a1", "start b1"}));
}

TEST_F(SupervisorTest, an_added_pipeline_disturbs_no_other) {
  apply(of({version_of("a"), version_of("b")}));
  events();
  Change change = apply(of({version_of("a"), version_of("c"), version_of("b")}));
  EXPECT_EQ(change.kept, (Events{"a", "b"}));
  EXPECT_EQ(change.added, Events{"c"});
  EXPECT_EQ(events(), (Events{"open c1", "start c1"}));
  for (const char* version : {"a1", "b1", "c1"})
    EXPECT_EQ(world_.memory[version], static_cast<size_t>(kMemory) / 3) << version;
  EXPECT_LE(world_.most_memory, static_cast<size_t>(kMemory));
}

TEST_F(SupervisorTest, a_removed_pipeline_disturbs_no_other_and_leaves_them_its_memory) {
  world_.drains_slowly = {"b1"};
  apply(of({version_of("a"), version_of("b")}));
  events();
  apply(of({version_of("a")}));
  EXPECT_EQ(events(), Events{"drain b1"});
  EXPECT_EQ(world_.memory["a1"], static_cast<size_t>(kMemory) / 2) << "it still holds its share";
  EXPECT_FALSE(state_of("b").wanted);
  world_.there["b1"]->end({});
  EXPECT_TRUE(wait([this] { return world_.memory["a1"] == static_cast<size_t>(kMemory); }));
  EXPECT_EQ(snapshot().pipelines.size(), 1U);
}

// Until now both counted as if they were alone, for as long as the old ones drained.
TEST_F(SupervisorTest, pipelines_under_new_names_share_the_memory_with_those_that_still_drain) {
  world_.drains_slowly = {"a1", "b1"};
  apply(of({version_of("a"), version_of("b")}));
  apply(of({version_of("c"), version_of("d")}));
  ASSERT_TRUE(happened("start d1"));
  settle();
  for (const char* version : {"a1", "b1", "c1", "d1"})
    EXPECT_EQ(world_.memory[version], static_cast<size_t>(kMemory) / 4) << version;
  for (const char* version : {"a1", "b1"}) world_.there[version]->end({});
  EXPECT_TRUE(wait([this] { return world_.memory["d1"] == static_cast<size_t>(kMemory) / 2; }));
  EXPECT_LE(world_.most_memory, static_cast<size_t>(kMemory));
}

TEST_F(SupervisorTest, another_amount_of_memory_restarts_nothing) {
  apply(of({version_of("a"), version_of("b")}));
  events();
  AgentConfig more = of({version_of("a"), version_of("b")});
  more.memory = 2 * kMemory;
  apply(more);
  EXPECT_EQ(events(), Events{});
  EXPECT_EQ(world_.memory["a1"], static_cast<size_t>(kMemory));
}

TEST_F(SupervisorTest, a_changed_pipeline_starts_when_its_old_version_has_ended) {
  world_.drains_slowly = {"a1"};
  apply(of({version_of("a"), version_of("b")}));
  events();
  Change change = apply(of({version_of("a", 2), version_of("b")}));
  EXPECT_EQ(change.changed, Events{"a"});
  EXPECT_EQ(events(), (Events{"open a2", "drain a1"}));
  EXPECT_EQ(state_of("a").state, PipelineState::kDraining);
  world_.there["a1"]->end({});
  EXPECT_TRUE(happened("start a2"));
  EXPECT_EQ(events(), Events{"start a2"});
  EXPECT_EQ(state_of("a").state, PipelineState::kRunning);
}

TEST_F(SupervisorTest, an_old_version_that_does_not_drain_in_time_is_stopped) {
  world_.drains_slowly = {"a1"};
  apply(of({version_of("a")}));
  apply(of({version_of("a", 2)}));
  advance(drain_timeout_ - Milliseconds{1});
  EXPECT_EQ(state_of("a").state, PipelineState::kDraining);
  advance(Milliseconds{1});
  EXPECT_TRUE(happened("start a2"));
  EXPECT_EQ(events(),
            (Events{"open a1", "start a1", "open a2", "drain a1",
                    "abort a1: not drained in time for the new configuration", "start a2"}));
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_TRUE(ends_[0].told);
  EXPECT_EQ(state_of("a").state, PipelineState::kRunning) << "which is no failure";
}

// Each configuration would otherwise give it another drainTimeout, for ever.
TEST_F(SupervisorTest, the_time_to_drain_runs_from_the_first_of_several_changes) {
  world_.drains_slowly = {"a1"};
  apply(of({version_of("a")}));
  apply(of({version_of("a", 2)}));
  for (int version = 3; version <= 6; ++version) {
    advance(drain_timeout_ / 5);
    apply(of({version_of("a", version)}));
  }
  EXPECT_EQ(state_of("a").state, PipelineState::kDraining);
  advance(drain_timeout_ / 5);
  EXPECT_TRUE(happened("start a6"));
}

TEST_F(SupervisorTest, an_order_in_the_journal_starts_its_pipeline_anew_and_no_other) {
  apply(of({version_of("a"), version_of("b")}));
  events();
  EXPECT_EQ(ask_journal("positions/reset", "a"),
            "{\"pipeline\":\"a\",\"to\":\"start\",\"restarted\":true}\n");
  EXPECT_TRUE(happened("start a1"));
  EXPECT_EQ(events(), (Events{"open a1", "drain a1", "start a1"}));
}

TEST_F(SupervisorTest, an_order_for_a_paused_pipeline_waits_until_it_is_resumed) {
  apply(of({version_of("a")}));
  ASSERT_TRUE(supervisor_->pause("a"));
  ASSERT_TRUE(over("a"));
  events();
  EXPECT_EQ(ask_journal("positions/reset", "a"), "{\"pipeline\":\"a\",\"to\":\"start\"}\n");
  EXPECT_EQ(events(), Events{});
  EXPECT_EQ(state_of("a").state, PipelineState::kPaused);
}

TEST_F(SupervisorTest, only_the_last_of_several_changes_is_started) {
  world_.drains_slowly = {"a1"};
  apply(of({version_of("a")}));
  apply(of({version_of("a", 2)}));
  apply(of({version_of("a", 3)}));
  events();
  world_.there["a1"]->end({});
  EXPECT_TRUE(happened("start a3"));
  EXPECT_TRUE(gone("a2"));
  EXPECT_EQ(events(), Events{"start a3"});
}

TEST_F(SupervisorTest, a_pipeline_that_returns_while_it_drains_is_started_again) {
  world_.drains_slowly = {"a1"};
  apply(of({version_of("a"), version_of("b")}));
  apply(of({version_of("b")}));
  Change change = apply(of({version_of("a"), version_of("b")}));
  EXPECT_EQ(change.added, Events{"a"});
  EXPECT_TRUE(supervisor_->stop_now("a"));
  EXPECT_TRUE(gone("a1"));
  EXPECT_EQ(events(), (Events{"open a1", "open b1", "start a1", "start b1", "drain a1", "open a1",
                              "discard a1", "abort a1: stopped"}));
  EXPECT_TRUE(state_of("a").wanted);
}

TEST_F(SupervisorTest, changes_that_come_together_are_made_in_turn) {
  std::vector<size_t> added;
  auto note = [&added](const Result<Change>& change) { added.push_back(change->added.size()); };
  supervisor_->apply(of({version_of("a")}), note);
  supervisor_->apply(of({version_of("a"), version_of("b"), version_of("c")}), note);
  ASSERT_TRUE(wait([&added] { return added.size() == 2; }));
  EXPECT_EQ(added, (std::vector<size_t>{1, 2}));
}

TEST_F(SupervisorTest, all_are_drained_and_nothing_starts_any_more) {
  world_.drains_slowly = {"a1"};
  apply(of({version_of("a"), version_of("b")}));
  apply(of({version_of("a", 2), version_of("b")}));
  events();
  supervisor_->drain_all(Milliseconds{60'000});
  EXPECT_FALSE(propose(of({version_of("c")})));
  EXPECT_EQ(supervisor_->start("b").error().kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(events(), (Events{"discard a2", "drain b1"}));
  EXPECT_EQ(idle_, 0);
  world_.there["a1"]->end({});
  EXPECT_TRUE(wait([this] { return idle_ > 0; }));
  EXPECT_EQ(snapshot().running(), 0U);
}

TEST_F(SupervisorTest, what_does_not_drain_in_time_is_stopped_and_at_once_if_so_told) {
  world_.drains_slowly = {"a1"};
  apply(of({version_of("a")}));
  events();
  supervisor_->drain_all(Milliseconds{30'000});
  advance(Milliseconds{29'999});
  EXPECT_EQ(idle_, 0);
  advance(Milliseconds{1});
  EXPECT_TRUE(wait([this] { return idle_ > 0; }));
  EXPECT_EQ(events(), (Events{"drain a1", "abort a1: not drained within 30.0s"}));
  EXPECT_FALSE(ends_.at(0).status);
  EXPECT_FALSE(ends_[0].told) << "records were left behind";
}

TEST_F(SupervisorTest, a_change_that_is_overtaken_by_the_end_is_taken_back) {
  apply(of({version_of("a")}));
  events();
  bool refused = false;
  supervisor_->apply(of({version_of("a", 2), version_of("b")}),
                     [&refused](const Result<Change>& change) { refused = !change; });
  supervisor_->drain_all(Milliseconds{60'000});
  EXPECT_TRUE(wait([this] { return idle_ > 0; }));
  EXPECT_TRUE(refused);
  Events all = events();
  EXPECT_EQ(std::ranges::count(all, "start a2") + std::ranges::count(all, "start b1"), 0);
  EXPECT_EQ(std::ranges::count(all, "discard b1"), 1);
}

TEST_F(SupervisorTest, without_pipelines_is_idle) {
  apply(of({}));
  EXPECT_TRUE(wait([this] { return idle_ == 1; }));
}

}  // namespace
}  // namespace leat
