// Pipelines that run on one agent of a group, with leases that the test gives and takes.
#include <map>
#include <set>

#include "supervisor_bench.h"

namespace leat {
namespace {

using std::chrono::minutes;
using testing::Events;
using testing::version_of;

class FakeLeases final : public Leases {
 public:
  explicit FakeLeases(Setup with) : setup(std::move(with)) {}

  void set(const std::optional<ClusterConfig>& /*config*/, const std::string& /*agent*/) override {}
  void want(const std::string& pipeline) override { wanted.insert(pipeline); }
  uint64_t fence(const std::string& pipeline) const override {
    auto found = held.find(pipeline);
    return found == held.end() ? 0 : found->second;
  }
  void save(const std::string& pipeline, std::vector<SavedPosition> positions) override {
    for (const SavedPosition& one : positions) saved[pipeline + " " + one.partition] = one.value;
  }
  void release(const std::string& pipeline) override {
    wanted.erase(pipeline);
    if (held.erase(pipeline) > 0) ++released;
  }
  void share(const std::string& /*job*/, std::vector<std::string> /*names*/,
             size_t /*most*/) override {}
  void retry(const std::string& /*job*/) override {}
  const std::vector<SharedTask>& tasks(const std::string& /*job*/) const override { return none; }
  void read(const std::string& /*task*/, Read /*done*/) override {}
  void open_run(const std::string& /*job*/, bool /*anew*/) override {}
  void close_run(const std::string& /*job*/) override {}
  void settle(const std::string& task, bool /*done*/, const std::string& /*reason*/,
              uint64_t /*records*/) override {
    release(task);
  }
  std::string why(const std::string& /*pipeline*/) const override { return "runs on b"; }
  bool in_trouble() const override { return false; }
  int64_t ahead_us() const override { return 0; }
  bool busy() const override { return false; }
  bool leave() override { return true; }
  std::optional<ClusterStatus> status() const override { return ClusterStatus{.group = "etl"}; }

  void grant(const std::string& pipeline, uint64_t fence,
             std::vector<SavedPosition> positions = {}) {
    held[pipeline] = fence;
    setup.granted({.pipeline = pipeline,
                   .fence = fence,
                   .first = positions.empty(),
                   .positions = std::move(positions)});
  }
  void lose(const std::string& pipeline) {
    held.erase(pipeline);
    wanted.erase(pipeline);
    setup.lost(pipeline, "gone");
  }

  const Setup setup;
  std::set<std::string> wanted;
  std::map<std::string, uint64_t> held;
  std::map<std::string, std::string> saved;
  int released = 0;
  const std::vector<SharedTask> none;
};

class SupervisorLeases : public testing::SupervisorTest {
 protected:
  void SetUp() override {
    make_leases_ = [this](const Leases::Setup& setup) {
      auto made = std::make_unique<FakeLeases>(setup);
      leases_ = made.get();
      return made;
    };
    SupervisorTest::SetUp();
  }
  static PipelineConfig exclusive(int version = 1) {
    PipelineConfig out = version_of("a", version);
    out.exclusive = true;
    return out;
  }
  bool started(const std::string& version = "a1") { return happened("start " + version); }
  std::map<std::string, std::string> in_the_journal() {
    std::optional<std::map<std::string, std::string>> out;
    supervisor_->journal().load("a", [&out](const Result<std::vector<SavedPosition>>& saved) {
      out.emplace();
      for (const SavedPosition& one : *saved) (*out)[one.partition] = one.value;
    });
    EXPECT_TRUE(wait([&out] { return out.has_value(); }));
    return *out;
  }
  void commit(std::vector<SavedPosition> positions) {
    bool done = false;
    supervisor_->journal().commit("a", std::move(positions),
                                  [&done](const Status&) { done = true; });
    EXPECT_TRUE(wait([&done] { return done; }));
    settle();
  }

