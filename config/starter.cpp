#include "config/starter.h"

#include <algorithm>
#include <vector>

#include "base/layout.h"
#include "base/text.h"
#include "config/catalogue.h"
#include "config/wording.h"
#include "stage/transform.h"

namespace leat {
namespace {

// With one, or without which the stage is nothing.
bool is_written(const Option& option) {
  return option.required || option.example != nullptr;
}

// {"records": 1000, "bytes": "1MiB"}; "" where no default is.
std::string defaults_of(std::span<const Option> fields) {
  std::string out;
  for (const Option& field : fields) {
    std::string value = field.fallback.empty() ? "" : example_of(field);
    if (field.type == OptionType::kObject && !field.only_when_given)
      value = defaults_of(field.fields);
    if (!value.empty())
      out += (out.empty() ? "\"" : ", \"") + std::string(field.name) + "\": " + value;
  }
  return out.empty() ? "" : "{" + out + "}";
}

std::string value_of(const Option& option) {
  std::string defaults = option.type == OptionType::kObject && !option.only_when_given
                             ? defaults_of(option.fields)
                             : "";
  return defaults.empty() ? example_of(option) : defaults;
}

// Each line behind "// ".
void comment(std::string& out, std::string_view text, size_t indent) {
  std::string lines;
  append_wrapped(lines, text, 0);
  for (size_t at = 0; at < lines.size(); at = lines.find('\n', at) + 1)
    out += std::string(indent, ' ') + "// " + lines.substr(at, lines.find('\n', at) - at) + "\n";
}

// The members of an object: those in comments stand between the others, so that each of them may
// end with a comma.
void members(std::string& out, const std::string& type, std::span<const Option> options,
             size_t indent) {
  const std::string start(indent, ' ');
  std::vector<const Option*> written;
  for (const Option& option : options)
    if (is_written(option)) written.push_back(&option);
  auto type_line = [&](const char* end) {
    if (!type.empty()) out += start + "\"type\": \"" + type + "\"" + end + "\n";
  };
  auto write = [&](const Option& option, const char* end) {
    comment(out, option.help, indent);
    out += start + "\"" + std::string(option.name) + "\": " + value_of(option) + end + "\n";
  };
  if (!written.empty()) type_line(",");
  for (size_t i = 0; i + 1 < written.size(); ++i) write(*written[i], ",");
  for (const Option& option : options) {
    if (is_written(option)) continue;
    comment(out, option.help, indent);
    out += start + "// \"" + std::string(option.name) + "\": " + value_of(option) + ",\n";
  }
  if (written.empty()) type_line("");
  if (!written.empty()) write(*written.back(), "");
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (true) {
    const size_t end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

// A stage of this kind, from the catalogue.
Result<Topic> stage_called(const std::vector<Topic>& topics, std::string_view what,
                           std::string_view name) {
  std::vector<std::string> known;
  for (const Topic& topic : topics) {
    if (topic.name == name) return topic;
    known.push_back(topic.name);
  }
  const std::string near = nearest(name, known);
  return fail(ErrorKind::kUsage, "unknown " + std::string(what) + " \"" + excerpt(name) + "\"" +
                                     (near.empty() ? "" : ", did you mean \"" + near + "\"?") +
                                     " (known: " + joined(known) + ")");
}

void write_stage(std::string& out, const Topic& topic, size_t indent) {
  comment(out, topic.help, indent);
  std::vector<Option> options;
  for (const Option& option : topic.options)
    if (!is_format_object(option)) options.push_back(option);
  members(out, topic.name, options, indent);
}

// The pipeline at the other end of a channel, without which there is none. "" for other stages.
std::string other_end(const Topic& topic, std::string_view option, bool reads) {
  if (option.empty()) return "";
  const auto named = std::ranges::find(topic.options, option, &Option::name);
  const std::string channel = R"({ "type": ")" + topic.name + R"(", ")" + std::string(option) +
                              "\": " + value_of(*named) + " }";
  const std::string here = reads ? R"({ "type": "stdout" })" : R"({ "type": "generator" })";
  return ",\n    {\n      // At the other end of the channel.\n      \"name\": \"" +
         std::string(reads ? "reader" : "writer") +
         "\",\n      \"source\": " + (reads ? channel : here) +
         ",\n      \"sink\": " + (reads ? here : channel) + "\n    }";
}

std::vector<Option> without_stages(std::vector<Option> options) {
  std::erase_if(options, [](const Option& option) {
    return option.name == "source" || option.name == "transforms" || option.name == "sink";
  });
  return options;
}

}  // namespace

Result<std::string> starter(const Registry& registry, std::string_view chain) {
  std::vector<std::string_view> parts = split(chain, '/');
  if (parts.size() != 2 && parts.size() != 3)
    return fail(ErrorKind::kUsage, "\"" + excerpt(chain) +
                                       "\" is no chain: write SOURCE/SINK, or "
                                       "SOURCE/TRANSFORM,TRANSFORM/SINK");
  using Kind = Topic::Kind;
  Result<Topic> source = stage_called(topics_of(registry, Kind::kSource), "source", parts[0]);
  if (!source) return fail(source.error());
  std::vector<Topic> transforms;
  if (parts.size() == 3 && !parts[1].empty())
    for (std::string_view name : split(parts[1], ',')) {
      Result<Topic> transform =
          stage_called(topics_of(registry, Kind::kTransform), "transform", name);
      if (!transform) return fail(transform.error());
      transforms.push_back(*std::move(transform));
    }
  Result<Topic> sink = stage_called(topics_of(registry, Kind::kSink), "sink", parts.back());
  if (!sink) return fail(sink.error());

  std::string out;
  comment(out,
          "Made by \"leat new " + std::string(chain) +
              "\". What stands in comments are further options, with their defaults or an "
              "example. \"leat check -c FILE\" says whether it is right.",
          0);
  out += "{\n  \"agent\": {\n";
  members(out, "", topics_of(registry, Kind::kAgent)[0].options, 4);
  out += "  },\n  \"pipelines\": [\n    {\n";
  const std::string others = other_end(*source, registry.source(source->name)->channel, false) +
                             other_end(*sink, registry.sink(sink->name)->channel, true);
  std::vector<Option> of_pipeline = without_stages(topics_of(registry, Kind::kPipeline)[0].options);
  if (!others.empty()) {  // of several each has a name
    out += "      \"name\": \"main\",\n";
    std::erase_if(of_pipeline, [](const Option& option) { return option.name == "name"; });
  }
  members(out, "", of_pipeline, 6);
  out += "      \"source\": {\n";
  write_stage(out, *source, 8);
  out += "      },\n";
  if (!transforms.empty()) {
    out += "      \"transforms\": [\n";
    for (const Topic& transform : transforms) {
      out += "        {\n";
      write_stage(out, transform, 10);
      out += &transform == &transforms.back() ? "        }\n" : "        },\n";
    }
    out += "      ],\n";
  }
  out += "      \"sink\": {\n";
  write_stage(out, *sink, 8);
  out += "      }\n    }" + others + "\n  ]\n}\n";
  return out;
}

}  // namespace leat
