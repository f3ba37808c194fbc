// What can be run and may not be meant, as data.
#include <gtest/gtest.h>

#include "config/fake_registry.h"
#include "config/loader.h"
#include "options/problem_words.h"

namespace leat {
namespace {

using Kind = Problem::Kind;
using Lines = std::vector<std::string>;

class WarningsTest : public ::testing::Test {
 protected:
  // Of files with these pipelines each.
  Lines warnings_of(const std::vector<std::string>& pipelines, const std::string& data_dir = "/d") {
    std::vector<ConfigFile> files;
    for (size_t i = 0; i < pipelines.size(); ++i)
      files.push_back({std::string(1, static_cast<char>('a' + i)),
                       "{" + (i == 0 ? R"("agent": {"dataDir": ")" + data_dir + "\"}, " : "") +
                           R"("pipelines": [)" + pipelines[i] + "]}"});
    LoadContext context{registry_, {}, "", "gw"};
    context.variables.env = [](const std::string&) { return "hunter2"; };
    problems_ = {};
    EXPECT_TRUE(load_config(files, context, problems_)) << "warnings hold nothing up";
    EXPECT_EQ(problems_.errors(), 0U);
    Lines lines;
    for (const Problem& problem : problems_.all()) {
      EXPECT_TRUE(problem.warning);
      EXPECT_NE(problem.line, 0);
      lines.push_back(line_of(problem) + " " + problem.file);
    }
    return lines;
  }

  static std::string pipeline(const std::string& name, const std::string& source,
                              const std::string& sink) {
    return R"({"name": ")" + name + R"(", "source": )" + source + R"(, "sink": )" + sink + "}";
  }

  Registry registry_ = fake::registry();
  Problems problems_;
  const std::string tank_ = R"({"type": "tank", "path": "x"})";
  const std::string drain_ = R"({"type": "drain", "url": "http://x"})";
};

TEST_F(WarningsTest, there_are_none_where_all_is_meant) {
  EXPECT_EQ(warnings_of({pipeline("a", tank_, drain_), pipeline("b", tank_, drain_)}), Lines{});
}

TEST_F(WarningsTest, what_may_be_used_once_is_used_twice) {
  auto with = [](const std::string& url, const std::string& user) {
    return R"({"type": "drain", "url": ")" + url + R"(", "user": ")" + user + "\"}";
  };
  EXPECT_EQ(warnings_of({pipeline("a", tank_, with("http://x", "u")),
                         pipeline("b", tank_, with("http://x", "u"))}),
            Lines{"warning: pipelines[0].sink.user: is the same as pipelines[0].sink.user of a: "
                  "one throws the other out b"});
  EXPECT_EQ(problems_.all()[0].kind, Kind::kTwice);
  EXPECT_EQ(warnings_of({pipeline("a", tank_, with("http://x", "u")) + "," +
                         pipeline("b", tank_, with("http://x", "u"))}),
            Lines{"warning: pipelines[1].sink.user: is the same as pipelines[0].sink.user: "
                  "one throws the other out a"});
  EXPECT_EQ(warnings_of({pipeline("a", tank_, with("http://x", "u")) + "," +
                         pipeline("b", tank_, with("http://y", "u"))}),
            Lines{})
      << "at another server it is another";
  std::string off = pipeline("b", tank_, with("http://x", "u"));
  off.insert(1, R"("enabled": false, )");
  EXPECT_EQ(warnings_of({pipeline("a", tank_, with("http://x", "u")) + "," + off}), Lines{});
}

TEST_F(WarningsTest, a_secret_stands_in_clear_text) {
  auto with = [](const std::string& password) {
    return R"({"type": "drain", "url": "http://x", "user": "u", "password": ")" + password + "\"}";
  };
  EXPECT_EQ(warnings_of({pipeline("a", tank_, with("hunter2"))}),
            Lines{"warning: pipelines[0].sink.password: a secret in clear text: write "
                  "\"${env:NAME}\" or \"${file:/path}\" in its place a"});
  EXPECT_EQ(problems_.all()[0].kind, Kind::kClearSecret);
  EXPECT_EQ(warnings_of({pipeline("a", tank_, with("${env:X}"))}), Lines{});
}

TEST_F(WarningsTest, a_path_begins_with_a_tilde) {
  Lines lines =
      warnings_of({pipeline("a", R"({"type": "tank", "path": ["/x", "~/y"]})", drain_)}, "~/d");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[0].starts_with("warning: agent.dataDir: \"~\" is not replaced"));
  EXPECT_TRUE(lines[1].starts_with("warning: pipelines[0].source.path[1]: "));
  EXPECT_EQ(problems_.all()[1].kind, Kind::kTilde);
}

TEST_F(WarningsTest, a_stage_has_one_of_its_own) {
  Lines lines = warnings_of({pipeline("a", R"({"type": "tap", "rate": 1000000})", drain_)});
  EXPECT_EQ(lines, Lines{"warning: pipelines[0].source.rate: is very fast a"});
}

TEST(Strictness, makes_errors_of_warnings) {
  Problems problems;
  problems.add({.text = "a", .warning = true});
  EXPECT_EQ(problems.errors(), 0U);
  EXPECT_NE(json_of(problems).find("\"severity\":\"warning\""), std::string::npos);
  problems.make_strict();
  EXPECT_EQ(problems.errors(), 1U);
  EXPECT_EQ(line_of(problems.all()[0]), "a");
}

}  // namespace
}  // namespace leat
