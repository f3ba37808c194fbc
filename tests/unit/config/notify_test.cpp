// `agent.notify`.
#include "config/notify.h"

#include <gtest/gtest.h>

#include "config/effective.h"
#include "config/loader.h"
#include "options/problem_words.h"
#include "stage/registry.h"

namespace leat {
namespace {

class NotifyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (connectors().source("internal") == nullptr) GTEST_SKIP() << "left out of this build";
  }
  std::optional<AgentConfig> load(const std::string& notify) {
    text_ = R"({"agent": {"dataDir": "/d", "notify": )" + notify + R"(}, "pipelines": [{
        "source": {"type": "file", "path": "/in"}, "sink": {"type": "file", "path": "/x"}}]})";
    Problems problems;
    std::optional<AgentConfig> config = load_config(text_, context_, problems);
    lines_ = lines_of(problems);
    return config;
  }

  LoadContext context_{connectors(), {}, "", "gw-1"};
  std::string text_;
  std::vector<std::string> lines_;
};

TEST_F(NotifyTest, each_entry_is_a_pipeline_of_the_agents_own) {
  std::optional<AgentConfig> config = load(R"([{
      "to": {"type": "http", "url": "https://alarm/"}, "events": ["circuitOpened"], "group": "3s",
      "minInterval": "1h"}])");
  ASSERT_TRUE(config) << ::testing::PrintToString(lines_);
  EXPECT_EQ(config->pipelines.size(), 1U);
  ASSERT_EQ(config->own_pipelines.size(), 1U);
  const PipelineConfig& own = config->own_pipelines[0];
  EXPECT_TRUE(own.own);
  EXPECT_EQ(own.name, ".notify");
  EXPECT_EQ(own.source.options.string("tell"), "events");
  EXPECT_EQ(own.source.options.strings("events"), std::vector<std::string>{"circuitOpened"});
  EXPECT_EQ(own.source.options.duration("minInterval"), Milliseconds{3'600'000});
  EXPECT_EQ(own.sink.type->name, "http");
  EXPECT_EQ(own.sink.batch.linger, Milliseconds{3'000});
  EXPECT_EQ(own.delivery.spool.mode, SpoolMode::kAlways);
  EXPECT_EQ(own.delivery.spool.overflow, Overflow::kDropOldest);
}

TEST_F(NotifyTest, what_is_wrong_is_said_with_its_path) {
  EXPECT_FALSE(load(R"([{"to": {"type": "http", "ulr": "x"}, "events": ["circuitOpend"]}, {},
                        {"name": "a b", "to": {"type": "file", "path": "/y"}}])"));
  const std::string all = ::testing::PrintToString(lines_);
  for (const char* problem :
       {"agent.notify[0].to.ulr: unknown key, did you mean", "agent.notify[0].to.url: missing",
        "agent.notify[0].events", "did you mean \\\"circuitOpened\\\"",
        "agent.notify[1].to: missing",
        "agent.notify[1].name: \\\"notify\\\" is the name of another entry already",
        "agent.notify[2].name: must be 1 to 64"})
    EXPECT_NE(all.find(problem), std::string::npos) << problem << " in " << all;
}

TEST_F(NotifyTest, what_it_amounts_to_is_shown_without_secrets) {
  std::optional<AgentConfig> config = load(R"([{"to": {"type": "mqtt",
      "url": "mqtts://broker", "topic": "alarms", "user": "u", "password": "hunter2"}}])");
  ASSERT_TRUE(config) << ::testing::PrintToString(lines_);
  const ConfigFile file{"", text_};
  const std::string shown = effective_config({&file, 1}, context_, *config);
  EXPECT_EQ(shown.find("hunter2"), std::string::npos) << shown;
  EXPECT_NE(shown.find(R"("notify":)"), std::string::npos) << shown;
  EXPECT_NE(shown.find(R"("inFlight":)"), std::string::npos) << "the sink's options: " << shown;
  Problems problems;
  EXPECT_TRUE(load_config(shown, context_, problems))
      << ::testing::PrintToString(lines_of(problems)) << shown;
}

}  // namespace
}  // namespace leat
