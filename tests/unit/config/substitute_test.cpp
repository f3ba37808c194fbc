#include "config/substitute.h"

#include <gtest/gtest.h>

#include "options/problem_words.h"

#include "config/json.h"

namespace leat {
namespace {

Variables variables() {
  Variables out;
  out.env = [](const std::string& name) -> std::optional<std::string> {
    if (name == "HOST") return "gw";
    if (name == "EMPTY") return "";
    if (name == "TRICK") return "${env:HOST}";
    return std::nullopt;
  };
  out.file = [](const std::string& path) -> Result<std::string> {
    if (path == "/secret") return "s3cret\n";
    if (path == "/two") return "a\n\n";
    if (path == "/dos") return "a\r\n";
    if (path == "/binary") return std::string("a\0b", 3);
    return fail(ErrorKind::kUsage, "open " + path + ": no such file or directory");
  };
  return out;
}

std::string result_of(std::string_view text) {
  Result<std::string> value = substitute(text, variables());
  return value ? *value : "error: " + value.error().message();
}

TEST(Substitute, replaces_variables_anywhere_in_a_text) {
  EXPECT_EQ(result_of("${env:HOST}"), "gw");
  EXPECT_EQ(result_of("http://${env:HOST}:80/${env:HOST}"), "http://gw:80/gw");
  EXPECT_EQ(result_of("x${env:EMPTY}y"), "xy");
  EXPECT_EQ(result_of("${env:UNSET:-a:-b}${env:EMPTY:-c}${env:HOST:-d}${env:UNSET:-}"), "a:-bcgw");
  EXPECT_EQ(result_of("${env:not ok:-a}"),
            "error: \"not ok\" is not the name of an environment variable");
}

TEST(Substitute, finds_others_in_a_default_that_is_needed) {
  EXPECT_EQ(result_of("${env:UNSET:-${env:HOST}}"), "gw");
  EXPECT_EQ(result_of("a${env:UNSET:-<${env:UNSET:-${file:/secret}}>}b}"), "a<s3cret>b}");
  EXPECT_EQ(result_of("${env:HOST:-${env:NOPE}}"), "gw") << "it is not needed";
  EXPECT_EQ(result_of("${env:UNSET:-${env:NOPE}}"), "error: environment variable NOPE is not set");
  EXPECT_EQ(result_of("${env:UNSET:-$${x}}"), "${x}") << "which is none";
  EXPECT_EQ(result_of("${env:UNSET:-${env:HOST}"),
            "error: \"${\" without \"}\" (write \"$${\" where a literal \"${\" is meant)");
  std::string deep = "z";
  for (int i = 0; i < 9; ++i) deep = "${env:UNSET:-" + deep + "}";
  EXPECT_EQ(result_of(deep), "error: more than 8 defaults within each other: \"z\"");
}

TEST(Substitute, finds_others_in_the_default_of_a_parameter) {
  ParameterUse use;
  Result<std::string> value =
      substitute("${param:day:-${env:UNSET:-${param:from}}}", variables(), &use);
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, "${param:day:-${env:UNSET:-${param:from}}}");
  EXPECT_EQ(use.with_default, std::vector<std::string>{"day"});
  EXPECT_EQ(use.open, std::vector<std::string>{"from"});
  Variables of_a_run = variables();
  of_a_run.parameters = {{"from", "monday"}};
  use = {};
  EXPECT_EQ(*substitute("${param:day:-${env:UNSET:-${param:from}}}", of_a_run, &use), "monday");
  of_a_run.parameters = {{"day", "${env:HOST}"}};
  use = {};
  EXPECT_EQ(*substitute("${param:day:-${env:UNSET:-z}}", of_a_run, &use), "${env:HOST}")
      << "what was put in is not looked at";
}

TEST(Substitute, leaves_other_dollars_alone) {
  EXPECT_EQ(result_of("$SYS/#"), "$SYS/#");
  EXPECT_EQ(result_of("cost: 5$"), "cost: 5$");
  EXPECT_EQ(result_of("{$}"), "{$}");
}

TEST(Substitute, reads_two_dollars_as_one_that_means_nothing) {
  EXPECT_EQ(result_of("$${env:HOST}"), "${env:HOST}");
  EXPECT_EQ(result_of("a$${b}${env:HOST}"), "a${b}gw");
}

TEST(Substitute, trims_one_newline_at_the_end_of_a_file) {
  EXPECT_EQ(result_of("${file:/secret}"), "s3cret");
  EXPECT_EQ(result_of("${file:/two}"), "a\n");
  EXPECT_EQ(result_of("${file:/dos}"), "a");
}

TEST(Substitute, does_not_replace_in_what_was_put_in) {
  EXPECT_EQ(result_of("${env:TRICK}"), "${env:HOST}");
}

TEST(Substitute, opens_what_is_sealed_with_the_key_in_the_data_folder) {
  Variables all = variables();
  auto of = [&all](std::string_view text) {
    Result<std::string> value = substitute(text, all);
    return value ? *value : "error: " + value.error().message();
  };
  const std::string what = "error: what \"${sealed:e30..A.B.C}\" stands for: ";
  EXPECT_EQ(of("${sealed:e30..A.B.C}"), what + "sealed secrets are not in this build");
  all.sealed = [](const std::string& folder, const std::string& sealed) -> Result<std::string> {
    if (folder != "/d") return fail(ErrorKind::kUsage, "was sealed to another key");
    return sealed == "e30..A.B.C" ? std::string("${env:HOST} s3cret\n") : std::string("\0", 1);
  };
  EXPECT_EQ(of("${sealed:e30..A.B.C}"), what + "the key is in agent.dataDir, which is not given");
  all.data_dir = "/other";
  EXPECT_EQ(of("${sealed:e30..A.B.C}"), what + "was sealed to another key");
  all.data_dir = "/d";
  EXPECT_EQ(of("a${sealed:e30..A.B.C}b"), "a${env:HOST} s3cret\nb") << "as it was sealed";
  EXPECT_EQ(of("${env:UNSET:-${sealed:e30..A.B.C}}"), "${env:HOST} s3cret\n");
  EXPECT_EQ(of("${sealed:x}"), "error: what \"${sealed:x}\" stands for: is not UTF-8 text");
}

TEST(Substitute, says_what_is_missing) {
  EXPECT_EQ(result_of("${env:NOPE}"), "error: environment variable NOPE is not set");
  EXPECT_EQ(result_of("${file:/nope}"), "error: open /nope: no such file or directory");
  EXPECT_EQ(result_of("${file:/binary}"), "error: read /binary: not UTF-8 text");
  EXPECT_EQ(result_of("${env:A B}"), "error: \"A B\" is not the name of an environment variable");
  EXPECT_EQ(result_of("${env:HOST"),
            "error: \"${\" without \"}\" (write \"$${\" where a literal \"${\" is meant)");
  EXPECT_EQ(result_of("${HOST}"),
            "error: \"${HOST}\" is unknown: write \"${env:NAME}\" or \"${file:/path}\", or \"$${\" "
            "for a literal \"${\"");
}

TEST(Substitute, works_on_all_strings_of_a_document_and_reports_with_the_path) {
  Result<Document> document = Document::parse(
      R"({"a": "${env:HOST}", "b": ["x", "${env:NOPE}"], "c": {"d": "${file:/nope}"}, "e": 1})");
  ASSERT_TRUE(document);
  Problems problems;
  document->substitute(variables(), problems);
  EXPECT_EQ(lines_of(problems),
            (std::vector<std::string>{"b[1]: environment variable NOPE is not set",
                                      "c.d: open /nope: no such file or directory"}));
  const cJSON* a = cJSON_GetObjectItemCaseSensitive(document->root(), "a");
  EXPECT_STREQ(a->valuestring, "gw");
  ASSERT_NE(document->before_substitution(a), nullptr);
  EXPECT_EQ(*document->before_substitution(a), "${env:HOST}");
}

}  // namespace
}  // namespace leat
