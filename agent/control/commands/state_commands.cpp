#include <algorithm>

#include "control/chains_json.h"
#include "control/commands/functions.h"
#include "control/snapshot_json.h"
#include "control/supervisor.h"

namespace leat::control {

void show_status(const Targets& targets, const Request& request, const Reply& reply) {
  targets.supervisor.snapshot([pipeline = request.text("pipeline"),
                               reply](const Snapshot& snapshot) {
    const bool there = pipeline.empty() ||
                       std::ranges::any_of(snapshot.pipelines, [&](const PipelineSnapshot& one) {
                         return one.name == pipeline;
                       });
    reply(there ? succeeded(json_of(snapshot, pipeline))
                : failed(Fault::kUnknown, "no pipeline is called \"" + pipeline + "\""));
  });
}

#ifdef LEAT_ADMIN
void list_pipelines(const Targets& targets, const Request& /*request*/, const Reply& reply) {
  targets.supervisor.snapshot([&supervisor = targets.supervisor, reply](const Snapshot& snapshot) {
    reply(succeeded(chains_json(snapshot, supervisor.config())));
  });
}

void show_stats(const Targets& targets, const Request& /*request*/, const Reply& reply) {
  targets.supervisor.snapshot(
      [reply](const Snapshot& snapshot) { reply(succeeded(stats_json(snapshot))); });
}
#endif

}  // namespace leat::control
