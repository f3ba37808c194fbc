#include "config/caches.h"

#include <string>
#include <utility>

#include "base/text.h"
#include "plan/cache_users.h"

namespace leat {
namespace {

std::string as_long_as(const Options& filler) {
  const size_t fields = filler.strings("key").size();
  return "as long as " + filler.path("key") + ", which has " +
         format_count(static_cast<uint64_t>(fields), "field");
}

}  // namespace

void check_caches(const std::vector<PipelineConfig>& pipelines,
                  const std::function<void(size_t, Problem)>& add) {
  const auto users = cache_users(pipelines);
  std::vector<std::string> filled;
  for (const auto& [name, one] : users) {
    if (one.writers.empty()) continue;
    filled.push_back(name);
    const SinkConfig& first = pipelines[one.writers.front()].sink;
    for (size_t i = 1; i < one.writers.size(); ++i) {
      const SinkConfig& sink = pipelines[one.writers[i]].sink;
      add(one.writers[i], {.kind = Problem::Kind::kTwice,
                           .path = sink.options.path(sink.type->cache),
                           .text = "is filled by " + first.options.path() +
                                   ", too: let both give to a channel, and what reads it fill the "
                                   "cache"});
    }
  }
  for (size_t i = 0; i < pipelines.size(); ++i) {
    for (const TransformConfig& transform : pipelines[i].transforms) {
      const std::string name = looked_up_cache(transform);
      if (name.empty()) continue;
      const PipelineEnds& one = users.at(name);
      const Options& options = transform.options;
      if (one.writers.empty()) {
        add(i, {.kind = Problem::Kind::kChoice,
                .path = options.path(transform.type->cache),
                .wanted = "a cache that the sink of a pipeline fills",
                .found = "\"" + excerpt(name) + "\"",
                .suggestion = nearest(name, filled)});
        continue;
      }
      const Options& filler = pipelines[one.writers.front()].sink.options;
      if (options.strings("key").size() != filler.strings("key").size())
        add(i, {.path = options.path("key"), .text = "must be " + as_long_as(filler)});
    }
  }
}

}  // namespace leat
