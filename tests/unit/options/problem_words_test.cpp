#include "options/problem_words.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

using Kind = Problem::Kind;

TEST(ProblemWords, say_what_was_wanted_and_what_was_found) {
  EXPECT_EQ(line_of({.kind = Kind::kType,
                     .path = "agent.memory",
                     .wanted = "a size such as \"8MiB\"",
                     .found = "true"}),
            "agent.memory: must be a size such as \"8MiB\", found true");
  EXPECT_EQ(line_of({.kind = Kind::kMissing, .path = "pipelines", .wanted = "a list"}),
            "pipelines: missing, and required: a list");
  EXPECT_EQ(line_of({.kind = Kind::kDuplicateKey, .path = "a.b"}),
            "a.b: this key stands here twice");
}

TEST(ProblemWords, suggest_the_nearest_name_or_list_them_all) {
  EXPECT_EQ(message_of({.kind = Kind::kUnknownKey, .wanted = "url, method", .suggestion = "url"}),
            "unknown key, did you mean \"url\"?");
  EXPECT_EQ(message_of({.kind = Kind::kUnknownKey, .wanted = "url, method"}),
            "unknown key; known here: url, method");
}

TEST(ProblemWords, of_the_file_as_a_whole_have_no_path) {
  EXPECT_EQ(line_of({.kind = Kind::kSyntax, .text = "',' before '}'"}), "',' before '}'");
}

TEST(ProblemWords, say_where_it_stands) {
  Problems problems;
  problems.add({.path = "a", .text = "is odd", .file = "b.json", .line = 3, .column = 9});
  problems.add({.kind = Kind::kSyntax, .text = "is no JSON", .file = "c.json"});
  problems.add({.path = "a", .text = "is odd", .line = 3, .column = 9});
  EXPECT_EQ(lines_of(problems), (std::vector<std::string>{"a: is odd (b.json:3:9)",
                                                          "is no JSON (c.json)", "a: is odd"}));
}

TEST(ProblemWords, of_a_stage_are_its_own_sentence) {
  EXPECT_EQ(message_of({.kind = Kind::kMissing, .text = "missing, and required with x"}),
            "missing, and required with x");
  EXPECT_EQ(message_of({.suggestion = "sslmode", .text = "parameter \"sslmod\" is not known"}),
            "parameter \"sslmod\" is not known, did you mean \"sslmode\"?");
  EXPECT_EQ(message_of({.kind = Kind::kChoice, .wanted = "one of \"a\""}), "must be one of \"a\"");
}

TEST(ProblemWords, name_the_option_as_help_does) {
  EXPECT_EQ(option_of("pipelines[0].sink.tls.ca"), "tls.ca");
  EXPECT_EQ(option_of("pipelines[2].source.topics[1]"), "topics");
  EXPECT_EQ(option_of("pipelines[0].transforms[1].where"), "where");
  EXPECT_EQ(option_of("pipelines[0].delivery.retry.max"), "delivery.retry.max");
  EXPECT_EQ(option_of("agent.memory"), "memory");
  EXPECT_EQ(option_of("pipelines[0].sink"), "");
}

TEST(ProblemWords, come_as_json_for_programs) {
  Problems problems;
  problems.add({.kind = Kind::kUnknownKey,
                .path = "agent.memry",
                .wanted = "id, memory",
                .suggestion = "memory",
                .file = "leat.json",
                .line = 3,
                .column = 9});
  problems.add({.path = "p[\"a\\b\"]", .text = "says \"no\""});
  EXPECT_EQ(
      json_of(problems),
      R"([{"path":"agent.memry","file":"leat.json","line":3,"column":9,"severity":"error",)"
      R"("kind":"unknownKey",)"
      R"("option":"memry","wanted":"id, memory",)"
      R"("suggestion":"memory","message":"unknown key, did you mean \"memory\"?"},)"
      R"({"path":"p[\"a\\b\"]","severity":"error","kind":"invalid","option":"p","message":"says \"no\""}])");
  EXPECT_EQ(json_of(Problems()), "[]");
}

}  // namespace
}  // namespace leat
