#include "control/commands/openapi.h"

#include <cjson/cJSON.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "control/commands/command.h"
#include "control/json_text.h"

namespace leat::control {
namespace {

const cJSON* member(const cJSON* object, std::string_view name) {
  return cJSON_GetObjectItemCaseSensitive(object, std::string(name).c_str());
}

std::string text_of(const cJSON* text) {
  return cJSON_IsString(text) != 0 ? text->valuestring : "";
}

class OpenApi : public ::testing::Test {
 protected:
  static constexpr HttpView kViews[] = {
      {"/metrics", "text/plain", "What Prometheus wants."},
      {.path = "/", .type = "text/html", .help = "The page.", .open = true}};

  const cJSON* operation(std::string_view method, std::string_view path) const {
    std::string lower(method);
    for (char& c : lower) c = static_cast<char>(c | 0x20);
    return member(member(member(json_.get(), "paths"), path), lower);
  }

  const std::string text_ = openapi_json("1.2 \"x\"", kViews);
  Json json_{cJSON_Parse(text_.c_str()), cJSON_Delete};
};

TEST_F(OpenApi, has_each_command_with_its_role_and_the_form_of_its_answer) {
  ASSERT_NE(json_, nullptr);
  EXPECT_EQ(text_of(member(member(json_.get(), "info"), "version")), "1.2 \"x\"");
  const cJSON* schemas = member(member(json_.get(), "components"), "schemas");
  std::set<std::string> ids;
  for (const Command& one : commands()) {
    const cJSON* found = operation(one.http.method, one.http.path);
    ASSERT_NE(found, nullptr) << one.name;
    EXPECT_TRUE(ids.insert(text_of(member(found, "operationId"))).second) << one.name;
    EXPECT_EQ(text_of(member(found, "summary")), one.help);
    const cJSON* roles = member(cJSON_GetArrayItem(member(found, "security"), 0), "token");
    EXPECT_EQ(text_of(cJSON_GetArrayItem(roles, 0)), name_of(one.role)) << one.name;
    EXPECT_TRUE(one.gives.empty() || member(schemas, one.gives) != nullptr) << one.gives;
    EXPECT_FALSE(one.gives.empty() && one.lines) << one.name;
    int described = cJSON_GetArraySize(member(found, "parameters"));
    if (member(found, "requestBody") != nullptr) ++described;
    EXPECT_EQ(static_cast<size_t>(described), one.parameters.size()) << one.name;
  }
  EXPECT_TRUE(ids.contains("config.get") && ids.contains("config.get.version"));
}

TEST_F(OpenApi, has_what_is_there_for_http_alone) {
  for (const HttpView& one : kViews) {
    const cJSON* found = operation("GET", one.path);
    ASSERT_NE(found, nullptr) << one.path;
    EXPECT_EQ(cJSON_GetArraySize(member(found, "security")) == 0, one.open) << one.path;
  }
}

}  // namespace
}  // namespace leat::control
