// Each way from one configuration to another, with pipelines that the test leads.
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

// --- failures in the middle ---------------------------------------------------------------------

TEST_F(SupervisorTest, a_configuration_that_cannot_be_made_changes_nothing) {
  apply(of({version_of("a"), version_of("b")}));
  events();
  world_.cannot_make["b2"] = fail(ErrorKind::kUsage, "sink: what is this?");
  Result<Change> change = propose(of({version_of("a", 2), version_of("b", 2), version_of("c")}));
  ASSERT_FALSE(change);
  EXPECT_EQ(change.error().message(), "b: sink: what is this?");
  EXPECT_EQ(events(), (Events{"open a2", "open c1", "discard a2", "discard c1"}));
  EXPECT_TRUE(gone("a2") && gone("c1"));
  EXPECT_EQ(supervisor_->config().pipelines.size(), 2U);
  EXPECT_EQ(snapshot().running(), 2U);
  // And the next one is compared with what runs.
  EXPECT_EQ(apply(of({version_of("a"), version_of("b")})).kept.size(), 2U);
}

TEST_F(SupervisorTest, a_pipeline_whose_new_version_cannot_be_opened_goes_on_in_the_old_one) {
  apply(of({version_of("a"), version_of("b")}));
  events();
  world_.cannot_open["a2"] = fail(ErrorKind::kUsage, "tls.ca: no such file");
  Change change = apply(of({version_of("a", 2), version_of("b", 2)}));
  EXPECT_EQ(change.refused, Events{"a"});
  EXPECT_TRUE(happened("start b2"));
  EXPECT_EQ(events(), (Events{"open a2", "open b2", "discard a2", "drain b1", "start b2"}));
  EXPECT_EQ(state_of("a").state, PipelineState::kRunning);
  EXPECT_EQ(state_of("a").refused, "tls.ca: no such file");
  ASSERT_EQ(ends_.size(), 2U);
  EXPECT_TRUE(ends_[0].old_one_goes_on);
  // When the file is there, the same configuration does it.
  world_.cannot_open.clear();
  EXPECT_EQ(apply(of({version_of("a", 2), version_of("b", 2)})).changed, Events{"a"});
  EXPECT_TRUE(happened("start a2"));
  EXPECT_EQ(state_of("a").refused, "");
}

TEST_F(SupervisorTest, a_refused_version_is_forgotten_with_the_configuration_that_had_it) {
  apply(of({version_of("a")}));
  world_.cannot_open["a2"] = fail(ErrorKind::kUsage, "tls.ca: no such file");
  apply(of({version_of("a", 2)}));
  EXPECT_EQ(apply(of({version_of("a")})).kept, Events{"a"});
  EXPECT_EQ(state_of("a").refused, "");
}

TEST_F(SupervisorTest, a_new_pipeline_that_cannot_be_opened_fails_alone) {
  world_.cannot_open["a1"] = fail(ErrorKind::kUsage, "tls.ca: no such file");
  apply(of({version_of("a"), version_of("b")}));
  EXPECT_EQ(events(), (Events{"open a1", "open b1", "discard a1", "start b1"}));
  EXPECT_EQ(state_of("a").state, PipelineState::kFailed);
  EXPECT_EQ(state_of("a").reason, "tls.ca: no such file");
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_FALSE(ends_[0].old_one_goes_on);
}

// What it reads from can only be opened when the old version has let go of it.
TEST_F(SupervisorTest,
       a_pipeline_that_cannot_start_in_its_new_version_starts_again_in_the_old_one) {
  apply(of({version_of("a"), version_of("b")}));
  events();
  world_.cannot_start["a2"] = fail(ErrorKind::kUsage, "open /dev/ttyUSB7: no such file");
  apply(of({version_of("a", 2), version_of("b")}));
  EXPECT_TRUE(happened("start a1"));
  EXPECT_EQ(events(), (Events{"open a2", "drain a1", "start a2", "open a1", "start a1"}));
  EXPECT_EQ(state_of("a").state, PipelineState::kRunning);
  EXPECT_EQ(state_of("a").refused, "open /dev/ttyUSB7: no such file");
  ASSERT_EQ(ends_.size(), 2U);
  EXPECT_TRUE(ends_[1].old_one_goes_on);
  EXPECT_EQ(idle_, 0);
}

