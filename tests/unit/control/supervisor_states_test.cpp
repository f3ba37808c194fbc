// What operators say of pipelines by name, and how long it holds.
#include "supervisor_bench.h"

namespace leat {
namespace {

using testing::Events;
using testing::version_of;

PipelineConfig registered(const std::string& name, int version = 1) {
  PipelineConfig out = version_of(name, version);
  out.mounted = false;
  return out;
}

class SupervisorStates : public testing::SupervisorTest {
 protected:
  // The agent ends and starts anew, as far as its pipelines can tell.
  void start_anew() {
    settle();
    open(1);
    world_.events.clear();
  }
  PipelineState state(const std::string& name) { return state_of(name).state; }
  bool reaches(const std::string& name, PipelineState wanted) {
    return wait([&] { return state(name) == wanted; });
  }
};

TEST_F(SupervisorStates, what_was_told_by_name_holds_when_the_agent_starts_anew) {
  const AgentConfig all = of({version_of("a"), version_of("b"), version_of("c"), version_of("d")});
  apply(all);
  ASSERT_TRUE(supervisor_->pause("a"));
  ASSERT_TRUE(supervisor_->stop("b"));
  ASSERT_TRUE(supervisor_->unmount("c"));
  start_anew();
  apply(all);
  EXPECT_EQ(events(), (Events{"open d1", "start d1"}));
  EXPECT_EQ(state("a"), PipelineState::kPaused);
  EXPECT_EQ(state("b"), PipelineState::kStopped);
  EXPECT_EQ(state("c"), PipelineState::kUnmounted);
  EXPECT_TRUE(supervisor_->resume("a"));
  EXPECT_TRUE(happened("start a1"));
  EXPECT_TRUE(supervisor_->start("b"));
  EXPECT_TRUE(happened("start b1"));
  EXPECT_TRUE(supervisor_->mount("c"));
  EXPECT_TRUE(happened("start c1"));
  start_anew();
  apply(all);
  EXPECT_TRUE(happened("start a1") && happened("start b1") && happened("start c1"))
      << "and nothing is left of it";
}

TEST_F(SupervisorStates, what_is_to_go_on_is_starting_while_its_turn_has_not_come) {
  apply(of({version_of("a")}));
  ASSERT_TRUE(supervisor_->pause("a"));
  ASSERT_TRUE(reaches("a", PipelineState::kPaused));
  begin(of({version_of("a"), version_of("b")}));
  ASSERT_TRUE(supervisor_->resume("a"));
  EXPECT_EQ(state("a"), PipelineState::kStarting) << "it has not ended";
  EXPECT_TRUE(made());
  EXPECT_TRUE(reaches("a", PipelineState::kRunning));
}

TEST_F(SupervisorStates, nothing_but_its_counterpart_starts_what_was_told_to_end) {
  apply(of({version_of("a"), version_of("b"), version_of("c")}));
  ASSERT_TRUE(supervisor_->pause("a"));
  ASSERT_TRUE(supervisor_->stop("b"));
  ASSERT_TRUE(supervisor_->unmount("c"));
  ASSERT_TRUE(over("a") && over("b") && over("c"));
  events();
  apply(of({}));  // they are forgotten by the configuration, and come back
  apply(of({version_of("a", 2), version_of("b", 2), version_of("c", 2)}));
  for (auto refused : {&Supervisor::start, &Supervisor::restart, &Supervisor::mount})
    EXPECT_FALSE((*supervisor_.*refused)("a"));
  for (auto refused : {&Supervisor::pause, &Supervisor::resume, &Supervisor::restart})
    EXPECT_FALSE((*supervisor_.*refused)("b"));
  for (auto refused : {&Supervisor::pause, &Supervisor::resume, &Supervisor::start,
                       &Supervisor::stop, &Supervisor::restart, &Supervisor::unmount})
    EXPECT_EQ((*supervisor_.*refused)("c").error().kind(), ErrorKind::kUsage);
  EXPECT_EQ(events(), Events{});
  EXPECT_EQ(idle_, 1) << "while none of them was configured";
}

TEST_F(SupervisorStates, a_paused_pipeline_can_be_stopped_and_one_that_is_stopped_unmounted) {
  apply(of({version_of("a")}));
  ASSERT_TRUE(supervisor_->pause("a"));
  ASSERT_TRUE(supervisor_->stop("a"));
  EXPECT_TRUE(reaches("a", PipelineState::kStopped));
  ASSERT_TRUE(supervisor_->unmount("a"));
  EXPECT_EQ(state("a"), PipelineState::kUnmounted);
  events();
  ASSERT_TRUE(supervisor_->mount("a"));
  EXPECT_TRUE(happened("start a1")) << "what it was before is forgotten";
}

TEST_F(SupervisorStates, nothing_of_a_pipeline_is_opened_that_is_not_mounted) {
  world_.cannot_make["a1"] = fail(ErrorKind::kUsage, "nobody has looked at it");
  Change change = apply(of({registered("a"), version_of("b")}));
  EXPECT_EQ(change.added, (Events{"a", "b"}));
  EXPECT_EQ(events(), (Events{"open b1", "start b1"}));
  EXPECT_EQ(state("a"), PipelineState::kRegistered);
  EXPECT_EQ(apply(of({registered("a"), version_of("b")})).kept, (Events{"a", "b"}));
  EXPECT_EQ(idle_, 0) << "it is to be mounted";
}

TEST_F(SupervisorStates, a_mounted_pipeline_stays_so_by_its_name_until_it_is_unmounted) {
  apply(of({registered("a")}));
  ASSERT_TRUE(supervisor_->mount("a"));
  EXPECT_TRUE(happened("start a1"));
  EXPECT_FALSE(supervisor_->mount("a"));
  apply(of({registered("a", 2)}));
  EXPECT_TRUE(happened("start a2"));
  start_anew();
  apply(of({registered("a", 2)}));
  EXPECT_TRUE(happened("start a2"));
  ASSERT_TRUE(supervisor_->unmount("a"));
  EXPECT_TRUE(reaches("a", PipelineState::kUnmounted));
  start_anew();
  apply(of({version_of("a", 3)}));
  EXPECT_EQ(events(), Events{}) << "what its configuration says is less than a word";
}

TEST_F(SupervisorStates, a_configuration_that_unmounts_a_pipeline_drains_it) {
  world_.drains_slowly = {"a1"};
  apply(of({version_of("a"), version_of("b")}));
  events();
  apply(of({registered("a"), version_of("b")}));
  EXPECT_EQ(events(), Events{"drain a1"});
  EXPECT_EQ(state("a"), PipelineState::kDraining);
  world_.there["a1"]->end({});
  EXPECT_TRUE(reaches("a", PipelineState::kRegistered));
  apply(of({version_of("a"), version_of("b")}));
  EXPECT_TRUE(happened("start a1"));
}

// Else the word would count against a configuration that comes later.
TEST_F(SupervisorStates, a_configuration_that_mounts_a_pipeline_takes_the_place_of_the_word) {
  apply(of({registered("a")}));
  ASSERT_TRUE(supervisor_->mount("a"));
  apply(of({version_of("a")}));
  apply(of({registered("a")}));
  EXPECT_TRUE(reaches("a", PipelineState::kRegistered));
}

TEST_F(SupervisorStates, what_is_told_to_end_has_the_time_of_hardTerminate_for_it) {
  world_.drains_slowly = {"a1"};
  PipelineConfig config = version_of("a");
  config.hard_terminate = Milliseconds{30 * 60'000};
  apply(of({config}));
  ASSERT_TRUE(supervisor_->pause("a"));
  advance(config.hard_terminate - Milliseconds{1});
  EXPECT_EQ(state("a"), PipelineState::kDraining);
  events();
  advance(Milliseconds{1});
  EXPECT_TRUE(reaches("a", PipelineState::kPaused));
  EXPECT_EQ(events(), Events{"abort a1: not drained within 30m 0s (hardTerminate)"});
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_TRUE(ends_[0].told);
}

TEST_F(SupervisorStates, of_several_times_to_drain_the_earliest_counts) {
  world_.drains_slowly = {"a1"};
  apply(of({version_of("a")}));
  ASSERT_TRUE(supervisor_->pause("a"));  // half an hour
  advance(Milliseconds{1'000});
  ASSERT_TRUE(supervisor_->resume("a"));  // drainTimeout, since something waits for it
  settle();
  advance(drain_timeout_);
  EXPECT_TRUE(happened("abort a1: not drained in time for the new configuration"));
}

TEST_F(SupervisorStates, one_that_is_stopped_at_once_is_not_drained) {
  world_.drains_slowly = {"a1"};
  apply(of({version_of("a")}));
  ASSERT_TRUE(supervisor_->stop("a"));
  EXPECT_EQ(state("a"), PipelineState::kDraining);
  ASSERT_TRUE(supervisor_->stop_now("a")) << "that is too long now";
  EXPECT_TRUE(reaches("a", PipelineState::kStopped));
}

TEST_F(SupervisorStates, what_was_said_is_written_and_nothing_where_nothing_was) {
  for (const Standing& standing :
       {Standing{}, Standing{.mounted = true}, Standing{.mounted = false},
        Standing{.activity = Activity::kPaused},
        Standing{.mounted = true, .activity = Activity::kStopped}})
    EXPECT_EQ(standing_of(text_of(standing)), standing);
  EXPECT_EQ(text_of(Standing{}), "");
  EXPECT_EQ(standing_of("of a later leat"), Standing{});
}

}  // namespace
}  // namespace leat
