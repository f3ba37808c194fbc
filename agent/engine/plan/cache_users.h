// Which pipelines fill the caches of a configuration, and which look records up there.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "plan/pipeline_config.h"

namespace leat {

// The cache that its sink fills; "": none.
std::string filled_cache(const PipelineConfig& config);
// The cache in which a transform looks records up; "": none.
std::string looked_up_cache(const TransformConfig& config);
// All of both.
std::set<std::string> caches_of(const PipelineConfig& config);

struct CacheUsers {  // indices of pipelines, in their order
  std::vector<size_t> fill;
  std::vector<size_t> look_up;
};
std::map<std::string, CacheUsers> cache_users(const std::vector<PipelineConfig>& pipelines);

// A line for each cache, for `leat explain`.
std::string explain_caches(const std::vector<PipelineConfig>& pipelines);

}  // namespace leat
