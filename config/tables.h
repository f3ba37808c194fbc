// The option tables of everything that is not a stage's own: the agent, a pipeline, and what the
// engine adds to every source and sink.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "options/options.h"
#include "stage/sink.h"
#include "stage/source.h"

namespace leat {

// Keys of the file itself, of the `agent` object and of one pipeline. `source`, `transforms` and
// `sink` of a pipeline are no options: their keys depend on their `type`.
inline constexpr std::string_view kRootKeys[] = {"agent", "pipelines", "tests", "$schema"};
inline constexpr std::string_view kStageKeys[] = {"source", "transforms", "sink"};
inline constexpr std::string_view kTypeKey[] = {"type"};
std::span<const Option> agent_options();
std::span<const Option> pipeline_options();

// What the engine adds to the options of a source: `format` and the formats' own objects (none for
// sources of records), and `time`.
class SourceOptions {
 public:
  explicit SourceOptions(const SourceType& type);
  SourceOptions(const SourceOptions&) = delete;
  SourceOptions& operator=(const SourceOptions&) = delete;

  std::span<const Option> added() const { return added_; }

 private:
  std::vector<std::string_view> formats_;
  std::vector<Option> added_;
};

// What the engine adds to the options of a sink: `format` and the formats' own objects (none for
// sinks of records), `batch` with the sink's defaults, and `inFlight` where it can have several.
class SinkOptions {
 public:
  explicit SinkOptions(const SinkType& type);
  SinkOptions(const SinkOptions&) = delete;
  SinkOptions& operator=(const SinkOptions&) = delete;

  std::span<const Option> added() const { return added_; }

 private:
  std::string_view keep(std::string text);

  std::vector<std::string_view> formats_;
  std::deque<std::string> texts_;  // a deque, so that views of its strings stay valid
  std::vector<Option> batch_;
  std::vector<Option> added_;
};

}  // namespace leat
