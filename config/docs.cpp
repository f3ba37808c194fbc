#include "config/docs.h"

#include <algorithm>

#include "base/layout.h"
#include "base/text.h"
#include "config/catalogue.h"
#include "config/wording.h"

namespace leat {
namespace {

using Kind = Topic::Kind;

struct Row {
  std::string name;  // with dots: "tls.ca"
  std::string type;
  std::string fallback;  // as JSON; "" when there is none
  bool required = false;
  std::string help;
};

const char* type_word(OptionType type) {
  switch (type) {
    case OptionType::kString:
      return "string";
    case OptionType::kInteger:
      return "whole number";
    case OptionType::kBool:
      return "true or false";
    case OptionType::kBytes:
      return "size";
    case OptionType::kDuration:
      return "duration";
    case OptionType::kStrings:
      return "list of strings";
    case OptionType::kMap:
      return "object of strings";
    case OptionType::kObject:
      return "object";
    case OptionType::kObjects:
      return "list of objects";
  }
  return "";
}

std::string plain_limit(const Option& option, int64_t value) {
  std::string text = limit_text(option, value);
  std::erase(text, '"');
  return text;
}

// "whole number, 1 to 16"; limits that limit nothing are not told.
std::string type_text(const Option& option) {
  if (takes_text(option)) return "list of objects or strings";
  std::string text = type_word(option.type);
  bool numeric = option.type == OptionType::kInteger || option.type == OptionType::kBytes ||
                 option.type == OptionType::kDuration;
  if (!numeric) return text;
  if (option.max != INT64_MAX)
    return text + ", " + plain_limit(option, option.min) + " to " + plain_limit(option, option.max);
  return option.min > 0 ? text + ", at least " + plain_limit(option, option.min) : text;
}

std::string help_of(const Option& option) {
  std::string help(option.help);
  if (is_format_object(option)) return help + " See: leat help " + std::string(option.name) + ".";
  if (!option.choices.empty()) {
    if (!help.empty()) help += ' ';
    help += "One of " + quoted_list(option.choices) + ".";
  }
  if (option.secret) help += " Keep it out of the file: \"${env:NAME}\" or \"${file:/path}\".";
  return help;
}

void add_rows(std::span<const Option> options, const std::string& prefix, std::vector<Row>& rows) {
  for (const Option& option : options) {
    std::string name = prefix + std::string(option.name);
    if (option.type == OptionType::kObjects) name += "[]";
    rows.push_back({name, type_text(option), option.fallback.empty() ? "" : example_of(option),
                    option.required, help_of(option)});
    if (!is_format_object(option)) add_rows(option.fields, name + ".", rows);
  }
}

std::vector<Row> rows_of(const Topic& topic) {
  std::vector<Row> rows;
  add_rows(topic.options, topic.prefix, rows);
  return rows;
}

std::string title(const Topic& topic) {
  switch (topic.kind) {
    case Kind::kSource:
      return "source " + topic.name;
    case Kind::kTransform:
      return "transform " + topic.name;
    case Kind::kSink:
      return "sink " + topic.name;
    case Kind::kReadFormat:
      return "format " + topic.name + ", as sources read it";
    case Kind::kWriteFormat:
      return "format " + topic.name + ", as sinks write it";
    case Kind::kAgent:
      return "agent";
    case Kind::kPipeline:
      return "pipelines";
  }
  return "";
}

std::string rows_text(const std::vector<Row>& rows) {
  std::string out;
  size_t column = 0;
  for (const Row& row : rows) column = std::max(column, width_of(row.name));
  column = std::min<size_t>(column, 30) + 4;
  for (const Row& row : rows) {
    std::string facts = row.type;
    if (row.required) facts += ", required";
    if (!row.fallback.empty()) facts += ", default " + row.fallback;
    append_entry(out, row.name, facts, column);
    out += std::string(column, ' ');
    append_wrapped(out, row.help, column);
  }
  return out;
}

std::string text_of(const Topic& topic) {
  std::string out = title(topic) + "\n\n  ";
  append_wrapped(out, topic.help, 2);
  std::vector<Row> rows = rows_of(topic);
  return rows.empty() ? out : out + "\n" + rows_text(rows);
}

// The option `path` ("batch", "batch.linger") of a topic and what is in it; "" when there is none.
std::string text_of_option(const Topic& topic, std::string_view path) {
  std::vector<Row> rows = rows_of(topic);
  std::erase_if(rows, [&topic, path](const Row& row) {
    std::string_view name = std::string_view(row.name).substr(topic.prefix.size());
    if (!name.starts_with(path)) return true;
    name.remove_prefix(path.size());
    return !name.empty() && name[0] != '.' && name[0] != '[';
  });
  return rows.empty() ? "" : title(topic) + "\n\n" + rows_text(rows);
}

// "http.batch" of everything called "http"; "delivery" or "agent.journal" of the configuration.
std::string option_help(const Registry& registry, std::string_view name) {
  const size_t dot = name.find('.');
  std::string out;
  for (const Topic& topic : catalogue(registry)) {
    std::string_view path = name;
    if (topic.name == "config") {
      if (path.starts_with(topic.prefix)) path.remove_prefix(topic.prefix.size());
    } else if (dot != std::string_view::npos && topic.name == name.substr(0, dot)) {
      path.remove_prefix(dot + 1);
    } else {
      continue;
    }
    std::string text = text_of_option(topic, path);
    if (!text.empty()) out += (out.empty() ? "" : "\n") + text;
  }
  return out;
}

// Text inside a cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|' || c == '<') out += '\\';
    out += c;
  }
  return out;
}

