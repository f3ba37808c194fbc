#include "config/docs.h"

#include <cjson/cJSON.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "config/fake_registry.h"

namespace leat {
namespace {

size_t columns(std::string_view line) {
  return static_cast<size_t>(
      std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; }));
}

class DocsTest : public ::testing::Test {
 protected:
  Registry registry = fake::registry();
};

TEST_F(DocsTest, show_own_options_and_those_the_engine_adds) {
  if (find_read_format("csv") == nullptr) GTEST_SKIP() << "csv was left out of this build";
  std::string text = help_topic(registry, "drain");
  for (const char* part :
       {"sink drain\n", "Pours records out.", "url ", "string, required", "batch.linger",
        "duration, default \"100ms\"", "inFlight", "whole number, 1 to 8, default 2",
        "One of \"ndjson\", \"csv\",", "${env:NAME}", "leat help csv"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  EXPECT_EQ(text.find("csv.delimiter"), std::string::npos) << "documented with the format";
}

TEST_F(DocsTest, fit_a_terminal_of_a_hundred_columns) {
  for (const std::string& name : help_names(registry)) {
    std::istringstream text(help_topic(registry, name) + help_overview(registry));
    for (std::string line; std::getline(text, line);) {
      EXPECT_LE(columns(line), 100U) << line;
      EXPECT_FALSE(line.ends_with(' ')) << "'" << line << "'";
    }
  }
}

TEST_F(DocsTest, know_formats_transforms_and_the_configuration) {
  if (find_read_format("csv") == nullptr) GTEST_SKIP() << "csv was left out of this build";
  EXPECT_NE(help_topic(registry, "csv").find("csv.delimiter"), std::string::npos);
  EXPECT_NE(help_topic(registry, "filter").find("where"), std::string::npos);
  std::string config = help_topic(registry, "config");
  for (const char* name : {"agent.dataDir", "pipelines[].name", "pipelines[].source",
                           "pipelines[].delivery.retry.initial", "pipelines[].limits"})
    EXPECT_NE(config.find(name), std::string::npos) << name;
  EXPECT_EQ(help_topic(registry, "nothing"), "");
}

TEST_F(DocsTest, know_options_by_their_paths) {
  std::string text = help_topic(registry, "delivery.retry");
  EXPECT_TRUE(text.starts_with("pipelines\n\n  pipelines[].delivery.retry ")) << text;
  EXPECT_NE(text.find("pipelines[].delivery.retry.initial"), std::string::npos) << text;
  EXPECT_EQ(text.find("delivery.spool"), std::string::npos) << text;
  EXPECT_EQ(help_topic(registry, "pipelines[].delivery.retry"), text);
  EXPECT_NE(help_topic(registry, "agent.memory").find("agent.memory"), std::string::npos);
  EXPECT_EQ(help_topic(registry, "memory"), help_topic(registry, "agent.memory"));
  text = help_topic(registry, "drain.batch");
  EXPECT_TRUE(text.starts_with("sink drain\n\n  batch ")) << text;
  EXPECT_NE(text.find("batch.linger"), std::string::npos) << text;
  EXPECT_EQ(help_topic(registry, "drain.bat"), "");
}

TEST_F(DocsTest, name_everything_in_the_overview) {
  std::string text = help_overview(registry);
  for (const std::string& name : help_names(registry)) {
    if (name == "config") continue;
    EXPECT_NE(text.find("  " + name), std::string::npos) << name;
  }
}

TEST_F(DocsTest, as_markdown_keep_every_row_on_one_line) {
  std::string text = markdown_topic(registry, "drain");
  EXPECT_NE(text.find("### Sink drain\n"), std::string::npos) << text;
  EXPECT_NE(text.find("| `url` | string | **required** | Where to. |\n"), std::string::npos)
      << text;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('|')) continue;
    EXPECT_EQ(std::ranges::count(line, '|'), 5) << line;
  }
}

