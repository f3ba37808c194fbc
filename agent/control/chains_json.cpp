#include "control/chains_json.h"

#include <algorithm>

#include "control/json_text.h"
#include "control/progress.h"

namespace leat {
namespace {

void add_text(cJSON* object, const char* name, std::string_view text) {
  cJSON_AddStringToObject(object, name, std::string(text).c_str());
}

void add_types(cJSON* out, const PipelineConfig& config) {
  add_text(out, "source", config.source.type->name);
  cJSON* transforms = cJSON_AddArrayToObject(out, "transforms");
  for (const TransformConfig& one : config.transforms)
    cJSON_AddItemToArray(transforms, cJSON_CreateString(std::string(one.type->name).c_str()));
  add_text(out, "sink", config.sink.type->name);
}

}  // namespace

std::string chains_json(const Snapshot& snapshot, const AgentConfig& config) {
  Json out = json_object();
  cJSON* list = cJSON_AddArrayToObject(out.get(), "pipelines");
  for (const PipelineSnapshot& pipeline : snapshot.pipelines) {
    cJSON* one = cJSON_CreateObject();
    add_text(one, "name", pipeline.name);
    add_text(one, "state", name_of(pipeline.state));
    cJSON_AddBoolToObject(one, "trouble", !trouble_line(pipeline).empty());
    auto found = std::ranges::find(config.pipelines, pipeline.name, &PipelineConfig::name);
    if (found != config.pipelines.end()) add_types(one, *found);
    cJSON* stages = cJSON_AddArrayToObject(one, "stages");
    for (const StageStatus& stage : pipeline.counters.stages)
      cJSON_AddItemToArray(stages, cJSON_CreateString(stage.name.c_str()));
    cJSON_AddItemToArray(list, one);
  }
  return printed(out.get()) + "\n";
}

}  // namespace leat
