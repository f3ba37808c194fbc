#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "control/commands/functions.h"
#include "control/config_manager.h"
#include "control/json_text.h"
#include "control/snapshot_json.h"
#include "control/supervisor.h"
#include "control/tasks_json.h"

namespace leat::control {

#ifdef LEAT_TOOLS
namespace {

// Texts by name. False: it is none, and `why` says what is wrong.
bool read_parameters(const std::string& text, RunParameters& out, std::string& why) {
  if (text.empty()) return true;
  Json json(cJSON_Parse(text.c_str()), cJSON_Delete);
  if (cJSON_IsObject(json.get()) == 0) {
    why = "parameters: an object such as {\"from\": \"2026-01-01\"}";
    return false;
  }
  const cJSON* one = nullptr;
  cJSON_ArrayForEach(one, json.get()) {
    if (cJSON_IsString(one) == 0) {
      why = "parameters." + excerpt(one->string) + ": must be a text in quotes";
      return false;
    }
    out[one->string] = one->valuestring;
  }
  return true;
}

}  // namespace

namespace {

void answer_of_journal(const Reply& reply, const Result<std::string>& found) {
  reply(found ? succeeded(*found)
              : failed(found.error().kind() == ErrorKind::kUsage ? Fault::kUnknown
                                                                 : Fault::kUnavailable,
                       found.error().message()));
}

}  // namespace

#ifdef LEAT_TASK_HISTORY
void list_tasks(const Targets& targets, const Request& request, const Reply& reply) {
  targets.supervisor.list_tasks(request.text("pipeline"), [reply](const Result<std::string>& jobs) {
    answer_of_journal(reply, jobs);
  });
}
#else
void list_tasks(const Targets& targets, const Request& request, const Reply& reply) {
  const std::string& pipeline = request.text("pipeline");
  targets.supervisor.snapshot([pipeline, reply](const Snapshot& snapshot) {
    const auto named = std::ranges::find(snapshot.pipelines, pipeline, &PipelineSnapshot::name);
    reply(pipeline.empty() || named != snapshot.pipelines.end()
              ? succeeded(tasks_json(snapshot, pipeline))
              : failed(Fault::kUnknown, "no pipeline is called \"" + pipeline + "\""));
  });
}
#endif

void list_runs(const Targets& targets, const Request& request, const Reply& reply) {
  targets.supervisor.list_runs(request.text("pipeline"), [reply](const Result<std::string>& runs) {
    answer_of_journal(reply, runs);
  });
}

void provision(const Targets& targets, const Request& request, const Reply& reply) {
  const std::string& pipeline = request.text("pipeline");
  RunParameters parameters;
  std::string why;
  if (!read_parameters(request.text("parameters"), parameters, why))
    return reply(failed(Fault::kBadRequest, why));
  Result<PipelineConfig> config = targets.configs.run_of(pipeline, parameters);
  if (!config)
    return reply(
        failed(config.error().kind() == ErrorKind::kUsage ? Fault::kBadRequest : Fault::kUnknown,
               config.error().message()));
  targets.supervisor.provision(
      pipeline, std::move(*config), std::move(parameters),
      [reply, pipeline](const Result<uint64_t>& run) {
        if (!run) return reply(failed(run.error()));
        log::info(pipeline, "told to provision: run " + std::to_string(*run) + " begins");
        reply(
            succeeded("{\"pipeline\":\"" + pipeline + "\",\"run\":" + std::to_string(*run) + "}"));
      });
}
#endif

}  // namespace leat::control
