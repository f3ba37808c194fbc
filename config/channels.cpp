#include "config/channels.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/text.h"
#include "config/wording.h"
#include "plan/channel_ends.h"

namespace leat {

void check_channels(const std::vector<PipelineConfig>& pipelines,
                    const std::function<void(size_t, Problem)>& add) {
  const auto ends = channel_ends(pipelines);
  std::vector<std::string> read;
  std::vector<std::string> written;
  for (const auto& [name, one] : ends) {
    if (!one.readers.empty()) read.push_back(name);
    if (!one.writers.empty()) written.push_back(name);
  }
  const auto unmatched = [&add](size_t at, const Options& options, std::string_view option,
                                const char* wanted, const std::vector<std::string>& others) {
    const std::string& name = options.string(option);
    add(at, {.kind = Problem::Kind::kChoice,
             .path = options.path(option),
             .wanted = wanted,
             .found = "\"" + excerpt(name) + "\"",
             .suggestion = nearest(name, others)});
  };
  for (const auto& [name, one] : ends) {
    for (const size_t at : one.writers)
      if (one.readers.empty())
        unmatched(at, pipelines[at].sink.options, pipelines[at].sink.type->channel,
                  "a channel that is the source of another pipeline", read);
    for (const size_t at : one.readers)
      if (one.writers.empty())
        unmatched(at, pipelines[at].source.options, pipelines[at].source.type->channel,
                  "a channel that is the sink of another pipeline", written);
  }
  for (const std::vector<size_t>& way : channel_circles(pipelines)) {
    std::string text = "leads back to where it begins: ";
    for (const size_t at : way)
      text += pipelines[at].name + " → channel \"" + written_channel(pipelines[at]) + "\" → ";
    const SinkConfig& sink = pipelines[way.front()].sink;
    add(way.front(), {.path = sink.options.path(sink.type->channel),
                      .text = text + pipelines[way.front()].name});
  }
}

}  // namespace leat
