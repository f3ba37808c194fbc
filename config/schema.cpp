// The JSON schema: what editors need to complete and check a configuration while it is written. The
// loader stays the judge; what a schema cannot say (unique names, expressions) it does not say.
#include <cjson/cJSON.h>

#include <memory>

#include "config/catalogue.h"
#include "config/docs.h"
#include "config/pipeline_tests.h"
#include "config/wording.h"

namespace leat {
namespace {

using Kind = Topic::Kind;

cJSON* string(std::string_view text) {
  return cJSON_CreateString(std::string(text).c_str());
}

void put(cJSON* object, std::string_view key, cJSON* value) {
  cJSON_AddItemToObject(object, std::string(key).c_str(), value);
}

cJSON* of_type(const char* type) {
  cJSON* schema = cJSON_CreateObject();
  put(schema, "type", string(type));
  return schema;
}

cJSON* list_of(std::span<const std::string_view> words) {
  cJSON* list = cJSON_CreateArray();
  for (std::string_view word : words) cJSON_AddItemToArray(list, string(word));
  return list;
}

cJSON* pattern(const char* expression) {
  cJSON* schema = of_type("string");
  put(schema, "pattern", string(expression));
  return schema;
}

// Anything but a plain string may also be a variable that stands for it.
cJSON* or_variable(cJSON* schema, cJSON* other = nullptr) {
  cJSON* variable = cJSON_CreateObject();
  put(variable, "$ref", string("#/$defs/variable"));
  cJSON* any = cJSON_CreateArray();
  cJSON_AddItemToArray(any, schema);
  if (other != nullptr) cJSON_AddItemToArray(any, other);
  cJSON_AddItemToArray(any, variable);
  cJSON* out = cJSON_CreateObject();
  put(out, "anyOf", any);
  return out;
}

cJSON* integer_schema(const Option& option) {
  cJSON* schema = of_type("integer");
  if (option.min != INT64_MIN)
    put(schema, "minimum", cJSON_CreateNumber(static_cast<double>(option.min)));
  if (option.max != INT64_MAX)
    put(schema, "maximum", cJSON_CreateNumber(static_cast<double>(option.max)));
  return schema;
}

cJSON* string_schema(const Option& option) {
  if (option.choices.empty()) return of_type("string");
  cJSON* schema = cJSON_CreateObject();
  put(schema, "enum", list_of(option.choices));
  return or_variable(schema);
}

cJSON* either(cJSON* one, cJSON* other) {
  cJSON* any = cJSON_CreateArray();
  cJSON_AddItemToArray(any, one);
  cJSON_AddItemToArray(any, other);
  cJSON* schema = cJSON_CreateObject();
  put(schema, "anyOf", any);
  return schema;
}

// A list, or one alone.
cJSON* strings_schema(const Option& option) {
  cJSON* list = of_type("array");
  put(list, "items", string_schema(option));
  return either(list, string_schema(option));
}

cJSON* object_schema(std::span<const Option> options, cJSON* properties = cJSON_CreateObject());

cJSON* reference(const std::string& name) {
  cJSON* schema = cJSON_CreateObject();
  put(schema, "$ref", string("#/$defs/" + name));
  return schema;
}

cJSON* value_schema(const Option& option) {
  switch (option.type) {
    case OptionType::kString:
      return string_schema(option);
    case OptionType::kInteger:
      return or_variable(integer_schema(option));
    case OptionType::kBool:
      return or_variable(of_type("boolean"));
    case OptionType::kBytes:
      return or_variable(pattern("^[0-9]+ *(B|KiB|MiB|GiB|TiB|KB|MB|GB)?$"),
                         integer_schema(option));
    case OptionType::kDuration:
      return or_variable(pattern("^[0-9]+ *(ms|s|m|h|d)$"));
    case OptionType::kStrings:
      return strings_schema(option);
    case OptionType::kMap: {
      cJSON* schema = of_type("object");
      put(schema, "additionalProperties", of_type("string"));
      return schema;
    }
    case OptionType::kObject:  // without fields: a stage
      return option.fields.empty() ? reference(std::string(option.name))
                                   : object_schema(option.fields);
    case OptionType::kObjects: {
      cJSON* schema = of_type("array");
      cJSON* item = object_schema(option.fields);
      put(schema, "items", takes_text(option) ? either(item, of_type("string")) : item);
      return takes_text(option) ? either(schema, of_type("string")) : schema;
    }
  }
  return cJSON_CreateObject();
}

cJSON* property(const Option& option) {
  cJSON* schema = value_schema(option);
  if (!option.help.empty()) put(schema, "description", string(option.help));
  if (!option.fallback.empty()) put(schema, "default", cJSON_Parse(example_of(option).c_str()));
  return schema;
}

// `properties` holds those that are no options, such as `type`.
cJSON* object_schema(std::span<const Option> options, cJSON* properties) {
  cJSON* schema = of_type("object");
  cJSON* required = cJSON_CreateArray();
  for (const Option& option : options) {
    put(properties, option.name, property(option));
    if (option.required) cJSON_AddItemToArray(required, string(option.name));
  }
  put(schema, "properties", properties);
  if (required->child != nullptr)
    put(schema, "required", required);
  else
    cJSON_Delete(required);
  put(schema, "additionalProperties", cJSON_CreateFalse());
  return schema;
}

cJSON* constant(std::string_view value) {
  cJSON* schema = cJSON_CreateObject();
  put(schema, "const", string(value));
  return schema;
}

// {"if": {"properties": {"type": {"const": "http"}}}, "then": {its options}}
cJSON* when_type(const Topic& topic) {
  cJSON* condition = cJSON_CreateObject();
  cJSON* type = cJSON_CreateObject();
  put(type, "type", constant(topic.name));
  put(condition, "properties", type);
  cJSON* properties = cJSON_CreateObject();
  put(properties, "type", constant(topic.name));
  cJSON* then = object_schema(topic.options, properties);
  put(then, "description", string(topic.help));
  cJSON* rule = cJSON_CreateObject();
  put(rule, "if", condition);
  put(rule, "then", then);
  return rule;
}

cJSON* stage_schema(const Registry& registry, Kind kind) {
  cJSON* names = cJSON_CreateArray();
  cJSON* rules = cJSON_CreateArray();
  for (const Topic& topic : topics_of(registry, kind)) {
    cJSON_AddItemToArray(names, string(topic.name));
    cJSON_AddItemToArray(rules, when_type(topic));
  }
  cJSON* type = cJSON_CreateObject();
  put(type, "enum", names);
  cJSON* properties = cJSON_CreateObject();
  put(properties, "type", type);
  cJSON* schema = of_type("object");
  put(schema, "properties", properties);
  constexpr std::string_view kRequired[] = {"type"};
  put(schema, "required", list_of(kRequired));
  put(schema, "allOf", rules);
  return schema;
}

// The pipeline's options, with references to the stages in place of what only stands for them.
cJSON* pipeline_schema(const Topic& topic) {
  cJSON* schema = object_schema(topic.options);
  cJSON* properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");
  cJSON_ReplaceItemInObjectCaseSensitive(properties, "source", reference("source"));
  cJSON_ReplaceItemInObjectCaseSensitive(properties, "sink", reference("sink"));
  cJSON* transforms = of_type("array");
  put(transforms, "items", reference("transform"));
  cJSON_ReplaceItemInObjectCaseSensitive(properties, "transforms", transforms);
  return schema;
}

// Whom agent.notify tells is a sink.
cJSON* agent_schema(const Topic& topic) {
  cJSON* schema = object_schema(topic.options);
  cJSON* entry = schema;
  for (const char* key : {"properties", "notify", "items", "properties"})
    entry = cJSON_GetObjectItemCaseSensitive(entry, key);
  cJSON_ReplaceItemInObjectCaseSensitive(entry, "to", reference("sink"));
  return schema;
}

cJSON* one_of_types(std::initializer_list<const char*> types) {
  cJSON* names = cJSON_CreateArray();
  for (const char* type : types) cJSON_AddItemToArray(names, cJSON_CreateString(type));
  cJSON* schema = cJSON_CreateObject();
  put(schema, "type", names);
  return schema;
}

cJSON* tests_schema() {
  cJSON* properties = cJSON_CreateObject();
  put(properties, "input", one_of_types({"string", "array"}));
  put(properties, "expect", of_type("array"));
  put(properties, "expectDead", one_of_types({"integer", "array"}));
  cJSON* schema = of_type("array");
  put(schema, "items", object_schema(pipeline_test_options(), properties));
  return schema;
}

cJSON* definitions(const Registry& registry) {
  cJSON* defs = cJSON_CreateObject();
  put(defs, "variable", pattern("\\$\\{(env|file):[^}]+\\}"));
  put(defs, "source", stage_schema(registry, Kind::kSource));
  put(defs, "transform", stage_schema(registry, Kind::kTransform));
  put(defs, "sink", stage_schema(registry, Kind::kSink));
  put(defs, "pipeline", pipeline_schema(topics_of(registry, Kind::kPipeline)[0]));
  return defs;
}

}  // namespace

std::string json_schema(const Registry& registry) {
  cJSON* pipelines = of_type("array");
  put(pipelines, "items", reference("pipeline"));
  cJSON* properties = cJSON_CreateObject();
  put(properties, "$schema", of_type("string"));
  put(properties, "agent", agent_schema(topics_of(registry, Kind::kAgent)[0]));
  put(properties, "pipelines", pipelines);
  put(properties, "tests", tests_schema());

  std::unique_ptr<cJSON, void (*)(cJSON*)> schema(cJSON_CreateObject(), cJSON_Delete);
  put(schema.get(), "$schema", string("https://json-schema.org/draft/2020-12/schema"));
  put(schema.get(), "title", string("leat configuration"));
  put(schema.get(), "type", string("object"));
  put(schema.get(), "properties", properties);
  // Of the files of a folder one may have nothing but "agent".
  cJSON* either = cJSON_CreateArray();
  for (std::string_view key : {"pipelines", "agent"}) {
    cJSON* has = cJSON_CreateObject();
    cJSON* known = cJSON_CreateObject();
    put(known, key, cJSON_CreateTrue());
    put(has, "properties", known);
    put(has, "required", list_of({&key, 1}));
    cJSON_AddItemToArray(either, has);
  }
  put(schema.get(), "anyOf", either);
  put(schema.get(), "additionalProperties", cJSON_CreateFalse());
  put(schema.get(), "$defs", definitions(registry));
  std::unique_ptr<char, void (*)(void*)> text(cJSON_Print(schema.get()), cJSON_free);
  return std::string(text.get()) + "\n";
}

}  // namespace leat
