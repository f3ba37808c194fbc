#include "control/topic/status_text.h"

#include "base/text.h"
#include "control/progress.h"

namespace leat::control {
namespace {

std::string pipeline_text(const PipelineSnapshot& pipeline) {
  std::string out = "{\"name\":" + json_quoted(pipeline.name) +
                    ",\"state\":" + json_quoted(name_of(pipeline.state)) +
                    ",\"trouble\":" + (trouble_line(pipeline).empty() ? "false" : "true");
  const std::string& reason = pipeline.reason.empty() ? pipeline.refused : pipeline.reason;
  if (!reason.empty()) out += ",\"reason\":" + json_quoted(reason);
  return out + "}";
}

}  // namespace

std::string status_text(const Snapshot& snapshot, const std::vector<std::string>& groups,
                        const std::string& public_key) {
  const ConfigStatus& config = snapshot.config;
  std::string names;
  for (const std::string& group : groups) names += (names.empty() ? "" : ",") + json_quoted(group);
  std::string out = "{\"online\":true,\"id\":" + json_quoted(snapshot.id) +
                    ",\"version\":" + json_quoted(snapshot.version) + ",\"groups\":[" + names +
                    "]" + (public_key.empty() ? "" : ",\"sealTo\":" + json_quoted(public_key)) +
                    ",\"config\":{\"version\":" + std::to_string(config.version) +
                    ",\"origin\":" + json_quoted(config.origin) + ",\"state\":\"" +
                    (config.probation ? "probation" : "good") + "\"},\"pipelines\":[";
  bool first = true;
  for (const PipelineSnapshot& one : snapshot.pipelines) {
    out += (first ? "" : ",") + pipeline_text(one);
    first = false;
  }
  return out + "]}";
}

std::string offline_text(const std::string& id) {
  return "{\"online\":false,\"id\":" + json_quoted(id) + "}";
}

}  // namespace leat::control
