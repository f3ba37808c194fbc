// leat help, leat list, leat version
#include <string>

#include "base/text.h"
#include "cli/command.h"
#include "cli/command_help.h"
#include "cli/libraries.h"
#include "cli/output.h"
#include "config/catalogue.h"
#include "config/docs.h"
#include "control/agent.h"

namespace leat {
namespace {

constexpr Positional kTopic[] = {{"NAME", false}};
constexpr Option kHelpOptions[] = {
    {.name = "schema",
     .type = OptionType::kBool,
     .help = "The JSON schema of the configuration, for editors."},
    {.name = "markdown", .type = OptionType::kBool, .help = "NAME as tables of Markdown."}};
constexpr Option kListOptions[] = {
    {.name = "json",
     .type = OptionType::kBool,
     .help = "As data, with the commands and their options, for programs."}};
constexpr Option kVersionOptions[] = {
    {.name = "verbose",
     .type = OptionType::kBool,
     .help = "Also the libraries in it, their versions and licenses."}};

constexpr char kIntroduction[] =
    "leat reads data at the edge, transforms it, and delivers it upstream.\n\nUsage:\n";

constexpr char kFooter[] =
    R"(Options of a command: leat COMMAND --help

Exit codes: 0 all delivered, but for dead letters beside it (maxDeadLetters bounds these); 1 a
pipeline failed, or nothing but dead letters came of it; 2 bad usage or configuration; 3 there is no
running agent to ask.
Signals: SIGTERM and SIGINT drain, a second one stops at once; SIGHUP reads the configuration anew;
SIGUSR1 writes how each pipeline does to the log.
)";

int help_on(const std::string& topic, bool markdown) {
  const bool on_command = topic.starts_with(kOnCommand);
  std::string text;
  if (!on_command)
    text = markdown ? markdown_topic(connectors(), topic) : help_topic(connectors(), topic);
  std::string command =
      markdown ? "" : command_help(on_command ? topic.substr(kOnCommand.size()) : topic);
  if (!text.empty() && !command.empty()) text += "\n";
  text += command;
  if (!text.empty()) {
    print(text);
    return kExitDelivered;
  }
  for (const LeftOut& connector : connectors().left_out)
    if (connector.name == topic) {
      complain("leat: \"" + topic + "\" was left out of this build of leat");
      return kExitUsage;
    }
  std::vector<std::string> names = help_names(connectors());
  for (const Command* each : commands()) names.emplace_back(each->name);
  const std::string name = on_command ? topic.substr(kOnCommand.size()) : topic;
  std::string message = "leat: no help on \"" + excerpt(name) + "\"";
  std::string near = nearest(name, names);
  if (!near.empty()) message += ", did you mean \"" + near + "\"?";
  complain(message + "; \"leat help\" shows what there is");
  return kExitUsage;
}

int help(const CommandCall& call) {
  if (call.options.boolean("schema")) {
    print(json_schema(connectors()));
  } else if (!call.words.empty()) {
    return help_on(call.words[0], call.options.boolean("markdown"));
  } else {
    print(kIntroduction + commands_overview() + "\n" + help_overview(connectors()) + kFooter);
  }
  return kExitDelivered;
}

int list(const CommandCall& call) {
  if (!call.options.boolean("json")) {
    print(help_overview(connectors()));
    return kExitDelivered;
  }
  print("{\"version\":" + json_quoted(LEAT_VERSION) + ",\"topics\":" + topics_json(connectors()) +
        ",\n\"commands\":" + commands_json() + "}\n");
  return kExitDelivered;
}

int version(const CommandCall& call) {
  print("leat " LEAT_VERSION "\n");
  if (call.options.boolean("verbose")) print(libraries_table(linked_libraries()));
  return kExitDelivered;
}

}  // namespace

extern constexpr Command kHelpCommand{
    .name = "help",
    .words = kTopic,
    .help =
        "Shows an overview, or the options of a command, of a source, transform, sink or "
        "format, or of the \"config\"; or one option: http.batch, delivery.",
    .options = kHelpOptions,
    .run = help};

extern constexpr Command kListCommand{
    .name = "list",
    .help = "Lists the sources, transforms, sinks and formats that are in this binary.",
    .options = kListOptions,
    .run = list};

extern constexpr Command kVersionCommand{
    .name = "version", .help = "Shows the version.", .options = kVersionOptions, .run = version};

}  // namespace leat
