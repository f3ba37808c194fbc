// Which pipelines the channels of a configuration connect.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plan/pipeline_config.h"

namespace leat {

// The channel that it reads, or gives to; "": none.
std::string read_channel(const PipelineConfig& config);
std::string written_channel(const PipelineConfig& config);
// It reads one, or gives to one, or has a part in a cache: it shares what one loop alone may see.
bool meets_others(const PipelineConfig& config);

struct PipelineEnds {  // of a channel, or a cache: indices of pipelines, in their order
  std::vector<size_t> writers;
  std::vector<size_t> readers;
};
using EndsByName = std::map<std::string, PipelineEnds>;
EndsByName channel_ends(const std::vector<PipelineConfig>& pipelines);

// Ways that lead back to where they begin, each once: the pipelines on them, in order, from that
// with the lowest index.
std::vector<std::vector<size_t>> channel_circles(const std::vector<PipelineConfig>& pipelines);

// Some lines for each channel, for `leat explain`.
std::string explain_channels(const std::vector<PipelineConfig>& pipelines);
// The same of what else has such ends: "channel" for `kind`, and how it gets from these to those.
std::string explain_ends(const std::string& kind, const EndsByName& ends,
                         const std::vector<PipelineConfig>& pipelines, const char* how);

}  // namespace leat
