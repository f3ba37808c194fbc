// What the supervisor needs of a pipeline, so that tests can put their own in its place.
//
// Thread: its loop's. Lifetime: as Pipeline's (pipeline/pipeline.h), which is behind it in earnest.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "pipeline/pipeline.h"
#include "plan/pipeline_config.h"

namespace leat {

class ManagedPipeline {
 public:
  virtual ~ManagedPipeline() = default;

  virtual Status open() = 0;
  virtual void discard(std::function<void()> done) = 0;
  virtual void start(std::function<void(Status)> finished) = 0;
  virtual void drain() = 0;
  virtual void abort(const std::string& why) = 0;
  virtual void kick() = 0;
  virtual void hold(const std::string& why) = 0;
  virtual Status tap(uint64_t id, const TapRequest& request,
                     const std::shared_ptr<TapLines>& lines) = 0;
  virtual void untap(uint64_t id) = 0;
  virtual Status feed(const MakeFeed& make) = 0;
  virtual void set_memory(size_t bytes) = 0;
  virtual bool bounded() const = 0;
  virtual bool has_read() const = 0;
  virtual PipelineStatus status() const = 0;
  // As Pipeline's.
  virtual SourceTasks source_tasks() const { return {}; }
  virtual std::optional<uint64_t> task_changes() const { return std::nullopt; }
};

// Fails with kUsage when one of its stages cannot be made of the configuration.
using MakePipeline = std::function<Result<std::unique_ptr<ManagedPipeline>>(
    const PipelineConfig& config, const PipelineEnvironment& environment)>;

Result<std::unique_ptr<ManagedPipeline>> make_real_pipeline(const PipelineConfig& config,
                                                            const PipelineEnvironment& environment);

}  // namespace leat
