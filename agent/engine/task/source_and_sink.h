// The stages at both ends of a task, from being made to being closed.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "plan/pipeline_config.h"
#include "stage/sink.h"
#include "stage/source.h"

namespace leat {

class SourceAndSink {
 public:
  // With this source; null: one is made of the options.
  Status make(const PipelineConfig& config, const Options& source_options,
              std::unique_ptr<Source> source);
  Source& source() const { return *source_; }
  Sink& sink() const { return *sink_; }

  // Once. After an error close() is called.
  Status open_sink(SinkContext& context);
  Status open_source(SourceContext& context);
  bool opened() const { return opened_; }  // both have been

  // The source emits nothing from now on; `ended` is called when that is sure, perhaps at once.
  void drain_source(const std::function<void()>& ended);
  int open() const { return (source_open_ ? 1 : 0) + (sink_open_ ? 1 : 0); }
  // `closed` is called for each that is open.
  void close(const std::function<void()>& closed);

 private:
  std::unique_ptr<Source> source_;
  std::unique_ptr<Sink> sink_;
  bool source_open_ = false;
  bool sink_open_ = false;
  bool opened_ = false;
};

}  // namespace leat
