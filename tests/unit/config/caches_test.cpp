// Caches of a configuration that nobody fills, or too many.
#include "config/caches.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/loader.h"
#include "options/problem_words.h"
#include "plan/cache_users.h"
#include "plan/channel_ends.h"
#include "stage/registry.h"

namespace leat {
namespace {

using Lines = std::vector<std::string>;

std::string fill(const std::string& name, const std::string& cache,
                 const std::string& key = "[\"dev\"]") {
  return R"({"name": ")" + name + R"(", "source": {"type": "generator", "count": 1}, "sink": )" +
         R"({"type": "cache", "name": ")" + cache + R"(", "key": )" + key + "}}";
}
std::string look_up(const std::string& name, const std::string& cache) {
  return R"({"name": ")" + name + R"(", "source": {"type": "generator", "count": 1}, )" +
         R"("transforms": [{"type": "lookup", "cache": ")" + cache +
         R"(", "key": "dev", "fields": {"x": "y"}}], "sink": {"type": "stdout"}})";
}

std::optional<AgentConfig> load(const Lines& pipelines, Lines& problems) {
  std::string list;
  for (const std::string& one : pipelines) list += (list.empty() ? "" : ",") + one;
  Problems found;
  std::optional<AgentConfig> config = load_config(
      R"({"pipelines": [)" + list + "]}", LoadContext{connectors(), {}, "/d", "gw-1"}, found);
  for (const Problem& problem : found.all())
    if (problem.path.find("cache") != std::string::npos ||
        problem.path.find("sink") != std::string::npos ||
        problem.path.find("transforms") != std::string::npos)
      problems.push_back(line_of(problem));
  return config;
}
Lines problems_with(const Lines& pipelines) {
  Lines problems;
  (void)load(pipelines, problems);
  return problems;
}

class CacheUsersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (connectors().sink("cache") == nullptr || connectors().source("generator") == nullptr ||
        connectors().sink("stdout") == nullptr)
      GTEST_SKIP() << "it was left out of this build";
  }
};

TEST_F(CacheUsersTest, that_fill_and_look_up_are_right) {
  EXPECT_EQ(problems_with({fill("in", "c"), look_up("out", "c"), look_up("too", "c")}), Lines());
}

TEST_F(CacheUsersTest, of_what_nobody_fills_are_named) {
  EXPECT_EQ(problems_with({look_up("out", "recipe"), fill("in", "recipes")}),
            Lines{"pipelines[0].transforms[0].cache: must be a cache that the sink of a "
                  "pipeline fills, found \"recipe\", did you mean \"recipes\"?"});
}

TEST_F(CacheUsersTest, are_not_two_that_fill_one) {
  EXPECT_EQ(problems_with({fill("a", "c"), look_up("out", "c"), fill("b", "c")}),
            Lines{"pipelines[2].sink.name: is filled by pipelines[0].sink, too: let both give to a "
                  "channel, and what reads it fill the cache"});
}

TEST_F(CacheUsersTest, have_keys_of_one_length) {
  EXPECT_EQ(problems_with({fill("in", "c", R"(["site", "dev"])"), look_up("out", "c")}),
            Lines{"pipelines[1].transforms[0].key: must be as long as pipelines[0].sink.key, which "
                  "has 2 fields"});
}

TEST_F(CacheUsersTest, share_the_main_loop_and_are_explained) {
  Lines problems;
  const auto config = load({fill("in", "c"), look_up("out", "c"),
                            R"({"name": "else", "source": {"type": "generator", "count": 1},
                                "sink": {"type": "stdout"}})"},
                           problems);
  ASSERT_TRUE(config);
  EXPECT_TRUE(meets_others(config->pipelines[0]));
  EXPECT_TRUE(meets_others(config->pipelines[1]));
  EXPECT_FALSE(meets_others(config->pipelines[2]));
  EXPECT_EQ(explain_caches(config->pipelines),
            "\ncache c\n  from      in\n  to        out: the last record of each key, in memory; "
            "empty when the agent starts\n");
}

}  // namespace
}  // namespace leat
