#include "plan/channel_ends.h"

#include <algorithm>
#include <utility>

#include "cache/caches.h"
#include "plan/cache_users.h"

namespace leat {
namespace {

// From `way`'s last pipeline on, back to its first. A pipeline reads one channel and gives to one,
// so what was tried once leads nowhere.
bool leads_back(const std::vector<PipelineConfig>& pipelines, const EndsByName& ends,
                std::vector<bool>& tried, std::vector<size_t>& way) {
  const auto to = ends.find(written_channel(pipelines[way.back()]));
  if (to == ends.end()) return false;
  for (const size_t next : to->second.readers) {
    if (next == way.front()) return true;
    if (next < way.front() || tried[next]) continue;
    tried[next] = true;
    way.push_back(next);
    if (leads_back(pipelines, ends, tried, way)) return true;
    way.pop_back();
  }
  return false;
}

std::string names_of(const std::vector<PipelineConfig>& pipelines,
                     const std::vector<size_t>& which) {
  std::string out;
  for (const size_t one : which) out += (out.empty() ? "" : ", ") + pipelines[one].name;
  return out.empty() ? "nobody" : out;
}

}  // namespace

std::string read_channel(const PipelineConfig& config) {
  const SourceType* type = config.source.type;
  if (type == nullptr || type->channel.empty()) return "";
  return config.source.options.string(type->channel);
}

std::string written_channel(const PipelineConfig& config) {
  const SinkType* type = config.sink.type;
  if (type == nullptr || type->channel.empty()) return "";
  return config.sink.options.string(type->channel);
}

bool meets_others(const PipelineConfig& config) {
  return !read_channel(config).empty() || !written_channel(config).empty() ||
         (kCaches && !caches_of(config).empty());
}

EndsByName channel_ends(const std::vector<PipelineConfig>& pipelines) {
  EndsByName out;
  for (size_t i = 0; i < pipelines.size(); ++i) {
    if (std::string to = written_channel(pipelines[i]); !to.empty()) out[to].writers.push_back(i);
    if (std::string from = read_channel(pipelines[i]); !from.empty())
      out[from].readers.push_back(i);
  }
  return out;
}

std::vector<std::vector<size_t>> channel_circles(const std::vector<PipelineConfig>& pipelines) {
  const EndsByName ends = channel_ends(pipelines);
  std::vector<std::vector<size_t>> out;
  for (size_t i = 0; i < pipelines.size(); ++i) {
    std::vector<bool> tried(pipelines.size());
    std::vector<size_t> way{i};
    if (!leads_back(pipelines, ends, tried, way)) continue;
    const auto passes = [i](const std::vector<size_t>& known) {
      return std::ranges::find(known, i) != known.end();
    };
    if (std::ranges::none_of(out, passes)) out.push_back(std::move(way));
  }
  return out;
}

std::string explain_ends(const std::string& kind, const EndsByName& ends,
                         const std::vector<PipelineConfig>& pipelines, const char* how) {
  std::string out;
  for (const auto& [name, one] : ends)
    out += "\n" + kind + " " + name + "\n  from      " + names_of(pipelines, one.writers) +
           "\n  to        " + names_of(pipelines, one.readers) + ": " + how + "\n";
  return out;
}

std::string explain_channels(const std::vector<PipelineConfig>& pipelines) {
  return explain_ends("channel", channel_ends(pipelines), pipelines,
                      "records in memory, shared; acknowledged to where they come from when each "
                      "of these has delivered or journaled them");
}

}  // namespace leat
