// `leat check --connect`: the peers of a configuration, each asked whether it is there and has what
// its stage needs (stage/probe.h). And `leat explain --connect`: which tasks they have for a job.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/units.h"
#include "plan/pipeline_config.h"

namespace leat {

struct Peer {
  std::string pipeline;
  std::string stage;  // "source" or "sink"; of the agent itself: "cluster"
  std::string type;
  std::string path;            // in the configuration
  Result<std::string> answer;  // what was found, or why not
  int64_t took_us = 0;
};

// All at once, for at most `deadline`; in the order of the configuration. Stages without a peer are
// not among them.
std::vector<Peer> ask_peers(const Clock& clock, const AgentConfig& config, Milliseconds deadline);
// Of the sources of complete pipelines that have tasks: a line for each task.
std::vector<Peer> ask_tasks(const Clock& clock, const AgentConfig& config, Milliseconds deadline);

// "press-line sink http: ok in 12 ms: …"
std::string line_of(const Peer& peer);
std::string json_of(const std::vector<Peer>& peers);

}  // namespace leat
