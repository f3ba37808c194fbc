// The command line. Which commands there are: commands.cpp.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/clock.h"

namespace leat {

constexpr int kExitNotRunning = 3;

// What the command line takes from the process it runs in. Made by main.
struct CliEnvironment {
  std::function<std::optional<std::string>(const std::string& name)> env;
  std::string host_name;
  const Clock& clock;
  bool as_root = false;
};

// Results on stdout, errors and logs on stderr. Returns the exit code: 0 all delivered (or all
// well), 1 a pipeline failed, 2 bad usage or configuration, 3 no agent runs that could be asked.
int run_cli(std::span<const std::string> words, const CliEnvironment& environment);

}  // namespace leat
