#include "plan/cache_users.h"

#include "plan/channel_ends.h"

namespace leat {
namespace {

std::string named(std::string_view option, const Options& options) {
  return option.empty() ? "" : options.string(option);
}

}  // namespace

std::string filled_cache(const PipelineConfig& config) {
  const SinkType* type = config.sink.type;
  return type == nullptr ? "" : named(type->cache, config.sink.options);
}

std::string looked_up_cache(const TransformConfig& config) {
  return config.type == nullptr ? "" : named(config.type->cache, config.options);
}

std::set<std::string> caches_of(const PipelineConfig& config) {
  std::set<std::string> out{filled_cache(config)};
  for (const TransformConfig& one : config.transforms) out.insert(looked_up_cache(one));
  out.erase("");
  return out;
}

std::map<std::string, CacheUsers> cache_users(const std::vector<PipelineConfig>& pipelines) {
  std::map<std::string, CacheUsers> out;
  for (size_t i = 0; i < pipelines.size(); ++i) {
    const std::string filled = filled_cache(pipelines[i]);
    if (!filled.empty()) out[filled].fill.push_back(i);
    std::set<std::string> looked_up;
    for (const TransformConfig& one : pipelines[i].transforms)
      looked_up.insert(looked_up_cache(one));
    looked_up.erase("");
    for (const std::string& name : looked_up) out[name].look_up.push_back(i);
  }
  return out;
}

std::string explain_caches(const std::vector<PipelineConfig>& pipelines) {
  std::string out;
  for (const auto& [name, users] : cache_users(pipelines))
    out += "\ncache " + name + "\n  from      " + names_of(pipelines, users.fill) +
           "\n  for       " + names_of(pipelines, users.look_up) +
           ": the last record of each key, in memory; empty when the agent starts\n";
  return out;
}

}  // namespace leat
