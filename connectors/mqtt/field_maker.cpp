#include "connectors/mqtt/field_maker.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "connectors/mqtt/options.h"
#include "options/option_errors.h"

namespace leat::mqtt {
namespace {

std::string json_list(std::span<const std::string_view> texts) {
  std::string out = "[";
  for (std::string_view text : texts)
    out += (out.size() > 1 ? "," : "") + json_quoted(std::string(text));
  return out + "]";
}

}  // namespace

std::string user_properties(std::string_view properties) {
  std::vector<std::pair<std::string_view, std::string_view>> all;
  std::unordered_map<std::string_view, size_t> places;
  each_text_property(properties,
                     [&](Property which, std::string_view name, std::string_view value) {
                       if (which != Property::kUserProperty) return;
                       auto [known, fresh] = places.try_emplace(name, all.size());
                       if (fresh) {
                         all.emplace_back(name, value);
                       } else {
                         all[known->second].second = value;
                       }
                     });
  std::string out = "{";
  for (const auto& [name, value] : all) {
    out += out.size() > 1 ? ",\"" : "\"";
    append_json_escaped(out, name);
    out += "\":\"";
    append_json_escaped(out, value);
    out += '"';
  }
  return out + "}";
}

Result<FieldMaker> FieldMaker::from(const Options& options) {
  FieldMaker out;
  OptionErrors errors;
  std::vector<std::string_view> extras;
  const std::vector<std::string>& fields = options.strings("fields");
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string& name = fields[i];
    const auto* known = std::find(std::begin(kFieldChoices), std::end(kFieldChoices), name);
    if (known == std::end(kFieldChoices)) continue;  // the table says so already
    if (std::find(extras.begin(), extras.end(), name) != extras.end()) {
      errors.add(options, path_of_index("fields", i), json_quoted(name) + " stands twice",
                 Problem::Kind::kTwice);
      continue;
    }
    out.extras_.push_back(static_cast<Extra>(known - std::begin(kFieldChoices)));
    extras.push_back(*known);
  }
  if (out.wants(Extra::kRetained) && out.wants(Extra::kRetain))
    errors.add(options, "fields",
               "of \"retained\" and \"retain\" a broker tells only one for a subscription");
  const std::vector<std::string>& patterns = options.strings("topicFields");
  for (size_t i = 0; i < patterns.size(); ++i) {
    const std::string path = path_of_index("topicFields", i);
    Result<TopicPattern> pattern = TopicPattern::parse(patterns[i]);
    if (!pattern) {
      errors.add(options, path, json_quoted(patterns[i]) + ": " + pattern.error().message());
      continue;
    }
    std::vector<std::string_view> names(pattern->names().begin(), pattern->names().end());
    for (std::string_view extra : extras)
      if (std::find(names.begin(), names.end(), extra) != names.end())
        errors.add(options, path, json_quoted(extra) + " is also one of \"fields\"",
                   Problem::Kind::kTwice);
    names.insert(names.end(), extras.begin(), extras.end());
    if (!errors.empty()) continue;  // a shape has each name once
    out.shapes_.push_back(std::make_shared<const Shape>(names));
    out.patterns_.push_back(std::move(*pattern));
  }
  if (Status status = errors.status(); !status) return fail(status.error());
  out.shapes_.push_back(std::make_shared<const Shape>(extras));
  out.adopted_.resize(out.shapes_.size());
  return out;
}

bool FieldMaker::wants(Extra extra) const {
  return std::find(extras_.begin(), extras_.end(), extra) != extras_.end();
}

Value FieldMaker::value_of(Extra extra, Batch& batch, const Message& message) {
  const Publish& publish = message.publish;
  switch (extra) {
    case Extra::kTopic:
      return Value::of_text(Type::kString, message.topic);
    case Extra::kQos:
      return Value::of_integer(publish.qos);
    case Extra::kRetained:
      return Value::boolean(publish.retained);
    case Extra::kRetain:  // 3.1.1 does not tell subscribers [MQTT-3.3.1-9]
      return message.version == Version::k5 ? Value::boolean(publish.retained) : Value::null();
    case Extra::kSubscriptions:
      if (message.filters.empty()) return Value::null();
      return Value::of_text(Type::kJson, batch.arena.copy(json_list(message.filters)));
    case Extra::kUserProperties:
      break;
  }
  if (publish.properties.text.empty()) return Value::of_text(Type::kJson, "{}");
  return Value::of_text(Type::kJson, batch.arena.copy(user_properties(publish.properties.text)));
}

void FieldMaker::add(Batch& batch, const Publish& publish, Version version,
                     std::span<const std::string_view> filters, uint32_t end_offset) {
  std::string_view topic = batch.arena.copy(publish.topic);
  levels_.clear();
  size_t pattern = 0;
  while (pattern < patterns_.size() && !patterns_[pattern].match(topic, levels_)) ++pattern;
  const ShapeRef& shape = shapes_[pattern];
  if (shape->size() == 0) return;
  if (!adopted_[pattern]) {
    batch.adopt(shape);
    adopted_[pattern] = true;
  }
  auto* values = batch.arena.array<Value>(shape->size());
  Value* next = values;
  for (std::string_view level : levels_) *next++ = Value::of_text(Type::kString, level);
  const Message message{publish, version, filters, topic};
  for (Extra extra : extras_) *next++ = value_of(extra, batch, message);
  batch.message_fields.push_back({shape.get(), values, end_offset});
}

}  // namespace leat::mqtt
