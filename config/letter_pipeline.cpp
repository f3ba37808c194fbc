#include "config/letter_pipeline.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "plan/planner.h"
#include "stage/format.h"
#include "stage/registry.h"
#include "task/dead_letter_writer.h"

namespace leat {

std::optional<PipelineConfig> letter_pipeline(Parser& parser, const StageContext& context,
                                              const cJSON* node, const std::string& path,
                                              const PipelineConfig& of,
                                              const std::string& data_dir) {
  auto wrong = [&](std::string text) {
    parser.problems().add({.path = path, .text = std::move(text)});
    return std::nullopt;
  };
  // Letters of a job come until it has ended, and then nobody would follow them any more.
  if (of.source.type->bounded != nullptr && of.source.type->bounded(of.source.options))
    return wrong("is for a source that does not end, and this one does");
  PipelineConfig out;
  out.name = of.name + std::string(kLetterPipeline);
  out.source.type = context.registry.source("file");
  out.source.format = find_read_format("json");
  if (out.source.type == nullptr || out.source.format == nullptr)
    return wrong(
        "needs the source \"file\" and the format \"json\", which this build of leat lacks");
  if (!load_sink(parser, context, node, path, out.sink)) return std::nullopt;
  if (!out.sink.type->channel.empty())
    return wrong("cannot be a channel: through it a dead letter could come back to where it died");
  out.source.options = Options(out.source.type->options, path);
  out.source.options.set(
      "path", std::vector<std::string>{dead_letter_path(of.dead_letters, of.name, data_dir)});
  out.source.options.set("follow", true);
  out.source.format_options = Options(out.source.format->options, path);
  out.high_priority = of.high_priority;
  // As patient as that one; what waits, waits in the file.
  out.delivery = of.delivery;
  out.delivery.exactly_once = false;
  out.delivery.spool = {};
  out.delivery.spool.mode = default_spool_mode(out);
  out.dead_letters.max_bytes = of.dead_letters.max_bytes;
  return out;
}

bool is_letter_pipeline(const PipelineConfig& one, const std::vector<PipelineConfig>& all) {
  return one.name.ends_with(kLetterPipeline) &&
         std::ranges::find(all, one.name.substr(0, one.name.size() - kLetterPipeline.size()),
                           &PipelineConfig::name) != all.end();
}

}  // namespace leat
