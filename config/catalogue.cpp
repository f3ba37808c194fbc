#include "config/catalogue.h"

#include <algorithm>

#include "config/tables.h"
#include "stage/format.h"
#include "stage/transform.h"

namespace leat {
namespace {

using Kind = Topic::Kind;

// `Added` is SourceOptions or SinkOptions.
template <typename Added, typename Type>
Topic connector(Kind kind, const Type& type) {
  auto added = std::make_shared<const Added>(type);
  Topic topic{kind, std::string(type.name), std::string(type.help), {}, "", added};
  topic.options.assign(type.options.begin(), type.options.end());
  topic.options.insert(topic.options.end(), added->added().begin(), added->added().end());
  return topic;
}

template <typename Format>
Topic format_topic(Kind kind, const Format& format) {
  std::string prefix = format.options_name.empty() ? "" : std::string(format.options_name) + ".";
  return {kind,
          std::string(format.name),
          std::string(format.help),
          {format.options.begin(), format.options.end()},
          prefix,
          nullptr};
}

// The keys of a pipeline whose content depends on `type`; only for documentation.
constexpr Option kStages[] = {
    {.name = "source",
     .type = OptionType::kObject,
     .required = true,
     .help =
         "Where records come from: its \"type\" names a source, whose options stand beside it."},
    {.name = "transforms",
     .type = OptionType::kObjects,
     .help = "What is done to the records, in this order: each \"type\" names a transform."},
    {.name = "sink",
     .type = OptionType::kObject,
     .required = true,
     .help = "Where records go: its \"type\" names a sink, whose options stand beside it."},
};

Topic pipeline_topic() {
  std::span<const Option> options = pipeline_options();
  Topic topic{Kind::kPipeline, "config", "One chain from a source to a sink.", {},
              "pipelines[].",  nullptr};
  topic.options.push_back(options[0]);  // the name comes first
  topic.options.insert(topic.options.end(), std::begin(kStages), std::end(kStages));
  topic.options.insert(topic.options.end(), options.begin() + 1, options.end());
  return topic;
}

template <typename Format>
bool holds_options_of(const Option& option, std::span<const Format* const> formats) {
  return std::ranges::any_of(formats, [&option](const Format* format) {
    return format->options_name == option.name && !format->options.empty() &&
           format->options.data() == option.fields.data();
  });
}

}  // namespace

std::vector<Topic> catalogue(const Registry& registry) {
  std::vector<Topic> topics;
  for (const SourceType* type : registry.sources)
    topics.push_back(connector<SourceOptions>(Kind::kSource, *type));
  for (const TransformType* type : transform_types())
    topics.push_back({Kind::kTransform,
                      std::string(type->name),
                      std::string(type->help),
                      {type->options.begin(), type->options.end()},
                      "",
                      nullptr});
  for (const SinkType* type : registry.sinks)
    topics.push_back(connector<SinkOptions>(Kind::kSink, *type));
  for (const ReadFormat* format : read_formats())
    topics.push_back(format_topic(Kind::kReadFormat, *format));
  for (const WriteFormat* format : write_formats())
    topics.push_back(format_topic(Kind::kWriteFormat, *format));
  topics.push_back({Kind::kAgent,
                    "config",
                    "The agent as a whole.",
                    {agent_options().begin(), agent_options().end()},
                    "agent.",
                    nullptr});
  topics.push_back(pipeline_topic());
  return topics;
}

std::vector<Topic> topics_of(const Registry& registry, Topic::Kind kind) {
  std::vector<Topic> topics = catalogue(registry);
  std::erase_if(topics, [kind](const Topic& topic) { return topic.kind != kind; });
  return topics;
}

std::vector<Topic> topics_named(const Registry& registry, std::string_view name) {
  std::vector<Topic> topics = catalogue(registry);
  std::erase_if(topics, [name](const Topic& topic) { return topic.name != name; });
  return topics;
}

bool is_format_object(const Option& option) {
  return option.type == OptionType::kObject &&
         (holds_options_of(option, read_formats()) || holds_options_of(option, write_formats()));
}

}  // namespace leat
