#include "config/docs.h"

#include <algorithm>

#include "config/catalogue.h"
#include "config/wording.h"

namespace leat {
namespace {

using Kind = Topic::Kind;

constexpr size_t kWidth = 96;

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

// Columns `text` takes: bytes that continue a UTF-8 sequence take none.
size_t width(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

// Appends `text` broken at spaces, every line but the first after `indent` spaces. The caller has
// written `indent` columns of the first line.
void append_wrapped(std::string& out, std::string_view text, size_t indent) {
  size_t column = indent;
  while (!text.empty()) {
    size_t space = text.find(' ');
    std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (column > indent && column + 1 + width(word) > kWidth) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    }
    if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += width(word);
  }
  out += '\n';
}

// "  name    text": `column` is where the text begins.
void append_entry(std::string& out, std::string_view name, std::string_view text, size_t column) {
  out += "  " + std::string(name);
  size_t at = 2 + width(name);
  if (at + 2 > column) {
    out += "\n";
    at = 0;
  }
  out += std::string(column - at, ' ');
  append_wrapped(out, text, column);
}

std::string text_of(const Topic& topic) {
  std::string out = title(topic) + "\n\n  ";
  append_wrapped(out, topic.help, 2);
  std::vector<Row> rows = rows_of(topic);
  if (rows.empty()) return out;
  out += "\n";
  size_t column = 0;
  for (const Row& row : rows) column = std::max(column, width(row.name));
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

// Up to the first full stop that ends a sentence.
std::string_view first_sentence(std::string_view text) {
  size_t stop = text.find(". ");
  return stop == std::string_view::npos ? text : text.substr(0, stop + 1);
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
  return out;
}

std::string markdown_topic(const Registry& registry, std::string_view name) {
  std::string out;
  for (const Topic& topic : topics_named(registry, name))
    out += (out.empty() ? "" : "\n") + markdown_of(topic);
  return out;
}

std::vector<std::string> help_names(const Registry& registry) {
  std::vector<std::string> names;
  for (const Topic& topic : catalogue(registry))
    if (std::ranges::find(names, topic.name) == names.end()) names.push_back(topic.name);
  return names;
}

}  // namespace leat
