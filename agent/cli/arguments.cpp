#include "cli/arguments.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "config/wording.h"

namespace leat {
namespace {

tl::unexpected<Error> usage(std::string message) {
  return fail(ErrorKind::kUsage, std::move(message));
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  std::string near = nearest(word, candidates);
  return near.empty() ? "" : ", did you mean \"" + near + "\"?";
}

bool is_written(const Option& option, std::string_view word) {
  const Spelling* spelling = spelling_of(option);
  if (word.size() == 2 && word[0] == '-' && spelling != nullptr) return spelling->letter == word[1];
  return word.starts_with("--") && word.substr(2) == option.name;
}

bool is_option(std::string_view word) {
  return word.size() >= 2 && word[0] == '-';
}

// The command that `words` begin with, and how many of them name it. Its name may have two words.
Result<std::pair<const Command*, size_t>> find_command(std::span<const std::string> words) {
  std::string first = words[0];
  if (first == "--help" || first == "-h") first = "help";
  if (first == "--version") first = "version";
  const std::string both = words.size() > 1 ? first + " " + words[1] : first;
  std::vector<std::string> names;
  std::string group;  // of the names of two words that begin with `first`
  const Command* found = nullptr;
  for (const Command* command : commands()) {
    if (command->name == both && words.size() > 1) return std::pair(command, size_t{2});
    if (command->name == first) found = command;
    names.emplace_back(command->name);
    if (command->name.starts_with(first + " "))
      group += (group.empty() ? "" : ", ") + std::string(command->name.substr(first.size() + 1));
  }
  if (found != nullptr) return std::pair(found, size_t{1});
  if (group.empty())
    return usage("unknown command \"" + excerpt(first) + "\"" + suggestion(first, names));
  if (words.size() == 1 || is_option(words[1]))
    return usage("leat " + first + " what: " + group + "?");
  return usage("unknown command \"" + excerpt(both) + "\"" + suggestion(both, names));
}

tl::unexpected<Error> unknown_option(const Command& command, const std::string& name) {
  std::vector<std::string> names;
  for (const Option& option : command.options) names.push_back("--" + std::string(option.name));
  return usage("unknown option \"" + excerpt(name) + "\" of " + std::string(command.name) +
               suggestion(name, names));
}

// `name` is the option as it was written.
Status set_option(Options& options, const Option& option, const std::string& name,
                  std::string_view text) {
  std::optional<Options::Item> item = parse_item(option, text);
  if (!option.choices.empty() && std::ranges::find(option.choices, text) == option.choices.end()) {
    const std::vector<std::string> choices(option.choices.begin(), option.choices.end());
    return usage(name + " must be one of " + joined(choices) + ", found \"" + excerpt(text) + "\"" +
                 suggestion(text, choices));
  }
  if (!item)
    return usage(name + " must be " + wanted(option) + ", found \"" + excerpt(text) + "\"");
  if (const auto* number = std::get_if<int64_t>(&*item);
      number != nullptr && (*number < option.min || *number > option.max))
    return usage(name + " must be " + range_text(option) + ", found " + excerpt(text));
  if (option.type == OptionType::kStrings && options.has(option.name)) {
    std::vector<std::string> all = options.strings(option.name);
    all.emplace_back(text);
    item = std::move(all);
  }
  options.set(option.name, *std::move(item));
  return {};
}

// What a command needs and was not given: the first of it.
Status complete(const CommandCall& call, const std::vector<bool>& given) {
  const Command& command = *call.command;
  auto lacks = [&command](const std::string& what) {
    return usage(what + " is missing. Write: leat " + std::string(command.name) +
                 synopsis(command));
  };
  for (size_t i = 0; i < command.words.size(); ++i)
    if (command.words[i].required && i >= call.words.size())
      return lacks(std::string(command.words[i].name));
  auto replaces = [&command, &given](const Option& required) {
    for (size_t i = 0; i < command.options.size(); ++i)
      if (const Spelling* spelling = spelling_of(command.options[i]);
          given[i] && spelling != nullptr && spelling->in_place_of == required.name)
        return true;
    return false;
  };
  for (size_t i = 0; i < command.options.size(); ++i)
    if (const Option& option = command.options[i]; option.required && given[i] == replaces(option))
      return given[i] ? usage(spelt(option) + " is given, and another in its place")
                      : lacks(spelt(option));
  return {};
}

bool asks_for_help(std::string_view word) {
  return word == "--help" || word == "-h";
}

// On the command, and not on a transform or an option that has its name, too.
Result<CommandCall> help_of(std::string_view command, const CliEnvironment& environment) {
  return parse_arguments(
      std::vector<std::string>{"help", std::string(kOnCommand) + std::string(command)},
      environment);
}

}  // namespace

Result<CommandCall> parse_arguments(std::span<const std::string> words,
                                    const CliEnvironment& environment) {
  if (words.empty()) return usage("no command given");
  // Also of what is no command, but the first word of some: "leat journal --help".
  if (words.size() > 1 && asks_for_help(words[1]) && !words[0].starts_with("-"))
    return help_of(words[0], environment);
  auto found = find_command(words);
  if (!found) return fail(found.error());
  const Command& command = *found->first;
  CommandCall call{.environment = environment,
                   .command = &command,
                   .options = Options(command.options, std::string(command.name)),
                   .words = {}};
  std::vector<bool> given(command.options.size());
  for (size_t i = found->second; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (asks_for_help(word)) return help_of(command.name, environment);
    if (!is_option(word)) {
      if (call.words.size() < command.words.size()) {
        call.words.push_back(word);
        continue;
      }
      std::string message = "unexpected argument \"" + excerpt(word) + "\"";
      const bool lacks_config = !command.options.empty() && command.options[0].name == "config" &&
                                command.options[0].required && !given[0];
      if (lacks_config)
        message +=
            ", did you mean \"leat " + std::string(command.name) + " -c " + excerpt(word) + "\"?";
      return usage(std::move(message));
    }
    const size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
    const std::string name = word.substr(0, equals);
    size_t at = 0;
    while (at < command.options.size() && !is_written(command.options[at], name)) ++at;
    if (at == command.options.size()) return unknown_option(command, name);
    const Option& option = command.options[at];
    if (given[at] && option.type != OptionType::kStrings) return usage(name + " is given twice");
    given[at] = true;
    std::string value;
    if (option.type == OptionType::kBool) {
      if (equals != std::string::npos) return usage(name + " takes no value");
      value = "true";
    } else if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else {
      if (i + 1 == words.size()) return usage(name + " needs a value behind it");
      value = words[++i];
    }
    if (value.empty()) return usage(name + " needs a value that is not empty");
    if (Status set = set_option(call.options, option, name, value); !set) return fail(set.error());
  }
  if (Status all = complete(call, given); !all) return fail(all.error());
  return call;
}

}  // namespace leat
