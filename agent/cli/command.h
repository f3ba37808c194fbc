// The commands of leat: one table (commands.cpp), from which arguments are parsed and help, the
// manual page and the completions of shells are made.
//
// A command is a constexpr Command in a file of its own. Its options are a table as a stage's
// (options.h): {.name = "data-dir", …} is written --data-dir; kBool options are switches, kStrings
// ones may be given several times. How an option is spelt is the same for all commands: Spelling.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/cli.h"
#include "options/options.h"

namespace leat {

struct CommandCall;

struct Positional {
  std::string_view name;  // as help shows it: "PIPELINE"
  bool required = true;   // one that is not comes behind those that are
};

struct Command {
  std::string_view name;  // "status"; one of a group has two words: "positions reset"
  std::span<const Positional> words = {};
  std::string_view help;  // the first sentence is its line in the overview
  std::span<const Option> options = {};
  int (*run)(const CommandCall& call);  // returns the exit code (cli.h)
  bool drains = false;                  // answers SIGTERM and SIGINT itself
};

// What was written behind `leat`, checked against the command's table.
struct CommandCall {
  const CliEnvironment& environment;
  const Command* command = nullptr;
  Options options;
  std::vector<std::string> words;  // as many as given

  std::string word(size_t index) const { return index < words.size() ? words[index] : ""; }
};

// `leat help "leat sql"`: on the command.
inline constexpr std::string_view kOnCommand = "leat ";

// In the order in which help lists them.
std::span<const Command* const> commands();

// One letter for an option, and what help calls its value.
struct Spelling {
  std::string_view name;
  char letter = '\0';  // none
  std::string_view value = {};
  std::string_view in_place_of = {};  // a required option that need not be given beside it
};
// Null: by its name alone.
const Spelling* spelling_of(const Option& option);

// "PIPELINE", "[PIPELINE]": what stands behind the command's name; and "-c FILE" for options that
// are required. Begins with a space, or is empty.
std::string synopsis(const Command& command);
// "-c, --config FILE"
std::string spelt(const Option& option);

// Words and options that several commands have.
inline constexpr Positional kOnePipeline[] = {{"PIPELINE"}};
inline constexpr Positional kAnyPipeline[] = {{"PIPELINE", false}};
inline constexpr Option kJsonOption{
    .name = "json", .type = OptionType::kBool, .help = "As data, for programs."};
inline constexpr Option kConfigOption{
    .name = "config",
    .type = OptionType::kString,
    .required = true,
    .help =
        "The configuration: a file, a folder (all *.json in it, in the order of their names), or "
        "\"-\" for standard input."};
inline constexpr Option kDataDirOption{
    .name = "data-dir",
    .type = OptionType::kString,
    .help = "Where the journal is kept; wins over agent.dataDir."};
inline constexpr Option kAskedConfigOption{
    .name = "config",
    .type = OptionType::kString,
    .help = "Asks the agent that runs this configuration, or opens its journal."};
inline constexpr Option kAskedDataDirOption{
    .name = "data-dir",
    .type = OptionType::kString,
    .help =
        "Asks the agent with this data folder, or opens its journal; without this and -c that "
        "of /var/lib/leat."};

}  // namespace leat
