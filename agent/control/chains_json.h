// What the pipelines are made of, as JSON: which source, transforms and sink, and how each does.
#pragma once

#include <string>

#include "control/snapshot.h"
#include "plan/pipeline_config.h"

namespace leat {

// {"pipelines": [{"name", "state", "trouble", "source", "transforms": […], "sink", "stages": […]},
// …]}: types as they are configured, and the stages between source and sink by the names that a tap
// takes. One that is not configured any more, and still drains, has no types.
std::string chains_json(const Snapshot& snapshot, const AgentConfig& config);

}  // namespace leat
