#include "cli/command_help.h"

#include <algorithm>

#include "base/layout.h"
#include "base/text.h"

namespace leat {
namespace {

// "FILE": what help calls the option's value; "" for a switch.
std::string_view value_of(const Option& option) {
  const Spelling* spelling = spelling_of(option);
  if (spelling != nullptr && !spelling->value.empty()) return spelling->value;
  switch (option.type) {
    case OptionType::kBool:
      return "";
    case OptionType::kInteger:
      return "N";
    case OptionType::kBytes:
      return "SIZE";
    case OptionType::kDuration:
      return "DURATION";
    default:
      return "TEXT";
  }
}

std::string letter_of(const Option& option) {
  const Spelling* spelling = spelling_of(option);
  return spelling == nullptr || spelling->letter == '\0' ? "" : std::string(1, spelling->letter);
}

std::string facts_of(const Option& option) {
  std::string out(option.help);
  if (!option.choices.empty()) {
    out += " One of";
    for (std::string_view choice : option.choices)
      out += (choice == option.choices[0] ? " " : ", ") + std::string(choice);
    out += ".";
  }
  if (!option.fallback.empty()) out += " Default: " + std::string(option.fallback) + ".";
  return out;
}

std::string text_of(const Command& command) {
  std::string out = "leat " + std::string(command.name) + synopsis(command) + "\n\n  ";
  append_wrapped(out, command.help, 2);
  if (!command.options.empty()) out += "\n";
  size_t column = 0;
  for (const Option& option : command.options) column = std::max(column, spelt(option).size() + 4);
  for (const Option& option : command.options)
    append_entry(out, spelt(option), facts_of(option), column);
  return out;
}

std::string json_of(const Option& option) {
  std::string out = "{\"name\":" + json_quoted(option.name) +
                    ",\"letter\":" + json_quoted(letter_of(option)) +
                    ",\"value\":" + json_quoted(value_of(option)) +
                    ",\"required\":" + (option.required ? "true" : "false") + ",\"choices\":[";
  for (std::string_view choice : option.choices)
    out += (choice == option.choices[0] ? "" : ",") + json_quoted(choice);
  return out + "],\"help\":" + json_quoted(facts_of(option)) + "}";
}

}  // namespace

std::string spelt(const Option& option) {
  std::string out = letter_of(option);
  if (!out.empty()) out = "-" + out + ", ";
  out += "--" + std::string(option.name);
  std::string_view value = value_of(option);
  return value.empty() ? out : out + " " + std::string(value);
}

std::string synopsis(const Command& command) {
  std::string out;
  for (const Option& option : command.options) {
    if (!option.required) continue;
    std::string letter = letter_of(option);
    out += letter.empty() ? " --" + std::string(option.name) : " -" + letter;
    out += " " + std::string(value_of(option));
  }
  for (const Positional& word : command.words)
    out += word.required ? " " + std::string(word.name) : " [" + std::string(word.name) + "]";
  return out;
}

std::string commands_overview() {
  std::string out;
  for (const Command* command : commands())
    append_entry(out, "leat " + std::string(command->name) + synopsis(*command),
                 first_sentence(command->help), 32);
  return out;
}

std::string command_help(std::string_view name) {
  std::string out;
  for (const Command* command : commands())
    if (command->name == name || command->name.starts_with(std::string(name) + " "))
      out += (out.empty() ? "" : "\n") + text_of(*command);
  return out;
}

std::string commands_json() {
  std::string out;
  for (const Command* command : commands()) {
    out +=
        (out.empty() ? "[" : ",\n") + ("{\"name\":" + json_quoted(command->name)) + ",\"words\":[";
    for (const Positional& word : command->words)
      out += (&word == command->words.data() ? "" : ",") + ("{\"name\":" + json_quoted(word.name)) +
             ",\"required\":" + (word.required ? "true}" : "false}");
    out += "],\"help\":" + json_quoted(command->help) + ",\"options\":[";
    for (const Option& option : command->options)
      out += (&option == command->options.data() ? "" : ",") + json_of(option);
    out += "]}";
  }
  return out + "]";
}

}  // namespace leat
