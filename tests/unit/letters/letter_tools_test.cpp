#include "letters/letter_tools.h"

#include <cjson/cJSON.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "support/temp_dir.h"

namespace leat {
namespace {

class LetterToolsTest : public ::testing::Test {
 protected:
  LetterToolsTest() {
    std::filesystem::create_directory(folder_ / "dead-letters");
    std::string text = R"({"time":"2025-12-31T03:04:05Z","stage":"map","reason":"of old"})"
                       "\n";
    for (uint64_t id = 1; id <= 5; ++id)
      text +=
          R"({"id":")" + letter_id_text(id) +
          R"(","time":"2026-01-02T03:04:05Z","stage":"filter","code":"sql","reason":"at byte )" +
          std::to_string(id * 10) + "\"}\n";
    testing::write_file(box_.path, text);
  }
  std::string listed() { return *list_letters({box_}); }
  size_t shown(const LetterFilter& filter = {}, bool all = false) {
    const std::string lines = *some_letters(box_, filter, "", UINT64_MAX, all);
    return static_cast<size_t>(std::ranges::count(lines, '\n')) - 1;
  }

  testing::TempDir folder_;
  const LetterBox box_{"p", folder_ / "dead-letters/p.jsonl"};
};

TEST_F(LetterToolsTest, letters_are_counted_by_stage_and_kind_of_reason) {
  const std::string json = listed();
  EXPECT_NE(json.find(R"("open":6,"done":0,"dropped":0,"withoutId":1)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"({"stage":"filter","code":"sql","reason":"at byte #","count":5})"),
            std::string::npos)
      << json;
}

TEST_F(LetterToolsTest, what_is_dropped_is_shown_no_more_unless_all_are_asked_for) {
  EXPECT_EQ(*drop_letters(box_, {.ids = {2, 3}}), "{\"pipeline\":\"p\",\"dropped\":2}\n");
  EXPECT_EQ(*drop_letters(box_, {.ids = {2, 3}}), "{\"pipeline\":\"p\",\"dropped\":0}\n");
  EXPECT_EQ(shown(), 4U);
  EXPECT_EQ(shown({}, true), 6U);
  EXPECT_EQ(shown({.stage = "filter"}), 3U);
  EXPECT_EQ(shown({.reason = "sql"}), 3U) << "the code, too";
  const std::string lines = *some_letters(box_, {.ids = {2}}, "", UINT64_MAX, true);
  EXPECT_TRUE(lines.starts_with(R"({"state":"dropped","id":"0000000000000002")")) << lines;
  EXPECT_EQ(*drop_letters(box_, {}), "{\"pipeline\":\"p\",\"dropped\":3}\n");
  EXPECT_EQ(shown(), 1U) << "one without an id cannot be dropped";
}

TEST_F(LetterToolsTest, they_are_given_a_part_at_a_time) {
  std::string from;
  size_t lines = 0;
  for (int asked = 0; asked < 10; ++asked) {
    const std::string some = *some_letters(box_, {}, from, 2, false);
    lines += static_cast<size_t>(std::ranges::count(some, '\n')) - 1;
    const size_t next = some.find("{\"next\":\"");
    if (next == std::string::npos) break;
    from = some.substr(next + 9, some.size() - next - 12);
  }
  EXPECT_EQ(lines, 6U);
}

TEST_F(LetterToolsTest, those_of_the_data_folder_are_found_without_a_configuration) {
  std::vector<LetterBox> boxes = *letter_boxes({}, folder_.path(), "");
  ASSERT_EQ(boxes.size(), 1U);
  EXPECT_EQ(boxes[0].pipeline, "p");
  EXPECT_EQ(boxes[0].path, box_.path);
  EXPECT_FALSE(letter_boxes({}, folder_.path(), "q"));
  PipelineConfig config;
  config.name = "p";
  config.dead_letters.path = "/elsewhere";
  EXPECT_EQ((*letter_boxes({config}, folder_.path(), "p"))[0].path, "/elsewhere");
}

TEST_F(LetterToolsTest, an_id_that_is_none_is_refused) {
  auto parameters = [](const std::string& ids) {
    return letter_filter([ids](std::string_view name) {
      return name == "ids" ? std::string_view(ids) : std::string_view();
    });
  };
  EXPECT_EQ(parameters("0000000000000002,0123456789abcdef")->ids,
            (std::vector<uint64_t>{2, 0x0123456789ABCDEF}));
  EXPECT_FALSE(parameters("2"));
  EXPECT_FALSE(parameters("0123456789abcdeg"));
}

}  // namespace
}  // namespace leat
