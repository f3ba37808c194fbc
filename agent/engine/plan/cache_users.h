// Which pipelines put records into the caches of a configuration, and which look them up there.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "plan/channel_ends.h"
#include "plan/pipeline_config.h"

namespace leat {

// The cache in which a transform looks records up; "": none.
std::string looked_up_cache(const TransformConfig& config);
// All that it looks up in, or fills.
std::set<std::string> caches_of(const PipelineConfig& config);

// Its writers fill it, and its readers look records up.
EndsByName cache_users(const std::vector<PipelineConfig>& pipelines);

// Some lines for each cache, for `leat explain`.
std::string explain_caches(const std::vector<PipelineConfig>& pipelines);

}  // namespace leat
