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

struct ChannelEnds {  // indices of pipelines, in their order
  std::vector<size_t> writers;
  std::vector<size_t> readers;
};
std::map<std::string, ChannelEnds> channel_ends(const std::vector<PipelineConfig>& pipelines);

// Ways that lead back to where they begin, each once: the pipelines on them, in order, from that
// with the lowest index.
std::vector<std::vector<size_t>> channel_circles(const std::vector<PipelineConfig>& pipelines);

// Of these, for people: "in, out", or "nobody".
std::string names_of(const std::vector<PipelineConfig>& pipelines,
                     const std::vector<size_t>& which);
// A line for each channel, for `leat explain`.
std::string explain_channels(const std::vector<PipelineConfig>& pipelines);

}  // namespace leat
