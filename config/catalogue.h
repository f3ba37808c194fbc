// Everything a configuration can name, with its options: what help, the README tables and the JSON
// schema are made from.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "options/options.h"
#include "stage/registry.h"

namespace leat {

struct Topic {
  enum class Kind { kSource, kTransform, kSink, kReadFormat, kWriteFormat, kAgent, kPipeline };

  Kind kind;
  std::string name;  // "http"
  std::string help;
  std::vector<Option> options;       // its own, then those the engine adds
  std::string prefix;                // of the options' names in documentation: "csv.", "agent."
  std::shared_ptr<const void> keep;  // what `options` points into
};

// In a fixed order: sources, transforms, sinks, formats, agent, pipeline.
std::vector<Topic> catalogue(const Registry& registry);

// The topics of this kind, or of this name ("config" for the agent and the pipelines).
std::vector<Topic> topics_of(const Registry& registry, Topic::Kind kind);
std::vector<Topic> topics_named(const Registry& registry, std::string_view name);

// True for the objects that hold a format's options inside a source or sink: they are documented
// with the format.
bool is_format_object(const Option& option);

}  // namespace leat
