// What is known of each run afterwards, and runs that are asked for.
#include <cjson/cJSON.h>

#include "control/json_text.h"
#include "supervisor_bench.h"

namespace leat {
namespace {

using testing::Events;
using testing::version_of;

class SupervisorRuns : public testing::SupervisorTest {
 protected:
  std::string listed(const std::string& pipeline = "") {
    std::optional<Result<std::string>> out;
    supervisor_->list_runs(pipeline, [&out](Result<std::string> runs) { out = std::move(runs); });
    EXPECT_TRUE(wait([&out] { return out.has_value(); }));
    return *out ? **out : out->error().message();
  }
  // The newest first: "a 2 failed: out of luck".
  std::vector<std::string> runs(const std::string& pipeline = "") {
    std::vector<std::string> out;
    Json json(cJSON_Parse(listed(pipeline).c_str()), cJSON_Delete);
    const cJSON* one = nullptr;
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(json.get(), "runs")) {
      auto text = [one](const char* name) {
        const char* value = cJSON_GetStringValue(cJSON_GetObjectItem(one, name));
        return std::string(value == nullptr ? "" : value);
      };
      const std::string reason = text("reason");
      out.push_back(text("pipeline") + " " +
                    std::to_string(cJSON_GetObjectItem(one, "run")->valueint) + " " +
                    text("state") + (reason.empty() ? "" : ": " + reason));
    }
    return out;
  }
  void end(const std::string& version, const Status& status = {}) {
    ASSERT_TRUE(happened("start " + version));
    std::erase(world_.events, "start " + version);  // it may start again
    world_.there[version]->end(status);
  }
  // Anything else that is written.
  void write_something() {
    bool done = false;
    supervisor_->journal().commit("x", {{"a", "1"}}, [&done](const Status&) { done = true; });
    EXPECT_TRUE(wait([&done] { return done; }));
  }
  Result<uint64_t> provision(const PipelineConfig& config, RunParameters parameters = {}) {
    std::optional<Result<uint64_t>> out;
    supervisor_->provision(config.name, config, std::move(parameters),
                           [&out](Result<uint64_t> run) { out = std::move(run); });
    EXPECT_TRUE(wait([&out] { return out.has_value(); }));
    return *out;
  }
  PipelineConfig twice_at_once() {
    PipelineConfig out = version_of("a");
    out.parameters = {{"from", false}};
    out.max_runs = 2;
    return out;
  }
};

TEST_F(SupervisorRuns, each_is_known_by_how_and_why_it_ended) {
  world_.bounded = {"a1", "b1"};
  world_.status.records = 7;
  world_.status.circuit_openings = 2;
  apply(of({version_of("a"), version_of("b"), version_of("c"), version_of("d")}));
  end("a1");
  end("b1", fail(ErrorKind::kData, "out of luck"));
  ASSERT_TRUE(supervisor_->pause("c"));
  ASSERT_TRUE(wait_ends(3));
  EXPECT_EQ(runs("a"), (Events{"a 1 succeeded"}));
  EXPECT_EQ(runs("b"), (Events{"b 1 failed: out of luck"}));
  EXPECT_EQ(runs("c"), (Events{"c 1 stopped: paused"}));
  EXPECT_EQ(runs("d"), (Events{"d 1 running"}));
  EXPECT_EQ(state_of("d").run, 1U);
  EXPECT_NE(listed("a").find("\"read\":7"), std::string::npos);
  EXPECT_NE(listed("a").find("\"circuitOpenings\":2"), std::string::npos);
  EXPECT_EQ(runs().size(), 4U);
  EXPECT_EQ(listed("nobody"), "the journal knows no run of a pipeline \"nobody\"");
  ASSERT_TRUE(supervisor_->start("a"));
  end("a1");
  ASSERT_TRUE(wait_ends(4));
  EXPECT_EQ(runs("a"), (Events{"a 2 succeeded", "a 1 succeeded"}));
}

// Flash pays for what is written.
TEST_F(SupervisorRuns, one_that_read_nothing_leaves_no_trace) {
  apply(of({version_of("a")}));
  ASSERT_TRUE(happened("start a1"));
  write_something();
  ASSERT_TRUE(supervisor_->restart("a"));
  ASSERT_TRUE(wait_ends(1));
  ASSERT_TRUE(wait([this] { return state_of("a").state == PipelineState::kRunning; }));
  EXPECT_EQ(runs(), (Events{"a 1 running"})) << "whose number is free again";
}

TEST_F(SupervisorRuns,
       one_that_was_cut_short_is_known_from_the_first_write_after_it_read_something) {
  apply(of({version_of("a"), version_of("b")}));
  ASSERT_TRUE(happened("start b1"));
  settle();
  write_something();
  open(1);  // it is as if it had been killed
  EXPECT_EQ(runs(), Events{});
  world_.status.records = 1;
  world_.events.clear();
  apply(of({version_of("a"), version_of("b")}));
  ASSERT_TRUE(happened("start b1"));
  settle();
  write_something();
  open(1);
  EXPECT_EQ(runs(), (Events{"b 1 interrupted", "a 1 interrupted"}));
  world_.events.clear();
  apply(of({version_of("a")}));
  ASSERT_TRUE(happened("start a1"));
  settle();
  EXPECT_EQ(runs("a"), (Events{"a 2 running", "a 1 interrupted"}));
}

TEST_F(SupervisorRuns, the_same_failure_again_and_again_is_one) {
  world_.cannot_start["a1"] = fail(ErrorKind::kUnavailable, "too many open files");
  apply(of({version_of("a")}));
  ASSERT_TRUE(wait_ends(1));
  for (size_t i = 2; i <= 4; ++i) {
    advance(Milliseconds{64'000});
    ASSERT_TRUE(wait_ends(i));
  }
  EXPECT_EQ(runs(), (Events{"a 1 failed: too many open files"}));
}

TEST_F(SupervisorRuns, the_last_hundred_of_a_pipeline_are_kept) {
  RunHistory history(supervisor_->journal());
  RunRecord run;
  for (int i = 0; i < 103; ++i) {
    run = history.begin("a", {}, clock_.unix_us());
    history.note_end(run, {.state = "succeeded", .ended_us = clock_.unix_us()}, {});
  }
  std::vector<std::string> kept = runs("a");
  ASSERT_EQ(kept.size(), 100U);
  EXPECT_EQ(kept.front(), "a 103 succeeded");
  EXPECT_EQ(kept.back(), "a 4 succeeded");
}

TEST_F(SupervisorRuns, what_has_parameters_without_defaults_runs_only_when_it_is_asked_for) {
  apply(of({twice_at_once()}));
  EXPECT_EQ(events(), Events{});
  EXPECT_EQ(state_of("a").state, PipelineState::kMounted);
  EXPECT_EQ(idle_, 0);
  EXPECT_FALSE(supervisor_->start("a"));
  EXPECT_FALSE(supervisor_->restart("a"));
  EXPECT_EQ(apply(of({twice_at_once()})).kept, Events{"a"});
}

TEST_F(SupervisorRuns, those_that_are_asked_for_run_beside_each_other_up_to_maxRuns) {
  world_.bounded = {"a~11", "a~21"};
  apply(of({twice_at_once(), version_of("b")}));
  ASSERT_TRUE(happened("start b1"));
  EXPECT_EQ(provision(twice_at_once(), {{"from", "monday"}}), 1U);
  EXPECT_EQ(provision(twice_at_once(), {{"from", "tuesday"}}), 2U);
  EXPECT_EQ(provision(twice_at_once()).error().message(),
            "a: as many runs as maxRuns allows go on (2)");
  ASSERT_TRUE(happened("start a~11") && happened("start a~21"));
  settle();
  EXPECT_EQ(state_of("a~2").run, 2U);
  EXPECT_EQ(world_.memory["b1"], static_cast<size_t>(testing::kMemory) / 4);
  EXPECT_EQ(apply(of({twice_at_once(), version_of("b")})).removed, Events{})
      << "they are no part of a configuration";
  EXPECT_EQ(runs("a"), (Events{"a 2 running", "a 1 running"}));
  end("a~11", fail(ErrorKind::kUnavailable, "away"));
  EXPECT_TRUE(forgotten("a~1")) << "and is not started again";
  EXPECT_EQ(runs("a"), (Events{"a 2 running", "a 1 failed: away"}));
  EXPECT_NE(listed("a").find("\"parameters\":{\"from\":\"monday\"}"), std::string::npos);
  EXPECT_EQ(provision(twice_at_once()), 3U);
  EXPECT_FALSE(supervisor_->pause("a~2"));
  ASSERT_TRUE(supervisor_->stop("a~2"));
  EXPECT_TRUE(forgotten("a~2"));
  EXPECT_EQ(runs("a")[1], "a 2 stopped: stopped");
}

TEST_F(SupervisorRuns, leave_no_positions_behind) {
  apply(of({twice_at_once()}));
  ASSERT_TRUE(provision(twice_at_once()));
  ASSERT_TRUE(happened("start a~11"));
  auto save = [this](const char* run) {
    bool done = false;
    supervisor_->journal().commit(run, {{"file", "1"}}, [&done](const Status&) { done = true; });
    EXPECT_TRUE(wait([&done] { return done; }));
  };
  save("a~1");
  end("a~11");
  EXPECT_TRUE(forgotten("a~1"));
  auto none_left = [this] { return ask_journal("positions", "") == "{\"positions\":[]}\n"; };
  EXPECT_TRUE(wait(none_left));
  save("a~7");  // it was killed
  open(1);
  EXPECT_TRUE(wait(none_left));
}

TEST_F(SupervisorRuns, are_drained_when_their_pipeline_is_unmounted) {
  world_.drains_slowly = {"a~11"};
  apply(of({twice_at_once()}));
  ASSERT_TRUE(provision(twice_at_once()));
  ASSERT_TRUE(happened("start a~11"));
  ASSERT_TRUE(supervisor_->unmount("a"));
  EXPECT_TRUE(happened("drain a~11"));
  EXPECT_FALSE(provision(twice_at_once()));
  world_.there["a~11"]->end({});
  EXPECT_TRUE(forgotten("a~1"));
  EXPECT_EQ(runs(), (Events{"a 1 stopped: unmounted"}));
  ASSERT_TRUE(supervisor_->mount("a"));
  EXPECT_EQ(state_of("a").state, PipelineState::kMounted);
  ASSERT_TRUE(provision(twice_at_once()));
  EXPECT_TRUE(happened("start a~21"));
}

TEST_F(SupervisorRuns, what_cannot_be_opened_has_failed_and_is_known) {
  world_.cannot_open["a~11"] = fail(ErrorKind::kUsage, "no such table");
  apply(of({twice_at_once()}));
  EXPECT_EQ(provision(twice_at_once()), 1U);
  EXPECT_TRUE(forgotten("a~1"));
  EXPECT_EQ(runs(), (Events{"a 1 failed: no such table"}));
}

}  // namespace
}  // namespace leat
