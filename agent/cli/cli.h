// The command line: leat run, check, explain, ports, help, version.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/clock.h"

namespace leat {

// What the command line takes from the process it runs in. Made by main.
struct CliEnvironment {
  std::function<std::optional<std::string>(const std::string& name)> env;
  std::string host_name;
  const Clock& clock;
};

// Results on stdout, errors and logs on stderr. Returns the exit code: 0 all delivered (or all
// well), 1 a pipeline failed, 2 bad usage or configuration.
int run_cli(std::span<const std::string> words, const CliEnvironment& environment);

}  // namespace leat
