#include "config/problem_words.h"

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
  EXPECT_EQ(line_of({.kind = Kind::kSyntax, .text = "line 1, column 2: ',' before '}'"}),
            "line 1, column 2: ',' before '}'");
}

TEST(ProblemWords, come_as_json_for_programs) {
  Problems problems;
  problems.add({.kind = Kind::kUnknownKey,
                .path = "agent.memry",
                .wanted = "id, memory",
                .suggestion = "memory"});
  problems.add({.path = "p[\"a\\b\"]", .text = "says \"no\""});
  EXPECT_EQ(json_of(problems),
            R"([{"path":"agent.memry","kind":"unknownKey","wanted":"id, memory",)"
            R"("suggestion":"memory","message":"unknown key, did you mean \"memory\"?"},)"
            R"({"path":"p[\"a\\b\"]","kind":"invalid","message":"says \"no\""}])");
  EXPECT_EQ(json_of(Problems()), "[]");
}

}  // namespace
}  // namespace leat
