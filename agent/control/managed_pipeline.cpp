#include "control/managed_pipeline.h"

#include <utility>

namespace leat {
namespace {

class RealPipeline final : public ManagedPipeline {
 public:
  explicit RealPipeline(std::unique_ptr<Pipeline> pipeline) : pipeline_(std::move(pipeline)) {}

  Status open() override { return pipeline_->open(); }
  void discard(std::function<void()> done) override { pipeline_->discard(std::move(done)); }
  void start(std::function<void(Status)> finished) override {
    pipeline_->start(std::move(finished));
  }
  void drain() override { pipeline_->drain(); }
  void abort(const std::string& why) override { pipeline_->abort(why); }
  void kick() override { pipeline_->kick(); }
  void hold(const std::string& why) override { pipeline_->hold(why); }
  Status tap(uint64_t id, const TapRequest& request,
             const std::shared_ptr<TapLines>& lines) override {
    return pipeline_->tap(id, request, lines);
  }
  void untap(uint64_t id) override { pipeline_->untap(id); }
  Status feed(const MakeFeed& make) override { return pipeline_->feed(make); }
  void set_memory(size_t bytes) override { pipeline_->set_memory(bytes); }
  bool bounded() const override { return pipeline_->bounded(); }
  bool has_read() const override { return pipeline_->has_read(); }
  PipelineStatus status() const override { return pipeline_->status(); }
  SourceTasks source_tasks() const override { return pipeline_->source_tasks(); }
  std::optional<uint64_t> task_changes() const override { return pipeline_->task_changes(); }

 private:
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace

Result<std::unique_ptr<ManagedPipeline>> make_real_pipeline(
    const PipelineConfig& config, const PipelineEnvironment& environment) {
  Result<std::unique_ptr<Pipeline>> made = Pipeline::make(config, environment);
  if (!made) return fail(made.error());
  return std::make_unique<RealPipeline>(std::move(*made));
}

}  // namespace leat
