// What the supervisor shows, counts and lets others listen to; and what goes to which loop.
#include <algorithm>

#include "supervisor_bench.h"

namespace leat {
namespace {

using testing::Events;
using testing::FakePipeline;
using testing::kMemory;
using testing::SupervisorTest;
using testing::version_of;

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

constexpr Option kChannelOptions[] = {{.name = "name"}};
constexpr SourceType kChannelEnd{.name = "channel",
                                 .help = "",
                                 .replay = replays<Replay::kHoldsAck>,
                                 .options = kChannelOptions,
                                 .make = nullptr,
                                 .channel = "name"};

// One that reads the channel of this name.
PipelineConfig reading(PipelineConfig config, const std::string& channel) {
  config.source.type = &kChannelEnd;
  config.source.options = Options(kChannelOptions, "source");
  config.source.options.set("name", channel);
  return config;
}

TEST_F(SupervisorOfThreeLoops, those_that_meet_in_channels_are_together_and_the_others_elsewhere) {
  apply(of({version_of("x"), reading(version_of("a"), "c"), reading(version_of("b"), "c"),
            version_of("y"), reading(version_of("d"), "e"), version_of("z")}));
  for (const char* name : {"a", "b", "d"}) EXPECT_EQ(state_of(name).loop, 0U) << name;
  EXPECT_EQ(pipelines_by_loop(), (std::map<size_t, int>{{0, 3}, {1, 2}, {2, 1}}));
}

TEST_F(SupervisorOfThreeLoops, one_that_comes_to_read_a_channel_moves_to_where_the_others_are) {
  std::vector<PipelineConfig> pipelines{version_of("x"), version_of("y"), version_of("z")};
  apply(of(pipelines));
  EXPECT_EQ(state_of("y").loop, 1U);
  pipelines[1] = reading(version_of("y", 2), "c");
  pipelines.push_back(reading(version_of("late"), "c"));
  apply(of(pipelines));
  EXPECT_TRUE(gone("y1"));
  settle();
  EXPECT_EQ(state_of("y").loop, 0U);
  EXPECT_EQ(state_of("late").loop, 0U);
  EXPECT_TRUE(supervisor_->unmount("y"));
  EXPECT_TRUE(over("y"));
  EXPECT_TRUE(supervisor_->mount("y"));
  EXPECT_TRUE(wait([this] { return state_of("y").runs; }));
  EXPECT_EQ(state_of("y").loop, 0U);
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
