// `leat new` and `leat config` for every connector of this build.
#include "config/starter.h"

#include <gtest/gtest.h>

#include "config/effective.h"
#include "config/loader.h"
#include "options/problem_words.h"
#include "stage/registry.h"
#include "stage/transform.h"

namespace leat {
namespace {

LoadContext context() {
  LoadContext out{connectors(), {}, "", "gw-1"};
  out.variables.env = [](const std::string& name) -> std::optional<std::string> {
    if (name == "PASSWORD") return "hunter2";
    if (name == "NUMBER") return "7";
    return "${x}";
  };
  return out;
}

std::string problems_of(const std::string& text) {
  Problems problems;
  (void)load_config(text, context(), problems);
  return ::testing::PrintToString(lines_of(problems));
}

// What `leat config` prints of it.
std::string effective(const std::string& text) {
  Problems problems;
  const ConfigFile file{"", text};
  std::optional<AgentConfig> config = load_config({&file, 1}, context(), problems);
  EXPECT_TRUE(config) << ::testing::PrintToString(lines_of(problems)) << text;
  return config ? effective_config({&file, 1}, context(), *config) : "";
}

// With the comments taken off: every line of them that holds an option.
std::string uncommented(std::string text) {
  for (size_t at = 0; (at = text.find("// \"", at)) != std::string::npos;) text.erase(at, 3);
  return text;
}

std::vector<std::string> chains() {
  std::vector<std::string> out;
  std::string transforms;
  for (const TransformType* type : transform_types())
    transforms += (transforms.empty() ? "" : ",") + std::string(type->name);
  for (const SourceType* source : connectors().sources)
    for (const SinkType* sink : connectors().sinks)
      for (const std::string& between : {std::string("/"), "/" + transforms + "/"})
        out.push_back(std::string(source->name) + between + std::string(sink->name));
  return out;
}

TEST(Starter, of_every_chain_passes_check_without_a_warning) {
  for (const std::string& chain : chains()) {
    Result<std::string> text = starter(connectors(), chain);
    ASSERT_TRUE(text) << chain;
    EXPECT_EQ(problems_of(*text), "{}") << chain << "\n" << *text;
  }
}

TEST(Starter, stays_json_whatever_is_uncommented) {
  for (const std::string& chain : chains()) {
    std::string text = uncommented(*starter(connectors(), chain));
    Result<Document> document = Document::parse(text);
    EXPECT_TRUE(document) << (document ? "" : document.error().message()) << text;
  }
}

TEST(Starter, says_which_names_there_are) {
  auto refusal = [](const char* chain) { return starter(connectors(), chain).error().message(); };
  EXPECT_NE(refusal("fiel/file").find("unknown source \"fiel\", did you mean \"file\"?"),
            std::string::npos);
  EXPECT_NE(refusal("file/fliter/file").find("unknown transform"), std::string::npos);
  EXPECT_NE(refusal("file/filter,map/flie").find("unknown sink"), std::string::npos);
  EXPECT_NE(refusal("file").find("write SOURCE/SINK"), std::string::npos);
  EXPECT_NE(refusal("a/b/c/d").find("write SOURCE/SINK"), std::string::npos);
}

TEST(EffectiveConfig, shows_what_waits_for_a_run_as_it_is_written) {
  const std::string path = "/in/${param:day}/$${x}/${param:of:-${param:day}}";
  const std::string text = R"({"agent": {"dataDir": "/d"}, "pipelines": [{"name": "p",
      "source": {"type": "file", "format": "raw", "path": ")" +
                           path + R"("}, "sink": {"type": "stdout"}}]})";
  EXPECT_NE(effective(text).find("\"" + path + "\""), std::string::npos) << effective(text);
}

TEST(EffectiveConfig, of_every_chain_is_taken_again_and_means_the_same) {
  for (const std::string& chain : chains()) {
    const std::string text = *starter(connectors(), chain);
    const std::string printed = effective(text);
    EXPECT_EQ(problems_of(printed), "{}") << chain << "\n" << printed;
    EXPECT_EQ(effective(printed), printed) << chain;
    Problems problems;
    EXPECT_EQ(load_config(text, context(), problems)->pipelines,
              load_config(printed, context(), problems)->pipelines)
        << chain << "\n"
        << printed;
  }
}

TEST(EffectiveConfig, has_defaults_and_no_secrets) {
  if (connectors().sink("http") == nullptr) GTEST_SKIP() << "http was left out of this build";
  const std::string printed = effective(R"({
    "agent": {"dataDir": "/d", "workers": "${env:NUMBER}"},
    "pipelines": [{
      "source": {"type": "file", "path": "/x/${env:OTHER}"},
      "sink": {"type": "http", "url": "http://h", "auth": {"user": "u", "password": "hunter2"},
               "headers": {"X-Key": "${env:PASSWORD}"}}}]})");
  EXPECT_EQ(printed.find("hunter2"), std::string::npos) << printed;
  for (const char* part : {"\"id\":\t\"gw-1\"", "\"memory\":\t\"8MiB\"", "\"password\":\t\"***\"",
                           "\"X-Key\":\t\"***\"", "\"name\":\t\"main\"", "\"spool\":\t\"never\"",
                           "\"path\":\t[\"/x/$${x}\"]", "\"workers\":\t7", "\"inFlight\":"})
    EXPECT_NE(printed.find(part), std::string::npos) << part << " in " << printed;
  EXPECT_EQ(printed.find("\"tls\""), std::string::npos) << "it was not given";
  EXPECT_EQ(problems_of(printed), "{}");
}

}  // namespace
}  // namespace leat
