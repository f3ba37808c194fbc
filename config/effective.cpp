#include "config/effective.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "config/catalogue.h"
#include "config/secrets.h"
#include "config/tables.h"
#include "config/wording.h"
#include "stage/format.h"
#include "stage/transform.h"

namespace leat {
namespace {

const cJSON* child(const cJSON* node, std::string_view name) {
  return cJSON_GetObjectItemCaseSensitive(node, std::string(name).c_str());
}

void put(cJSON* object, std::string_view name, cJSON* value) {
  if (value != nullptr) cJSON_AddItemToObject(object, std::string(name).c_str(), value);
}

void put_text(cJSON* object, const char* name, const std::string& text) {
  cJSON_DeleteItemFromObjectCaseSensitive(object, name);
  cJSON_AddStringToObject(object, name, text.c_str());
}

// Without what must not be shown, and as it stands in a file: "${" is no variable there, but where
// what only a run knows has kept the text as it was written.
std::string shown(const Option& option, const char* text) {
  std::string out = without_secrets(option, text);
  if (out.find("${param:") != std::string::npos) return out;
  for (size_t at = 0; (at = out.find("${", at)) != std::string::npos; at += 3) out.insert(at, "$");
  return out;
}

cJSON* object_of(std::span<const Option> options, const cJSON* given);

// A copy of what stands there, without secrets.
cJSON* value_of(const Option& option, const cJSON* given) {
  if (option.type == OptionType::kObject) return object_of(option.fields, given);
  // What came out of a variable is text, whatever it is meant to be.
  const bool scalar = option.type == OptionType::kInteger || option.type == OptionType::kBool;
  if (scalar && cJSON_IsString(given)) return cJSON_Parse(given->valuestring);
  const bool list = option.type == OptionType::kObjects || option.type == OptionType::kStrings;
  cJSON* out = cJSON_Duplicate(given, 0);
  if (list && cJSON_IsString(given)) {  // a list of one
    cJSON_Delete(out);
    out = cJSON_CreateArray();
    cJSON_AddItemToArray(out, cJSON_CreateString(shown(option, given->valuestring).c_str()));
    return out;
  }
  if (cJSON_IsString(given)) cJSON_SetValuestring(out, shown(option, given->valuestring).c_str());
  for (const cJSON* item = given->child; item != nullptr; item = item->next) {
    cJSON* copy = cJSON_IsObject(item)
                      ? object_of(option.fields, item)
                      : cJSON_CreateString(shown(option, item->valuestring).c_str());
    if (item->string != nullptr)
      cJSON_AddItemToObject(out, item->string, copy);
    else
      cJSON_AddItemToArray(out, copy);
  }
  return out;
}

// Null when there is none.
cJSON* default_of(const Option& option) {
  if (!option.fallback.empty()) return cJSON_Parse(example_of(option).c_str());
  if (option.type != OptionType::kObject || option.only_when_given) return nullptr;
  if (std::ranges::any_of(option.fields, &Option::required)) return nullptr;
  cJSON* out = object_of(option.fields, nullptr);
  if (out->child != nullptr) return out;
  cJSON_Delete(out);
  return nullptr;
}

void put_all(cJSON* into, std::span<const Option> options, const cJSON* given) {
  for (const Option& option : options) {
    const cJSON* value = child(given, option.name);
    put(into, option.name, value != nullptr ? value_of(option, value) : default_of(option));
  }
}

cJSON* object_of(std::span<const Option> options, const cJSON* given) {
  cJSON* out = cJSON_CreateObject();
  put_all(out, options, given);
  return out;
}

cJSON* stage_of(std::string_view type, std::span<const Option> own, std::span<const Option> added,
                std::string_view format_options, const cJSON* given) {
  cJSON* out = cJSON_CreateObject();
  cJSON_AddStringToObject(out, "type", std::string(type).c_str());
  put_all(out, own, given);
  for (const Option& option : added)
    if (!is_format_object(option) || option.name == format_options)
      put_all(out, {&option, 1}, given);
  return out;
}

// Of a name that load_config() has found right.
template <typename Format>
std::string_view options_name(std::span<const Option> added, const cJSON* given,
                              const Format* (*find)(std::string_view)) {
  const Options defaults(added);
  const cJSON* format = child(given, "format");
  const bool has = std::ranges::find(added, "format", &Option::name) != added.end();
  if (!has) return "";
  const Format* found =
      find(cJSON_IsString(format) ? format->valuestring : defaults.string("format"));
  return found == nullptr ? "" : found->options_name;
}

cJSON* sink_of(const cJSON* given, const Registry& registry) {
  const SinkType* type = registry.sink(child(given, "type")->valuestring);
  const SinkOptions tables(*type);
  return stage_of(type->name, type->options, tables.added(),
                  options_name(tables.added(), given, find_write_format), given);
}

cJSON* agent_of(const cJSON* given, const Registry& registry) {
  cJSON* out = object_of(agent_options(), given);
  const cJSON* list = child(given, "notify");
  const cJSON* entry = list == nullptr ? nullptr : list->child;
  cJSON* shown =
      child(out, "notify") == nullptr ? nullptr : cJSON_GetObjectItem(out, "notify")->child;
  for (; entry != nullptr && shown != nullptr; entry = entry->next, shown = shown->next)
    cJSON_ReplaceItemInObjectCaseSensitive(shown, "to", sink_of(child(entry, "to"), registry));
  return out;
}

cJSON* pipeline_of(const cJSON* given, const Registry& registry) {
  cJSON* out = cJSON_CreateObject();
  put_all(out, pipeline_options().subspan(0, 1), given);  // the name comes first
  if (out->child == nullptr) cJSON_AddStringToObject(out, "name", "main");
  const cJSON* source = child(given, "source");
  auto type_of = [](const cJSON* stage) { return child(stage, "type")->valuestring; };
  const SourceType* from = registry.source(type_of(source));
  const SourceOptions source_options(*from);
  put(out, "source",
      stage_of(from->name, from->options, source_options.added(),
               options_name(source_options.added(), source, find_read_format), source));
  cJSON* transforms = cJSON_CreateArray();
  const cJSON* list = child(given, "transforms");
  for (const cJSON* item = list == nullptr ? nullptr : list->child; item != nullptr;
       item = item->next) {
    const TransformType* type = find_transform(type_of(item));
    cJSON_AddItemToArray(transforms, stage_of(type->name, type->options, {}, "", item));
  }
  put(out, "transforms", transforms);
  put(out, "sink", sink_of(child(given, "sink"), registry));
  put_all(out, pipeline_options().subspan(1), given);
  if (const cJSON* letters = child(child(given, "deadLetters"), "sink"); letters != nullptr)
    cJSON_ReplaceItemInObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(out, "deadLetters"),
                                           "sink", sink_of(letters, registry));
  return out;
}

const char* mode_name(SpoolMode mode) {
  switch (mode) {
    case SpoolMode::kAlways:
      return "always";
    case SpoolMode::kOnTrouble:
      return "onTrouble";
    case SpoolMode::kNever:
      break;
  }
  return "never";
}

// What is not in the tables, since it depends on more than the option.
void put_computed(cJSON* pipeline, const AgentConfig& config) {
  const std::string name = child(pipeline, "name")->valuestring;
  for (const PipelineConfig& each : config.pipelines)
    if (each.name == name)
      put_text(cJSON_GetObjectItemCaseSensitive(pipeline, "delivery"), "spool",
               mode_name(each.delivery.spool.mode));
}

}  // namespace

