// Pipelines that are started by a schedule, on a loop and a clock that the test moves.
#include <algorithm>

#include "control/schedules.h"
#include "supervisor_bench.h"

namespace leat {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Events;
using testing::version_of;

constexpr Milliseconds kMinute{60'000};

// The clock stands at 2025-10-09T08:53:20Z.
class SupervisorSchedules : public testing::SupervisorTest {
 protected:
  void SetUp() override {
    SupervisorTest::SetUp();
    world_.bounded = {"a1", "a2"};
  }
  static PipelineConfig each(Milliseconds every, int version = 1) {
    PipelineConfig out = version_of("a", version);
    out.schedule.emplace();
    out.schedule->every = every;
    out.schedule->text = "every " + std::to_string(every / kMinute) + "m";
    return out;
  }
  static PipelineConfig at(const std::string& cron) {
    PipelineConfig out = version_of("a");
    out.schedule.emplace();
    out.schedule->cron = *Cron::parse(cron);
    out.schedule->text = cron + " (UTC)";
    return out;
  }
  // A run has begun since this was asked last.
  bool begins() { return happened("start a1") && std::erase(world_.events, "start a1") == 1; }
  bool nothing_begins() {
    settle();
    return std::ranges::count(world_.events, "start a1") == 0;
  }
  void end(const Status& status = {}) {
    const size_t before = ends_.size();
    world_.there["a1"]->end(status);
    ASSERT_TRUE(wait_ends(before + 1));
  }
  void run(const Status& status = {}) {
    ASSERT_TRUE(begins());
    end(status);
  }
  int64_t left_s() {
    return state_of("a").next_attempt_in.value_or(Milliseconds{-1}).count() / 1000;
  }
  // As if it had been killed: nothing is told to end.
  void start_anew(const PipelineConfig& config) {
    settle();
    world_.events.clear();
    open(1);
    apply(of({config}));
  }
  // Time in which the agent is away.
  void pass(std::chrono::microseconds time) { clock_.advance(time); }

  const Status away_ = fail(ErrorKind::kUnavailable, "nobody answers");
  const Status wrong_ = fail(ErrorKind::kUsage, "no such table");
};

TEST_F(SupervisorSchedules, every_five_minutes_begins_at_once_and_then_from_start_to_start) {
  apply(of({each(5 * kMinute)}));
  ASSERT_TRUE(begins());
  advance(kMinute);
  end();
  EXPECT_EQ(state_of("a").state, PipelineState::kScheduled);
  EXPECT_EQ(state_of("a").schedule, "every 5m");
  EXPECT_EQ(left_s(), 240);
  EXPECT_EQ(ends_.back().again_in, 4 * kMinute);
  advance(4 * kMinute - Milliseconds{1});
  EXPECT_TRUE(nothing_begins());
  advance(Milliseconds{1});
  run();
  EXPECT_EQ(idle_, 0) << "the agent does not end with a run";
}

TEST_F(SupervisorSchedules, what_has_no_schedule_any_more_leaves_nothing_in_the_journal) {
  const auto in_journal = [this] {
    std::optional<std::string> out;
    supervisor_->journal().load("", [&out](Result<std::vector<SavedPosition>> saved) {
      out.emplace();
      for (const SavedPosition& one : *saved)
        if (one.partition.starts_with("schedule:")) *out += one.partition + ' ';
    });
    EXPECT_TRUE(wait([&out] { return out.has_value(); }));
    return out.value_or("no answer");
  };
  apply(of({each(5 * kMinute)}));
  run();
  EXPECT_EQ(in_journal(), "schedule:a ");
  AgentConfig resting = of({});
  resting.not_enabled = {"a"};
  apply(resting);
  EXPECT_EQ(in_journal(), "schedule:a ");
  apply(of({}));
  EXPECT_EQ(in_journal(), "");
}

TEST_F(SupervisorSchedules, what_comes_while_a_run_goes_on_is_left_out) {
  apply(of({each(5 * kMinute)}));
  ASSERT_TRUE(begins());
  advance(12 * kMinute);
  EXPECT_TRUE(nothing_begins());
  end();
  EXPECT_EQ(left_s(), 180);
}

TEST_F(SupervisorSchedules, between_two_runs_nothing_wakes_up_but_for_the_next) {
  apply(of({each(5 * kMinute)}));
  run();
  settle();
  ASSERT_TRUE(loop_->next_due());
  EXPECT_EQ(*loop_->next_due() - loop_->now(), 5 * kMinute);
  EXPECT_TRUE(world_.there.empty()) << "and nothing of it is there";
}

TEST_F(SupervisorSchedules, a_time_of_the_day_waits_for_it) {
  apply(of({at("15 9 * * *")}));
  EXPECT_TRUE(nothing_begins());
  EXPECT_EQ(state_of("a").state, PipelineState::kScheduled);
  EXPECT_EQ(state_of("a").next_run_us, 1'760'001'300'000'000);
  EXPECT_EQ(left_s(), 21 * 60 + 40);
  advance(seconds(21 * 60 + 40));
  run();
  EXPECT_EQ(left_s(), 86'400);
}

TEST_F(SupervisorSchedules, one_that_was_missed_while_the_agent_was_away_is_made_up_once) {
  apply(of({at("15 9 * * *")}));
  settle();
  pass(hours(72));
  start_anew(at("15 9 * * *"));
  run();
  EXPECT_TRUE(nothing_begins());
  EXPECT_EQ(state_of("a").state, PipelineState::kScheduled);
  start_anew(at("15 9 * * *"));
  EXPECT_TRUE(nothing_begins()) << "it was made up";
}

TEST_F(SupervisorSchedules, one_that_was_cut_short_is_due_at_the_next_start) {
  apply(of({at("15 9 * * *")}));
  advance(minutes(30));
  ASSERT_TRUE(begins());
  start_anew(at("15 9 * * *"));
  EXPECT_TRUE(begins());
}

TEST_F(SupervisorSchedules, the_rest_of_the_wait_goes_on_after_a_restart) {
  apply(of({each(5 * kMinute)}));
  run();
  pass(minutes(2));
  start_anew(each(5 * kMinute));
  EXPECT_TRUE(nothing_begins());
  EXPECT_EQ(left_s(), 180);
}

TEST_F(SupervisorSchedules, what_may_pass_is_tried_again_soon_and_then_the_circuit_opens) {
  apply(of({each(60 * kMinute)}));
  Milliseconds most{10'000};
  for (int failures = 1; failures < 5; ++failures) {
    run(away_);
    EXPECT_EQ(state_of("a").state, PipelineState::kFailed);
    EXPECT_EQ(state_of("a").reason, "nobody answers");
    EXPECT_EQ(state_of("a").failed_runs, static_cast<uint64_t>(failures));
    EXPECT_LE(ends_.back().again_in, most);
    most *= 2;
    advance(most);
  }
  run(away_);
  EXPECT_EQ(state_of("a").state, PipelineState::kCircuitOpen);
  EXPECT_EQ(left_s(), 30 * 60);
  advance(30 * kMinute);
  run(away_);
  EXPECT_EQ(left_s(), 30 * 60) << "one trial run";
  advance(30 * kMinute);
  run();
  EXPECT_EQ(state_of("a").state, PipelineState::kScheduled);
  EXPECT_EQ(state_of("a").failed_runs, 0U);
  EXPECT_EQ(state_of("a").reason, "");
  EXPECT_EQ(left_s(), 3600);
}

TEST_F(SupervisorSchedules, what_would_fail_again_comes_at_its_next_time) {
  apply(of({each(5 * kMinute)}));
  run(wrong_);
  EXPECT_EQ(left_s(), 300);
  EXPECT_EQ(state_of("a").state, PipelineState::kFailed);
  for (int i = 0; i < 4; ++i) {
    advance(5 * kMinute);
    run(wrong_);
  }
  EXPECT_EQ(state_of("a").state, PipelineState::kCircuitOpen);
  EXPECT_EQ(left_s(), 35 * 60) << "the first time behind the cooldown";
}

TEST_F(SupervisorSchedules, the_circuit_is_still_open_after_a_restart) {
  PipelineConfig config = at("15 9 * * *");
  config.schedule->threshold = 1;
  apply(of({config}));
  advance(minutes(30));
  run(away_);
  start_anew(config);
  EXPECT_TRUE(nothing_begins());
  EXPECT_EQ(state_of("a").state, PipelineState::kCircuitOpen);
  EXPECT_EQ(state_of("a").reason, "1 run failed before the agent was started");
  EXPECT_EQ(left_s(), 30 * 60);
}

TEST_F(SupervisorSchedules, a_run_that_cannot_be_opened_has_failed) {
  world_.cannot_open["a1"] = away_;
  apply(of({each(60 * kMinute)}));
  ASSERT_TRUE(wait_ends(1));
  EXPECT_EQ(state_of("a").failed_runs, 1U);
  advance(Milliseconds{10'000});
  ASSERT_TRUE(wait_ends(2));
  EXPECT_EQ(state_of("a").failed_runs, 2U);
  world_.cannot_open.clear();
  advance(Milliseconds{20'000});
  run();
  EXPECT_EQ(state_of("a").failed_runs, 0U);
}

TEST_F(SupervisorSchedules, the_clock_put_forward_over_a_time_makes_it_due) {
  apply(of({at("15 9 * * *")}));
  settle();
  clock_.step(hours(5));
  supervisor_->clock_stepped();
  advance(Milliseconds{1});
  run();
  EXPECT_EQ(state_of("a").next_run_us, 1'760'087'700'000'000) << "of tomorrow";
}

TEST_F(SupervisorSchedules, the_clock_put_back_a_little_repeats_nothing) {
  apply(of({at("15 9 * * *")}));
  advance(minutes(30));
  run();
  clock_.step(-hours(1));
  supervisor_->clock_stepped();
  advance(minutes(58));
  EXPECT_TRUE(nothing_begins());
  EXPECT_EQ(state_of("a").next_run_us, 1'760'087'700'000'000) << "of tomorrow";
}

TEST_F(SupervisorSchedules, the_clock_put_back_by_years_was_wrong_before) {
  clock_.step(hours(24 * 365 * 10));
  apply(of({at("15 9 * * *")}));
  advance(hours(24));
  run();
  clock_.step(-hours(24 * 365 * 10));
  supervisor_->clock_stepped();
  EXPECT_LE(left_s(), 86'400);
  advance(hours(24));
  EXPECT_TRUE(begins());
}

TEST_F(SupervisorSchedules, every_goes_on_however_the_clock_is_put) {
  apply(of({each(5 * kMinute)}));
  run();
  clock_.step(-hours(24 * 365));
  supervisor_->clock_stepped();
  EXPECT_EQ(left_s(), 300);
  advance(5 * kMinute);
  run();
}

TEST_F(SupervisorSchedules, operators_can_begin_a_run_at_once_and_hold_all) {
  apply(of({at("15 9 * * *")}));
  settle();
  ASSERT_TRUE(supervisor_->start("a"));
  run();
  EXPECT_EQ(left_s(), 21 * 60 + 40) << "as it would have been";
  ASSERT_TRUE(supervisor_->restart("a"));
  run();
  ASSERT_TRUE(supervisor_->pause("a"));
  EXPECT_EQ(state_of("a").state, PipelineState::kPaused);
  EXPECT_EQ(state_of("a").next_run_us, 0);
  advance(hours(1));
  EXPECT_TRUE(nothing_begins());
  ASSERT_TRUE(supervisor_->resume("a"));
  run();
  EXPECT_EQ(state_of("a").state, PipelineState::kScheduled) << "it was missed meanwhile";
  ASSERT_TRUE(supervisor_->stop("a"));
  ASSERT_TRUE(supervisor_->start("a"));
  EXPECT_TRUE(nothing_begins()) << "its time has not come";
  EXPECT_EQ(state_of("a").state, PipelineState::kScheduled);
}

TEST_F(SupervisorSchedules, another_configuration_does_not_begin_what_waits) {
  apply(of({each(5 * kMinute)}));
  run();
  EXPECT_EQ(apply(of({each(5 * kMinute)})).kept, Events{"a"});
  EXPECT_EQ(apply(of({each(5 * kMinute, 2)})).changed, Events{"a"});
  EXPECT_TRUE(nothing_begins());
  EXPECT_EQ(left_s(), 300) << "its schedule is the same";
  advance(5 * kMinute);
  EXPECT_TRUE(happened("start a2"));
  apply(of({}));
  EXPECT_TRUE(forgotten("a"));
}

TEST_F(SupervisorSchedules, another_schedule_begins_anew) {
  apply(of({each(5 * kMinute)}));
  run();
  apply(of({at("15 9 * * *")}));
  EXPECT_TRUE(nothing_begins());
  EXPECT_EQ(left_s(), 21 * 60 + 40);
  apply(of({each(6 * kMinute)}));
  EXPECT_TRUE(begins());
}

TEST_F(SupervisorSchedules, what_runs_goes_on_in_its_new_form) {
  apply(of({at("15 9 * * *")}));
  advance(minutes(30));
  ASSERT_TRUE(begins());
  PipelineConfig changed = at("16 9 * * *");
  changed.limits.records_per_second = 2;
  apply(of({changed}));
  EXPECT_TRUE(happened("drain a1"));
  EXPECT_TRUE(happened("start a2"));
}

TEST_F(SupervisorSchedules, one_that_waits_does_not_hold_up_the_end) {
  apply(of({each(5 * kMinute)}));
  run();
  supervisor_->drain_all(kMinute);
  EXPECT_TRUE(wait([this] { return idle_ == 1; }));
  EXPECT_TRUE(ends_.back().status);
}

TEST(ScheduleStates, are_kept_as_words) {
  const ScheduleState state{
      .decided_us = 1, .due_us = -2, .failures = 3, .by_clock = true, .of = "15 2 * * * (UTC)"};
  EXPECT_EQ(text_of(state), "1 -2 3 clock 15 2 * * * (UTC)");
  EXPECT_EQ(schedule_state_of(text_of(state)), state);
  EXPECT_EQ(schedule_state_of("nonsense"), ScheduleState{});
}

}  // namespace
}  // namespace leat
