// Versions that cannot be made, opened or kept running; and the end of all.
#include "supervisor_bench.h"

namespace leat {
namespace {

using testing::Events;
using testing::FakePipeline;
using testing::kMemory;
using testing::SupervisorTest;
using testing::version_of;

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

}  // namespace
}  // namespace leat