std::string effective_config(std::span<const ConfigFile> files, const LoadContext& context,
                             const AgentConfig& config) {
  std::unique_ptr<cJSON, void (*)(cJSON*)> out(cJSON_CreateObject(), cJSON_Delete);
  cJSON* agent = nullptr;
  cJSON* pipelines = cJSON_CreateArray();
  Variables variables = context.variables;
  variables.data_dir = config.data_dir;
  for (const ConfigFile& file : files) {
    Result<Document> document = Document::parse(file.text);
    if (!document) continue;
    Problems problems;
    document->substitute(variables, problems);
    if (const cJSON* given = child(document->root(), "agent"); given != nullptr)
      agent = agent_of(given, context.registry);
    const cJSON* list = child(document->root(), "pipelines");
    for (const cJSON* item = list == nullptr ? nullptr : list->child; item != nullptr;
         item = item->next) {
      cJSON* pipeline = pipeline_of(item, context.registry);
      put_computed(pipeline, config);
      cJSON_AddItemToArray(pipelines, pipeline);
    }
  }
  if (agent == nullptr) agent = object_of(agent_options(), nullptr);
  put_text(agent, "id", config.id);
  put_text(agent, "dataDir", config.data_dir);
  put(out.get(), "agent", agent);
  put(out.get(), "pipelines", pipelines);
  std::unique_ptr<char, void (*)(void*)> text(cJSON_Print(out.get()), cJSON_free);
  return text ? std::string(text.get()) + "\n" : "";
}

}  // namespace leat