std::string markdown_of(const Topic& topic) {
  std::string heading = title(topic);
  heading[0] = static_cast<char>(heading[0] - 'a' + 'A');
  std::string out = "### " + heading + "\n\n" + topic.help + "\n";
  std::vector<Row> rows = rows_of(topic);
  if (rows.empty()) return out;
  out += "\n| option | type | default | meaning |\n|---|---|---|---|\n";
  for (const Row& row : rows) {
    std::string fallback = row.required ? "**required**" : "";
    if (!row.fallback.empty()) fallback = "`" + row.fallback + "`";
    out += "| `" + row.name + "` | " + row.type + " | " + cell(fallback) + " | " + cell(row.help) +
           " |\n";
  }
  return out;
}

void append_group(std::string& out, const char* heading, const std::vector<Topic>& topics) {
  if (topics.empty()) return;
  out += std::string(heading) + "\n";
  for (const Topic& topic : topics) append_entry(out, topic.name, first_sentence(topic.help), 16);
  out += "\n";
}

}  // namespace

std::string help_overview(const Registry& registry) {
  std::string out;
  append_group(out, "Sources:", topics_of(registry, Kind::kSource));
  append_group(out, "Transforms:", topics_of(registry, Kind::kTransform));
  append_group(out, "Sinks:", topics_of(registry, Kind::kSink));
  append_group(out, "Formats that sources read:", topics_of(registry, Kind::kReadFormat));
  append_group(out, "Formats that sinks write:", topics_of(registry, Kind::kWriteFormat));
  return out;
}

std::string help_topic(const Registry& registry, std::string_view name) {
  std::string out;
  for (const Topic& topic : topics_named(registry, name))
    out += (out.empty() ? "" : "\n") + text_of(topic);
  return out.empty() ? option_help(registry, name) : out;
}

std::string markdown_topic(const Registry& registry, std::string_view name) {
  std::string out;
  for (const Topic& topic : topics_named(registry, name))
    out += (out.empty() ? "" : "\n") + markdown_of(topic);
  return out;
}

std::string topics_json(const Registry& registry) {
  static constexpr struct {
    Kind kind;
    const char* name;
  } kKinds[] = {{Kind::kSource, "source"},
                {Kind::kTransform, "transform"},
                {Kind::kSink, "sink"},
                {Kind::kReadFormat, "reads"},
                {Kind::kWriteFormat, "writes"}};
  std::string out;
  for (const auto& [kind, name] : kKinds)
    for (const Topic& topic : topics_of(registry, kind))
      out += (out.empty() ? "[" : ",\n") + ("{\"kind\":\"" + std::string(name)) +
             "\",\"name\":" + json_quoted(topic.name) + ",\"help\":" + json_quoted(topic.help) +
             "}";
  return out + "]";
}

std::vector<std::string> help_names(const Registry& registry) {
  std::vector<std::string> names;
  for (const Topic& topic : catalogue(registry))
    if (std::ranges::find(names, topic.name) == names.end()) names.push_back(topic.name);
  return names;
}

}  // namespace leat
