// A snapshot as it goes over the wire: JSON for programs and commands. It is a promise: names stay
// as they are, and new ones join them.
#pragma once

#include <cjson/cJSON.h>

#include <string>
#include <vector>

#include "control/snapshot.h"

namespace leat {

// {"id", "version", "configFile", "configLoaded", "uptimeSeconds", "stopping", "loops",
// "journalWrittenBytes", "pipelines": [{"name", "state", …}, …]}; control/README.md says what each
// means. Without a name, all pipelines; with one, that alone.
std::string json_of(const Snapshot& snapshot, const std::string& pipeline = "");

// What has been counted since the agent was started, as /metrics has it: counters go on when a
// pipeline is restarted or the configuration changes, where the status counts one run.
// {"uptimeSeconds", "journalWrittenBytes", "pipelines": [{"name", "records": {"read", …},
// "retries", "bytesRead", "deliveryLatency": {"count", "sumSeconds", "buckets": [{"atMostSeconds",
// "count"}, …]}}, …]}. Each bucket counts those below it, too; the last has no bound.
std::string stats_json(const Snapshot& snapshot);

// Adds what was counted, and gives the object of what counts records.
cJSON* add_counters(cJSON* object, const TaskStatus& counters);
// "parallel", where that is configured.
void add_parallel(cJSON* object, const TaskStatus& counters);

// What is wrong, a line each: "press-line: circuit open: connect …". None when all is well.
std::vector<std::string> troubles_of(const Snapshot& snapshot);

}  // namespace leat
