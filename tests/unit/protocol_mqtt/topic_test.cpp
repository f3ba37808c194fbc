#include "protocols/mqtt/topic.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace leat::mqtt {
namespace {

using namespace std::string_literals;

TEST(Topic, filters_follow_the_rules) {
  for (const char* good : {"a", "#", "+", "/", "a/+/c", "a/#", "+/+/#", "$SYS/#", "$share/g/a/#",
                           "caf\xC3\xA9/+", "a b"})
    EXPECT_TRUE(check_filter(good)) << good;
  for (const std::string& bad :
       {""s, "a#"s, "a/#/b"s, "a+/b"s, "+a"s, "$share/g"s, "$share//a"s, "$share/g/"s,
        "$share/+/a"s, "a\nb"s, "a\0b"s, "caf\xE9"s, std::string(65'536, 'a')})
    EXPECT_FALSE(check_filter(bad)) << bad.substr(0, 20);
}

TEST(Topic, topics_have_no_wildcards) {
  EXPECT_TRUE(check_topic("a/b"));
  EXPECT_FALSE(check_topic("a/+"));
  EXPECT_FALSE(check_topic("a/#"));
  EXPECT_FALSE(check_topic(""));
}

TEST(Topic, filters_match_as_the_broker_says) {
  EXPECT_TRUE(matches("a/b", "a/b"));
  EXPECT_FALSE(matches("a/b", "a/b/c"));
  EXPECT_FALSE(matches("a/b/c", "a/b"));
  EXPECT_TRUE(matches("a/+/c", "a//c"));
  EXPECT_TRUE(matches("a/#", "a"));
  EXPECT_TRUE(matches("a/#", "a/b/c"));
  EXPECT_TRUE(matches("#", "a"));
  EXPECT_FALSE(matches("#", "$SYS/x"));
  EXPECT_FALSE(matches("+/x", "$SYS/x"));
  EXPECT_TRUE(matches("$SYS/#", "$SYS/x"));
  EXPECT_TRUE(matches("$share/g/a/+", "a/b"));
  EXPECT_FALSE(matches("+", "a/"));
  EXPECT_TRUE(matches("+/+", "/a"));
}

std::string levels(const char* pattern, const char* topic) {
  Result<TopicPattern> made = TopicPattern::parse(pattern);
  EXPECT_TRUE(made) << pattern;
  std::vector<std::string_view> values{"before"};
  if (!made->match(topic, values)) {
    EXPECT_EQ(values.size(), 1U) << "nothing is left of a match that failed";
    return "none";
  }
  std::string out;
  for (size_t i = 1; i < values.size(); ++i)
    out += made->names()[i - 1] + "=" + std::string(values[i]) + ";";
  return out;
}

TEST(Topic, patterns_name_levels) {
  EXPECT_EQ(levels("plant/{site}/press/{device}", "plant/north/press/7"), "site=north;device=7;");
  EXPECT_EQ(levels("plant/{site}/press/{device}", "plant/north/oven/7"), "none");
  EXPECT_EQ(levels("plant/{site}", "plant/north/7"), "none");
  EXPECT_EQ(levels("plant/{site}/7", "plant/north"), "none");
  EXPECT_EQ(levels("+/{site}/#", "plant/north/7/8"), "site=north;");
  EXPECT_EQ(levels("{a}", ""), "a=;");
}

TEST(Topic, patterns_that_make_no_sense_are_refused) {
  for (const char* bad : {"", "plant/+", "a/{", "a/x{b}", "{}", "{a}/{a}", "{a}/#/b", "a+/{b}"})
    EXPECT_FALSE(TopicPattern::parse(bad)) << bad;
}

TEST(Topic, filters_overlap_when_a_topic_is_like_both) {
  for (auto [a, b] : {std::pair{"a/#", "a/+"},
                      {"a/#", "a"},
                      {"+/b", "a/+"},
                      {"#", "x/y"},
                      {"$share/g/a/#", "a/b"},
                      {"a", "a"},
                      {"a/+/c", "a/#"}})
    EXPECT_TRUE(overlap(a, b) && overlap(b, a)) << a << " " << b;
  for (auto [a, b] : {std::pair{"a/b", "a/c"},
                      {"a/+", "a"},
                      {"a/+", "a/b/c"},
                      {"#", "$SYS/x"},
                      {"+/x", "$SYS/x"}})
    EXPECT_FALSE(overlap(a, b) || overlap(b, a)) << a << " " << b;
}

}  // namespace
}  // namespace leat::mqtt