// Follows "a.b.0" down a tree.
const cJSON* at(const cJSON* node, std::string_view path) {
  while (node != nullptr && !path.empty()) {
    size_t dot = path.find('/');
    std::string key(path.substr(0, dot));
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
    node = cJSON_IsArray(node) ? cJSON_GetArrayItem(node, std::stoi(key))
                               : cJSON_GetObjectItemCaseSensitive(node, key.c_str());
  }
  return node;
}

class SchemaTest : public DocsTest {
 protected:
  // Calls `visit` for every object of the schema.
  template <typename F>
  void each(const cJSON* node, F&& visit) {
    if (cJSON_IsObject(node)) visit(node);
    for (const cJSON* child = node->child; child != nullptr; child = child->next)
      each(child, visit);
  }

  std::unique_ptr<cJSON, void (*)(cJSON*)> schema{cJSON_Parse(json_schema(registry).c_str()),
                                                  cJSON_Delete};
};

TEST_F(SchemaTest, is_json_whose_references_lead_somewhere) {
  ASSERT_TRUE(schema);
  int references = 0;
  each(schema.get(), [&](const cJSON* node) {
    const cJSON* reference = cJSON_GetObjectItemCaseSensitive(node, "$ref");
    if (!cJSON_IsString(reference)) return;
    ++references;
    std::string_view target = reference->valuestring;
    ASSERT_TRUE(target.starts_with("#/"));
    EXPECT_NE(at(schema.get(), target.substr(2)), nullptr) << target;
  });
  EXPECT_GT(references, 10);
}

TEST_F(SchemaTest, requires_only_properties_that_it_has) {
  each(schema.get(), [](const cJSON* node) {
    const cJSON* required = cJSON_GetObjectItemCaseSensitive(node, "required");
    if (!cJSON_IsArray(required)) return;
    const cJSON* properties = cJSON_GetObjectItemCaseSensitive(node, "properties");
    for (const cJSON* name = required->child; name != nullptr; name = name->next)
      EXPECT_TRUE(cJSON_HasObjectItem(properties, name->valuestring)) << name->valuestring;
  });
}

TEST_F(SchemaTest, gives_each_type_its_options) {
  if (find_read_format("csv") == nullptr) GTEST_SKIP() << "csv was left out of this build";
  const cJSON* drain = at(schema.get(), "$defs/sink/allOf/0");
  ASSERT_NE(drain, nullptr);
  EXPECT_STREQ(at(drain, "if/properties/type/const")->valuestring, "drain");
  EXPECT_STREQ(at(drain, "then/required/0")->valuestring, "url");
  EXPECT_TRUE(cJSON_IsFalse(at(drain, "then/additionalProperties")));
  EXPECT_EQ(at(drain, "then/properties/inFlight/anyOf/0/maximum")->valuedouble, 8);
  EXPECT_EQ(at(drain, "then/properties/inFlight/default")->valuedouble, 2);
  EXPECT_STREQ(at(drain, "then/properties/format/anyOf/0/enum/1")->valuestring, "csv");
  EXPECT_NE(at(drain, "then/properties/csv"), nullptr);
  EXPECT_NE(at(drain, "then/properties/batch/properties/linger"), nullptr);
  EXPECT_STREQ(at(schema.get(), "$defs/sink/properties/type/enum/1")->valuestring, "shelf");
}

TEST_F(SchemaTest, says_what_pipelines_and_the_agent_need) {
  EXPECT_STREQ(at(schema.get(), "$defs/pipeline/properties/source/$ref")->valuestring,
               "#/$defs/source");
  EXPECT_NE(at(schema.get(), "properties/agent/properties/dataDir"), nullptr);
  EXPECT_EQ(at(schema.get(), "properties/agent/required"), nullptr)
      << "dataDir may come from the command line";
  EXPECT_STREQ(at(schema.get(), "anyOf/0/required/0")->valuestring, "pipelines");
  EXPECT_STREQ(at(schema.get(), "anyOf/1/required/0")->valuestring, "agent")
      << "of the files of a folder one may have nothing else";
}

}  // namespace
}  // namespace leat
