#include "config/json.h"

#include <gtest/gtest.h>

#include "options/problem_words.h"

namespace leat {
namespace {

std::string error_of(std::string_view text) {
  Result<Document> document = Document::parse(text);
  if (document) return "parsed";
  const Problem& problem = document.error().problems()->all()[0];
  EXPECT_EQ(problem.kind, Problem::Kind::kSyntax);
  if (problem.line == 0) return problem.text;
  return "line " + std::to_string(problem.line) + ", column " + std::to_string(problem.column) +
         ": " + problem.text;
}

TEST(Document, says_line_and_column_of_a_syntax_error) {
  EXPECT_EQ(error_of("{\n  \"agent\": {},\n  \"pipelines\": [1 2]\n}"),
            "line 3, column 19: \"2]\" is not expected here");
  EXPECT_EQ(error_of("{\"a\": tru}"), "line 1, column 7: \"tru}\" is not expected here");
}

TEST(Document, counts_columns_in_characters) {
  EXPECT_EQ(error_of("{\"höhe\": x}"), "line 1, column 10: \"x}\" is not expected here");
}

TEST(Document, names_the_mistakes_people_make) {
  EXPECT_EQ(error_of("{\"a\": 1,}"), "line 1, column 9: ',' before '}': remove it");
  EXPECT_EQ(error_of("{\"a\": 1,\n}\n"), "line 2, column 1: ',' before '}': remove it");
  EXPECT_EQ(error_of("{a: 1}\n"), "line 1, column 2: \"a\" is not expected here");
  EXPECT_EQ(error_of("{\"a\": 1, b: 2}"), "line 1, column 10: \"b\" is not expected here");
  EXPECT_EQ(error_of("{\"a\": [1,2,]}"), "line 1, column 12: ',' before ']': remove it");
  EXPECT_EQ(error_of("{'a': 1}"), "line 1, column 2: text stands in double quotes in JSON");
  EXPECT_EQ(error_of("{\"a\": 1 \"b\": 2}"),
            "line 1, column 9: a ',' or ':' is missing before this");
  EXPECT_EQ(error_of("{\"a\" 1}"), "line 1, column 6: \"1}\" is not expected here");
  EXPECT_EQ(error_of("{\n# note\n}"),
            "line 2, column 1: a comment begins with // or stands between /* and */");
  EXPECT_EQ(error_of("{} /* note *"), "line 1, column 4: comment without a closing \"*/\"");
  EXPECT_EQ(error_of("{\"a\": \"b\n\"}"), "line 1, column 7: string without a closing '\"'");
  EXPECT_EQ(error_of("{\"a\": [1, 2"),
            "line 1, column 12: the file ends too early: a '}', ']' or value is missing");
  EXPECT_EQ(error_of(" \n"), "the file is empty");
  EXPECT_EQ(error_of(""), "the file is empty");
}

TEST(Document, passes_over_comments_and_leaves_texts_alone) {
  Result<Document> document = Document::parse(
      "// first\n{ /* one\n * \"two\" */ \"a\": \"http://x /* no */\", // end\n\"b\": [1,/**/2] "
      "}\n//");
  ASSERT_TRUE(document) << document.error().message();
  EXPECT_EQ(print_json(document->root()), R"({"a":"http://x /* no */","b":[1,2]})");
  EXPECT_EQ(error_of("/* a\n ü */ {x: 1}"), "line 2, column 8: \"x\" is not expected here");
}

TEST(Document, says_where_each_problem_stands) {
  Result<Document> document = Document::parse(
      "{\n  \"agent\": {\"idd\": 1}, // ü\n  \"pipelines\": [\n    {\"a\": 1},\n"
      "    {\"näme\": {\"x.y\": [1, \"\\\"]\", {\"url\": 5}]}}\n  ]\n}");
  ASSERT_TRUE(document) << document.error().message();
  using Kind = Problem::Kind;
  Problems problems;
  problems.add({.kind = Kind::kUnknownKey, .path = "agent.idd"});
  problems.add({.kind = Kind::kType, .path = "agent.idd"});
  problems.add({.kind = Kind::kType, .path = "pipelines[1][\"näme\"][\"x.y\"][2].url"});
  problems.add({.kind = Kind::kMissing, .path = "pipelines[0].sink.url"});
  problems.add({.kind = Kind::kMissing, .path = "unheard"});
  document->set_places(problems);
  for (Problem& problem : problems.all()) problem.file = "f";
  std::vector<std::string> lines = lines_of(problems);
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_TRUE(lines[0].ends_with(" (f:2:13)")) << lines[0];
  EXPECT_TRUE(lines[1].ends_with(" (f:2:20)")) << lines[1];
  EXPECT_TRUE(lines[2].ends_with(" (f:5:41)")) << lines[2];
  EXPECT_TRUE(lines[3].ends_with(" (f:4:5)")) << lines[3];
  EXPECT_TRUE(lines[4].ends_with(" (f:1:1)")) << lines[4];
}

TEST(Document, refuses_text_behind_its_end) {
  EXPECT_EQ(error_of("{}\n{}"), "line 2, column 1: text behind the end of the configuration");
  EXPECT_EQ(error_of("{} \n "), "parsed");
}

TEST(Document, refuses_what_cjson_would_let_pass) {
  EXPECT_EQ(error_of("{\"a\": \"b\tc\"}"),
            "line 1, column 9: control character in a string: write it as an escape such as \\t");
  EXPECT_EQ(error_of("{\"a\": \"b\\u0000c\"}"),
            "line 1, column 9: \\u0000 cannot be used in a configuration");
  EXPECT_EQ(error_of(std::string_view("{\"a\": 1}\0", 9)), "line 1, column 9: NUL byte");
  EXPECT_EQ(error_of("{\"a\": \"\xff\"}"), "the file is not UTF-8 text");
  EXPECT_EQ(error_of("[1]"),
            "line 1, column 1: the configuration must be an object: { \"pipelines\": [...] }");
}

TEST(Document, bounds_its_depth) {
  std::string deep = "{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_EQ(error_of(deep), "line 1, column 37: nested deeper than 32");
}

TEST(Document, keeps_slashes_and_escaped_quotes_in_strings) {
  Result<Document> document = Document::parse(R"({"url": "http://x/#a", "b": "say \"/*\" \\"})");
  ASSERT_TRUE(document) << document.error().message();
  EXPECT_STREQ(cJSON_GetObjectItemCaseSensitive(document->root(), "b")->valuestring,
               "say \"/*\" \\");
}

TEST(Document, reports_keys_that_stand_twice_in_one_object) {
  Result<Document> document =
      Document::parse(R"({"a": 1, "b": [{"x": 1, "x": 2}, {"x": 3}], "a": 2, "A": 3})");
  ASSERT_TRUE(document);
  Problems problems;
  document->check_duplicates(problems);
  EXPECT_EQ(lines_of(problems), (std::vector<std::string>{"b[0].x: this key stands here twice",
                                                          "a: this key stands here twice"}));
}

TEST(Document, quotes_odd_keys_in_paths) {
  EXPECT_EQ(path_of_key("a", "X-Key"), "a.X-Key");
  EXPECT_EQ(path_of_key("a", "b.c"), "a[\"b.c\"]");
  EXPECT_EQ(path_of_key("", "agent"), "agent");
  EXPECT_EQ(path_of_index("pipelines", 2), "pipelines[2]");
}

}  // namespace
}  // namespace leat