TEST_F(SupervisorTest, a_pipeline_that_starts_in_neither_version_has_failed) {
  apply(of({version_of("a")}));
  world_.cannot_start["a2"] = fail(ErrorKind::kUsage, "open /dev/ttyUSB7: no such file");
  world_.cannot_open["a1"] = fail(ErrorKind::kUsage, "tls.ca: no such file");
  apply(of({version_of("a", 2)}));
  EXPECT_TRUE(wait([this] { return idle_ > 0; }));
  EXPECT_EQ(state_of("a").state, PipelineState::kFailed);
  EXPECT_EQ(state_of("a").reason, "tls.ca: no such file");
}

TEST_F(SupervisorTest, a_pipeline_that_fails_later_does_not_go_back_to_its_old_version) {
  apply(of({version_of("a")}));
  apply(of({version_of("a", 2)}));
  ASSERT_TRUE(happened("start a2"));
  events();
  world_.there["a2"]->end(fail(ErrorKind::kUsage, "the header has other columns"));
  EXPECT_TRUE(over("a"));
  EXPECT_EQ(events(), Events{});
  EXPECT_EQ(state_of("a").state, PipelineState::kFailed);
  EXPECT_EQ(apply(of({version_of("a", 2)})).changed, Events{"a"}) << "a reload starts it again";
}

// --- by name, and all ---------------------------------------------------------------------------

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

// --- by name, while a change is under way -------------------------------------------------------

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

// --- failures that may pass ---------------------------------------------------------------------

