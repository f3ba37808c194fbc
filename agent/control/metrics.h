// A snapshot for Prometheus, in its text format 0.0.4, named and typed by the rules of OpenMetrics.
// A promise: names stay as they are, and new ones join them.
#pragma once

#include <string>

#include "control/snapshot.h"

namespace leat {

// What is counted goes on when a pipeline is restarted or the configuration changes, and begins
// anew with the agent.
std::string metrics_of(const Snapshot& snapshot);

}  // namespace leat
