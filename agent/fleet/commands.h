// What leat-fleet does. Each prints its result on standard output, what happens meanwhile on
// standard error, and gives the exit code: 0 all well, 1 not all, 2 asked wrongly, or the broker is
// away.
//
// Thread: one; each takes as long as it takes.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "fleet/fleet.h"
#include "fleet/rollout.h"

namespace leat::fleet {

// Which gateways: `ids`, or else those of the group; "" stands for all.
struct Addressed {
  std::vector<std::string> ids = {};
  std::string group = {};
};

int list(Fleet& fleet, const Addressed& whom, bool trouble, bool as_json);

struct ExecRequest {
  Addressed whom;
  std::string command;
  json arguments;
  Milliseconds patience{0};
};
// Their answers, as JSON lines {"gateway", "state", "result" or "error"}.
int exec(Fleet& fleet, const Clock& clock, const ExecRequest& request);

// Events as JSON lines, until it is ended.
int tail(Fleet& fleet);

struct RolloutRequest {
  Addressed whom;
  std::string config;  // its text
  Steps steps;
  std::string state_file;
  bool retry_failed = false;
};
int roll_out(Fleet& fleet, const Clock& clock, const RolloutRequest& request);
// Each gateway checks the configuration, and nothing more.
int dry_run(Fleet& fleet, const Clock& clock, const RolloutRequest& request);

// For the name of the state file.
std::string hash_of(const std::string& config);

}  // namespace leat::fleet
