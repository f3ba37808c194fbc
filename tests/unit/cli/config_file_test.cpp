#include "cli/config_file.h"

#include <gtest/gtest.h>

#include "options/problem_words.h"

namespace leat {
namespace {

std::vector<std::string> problems_of(const std::string& text) {
  LoadContext context{connectors(), {}, "/d", "gw"};
  Problems problems;
  EXPECT_FALSE(read_config_text(context, text, problems)) << text;
  std::vector<std::string> lines;
  for (const Problem& problem : problems.all()) lines.push_back(line_of(problem));
  return lines;
}

TEST(ReadConfigText, an_array_that_is_not_of_files_is_no_configuration) {
  for (const char* text : {"[]", "[1]", R"([{"name": "a.json"}])", R"([{"pipelines": []}])"}) {
    const std::vector<std::string> said = problems_of(text);
    ASSERT_EQ(said.size(), 1U) << text;
    EXPECT_TRUE(said[0].starts_with("the configuration must be an object")) << said[0];
  }
}

TEST(ReadConfigText, says_in_which_of_several_files_it_is_wrong) {
  const std::vector<std::string> said = problems_of(
      R"([{"name": "a.json", "text": "{\"pipelines\": []}"}, {"name": "b.json", "text": "[]"}])");
  ASSERT_EQ(said.size(), 1U);
  EXPECT_TRUE(said[0].starts_with("the configuration must be an object")) << said[0];
}

}  // namespace
}  // namespace leat
