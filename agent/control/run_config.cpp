// What a run is configured as that somebody asks for.
#include <algorithm>

#include "control/config_manager.h"
#include "options/problem_words.h"

namespace leat {
namespace {

Status check_names(const PipelineConfig& config, const RunParameters& given) {
  for (const auto& [name, value] : given) {
    const auto same = [&name = name](const ParameterConfig& one) { return one.name == name; };
    if (std::ranges::none_of(config.parameters, same))
      return fail(ErrorKind::kUsage, config.name + ": has no parameter \"" + name + "\"");
  }
  for (const ParameterConfig& one : config.parameters)
    if (!one.has_default && !given.contains(one.name))
      return fail(ErrorKind::kUsage,
                  config.name + ": the parameter \"" + one.name + "\" is missing");
  return {};
}

// Its positions go with it, so what it was cut short in must be there to be read again.
Status check_kind(const PipelineConfig& config) {
  const SourceType* source = config.source.type;
  if (source != nullptr && (source->bounded == nullptr || !source->bounded(config.source.options)))
    return fail(ErrorKind::kUsage, config.name + ": its source does not end by itself");
  if (source != nullptr && config.delivery.spool.mode != SpoolMode::kNever)
    return fail(ErrorKind::kUsage,
                config.name +
                    ": has a spool (delivery.spool), in which a run that is cut short "
                    "would leave something");
  return {};
}

}  // namespace

Result<PipelineConfig> ConfigManager::run_of(const std::string& pipeline,
                                             const RunParameters& parameters) const {
  const auto same = [&pipeline](const PipelineConfig& one) { return one.name == pipeline; };
  auto known = std::ranges::find_if(running_config_.pipelines, same);
  if (known == running_config_.pipelines.end())
    return fail(ErrorKind::kFatal, "there is no pipeline \"" + pipeline + "\"");
  if (Status names = check_names(*known, parameters); !names) return fail(names.error());
  PipelineConfig out = *known;
  if (!known->parameters.empty()) {
    Problems problems;
    std::optional<AgentConfig> read =
        setup_.read_run == nullptr ? std::nullopt
                                   : setup_.read_run(running_.text, pipeline, parameters, problems);
    if (!read) return fail(ErrorKind::kUsage, pipeline + ": " + summary_of(problems));
    auto found = std::ranges::find_if(read->pipelines, same);
    if (found == read->pipelines.end())
      return fail(ErrorKind::kFatal, "there is no pipeline \"" + pipeline + "\"");
    out = std::move(*found);
  }
  if (Status kind = check_kind(out); !kind) return fail(kind.error());
  return out;
}

}  // namespace leat
