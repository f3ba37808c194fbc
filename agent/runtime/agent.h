// Runs the pipelines of a configuration until they end or a signal says so.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "runtime/pipeline_config.h"

namespace leat {

// Exit codes of the command line (DESIGN §7).
enum ExitCode : int { kExitDelivered = 0, kExitFailed = 1, kExitUsage = 2 };

struct AgentHooks {
  // Reads the configuration anew (SIGHUP). Errors have been reported by the callee; the agent then
  // goes on with what it has.
  std::function<Result<AgentConfig>()> reload;
};

// Blocks until all bounded pipelines have ended, or SIGTERM/SIGINT has drained the agent. Signals
// are handled inside: the first drains, the second stops at once, SIGHUP reloads.
//
// Errors: kUsage and kUnavailable from making things ready (nothing has been read yet then).
// Otherwise the exit code.
Result<ExitCode> run_agent(AgentConfig config, const AgentHooks& hooks);

}  // namespace leat
