// Pipelines that a test leads, in the place of real ones.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/managed_pipeline.h"
#include "loop/handles.h"

namespace leat::testing {

class FakePipeline;

// What they do and have done. A pipeline in its version 2 is "name2".
struct FakeWorld {
  std::mutex mutex;  // for tests with several loops
  std::vector<std::string> events;
  std::map<std::string, FakePipeline*> there;
  std::map<std::string, size_t> memory;       // of those that were started
  size_t most_memory = 0;                     // of all together, at once
  std::map<std::string, Status> cannot_make;  // by version, as the next three
  std::map<std::string, Status> cannot_open;
  std::map<std::string, Status> cannot_start;  // it ends with this, and has not been opened
  std::set<std::string> bounded;
  std::set<std::string> drains_slowly;  // it drains when the test says so
  PipelineStatus status;                // of all

  void note(const std::string& event) {
    std::lock_guard lock(mutex);
    events.push_back(event);
  }
  // What `statuses` has for this version.
  static Status of(const std::map<std::string, Status>& statuses, const std::string& version) {
    auto found = statuses.find(version);
    return found == statuses.end() ? Status() : found->second;
  }
  void takes(const std::string& version, size_t bytes) {
    std::lock_guard lock(mutex);
    memory[version] = bytes;
    size_t all = 0;
    for (const auto& [name, share] : memory) all += share;
    most_memory = std::max(most_memory, all);
  }
};

class FakePipeline final : public ManagedPipeline {
 public:
  FakePipeline(FakeWorld& world, std::string version, const PipelineEnvironment& environment,
               bool bounded)
      : world_(world),
        version_(std::move(version)),
        memory_(environment.memory),
        bounded_(bounded),
        later_(environment.loop) {
    std::lock_guard lock(world_.mutex);
    world_.there[version_] = this;
  }
  ~FakePipeline() override {
    std::lock_guard lock(world_.mutex);
    auto found = world_.there.find(version_);
    if (found != world_.there.end() && found->second == this) world_.there.erase(found);
    world_.memory.erase(version_);
  }

  Status open() override {
    world_.note("open " + version_);
    return FakeWorld::of(world_.cannot_open, version_);
  }
  void discard(std::function<void()> done) override {
    world_.note("discard " + version_);
    later_.start(Milliseconds{0}, [done = std::move(done)] {
      std::function<void()> once = done;
      once();
    });
  }
  void start(std::function<void(Status)> finished) override {
    world_.note("start " + version_);
    world_.takes(version_, memory_);
    started_ = true;
    finished_ = std::move(finished);
    Status status = FakeWorld::of(world_.cannot_start, version_);
    opened_ = bool(status);
    if (!opened_) end(status);
  }
  void drain() override {
    world_.note("drain " + version_);
    if (!world_.drains_slowly.contains(version_)) end({});
  }
  void abort(const std::string& why) override {
    world_.note("abort " + version_ + ": " + why);
    end(fail(ErrorKind::kFatal, why));
  }
  void kick() override { world_.note("kick " + version_); }
  void hold(const std::string& why) override {
    world_.note((why.empty() ? "go on " : "hold ") + version_);
  }
  // Its stages are called as its version is, and "any".
  Status tap(uint64_t, const TapRequest& request, const std::shared_ptr<TapLines>& lines) override {
    world_.note("tap " + version_);
    if (request.at != "any" && request.at != version_)
      return fail(ErrorKind::kUsage, "no stage " + request.at);
    taps_.push_back(lines);
    return {};
  }
  void untap(uint64_t) override {}
  // To all that look.
  void show(const std::string& line) {
    for (const auto& one : taps_) one->give(line);
  }
  Status feed(const MakeFeed& /*make*/) override {
    world_.note("feed " + version_);
    return {};
  }
  void set_memory(size_t bytes) override {
    memory_ = bytes;
    if (started_) world_.takes(version_, bytes);
  }
  bool bounded() const override { return bounded_; }
  bool has_read() const override { return world_.status.records > 0; }
  PipelineStatus status() const override {
    PipelineStatus out = world_.status;
    out.opened = opened_;
    out.memory_limit = memory_;
    return out;
  }

  // It ends, a turn later.
  void end(const Status& status) {
    later_.start(Milliseconds{0}, [this, status] {
      auto finished = std::move(finished_);
      if (finished) finished(status);
    });
  }

 private:
  FakeWorld& world_;
  const std::string version_;
  size_t memory_;
  const bool bounded_;
  bool started_ = false;
  bool opened_ = false;
  std::vector<std::shared_ptr<TapLines>> taps_;
  std::function<void(Status)> finished_;
  Timer later_;
};

// Version `version` of a pipeline: two of one version mean the same.
inline PipelineConfig version_of(const std::string& name, int version = 1) {
  PipelineConfig out;
  out.name = name;
  out.limits.records_per_second = version;
  return out;
}

inline MakePipeline make_fakes(FakeWorld& world) {
  return
      [&world](const PipelineConfig& config,
               const PipelineEnvironment& environment) -> Result<std::unique_ptr<ManagedPipeline>> {
        std::string version = config.name + std::to_string(config.limits.records_per_second);
        if (auto found = world.cannot_make.find(version); found != world.cannot_make.end())
          return fail(found->second.error());
        return std::make_unique<FakePipeline>(world, version, environment,
                                              world.bounded.contains(version));
      };
}

}  // namespace leat::testing
