#include "task/source_and_sink.h"

#include <utility>

#ifdef LEAT_PACKS
#include "stage/packing_sink.h"
#endif

namespace leat {

Status SourceAndSink::make(const PipelineConfig& config, const Options& source_options,
                           std::unique_ptr<Source> source) {
  source_ = std::move(source);
  if (source_ == nullptr) {
    Result<std::unique_ptr<Source>> made = config.source.type->make(source_options);
    if (!made) return fail(made.error());
    source_ = std::move(*made);
  }
  Result<std::unique_ptr<Sink>> sink = config.sink.type->make(config.sink.options);
  if (!sink) return fail(sink.error());
  sink_ = std::move(*sink);
#ifdef LEAT_PACKS
  if (config.sink.packs()) sink_ = std::make_unique<PackingSink>(std::move(sink_));
#endif
  return {};
}

Status SourceAndSink::open_sink(SinkContext& context) {
  if (std::exchange(sink_open_, true)) return {};
  return sink_->open(context);
}

Status SourceAndSink::open_source(SourceContext& context) {
  source_open_ = true;
  Status status = source_->open(context);
  opened_ = static_cast<bool>(status);
  return status;
}

void SourceAndSink::drain_source(const std::function<void()>& ended) {
  if (source_->drain()) return ended();  // it is stopped when all is settled
  source_open_ = false;
  source_->stop(ended);
}

void SourceAndSink::close(const std::function<void()>& closed) {
  const bool source = std::exchange(source_open_, false);
  const bool sink = std::exchange(sink_open_, false);
  if (source) source_->stop(closed);
  if (sink) sink_->close(closed);
}

}  // namespace leat
