// A supervisor and what makes configurations run, with pipelines that the test leads. A text names
// the forms of its pipelines: "a1 b2".
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "control/config_manager.h"
#include "fake_pipeline.h"
#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat::testing {

constexpr Milliseconds kProbation{60'000};

class ManagedConfigs : public ::testing::Test {
 protected:
  void TearDown() override {
    if (supervisor_ != nullptr) stop_well();
    EXPECT_TRUE(world_.there.empty());
  }

  // An agent starts with this file. Gives what runs then.
  std::string start(const std::string& file) {
    SupervisorSetup setup{.clock = clock_, .data_dir = folder_ / "data"};
    setup.make = [this, make = make_fakes(world_)](const PipelineConfig& config,
                                                   const PipelineEnvironment& environment) {
      if (on_make_) on_make_(config.name + std::to_string(config.limits.records_per_second));
      return make(config, environment);
    };
    setup.make_loop = [this](const Clock&) -> std::unique_ptr<Loop> {
      auto loop = std::make_unique<HandLoop>(clock_);
      loop_ = loop.get();
      return loop;
    };
    setup.on_end = [this](const PipelineEnd& end) {
      if (manager_ != nullptr) manager_->pipeline_ended(end);
    };
    Result<std::unique_ptr<Supervisor>> opened = Supervisor::open(std::move(setup));
    if (!opened) throw std::runtime_error(opened.error().message());
    supervisor_ = std::move(*opened);
    supervisor_->begin();
    manager_ = std::make_unique<ConfigManager>(
        ConfigManagerSetup{.supervisor = *supervisor_,
                           .clock = clock_,
                           .read = [this](const std::string& text,
                                          Problems& problems) { return read(text, problems); },
                           .on_change =
                               [this](const Change&) {
                                 ++changes_;
                                 if (std::exchange(refuses_, false))
                                   manager_->refuse("nobody can ask");
                               }});
    bool begun = false;
    WrittenConfig first = written(file);
    first.unusable = unusable_;
    manager_->begin(std::move(first), [this, &begun](const Result<Change>& change) {
      begun = true;
      began_ = change ? "" : change.error().message();
    });
    EXPECT_TRUE(wait([&begun] { return begun; }));
    return running();
  }
  // All is delivered, and the process ends.
  void stop_well() {
    supervisor_->drain_all(Milliseconds{0});
    EXPECT_TRUE(wait([this] { return world_.there.empty(); }));
    manager_->end(false);
    stop();
  }
  // kill -9, as far as the journal knows.
  void die() {
    running();
    manager_.reset();
    supervisor_->drain_all(Milliseconds{0});
    EXPECT_TRUE(wait([this] { return world_.there.empty(); }));
    stop();
  }
  void stop() {
    Status journal;
    EXPECT_TRUE(supervisor_->close(journal));
    manager_.reset();
    supervisor_.reset();
  }

  std::optional<AgentConfig> read(const std::string& text, Problems& problems) {
    if (unreadable_ == text) {
      problems.add({.path = "pipelines", .text = "mean nothing"});
      return std::nullopt;
    }
    AgentConfig out;
    out.id = "test";
    out.data_dir = folder_ / "data";
    out.config_policy = policy_;
    out.probation = kProbation;
    out.control = control_;
    std::istringstream names(text);
    for (std::string name; names >> name;)
      out.pipelines.push_back(version_of(name.substr(0, 1), name[1] - '0' + stands_for_));
    return out;
  }
  WrittenConfig written(const std::string& text) {
    Problems problems;
    return {text, read(text, problems).value()};
  }
  bool wait(const std::function<bool()>& condition) {
    return run_until(supervisor_->loop(), condition);
  }
  std::string change(const std::string& text, ConfigOrigin origin = ConfigOrigin::kRemote) {
    std::optional<Result<Change>> out;
    manager_->change(written(text), origin, "the test",
                     [&out](const Result<Change>& change) { out = change; });
    EXPECT_TRUE(wait([&out] { return out.has_value(); }));
    return *out ? "" : out->error().message();
  }
  std::string reload(const std::string& text) {
    std::optional<Result<Change>> out;
    manager_->reload(written(text), [&out](const Result<Change>& change) { out = change; });
    EXPECT_TRUE(wait([&out] { return out.has_value(); }));
    return *out ? "" : out->error().message();
  }
  std::string roll_back(uint64_t to) {
    std::optional<Result<Change>> out;
    manager_->roll_back(to, "the test", [&out](const Result<Change>& change) { out = change; });
    EXPECT_TRUE(wait([&out] { return out.has_value(); }));
    return *out ? "" : out->error().message();
  }
  // The forms that there are, when no change is under way.
  std::string running() {
    for (int i = 0; i < 40; ++i) {
      bool answered = false;
      supervisor_->snapshot([&answered](const Snapshot&) { answered = true; });
      EXPECT_TRUE(wait([&answered] { return answered; }));
      if (i % 10 != 0) continue;
      bool kept = false;
      supervisor_->journal().flush([&kept] { kept = true; });
      EXPECT_TRUE(wait([&kept] { return kept; }));
    }
    std::string out;
    for (const auto& [form, pipeline] : world_.there) out += (out.empty() ? "" : " ") + form;
    return out;
  }
  void pass(Milliseconds time) {
    running();
    loop_->advance(time);
    running();
  }
  // "1 good", "2 rolledBack: …", as the journal has it.
  std::vector<std::string> history() {
    running();
    std::vector<std::string> out;
    for (const auto& [number, version] : manager_->versions().all())
      out.push_back(std::to_string(number) + " " + std::string(name_of(version.state)) +
                    (version.reason.empty() ? "" : ": " + version.reason));
    return out;
  }
  static PipelineEnd out_of_luck() {
    return {.name = "a", .status = fail(ErrorKind::kFatal, "out of luck")};
  }
  using History = std::vector<std::string>;

  TempDir folder_;
  FakeClock clock_;
  HandLoop* loop_ = nullptr;
  FakeWorld world_;
  ConfigPolicy policy_ = ConfigPolicy::kNewest;
  std::string unreadable_;
  std::string unusable_;  // why the file is, at the start
  std::string began_;
  std::optional<ControlConfig> control_;
  int stands_for_ = 0;  // what variables in the text do
  std::function<void(const std::string& form)> on_make_;
  bool fails_ = false;
  int changes_ = 0;
  bool refuses_ = false;  // as the agent may, when it is told
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<ConfigManager> manager_;
};

}  // namespace leat::testing
