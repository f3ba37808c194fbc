// Channels of a configuration that lead nowhere, or in a circle.
#include "config/channels.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/loader.h"
#include "options/problem_words.h"
#include "plan/channel_ends.h"
#include "stage/registry.h"

namespace leat {
namespace {

using Lines = std::vector<std::string>;

struct Ends {
  const char* name;
  const char* from;  // "": stdin
  const char* to;    // "": stdout
};

std::string stage(const char* channel, const char* else_type) {
  if (*channel == '\0') return std::string(R"({"type": ")") + else_type + "\"}";
  return std::string(R"({"type": "channel", "name": ")") + channel + "\"}";
}

Lines problems_of(const std::vector<Ends>& pipelines, const std::string& only = "") {
  std::string list;
  for (const Ends& one : pipelines)
    list += (list.empty() ? "" : ",") + std::string(R"({"name": ")") + one.name +
            R"(", "source": )" + stage(one.from, "stdin") + R"(, "sink": )" +
            stage(one.to, "stdout") + "}";
  LoadContext context{connectors(), {}, "/d", "gw-1"};
  context.only = only;
  Problems problems;
  (void)load_config(R"({"pipelines": [)" + list + "]}", context, problems);
  Lines lines;
  for (const Problem& problem : problems.all())
    if (!problem.warning) lines.push_back(line_of(problem));
  return lines;
}

class ChannelEndsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (connectors().sink("channel") == nullptr) GTEST_SKIP() << "it was left out of this build";
  }
};

TEST_F(ChannelEndsTest, that_meet_are_right) {
  EXPECT_EQ(problems_of({{"in", "", "a"}, {"out", "a", ""}}), Lines());
  EXPECT_EQ(problems_of({{"in", "", "a"}, {"on", "a", "b"}, {"one", "a", ""}, {"two", "b", ""}}),
            Lines());
}

TEST_F(ChannelEndsTest, that_nobody_has_are_named) {
  EXPECT_EQ(problems_of({{"in", "", "plant"}}),
            Lines{"pipelines[0].sink.name: must be a channel that is the source of another "
                  "pipeline, found \"plant\""});
  EXPECT_EQ(problems_of({{"out", "plant", ""}}),
            Lines{"pipelines[0].source.name: must be a channel that is the sink of another "
                  "pipeline, found \"plant\""});
}

TEST_F(ChannelEndsTest, of_one_pipeline_of_many_are_not_judged) {
  EXPECT_EQ(problems_of({{"in", "", "plant"}, {"out", "plant", ""}}, "in"), Lines());
}

TEST_F(ChannelEndsTest, in_a_circle_are_shown_with_the_way_round) {
  EXPECT_EQ(problems_of({{"a", "x", "x"}}),
            Lines{"pipelines[0].sink.name: leads back to where it begins: a → channel \"x\" → a"});
  EXPECT_EQ(problems_of({{"in", "", "x"},
                         {"out", "x", ""},
                         {"a", "x", "y"},
                         {"b", "y", "z"},
                         {"c", "z", "x"},
                         {"end", "y", ""}}),
            Lines{"pipelines[2].sink.name: leads back to where it begins: a → channel \"y\" → b → "
                  "channel \"z\" → c → channel \"x\" → a"});
}

TEST_F(ChannelEndsTest, are_not_where_the_end_of_the_agent_is_told) {
  Problems problems;
  (void)load_config(R"({"agent": {"dataDir": "/d", "notify": [
      {"to": {"type": "channel", "name": "x"}}]}, "pipelines": []})",
                    {connectors(), {}, "/d", "gw-1"}, problems);
  ASSERT_EQ(problems.errors(), 1U);
  EXPECT_EQ(problems.all().front().path, "agent.notify[0].to.type");
}

}  // namespace
}  // namespace leat
