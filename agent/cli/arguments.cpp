#include "cli/arguments.h"

#include <string_view>

#include "base/text.h"

namespace leat {
namespace {

using Command = Arguments::Command;

struct CommandName {
  const char* name;
  Command command;
};
constexpr CommandName kCommands[] = {
    {"run", Command::kRun},          {"check", Command::kCheck}, {"explain", Command::kExplain},
    {"status", Command::kStatus},    {"pause", Command::kPause}, {"resume", Command::kResume},
    {"restart", Command::kRestart},  {"ports", Command::kPorts}, {"help", Command::kHelp},
    {"version", Command::kVersion},  {"--help", Command::kHelp}, {"-h", Command::kHelp},
    {"--version", Command::kVersion}};

// Which commands take an option, as bits of 1 << Command.
constexpr unsigned bit(Command command) {
  return 1U << static_cast<unsigned>(command);
}
constexpr unsigned kNeedsConfig =
    bit(Command::kRun) | bit(Command::kCheck) | bit(Command::kExplain);
constexpr unsigned kOfOne = bit(Command::kPause) | bit(Command::kResume) | bit(Command::kRestart);
constexpr unsigned kWithConfig = kNeedsConfig | bit(Command::kStatus) | kOfOne;

struct OptionName {
  const char* name;
  bool takes_value;
  unsigned commands;
};
constexpr OptionName kOptions[] = {
    {"--config", true, kWithConfig},
    {"-c", true, kWithConfig},
    {"--data-dir", true, kWithConfig},
    {"--log-level", true, bit(Command::kRun)},
    {"--schema", false, bit(Command::kHelp)},
    {"--markdown", false, bit(Command::kHelp)},
    {"--json", false, bit(Command::kCheck) | bit(Command::kStatus)},
    {"--watch", false, bit(Command::kStatus)},
    {"--verbose", false, bit(Command::kVersion)},
};

tl::unexpected<Error> usage(std::string message) {
  return fail(ErrorKind::kUsage, std::move(message));
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  std::string near = nearest(word, candidates);
  return near.empty() ? "" : ", did you mean \"" + near + "\"?";
}

Result<Command> find_command(const std::string& word) {
  std::vector<std::string> names;
  for (const CommandName& entry : kCommands) {
    if (word == entry.name) return entry.command;
    if (entry.name[0] != '-') names.emplace_back(entry.name);
  }
  return usage("unknown command \"" + excerpt(word) + "\"" + suggestion(word, names));
}

const OptionName* find_option(std::string_view name, Command command) {
  for (const OptionName& option : kOptions)
    if (name == option.name && (option.commands & bit(command)) != 0) return &option;
  return nullptr;
}

tl::unexpected<Error> unknown_option(const std::string& name, Command command,
                                     const std::string& command_name) {
  std::vector<std::string> names;
  for (const OptionName& option : kOptions)
    if ((option.commands & bit(command)) != 0) names.emplace_back(option.name);
  return usage("unknown option \"" + excerpt(name) + "\" of " + command_name +
               suggestion(name, names));
}

Result<log::Level> parse_level(const std::string& word) {
  if (word == "debug") return log::Level::kDebug;
  if (word == "info") return log::Level::kInfo;
  if (word == "warn") return log::Level::kWarn;
  if (word == "error") return log::Level::kError;
  return usage("--log-level must be one of debug, info, warn, error, found \"" + excerpt(word) +
               "\"" + suggestion(word, {"debug", "info", "warn", "error"}));
}

Status apply(Arguments& out, std::string_view name, const std::string& value) {
  if (name == "-c" || name == "--config") {
    if (!out.config.empty()) return usage("-c is given twice: leat runs one configuration");
    out.config = value;
  } else if (name == "--data-dir") {
    out.data_dir = value;
  } else if (name == "--log-level") {
    Result<log::Level> level = parse_level(value);
    if (!level) return fail(level.error());
    out.log_level = *level;
  } else if (name == "--schema") {
    out.schema = true;
  } else if (name == "--markdown") {
    out.markdown = true;
  } else if (name == "--json") {
    out.json = true;
  } else if (name == "--watch") {
    out.watch = true;
  } else if (name == "--verbose") {
    out.verbose = true;
  }
  return {};
}

Status take_positional(Arguments& out, const std::string& word, const std::string& command) {
  const unsigned takes_one = bit(Command::kHelp) | bit(Command::kStatus) | kOfOne;
  if ((bit(out.command) & takes_one) != 0 && out.topic.empty()) {
    out.topic = word;
    return {};
  }
  std::string message = "unexpected argument \"" + excerpt(word) + "\"";
  if ((bit(out.command) & kNeedsConfig) != 0 && out.config.empty())
    message += ", did you mean \"leat " + command + " -c " + excerpt(word) + "\"?";
  return usage(message);
}

}  // namespace

Result<Arguments> parse_arguments(std::span<const std::string> words) {
  if (words.empty()) return usage("no command given");
  Result<Command> command = find_command(words[0]);
  if (!command) return fail(command.error());
  Arguments out;
  out.command = *command;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--help" || word == "-h") {
      out.command = Command::kHelp;
      return out;
    }
    if (word.size() < 2 || word[0] != '-') {
      if (Status taken = take_positional(out, word, words[0]); !taken) return fail(taken.error());
      continue;
    }
    size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
    std::string name = word.substr(0, equals);
    const OptionName* option = find_option(name, out.command);
    if (option == nullptr) return unknown_option(name, out.command, words[0]);
    std::string value;
    if (equals != std::string::npos) {
      if (!option->takes_value) return usage(name + " takes no value");
      value = word.substr(equals + 1);
    } else if (option->takes_value) {
      if (i + 1 == words.size()) return usage(name + " needs a value behind it");
      value = words[++i];
    }
    if (option->takes_value && value.empty())
      return usage(name + " needs a value that is not empty");
    if (Status applied = apply(out, name, value); !applied) return fail(applied.error());
  }
  if ((bit(out.command) & kNeedsConfig) != 0 && out.config.empty())
    return usage("which configuration? Write: leat " + words[0] + " -c FILE");
  if ((bit(out.command) & kOfOne) != 0 && out.topic.empty())
    return usage("which pipeline? Write: leat " + words[0] + " PIPELINE");
  return out;
}

}  // namespace leat
