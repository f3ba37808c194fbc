// A supervisor of pipelines that the test leads, on a loop whose time it moves.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "control/supervisor.h"
#include "fake_pipeline.h"
#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat::testing {

using Events = std::vector<std::string>;

constexpr int64_t kMemory = 8 << 20;

class SupervisorTest : public ::testing::Test {
 protected:
  void SetUp() override { open(1); }
  void open(int workers) {
    supervisor_.reset();
    SupervisorSetup setup{.clock = clock_, .data_dir = folder_ / "data", .workers = workers};
    setup.make = make_fakes(world_);
    setup.make_leases = make_leases_;
    // The main one's time is moved by hand; what the others do needs none.
    loop_ = nullptr;
    setup.make_loop = [this](const Clock& clock) -> std::unique_ptr<Loop> {
      if (loop_ != nullptr) return make_real_loop(clock);
      auto loop = std::make_unique<HandLoop>(clock_);
      loop_ = loop.get();
      return loop;
    };
    setup.on_end = [this](const PipelineEnd& end) { ends_.push_back(end); };
    setup.on_idle = [this] { ++idle_; };
    Result<std::unique_ptr<Supervisor>> opened = Supervisor::open(std::move(setup));
    if (!opened) throw std::runtime_error(opened.error().message());
    supervisor_ = std::move(*opened);
    supervisor_->begin();
  }
  void TearDown() override {
    Status journal;
    EXPECT_TRUE(supervisor_->close(journal));
    EXPECT_TRUE(journal);
    EXPECT_TRUE(world_.there.empty());
  }

  AgentConfig of(std::vector<PipelineConfig> pipelines) {
    AgentConfig out;
    out.id = "test";
    out.memory = kMemory;
    out.drain_timeout = drain_timeout_;
    out.pipelines = std::move(pipelines);
    return out;
  }
  bool wait(const std::function<bool()>& condition) {
    return run_until(supervisor_->loop(), condition);
  }
  void advance(Milliseconds by) {
    settle();
    loop_->advance(by);
  }
  // Until everything that was posted has run, and what that posted.
  void settle() {
    for (int i = 0; i < 20; ++i) snapshot();
  }
  Result<Change> propose(AgentConfig desired) {
    std::optional<Result<Change>> out;
    supervisor_->apply(std::move(desired), [&out](const Result<Change>& change) { out = change; });
    EXPECT_TRUE(wait([&out] { return out.has_value(); }));
    return *out;
  }
  Change apply(AgentConfig desired) {
    Result<Change> change = propose(std::move(desired));
    EXPECT_TRUE(change);
    return change ? *change : Change();
  }
  // Asks for a change, and waits for nothing.
  void begin(AgentConfig desired) {
    ++asked_;
    supervisor_->apply(std::move(desired), [this](const Result<Change>& change) {
      --asked_;
      EXPECT_TRUE(change);
      if (change) made_ = *change;
    });
  }
  // The last of these, when all are made.
  std::optional<Change> made() {
    EXPECT_TRUE(wait([this] { return asked_ == 0; }));
    return std::exchange(made_, std::nullopt);
  }
  Snapshot snapshot() {
    std::optional<Snapshot> out;
    supervisor_->snapshot([&out](const Snapshot& snapshot) { out = snapshot; });
    EXPECT_TRUE(wait([&out] { return out.has_value(); }));
    return *out;
  }
  PipelineSnapshot state_of(const std::string& name) {
    for (const PipelineSnapshot& pipeline : snapshot().pipelines)
      if (pipeline.name == name) return pipeline;
    return {.name = "none of that name"};
  }
  bool happened(const std::string& event) {
    return wait([this, &event] {
      std::lock_guard lock(world_.mutex);
      return std::ranges::count(world_.events, event) > 0;
    });
  }
  std::string ask_journal(const std::string& operation, const std::string& pipeline) {
    std::optional<Result<std::string>> out;
    supervisor_->work_on_journal(*find_operation(operation), {.pipeline = pipeline},
                                 [&out](Result<std::string> answer) { out = std::move(answer); });
    EXPECT_TRUE(wait([&out] { return out.has_value(); }));
    return *out ? **out : out->error().message();
  }
  // What has happened since it was asked last.
  Events events() {
    settle();
    std::lock_guard lock(world_.mutex);
    return std::exchange(world_.events, {});
  }
  bool gone(const std::string& version) {
    return wait([this, &version] {
      std::lock_guard lock(world_.mutex);
      return !world_.there.contains(version);
    });
  }
  bool wait_ends(size_t count) {
    return wait([this, count] { return ends_.size() == count; });
  }
  // It is not only not wanted: nothing of it is left.
  bool forgotten(const std::string& name) {
    return wait([this, &name] { return state_of(name).name == "none of that name"; });
  }
  // It has ended, and that is known.
  bool over(const std::string& name) {
    return wait([this, &name] { return !state_of(name).runs; });
  }

  TempDir folder_;
  FakeClock clock_;
  HandLoop* loop_ = nullptr;  // the main one
  FakeWorld world_;
  Milliseconds drain_timeout_{60'000};
  MakeLeases make_leases_ = nullptr;
  std::vector<PipelineEnd> ends_;
  int asked_ = 0;  // by begin(), and not made yet
  std::optional<Change> made_;
  int idle_ = 0;
  std::unique_ptr<Supervisor> supervisor_;
};

}  // namespace leat::testing