  FakeLeases* leases_ = nullptr;
};

TEST_F(SupervisorLeases, without_its_lease_nothing_of_it_is_made_and_it_stands_by) {
  apply(of({exclusive(), version_of("b")}));
  ASSERT_TRUE(started("b1"));
  settle();
  EXPECT_FALSE(world_.there.contains("a1"));
  EXPECT_EQ(state_of("a").state, PipelineState::kStandby);
  EXPECT_EQ(state_of("a").reason, "runs on b");
  EXPECT_TRUE(leases_->wanted.contains("a"));
  world_.there["b1"]->end({});
  ASSERT_TRUE(wait_ends(1));
  settle();
  EXPECT_EQ(idle_, 0) << "it waits";
}

TEST_F(SupervisorLeases, with_it_it_begins_at_the_positions_that_the_group_has) {
  commit({{"old", "1"}, {"t", "2"}, {"reset:", "anew"}, {"drop:", "7"}});
  apply(of({exclusive()}));
  settle();
  leases_->grant("a", 3, {{"t", "9"}, {"leat:schedule", "x"}});
  ASSERT_TRUE(started());
  EXPECT_EQ(in_the_journal(), (std::map<std::string, std::string>{{"t", "9"}, {"drop:", "7"}}))
      << "what an operator has ordered here holds";
  EXPECT_EQ(state_of("a").state, PipelineState::kRunning);
  commit({{"t", "10"}, {"u", ""}});
  EXPECT_EQ(leases_->saved["a t"], "10");
  EXPECT_TRUE(leases_->saved.contains("a u"));
}

TEST_F(SupervisorLeases, what_was_there_before_there_was_a_group_is_given_to_it) {
  commit({{"t", "2"}});
  apply(of({exclusive()}));
  settle();
  leases_->grant("a", 1);
  ASSERT_TRUE(started());
  EXPECT_EQ(leases_->saved["a t"], "2");
}

TEST_F(SupervisorLeases, when_it_is_lost_what_runs_is_ended_at_once_and_stands_by_again) {
  apply(of({exclusive()}));
  settle();
  leases_->grant("a", 1, {{"t", "1"}});
  ASSERT_TRUE(started());
  world_.drains_slowly = {"a1"};
  leases_->lose("a");
  ASSERT_TRUE(happened("drain a1"));
  advance(Milliseconds{1});
  ASSERT_TRUE(happened("abort a1: ended since its lease was lost: gone"));
  ASSERT_TRUE(wait_ends(1));
  EXPECT_TRUE(ends_.back().told);
  ASSERT_TRUE(wait([this] { return state_of("a").state == PipelineState::kStandby; }));
  EXPECT_TRUE(leases_->wanted.contains("a"));
  commit({{"t", "5"}});
  EXPECT_FALSE(leases_->saved.contains("a t")) << "what comes late is not the group's";
}

TEST_F(SupervisorLeases, another_configuration_has_the_same_lease) {
  apply(of({exclusive()}));
  settle();
  leases_->grant("a", 1, {{"t", "1"}});
  ASSERT_TRUE(started());
  begin(of({exclusive(2)}));
  ASSERT_TRUE(started("a2"));
  EXPECT_EQ(leases_->fence("a"), 1u);
  EXPECT_EQ(leases_->released, 0);
}

TEST_F(SupervisorLeases, it_is_given_back_when_the_pipeline_is_paused_or_not_configured_any_more) {
  apply(of({exclusive()}));
  settle();
  leases_->grant("a", 1, {{"t", "1"}});
  ASSERT_TRUE(started());
  world_.drains_slowly = {"a1"};
  EXPECT_TRUE(supervisor_->pause("a"));
  ASSERT_TRUE(happened("drain a1"));
  EXPECT_EQ(leases_->released, 0) << "it is not over yet";
  world_.there["a1"]->end({});
  ASSERT_TRUE(wait([this] { return leases_->released == 1; }));
  settle();
  EXPECT_FALSE(leases_->wanted.contains("a"));
  EXPECT_TRUE(supervisor_->resume("a"));
  ASSERT_TRUE(wait([this] { return leases_->wanted.contains("a"); }));
  apply(of({}));
  ASSERT_TRUE(forgotten("a"));
  EXPECT_FALSE(leases_->wanted.contains("a"));
}

TEST_F(SupervisorLeases, a_run_of_a_schedule_that_another_has_done_is_not_done_again) {
  world_.bounded = {"a1"};
  PipelineConfig config = exclusive();
  config.schedule.emplace();
  config.schedule->every = minutes(5);
  config.schedule->text = "every 5m";
  apply(of({config}));
  advance(Milliseconds{1});
  ASSERT_TRUE(wait([this] { return leases_->wanted.contains("a"); }));
  ScheduleState done{.decided_us = clock_.unix_us(),
                     .due_us = clock_.unix_us() + 240'000'000,
                     .failures = 0,
                     .by_clock = false,
                     .of = "every 5m"};
  leases_->grant("a", 4, {{"leat:schedule", text_of(done)}});
  settle();
  EXPECT_FALSE(world_.there.contains("a1"));
  EXPECT_EQ(state_of("a").state, PipelineState::kScheduled);
  EXPECT_EQ(leases_->released, 1);
  advance(Milliseconds{240'000});
  ASSERT_TRUE(wait([this] { return leases_->wanted.contains("a"); }));
  leases_->grant("a", 5, {{"leat:schedule", text_of(done)}});
  ASSERT_TRUE(started());
  world_.there["a1"]->end({});
  ASSERT_TRUE(wait([this] { return leases_->released == 2; }));
  EXPECT_GT(schedule_state_of(leases_->saved["a leat:schedule"]).due_us, clock_.unix_us());
}

}  // namespace
}  // namespace leat
