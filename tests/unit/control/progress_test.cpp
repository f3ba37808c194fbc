#include "control/progress.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

PipelineStatus half_way() {
  PipelineStatus status;
  status.bytes_read = 50 << 20;
  status.bytes_total = 100 << 20;
  status.records = 500'000;
  status.delivered = 400'000;
  return status;
}

TEST(Progress, shows_how_far_and_how_long_still) {
  EXPECT_EQ(progress_line(half_way(), Milliseconds(10'000)),
            "50% of 100.0 MiB, 500,000 records (50,000/s), 400,000 delivered, 10.0s left");
}

TEST(Progress, shows_trouble_when_there_is_some) {
  PipelineStatus status = half_way();
  status.dead_letters = 12;
  status.retries = 3;
  std::string line = progress_line(status, Milliseconds(10'000));
  EXPECT_NE(line.find("400,000 delivered, 12 dead letters, 3 retries"), std::string::npos) << line;
}

TEST(Progress, one_is_one_record_and_one_retry) {
  PipelineStatus status;
  status.records = status.dead_letters = status.retries = 1;
  EXPECT_EQ(progress_line(status, Milliseconds(1000)),
            "1 record (1/s), 0 delivered, 1 dead letter, 1 retry");
  EXPECT_EQ(summary_line(status, Milliseconds(0)),
            "1 record read, 0 delivered, 1 dead letter, 1 retry, in 0ms");
}

#ifdef LEAT_TASK_HISTORY
TEST(Progress, of_a_job_tells_how_many_are_done_and_which_are_slow) {
  using State = SourceTask::State;
  PipelineStatus status;
  status.records = 250;
  const auto task = [&status](const char* name, State state, int64_t started_us) {
    status.source_tasks.shown.push_back({.name = name, .state = state, .started_us = started_us});
    ++status.source_tasks.counts[static_cast<size_t>(state)];
  };
  task("a", State::kDone, 1);
  EXPECT_EQ(tasks_line(status, 0), "") << "of one task there is no more to say";
  task("b", State::kRunning, 30'000'000);
  task("c", State::kRunning, 10'000'000);
  task("d", State::kRunning, 90'000'000);
  task("e", State::kFailed, 1);
  EXPECT_EQ(tasks_line(status, 100'000'000),
            "1 of 5 tasks done, 1 failed; slowest: c (1m 30s), b (1m 10s)");
  status.source_tasks.expected = 1000;
  EXPECT_EQ(tasks_line(status, 100'000'000),
            "1 of 5 tasks done, 1 failed, 25% of about 1,000 records; slowest: c (1m 30s), b (1m "
            "10s)");
  status.records = 5000;
  EXPECT_NE(tasks_line(status, 0).find("99% of about"), std::string::npos)
      << "an estimate may be too low";
}
#endif

TEST(Progress, of_a_source_of_unknown_size_has_no_share) {
  PipelineStatus status = half_way();
  status.bytes_total.reset();
  EXPECT_EQ(progress_line(status, Milliseconds(1000)),
            "500,000 records (500,000/s), 400,000 delivered");
}

TEST(Progress, the_summary_accounts_for_every_record) {
  PipelineStatus status;
  status.bytes_read = 1 << 20;
  status.records = 10'000;
  status.delivered = 7'000;
  status.filtered = 2'900;
  status.dropped = 60;
  status.dead_letters = 40;
  EXPECT_EQ(summary_line(status, Milliseconds(2000)),
            "10,000 records read (1.0 MiB), 7,000 delivered, 2,900 filtered, 40 dead letters, 60 "
            "dropped, in 2.0s (5,000 records/s)");
}

TEST(Progress, the_summary_says_where_records_came_from_that_this_run_did_not_read) {
  PipelineStatus status;
  status.records = 100;
  status.resumed = 20;
  status.made = 5;
  status.delivered = 125;
  EXPECT_EQ(summary_line(status, Milliseconds(0)),
            "100 records read, 20 spooled by an earlier run, 5 more made by transforms, 125 "
            "delivered, 0 dead letters, in 0ms");
}

TEST(Progress, the_summary_of_a_moment_has_no_rate_and_one_is_not_many) {
  PipelineStatus status;
  status.records = 1;
  status.dead_letters = 1;
  EXPECT_EQ(summary_line(status, Milliseconds(0)),
            "1 record read, 0 delivered, 1 dead letter, in 0ms");
}

Snapshot running(std::vector<std::string> names) {
  Snapshot out;
  for (std::string& name : names)
    out.pipelines.push_back(
        {.name = std::move(name), .state = PipelineState::kRunning, .runs = true});
  return out;
}

TEST(Progress, the_state_counts_the_pipelines_and_names_those_in_trouble) {
  EXPECT_EQ(state_line(running({"a"})), "1 pipeline runs");
  EXPECT_EQ(state_line(Snapshot()), "no pipelines run");
  Snapshot snapshot = running({"away", "catching-up", "fine", "p", "q"});
  EXPECT_FALSE(in_trouble(snapshot));
  snapshot.pipelines[0].state = PipelineState::kRetrying;
  snapshot.pipelines[0].reason = "connect 127.0.0.1:80: connection refused";
  snapshot.pipelines[0].counters.spool_bytes = 12 << 20;
  snapshot.pipelines[1].counters.spool_bytes = 12 << 20;
  snapshot.pipelines[3].refused = "tls.ca: no such file";
  snapshot.pipelines[4].state = PipelineState::kFailed;
  snapshot.pipelines[4].reason = "no such table";
  snapshot.pipelines[4].runs = false;
  EXPECT_TRUE(in_trouble(snapshot));
  EXPECT_EQ(state_line(snapshot),
            "4 pipelines run; away: connect 127.0.0.1:80: connection refused; 12.0 MiB spooled; "
            "p runs with its old configuration: tls.ca: no such file; q failed: no such table");
}

TEST(Progress, the_state_says_what_is_left_to_drain) {
  Snapshot snapshot = running({"a"});
  snapshot.stopping = true;
  EXPECT_EQ(count_line(snapshot), "draining, 1 pipeline left");
  snapshot.pipelines.clear();
  EXPECT_EQ(count_line(snapshot), "drained");
}

TEST(Progress, the_state_of_one_that_does_not_run_says_why) {
  PipelineSnapshot pipeline{
      .name = "p", .state = PipelineState::kFailed, .reason = "no such table"};
  pipeline.counters.records = 3;
  EXPECT_EQ(state_of(pipeline),
            "failed: no such table; 3 records read, 0 delivered, 0 dead letters");
  pipeline.state = PipelineState::kEnded;
  pipeline.reason.clear();
  EXPECT_EQ(state_of(pipeline), "ended; 3 records read, 0 delivered, 0 dead letters");
}

using Beats = std::vector<std::pair<std::string, std::string>>;

TEST(Heartbeat, tells_of_pipelines_in_which_something_has_happened) {
  Heartbeat heartbeat;
  Snapshot snapshot = running({"a", "idle"});
  snapshot.uptime = Milliseconds{300'000};
  snapshot.pipelines[0].counters.records = 600;
  snapshot.pipelines[0].counters.delivered = 600;
  EXPECT_EQ(heartbeat.lines(snapshot),
            (Beats{{"a", "600 records read, 600 delivered, 0 dead letters (2/s)"}}));
  snapshot.uptime = Milliseconds{600'000};
  EXPECT_EQ(heartbeat.lines(snapshot), Beats{});
  snapshot.uptime = Milliseconds{900'000};
  snapshot.pipelines[0].counters.records = snapshot.pipelines[0].counters.delivered = 3'600;
  EXPECT_EQ(heartbeat.lines(snapshot),
            (Beats{{"a", "3,600 records read, 3,600 delivered, 0 dead letters (10/s)"}}));
}

TEST(Heartbeat, tells_of_trouble_again_and_leaves_out_what_ends_by_itself) {
  Heartbeat heartbeat;
  Snapshot snapshot = running({"away", "bounded"});
  snapshot.pipelines[0].reason = "connection refused";
  snapshot.pipelines[1].bounded = true;
  snapshot.pipelines[1].counters.records = 10;
  for (int i = 0; i < 2; ++i) {
    Beats lines = heartbeat.lines(snapshot);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].first, "away");
    EXPECT_NE(lines[0].second.find("connection refused"), std::string::npos) << lines[0].second;
  }
}

TEST(Heartbeat, begins_anew_with_another_run) {
  Heartbeat heartbeat;
  Snapshot snapshot = running({"a"});
  snapshot.pipelines[0].counters.records = 600;
  heartbeat.lines(snapshot);
  snapshot.uptime = Milliseconds{100'000};
  snapshot.pipelines[0].counters.records = 100;
  EXPECT_EQ(heartbeat.lines(snapshot),
            (Beats{{"a", "100 records read, 0 delivered, 0 dead letters (1/s)"}}));
}

}  // namespace
}  // namespace leat
