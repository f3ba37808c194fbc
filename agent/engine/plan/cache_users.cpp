#include "plan/cache_users.h"

namespace leat {
namespace {

std::string filled_cache(const PipelineConfig& config) {
  const SinkType* type = config.sink.type;
  if (type == nullptr || type->cache.empty()) return "";
  return config.sink.options.string(type->cache);
}

}  // namespace

std::string looked_up_cache(const TransformConfig& config) {
  if (config.type == nullptr || config.type->cache.empty()) return "";
  return config.options.string(config.type->cache);
}

std::set<std::string> caches_of(const PipelineConfig& config) {
  std::set<std::string> out{filled_cache(config)};
  for (const TransformConfig& one : config.transforms) out.insert(looked_up_cache(one));
  out.erase("");
  return out;
}

EndsByName cache_users(const std::vector<PipelineConfig>& pipelines) {
  EndsByName out;
  for (size_t i = 0; i < pipelines.size(); ++i) {
    out[filled_cache(pipelines[i])].writers.push_back(i);
    for (const TransformConfig& one : pipelines[i].transforms) {
      std::vector<size_t>& readers = out[looked_up_cache(one)].readers;
      if (readers.empty() || readers.back() != i) readers.push_back(i);
    }
  }
  out.erase("");
  return out;
}

std::string explain_caches(const std::vector<PipelineConfig>& pipelines) {
  return explain_ends("cache", cache_users(pipelines), pipelines,
                      "the last record of each key, in memory; empty when the agent starts");
}

}  // namespace leat
