// leat import
#include <string>

#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/import/datax.h"
#include "cli/output.h"
#include "control/agent.h"
#include "options/problem_words.h"

namespace leat {
namespace {

int import(const CommandCall& call) {
  const std::string file = call.word(0);
  Problems problems;
  std::optional<std::string> config;
  if (Result<std::string> text = read_text(file))
    config = import_datax(*text, file, call.options.string("data-dir"), problems);
  else
    problems.add({.kind = Problem::Kind::kSyntax, .text = text.error().message()});
  // What only the stages can judge: limits, paths, SQL.
  Problems of_result;
  if (config && !read_config_text(load_context_of(call), *config, of_result)) {
    for (Problem& problem : of_result.all())
      if (!problem.warning) problems.add({.path = problem.path, .text = message_of(problem)});
    config.reset();
  }
  if (!problems.empty())
    for (const std::string& line : problem_lines(file, problems)) complain(line);
  if (!config) return kExitUsage;
  print(*config);
  return kExitDelivered;
}

constexpr Positional kFile[] = {{"FILE"}};
constexpr Option kOptions[] = {{.name = "data-dir",
                                .type = OptionType::kString,
                                .fallback = "/var/lib/leat",
                                .help = "The agent.dataDir of the configuration."}};

}  // namespace

extern constexpr Command kImportCommand{
    .name = "import",
    .words = kFile,
    .help =
        "Prints the configuration that does what a job file of DataX or go-etl says. What has "
        "no counterpart is said on standard error, with its place; where the result would be "
        "another, that is an error, and nothing is printed. \"-\": from standard input.",
    .options = kOptions,
    .run = import};

}  // namespace leat
