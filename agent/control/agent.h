// Runs the pipelines of a configuration until they end or a signal says so.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "control/config_manager.h"

namespace leat {

// Exit codes of the command line.
enum ExitCode : int {
  kExitDelivered = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitRestart = -1,  // none: the process is to begin anew
};

struct AgentHooks {
  const Clock& clock;
  // Reads the configuration anew (SIGHUP). Of an error with several parts the callee has logged
  // each; the agent says the message and goes on with what it has.
  std::function<Result<WrittenConfig>()> reload = nullptr;
  // As ConfigManagerSetup's.
  ReadConfigText read = nullptr;
  std::function<std::string(const std::string& text)> show = nullptr;
  ReadRunText read_run = nullptr;
  // What to do to give an agent without pipelines some: "edit leat.json and send SIGHUP".
  std::string how_to_begin = {};
  // An environment variable of the process, for what the service manager says in some.
  std::function<std::optional<std::string>(const std::string& name)> env = nullptr;
  // Of the program, and the file that its configuration came from; only to be shown.
  std::string version = {};
  std::string config_file = {};
  std::vector<std::string> warnings = {};  // of the configuration: for the log
  // Whoever calls run_agent() begins anew when it says so; why that could not be now, or "".
  std::function<std::string()> why_not_anew = nullptr;
};

// Blocks until all bounded pipelines have ended, or SIGTERM/SIGINT has drained the agent. Signals
// are handled inside: the first drains, the second stops at once, SIGHUP reloads. Without any
// pipelines it waits for a signal. A service manager is told how it goes.
//
// Errors: kUsage and kUnavailable from making things ready (nothing has been read yet then).
// Otherwise the exit code.
Result<ExitCode> run_agent(WrittenConfig config, const AgentHooks& hooks);

}  // namespace leat
