// A snapshot as it goes over the wire: JSON for programs and commands, and the text format of
// Prometheus. Both are promises: names stay as they are, and new ones join them.
#pragma once

#include <string>

#include "control/snapshot.h"

namespace leat {

// {"id", "version", "configFile", "configLoaded", "uptimeSeconds", "stopping", "loops",
// "journalWrittenBytes", "pipelines": [{"name", "state", …}, …]}; control/README.md says what each
// means. Without a name, all pipelines; with one, that alone.
std::string json_of(const Snapshot& snapshot, const std::string& pipeline = "");

// Metrics in the text format 0.0.4, named and typed by the rules of OpenMetrics.
std::string metrics_of(const Snapshot& snapshot);

// What is wrong, a line each: "press-line: circuit open: connect …". None when all is well.
std::vector<std::string> troubles_of(const Snapshot& snapshot);

}  // namespace leat
