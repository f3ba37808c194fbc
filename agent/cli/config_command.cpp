// leat config, leat new
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/output.h"
#include "config/effective.h"
#include "config/starter.h"
#include "control/agent.h"

namespace leat {
namespace {

int print_effective(const CommandCall& call) {
  const std::string& path = call.options.string("config");
  Problems problems;
  std::vector<ConfigFile> files = read_config_files(path, problems);
  std::optional<AgentConfig> config;
  if (problems.errors() == 0) config = load_config(files, load_context_of(call), problems);
  if (!config) {
    for (const std::string& line : problem_lines(path, problems)) complain(line);
    return kExitUsage;
  }
  print(effective_config(files, load_context_of(call), *config));
  return kExitDelivered;
}

int print_starter(const CommandCall& call) {
  Result<std::string> text = starter(connectors(), call.word(0));
  if (text) {
    print(*text);
    return kExitDelivered;
  }
  complain("leat: " + text.error().message());
  return kExitUsage;
}

constexpr Option kOptions[] = {kConfigOption, kDataDirOption};
constexpr Positional kChain[] = {{"SOURCE/TRANSFORMS/SINK"}};

}  // namespace

extern constexpr Command kConfigCommand{
    .name = "config",
    .help =
        "Prints the configuration that is meant: all of it, with all defaults, without secrets. "
        "It is JSON that check takes.",
    .options = kOptions,
    .run = print_effective};

extern constexpr Command kNewCommand{
    .name = "new",
    .words = kChain,
    .help =
        "Prints a configuration to begin with. What is required has an example, all else stands "
        "in comments; for instance: leat new mqtt/filter,map/http.",
    .run = print_starter};

}  // namespace leat