TEST_F(SupervisorTest, a_failure_that_may_pass_is_waited_out_ever_longer) {
  apply(of({version_of("a")}));
  const Status away = fail(ErrorKind::kUnavailable, "too many open files");
  for (int64_t seconds : {1, 2, 4, 8, 16, 32, 64, 64}) {
    ASSERT_TRUE(happened("start a1"));
    events();
    world_.there["a1"]->end(away);
    ASSERT_TRUE(wait_ends(1));
    EXPECT_EQ(ends_.back().again_in, Milliseconds{seconds * 1'000});
    ends_.clear();
    advance(Milliseconds{seconds * 1'000 - 1});
    EXPECT_EQ(events(), Events{});
    advance(Milliseconds{1});
  }
  ASSERT_TRUE(happened("start a1"));
  EXPECT_EQ(idle_, 0);
}

TEST_F(SupervisorTest, a_run_of_some_minutes_has_got_over_what_it_failed_of_before) {
  apply(of({version_of("a")}));
  const Status away = fail(ErrorKind::kUnavailable, "too many open files");
  const std::pair<Milliseconds, Milliseconds> runs[] = {
      {Milliseconds{0}, Milliseconds{1'000}},
      {Milliseconds{299'000}, Milliseconds{2'000}},
      {Milliseconds{301'000}, Milliseconds{1'000}},
  };
  for (auto [ran, again_in] : runs) {
    ASSERT_TRUE(happened("start a1"));
    advance(ran);
    events();
    world_.there["a1"]->end(away);
    ASSERT_TRUE(wait_ends(1));
    EXPECT_EQ(ends_.back().again_in, again_in);
    ends_.clear();
    advance(again_in);
  }
}

TEST_F(SupervisorTest, a_pipeline_that_is_to_be_started_again_counts_as_failed_until_it_is) {
  apply(of({version_of("a")}));
  ASSERT_TRUE(happened("start a1"));
  settle();
  world_.there["a1"]->end(fail(ErrorKind::kUnavailable, "too many open files"));
  ASSERT_TRUE(over("a"));
  EXPECT_EQ(state_of("a").state, PipelineState::kFailed);
  EXPECT_EQ(state_of("a").reason, "too many open files");
  EXPECT_EQ(idle_, 0);
  // A new configuration does not wait, and one that was mended by hand need not either.
  events();
  EXPECT_EQ(apply(of({version_of("a")})).changed, Events{"a"});
  EXPECT_TRUE(happened("start a1"));
  EXPECT_EQ(state_of("a").state, PipelineState::kRunning);
}

TEST_F(SupervisorTest, one_that_still_failed_when_all_is_stopped_has_failed_for_good) {
  apply(of({version_of("a")}));
  ASSERT_TRUE(happened("start a1"));
  settle();
  world_.there["a1"]->end(fail(ErrorKind::kUnavailable, "too many open files"));
  ASSERT_TRUE(over("a"));
  supervisor_->drain_all(Milliseconds{60'000});
  EXPECT_TRUE(wait([this] { return idle_ > 0; }));
  ASSERT_EQ(ends_.size(), 2U);
  EXPECT_EQ(ends_[1].again_in.count(), 0);
  EXPECT_FALSE(ends_[1].status);
}

TEST_F(SupervisorTest, what_cannot_be_opened_at_first_for_a_reason_that_may_pass_is_tried_again) {
  world_.bounded = {"b1"};
  for (const char* name : {"a1", "b1"})
    world_.cannot_open[name] = fail(ErrorKind::kUnavailable, "no such folder");
  apply(of({version_of("a"), version_of("b")}));
  ASSERT_TRUE(wait_ends(2));
  EXPECT_EQ(state_of("a").state, PipelineState::kFailed) << "meanwhile";
  for (const PipelineEnd& end : ends_)
    EXPECT_EQ(end.again_in, Milliseconds{end.name == "a" ? 1'000 : 0}) << end.name;
  world_.cannot_open.clear();
  advance(Milliseconds{1'000});
  EXPECT_TRUE(happened("start a1"));
  EXPECT_FALSE(world_.there.contains("b1")) << "one that ends by itself has failed";
}

TEST_F(SupervisorTest, what_a_person_must_mend_or_ends_by_itself_is_not_started_again) {
  world_.bounded = {"b1"};
  apply(of({version_of("a"), version_of("b"), version_of("c")}));
  ASSERT_TRUE(happened("start c1"));
  settle();
  world_.there["a1"]->end(fail(ErrorKind::kUsage, "no such table"));
  world_.there["b1"]->end(fail(ErrorKind::kUnavailable, "away"));
  world_.there["c1"]->end(fail(ErrorKind::kFatal, "cannot go on"));
  EXPECT_TRUE(wait([this] { return idle_ > 0; }));
  for (const PipelineEnd& end : ends_) EXPECT_EQ(end.again_in.count(), 0) << end.name;
  EXPECT_EQ(ends_.size(), 3U);
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

// --- loops and snapshot -------------------------------------------------------------------------

class SupervisorOfThreeLoops : public SupervisorTest {
 protected:
  void SetUp() override { open(3); }
  std::map<size_t, int> pipelines_by_loop() {
    std::map<size_t, int> out;
    for (const PipelineSnapshot& pipeline : snapshot().pipelines) ++out[pipeline.loop];
    return out;
  }
};

TEST_F(SupervisorOfThreeLoops, what_a_reload_makes_goes_to_the_loops_with_the_fewest) {
  apply(of({version_of("a"), version_of("b"), version_of("c")}));
  EXPECT_EQ(pipelines_by_loop(), (std::map<size_t, int>{{0, 1}, {1, 1}, {2, 1}}));
  size_t of_b = state_of("b").loop;
  apply(of({version_of("b"), version_of("d"), version_of("e"), version_of("f"), version_of("g"),
            version_of("h")}));
  EXPECT_TRUE(wait([this] { return snapshot().pipelines.size() == 6; }));
  EXPECT_EQ(pipelines_by_loop(), (std::map<size_t, int>{{0, 2}, {1, 2}, {2, 2}}));
  EXPECT_EQ(state_of("b").loop, of_b);
  std::vector<PipelineConfig> changed;
  for (const char* name : {"b", "d", "e", "f", "g", "h"}) changed.push_back(version_of(name, 2));
  apply(of(changed));
  EXPECT_TRUE(wait([this] {
    std::lock_guard lock(world_.mutex);
    return std::ranges::all_of(world_.there,
                               [](const auto& one) { return one.first.ends_with('2'); });
  }));
  settle();
  EXPECT_EQ(pipelines_by_loop(), (std::map<size_t, int>{{0, 2}, {1, 2}, {2, 2}}));
}

TEST_F(SupervisorTest, the_snapshot_says_how_each_pipeline_is) {
  world_.drains_slowly = {"a1"};
  apply(of({version_of("a")}));
  settle();
  EXPECT_EQ(state_of("a").state, PipelineState::kRunning);
  world_.status.spooling = true;
  EXPECT_EQ(state_of("a").state, PipelineState::kSpooling);
  world_.status.trouble = "connection refused";
  world_.status.records = 7;
  PipelineSnapshot retrying = state_of("a");
  EXPECT_EQ(retrying.state, PipelineState::kRetrying);
  EXPECT_EQ(retrying.reason, "connection refused");
  EXPECT_EQ(retrying.counters.records, 7U);
  EXPECT_EQ(retrying.counters.memory_limit, static_cast<size_t>(kMemory));
  world_.status.circuit_open = true;
  EXPECT_EQ(state_of("a").state, PipelineState::kCircuitOpen);
  EXPECT_TRUE(supervisor_->drain("a"));
  EXPECT_EQ(state_of("a").state, PipelineState::kDraining);
  world_.there["a1"]->end({});
  EXPECT_TRUE(over("a"));
  settle();
  PipelineSnapshot ended = state_of("a");
  EXPECT_EQ(ended.state, PipelineState::kEnded);
  EXPECT_FALSE(ended.runs);
  EXPECT_EQ(ended.counters.records, 7U) << "as it was last";
  Snapshot all = snapshot();
  EXPECT_EQ(all.id, "test");
  EXPECT_EQ(all.loops, 1U);
  EXPECT_GT(all.journal_written_bytes, 0U);
}

TEST_F(SupervisorTest, what_is_counted_goes_on_when_a_pipeline_is_restarted) {
  world_.status.records = 7;
  world_.status.latencies.add(7, 1'000);
  apply(of({version_of("a")}));
  settle();
  EXPECT_EQ(state_of("a").totals.records, 7U);
  EXPECT_TRUE(supervisor_->restart("a"));
  uint64_t before = 7;
  EXPECT_TRUE(wait([&] {
    uint64_t now = state_of("a").totals.records;
    EXPECT_GE(now, before) << "at no moment less";
    before = now;
    return now == 14;
  }));
  PipelineSnapshot now = state_of("a");
  EXPECT_EQ(now.counters.records, 7U) << "of this run";
  EXPECT_EQ(now.totals.latencies.counts[0], 14U);
}

TEST_F(SupervisorTest, a_kick_reaches_the_pipeline_and_starts_one_that_failed_at_once) {
  world_.cannot_start["a1"] = fail(ErrorKind::kUnavailable, "too many open files");
  apply(of({version_of("a"), version_of("b")}));
  EXPECT_TRUE(wait_ends(1));
  PipelineSnapshot failed = state_of("a");
  EXPECT_EQ(failed.state, PipelineState::kFailed);
  ASSERT_TRUE(failed.next_attempt_in);
  EXPECT_EQ(*failed.next_attempt_in, Milliseconds{1'000});
  events();
  EXPECT_TRUE(supervisor_->kick("b"));
  EXPECT_TRUE(happened("kick b1"));
  world_.cannot_start.clear();
  EXPECT_TRUE(supervisor_->kick("a"));
  EXPECT_TRUE(happened("start a1"));
  settle();
  EXPECT_FALSE(state_of("a").next_attempt_in);
  EXPECT_FALSE(supervisor_->kick("c"));
  EXPECT_TRUE(supervisor_->pause("b"));
  EXPECT_TRUE(over("b"));
  EXPECT_FALSE(supervisor_->kick("b"));
}

// Says when it goes: then nothing more will come.
class GoneLines final : public TapLines {
 public:
  explicit GoneLines(bool& gone) : gone_(gone) {}
  ~GoneLines() override { gone_ = true; }
  bool give(std::string /*line*/) override { return true; }

 private:
  bool& gone_;
};

TEST_F(SupervisorTest, a_tap_goes_on_when_its_pipeline_starts_anew_and_ends_with_it) {
  apply(of({version_of("a")}));
  bool gone = false;
  std::vector<Status> told;
  auto tap = [&](uint64_t id, const std::string& at) {
    gone = false;
    return supervisor_->tap("a", id, {.at = at}, std::make_shared<GoneLines>(gone),
                            [&told](const Status& status) { told.push_back(status); });
  };
  ASSERT_TRUE(tap(1, "any"));
  ASSERT_TRUE(wait([&told] { return told.size() == 1; }));
  ASSERT_TRUE(supervisor_->restart("a"));
  ASSERT_TRUE(wait([&told] { return told.size() == 2; })) << "it is shown the new run, too";
  EXPECT_TRUE(told[1]);
  EXPECT_FALSE(gone);
  supervisor_->untap("a", 1);
  events();
  EXPECT_TRUE(supervisor_->restart("a"));
  EXPECT_TRUE(wait([&gone] { return gone; }));
  ASSERT_TRUE(happened("start a1"));

  told.clear();
  ASSERT_TRUE(tap(2, "a1"));
  apply(of({version_of("a", 2)}));
  ASSERT_TRUE(wait([&told] { return told.size() == 2; }));
  EXPECT_FALSE(told[1]) << "there is no such stage any more";
  EXPECT_TRUE(wait([&gone] { return gone; }));

  ASSERT_TRUE(tap(3, "any"));
  EXPECT_TRUE(supervisor_->pause("a"));
  EXPECT_TRUE(wait([&gone] { return gone; }));
  EXPECT_FALSE(tap(4, "any")) << "it does not run";
}

TEST_F(SupervisorTest, what_is_fed_to_a_pipeline_that_is_about_to_start_anew_goes_to_its_new_run) {
  world_.drains_slowly.insert("a1");
  apply(of({version_of("a")}));
  apply(of({version_of("a", 2)}));
  ASSERT_TRUE(happened("drain a1"));
  auto feed = [this] {
    return supervisor_->feed(
        "a", [](FeedHost&) { return nullptr; }, [](const Status&) {});
  };
  EXPECT_TRUE(feed());
  events();
  world_.there.at("a1")->end({});
  EXPECT_TRUE(happened("feed a2"));
  EXPECT_EQ(events(), (Events{"start a2", "feed a2"}));
  EXPECT_TRUE(supervisor_->pause("a"));
  EXPECT_TRUE(over("a"));
  EXPECT_FALSE(feed());
}

TEST_F(SupervisorTest, the_snapshot_says_when_the_configuration_was_loaded) {
  int64_t before = clock_.unix_us();
  apply(of({version_of("a")}));
  EXPECT_GE(snapshot().config_loaded_us, before - 1'000'000);
  EXPECT_LE(snapshot().config_loaded_us, clock_.unix_us());
}

}  // namespace
}  // namespace leat
