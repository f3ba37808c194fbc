#include "letters/letter.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "task/dead_letter_line.h"

namespace leat {
namespace {

Rejection rejection_of(std::string_view text) {
  return {.stage = "decode json",
          .reason = "bad",
          .code = "decode",
          .position = {},
          .text = text,
          .raw = RawIs::kPayload,
          .step = 2,
          .id = 0x0123456789ABCDEF,
          .attempt = 3};
}

TEST(LetterTest, is_read_as_it_was_written) {
  const std::string line = dead_letter_line(rejection_of("{\"a\":\r\n"), "p", "f:1", 0);
  EXPECT_TRUE(line.starts_with(R"({"id":"0123456789abcdef",)")) << line;
  std::optional<Letter> letter = read_letter(line);
  ASSERT_TRUE(letter);
  EXPECT_EQ(letter->id, 0x0123456789ABCDEFU);
  EXPECT_EQ(letter_id_of(line), letter->id);
  EXPECT_EQ(letter->code, "decode");
  EXPECT_EQ(letter->attempt, 3U);
  EXPECT_EQ(letter->step, 2U);
  EXPECT_EQ(letter->stage, "decode json");
  EXPECT_EQ(letter->reason, "bad");
  EXPECT_EQ(letter->source, "f:1");
  EXPECT_EQ(letter->raw, "{\"a\":\r\n") << "with the end of its line";
  EXPECT_EQ(letter->raw_is, RawIs::kPayload);
}

TEST(LetterTest, bytes_that_are_no_text_come_back_as_they_were) {
  for (size_t size = 0; size < 9; ++size) {
    std::string bytes;
    for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(0xFB + i);
    std::string back;
    ASSERT_TRUE(append_from_base64(back, base64(bytes)));
    EXPECT_EQ(back, bytes);
  }
  std::string out;
  EXPECT_FALSE(append_from_base64(out, "abc"));
  EXPECT_FALSE(append_from_base64(out, "ab=c"));
  EXPECT_FALSE(append_from_base64(out, "a!cd"));
  const std::string line = dead_letter_line(rejection_of("\xFF\n"), "p", "f:1", 0);
  EXPECT_EQ(read_letter(line)->raw, "\xFF\n");
}

TEST(LetterTest, one_of_former_times_has_no_id) {
  const std::string line =
      R"({"time":"2026-01-02T03:04:05Z","stage":"filter","reason":"x","record":{"a":[1,2]}})";
  std::optional<Letter> letter = read_letter(line);
  ASSERT_TRUE(letter);
  EXPECT_EQ(letter->id, 0U);
  EXPECT_EQ(letter->record, R"({"a":[1,2]})");
  EXPECT_EQ(letter_id_of(line), 0U);
  EXPECT_FALSE(LetterFilter().matches(*letter));
}

TEST(LetterTest, what_is_none_is_none) {
  for (const char* line : {"", "{}", "{\"stage\":", "null", "{\"stage\":\"x\"", "\xFF"})
    EXPECT_FALSE(read_letter(line)) << line;
}

TEST(LetterTest, those_are_meant_that_fit_all_that_is_said) {
  Letter letter;
  letter.id = 7;
  letter.stage = "filter";
  letter.reason = "no such column: wher";
  letter.time = "2026-01-02T03:04:05Z";
  EXPECT_TRUE(LetterFilter().matches(letter));
  EXPECT_TRUE((LetterFilter{.ids = {6, 7}, .stage = "filter", .reason = "column"}).matches(letter));
  EXPECT_FALSE((LetterFilter{.ids = {6}}).matches(letter));
  EXPECT_FALSE((LetterFilter{.stage = "map"}).matches(letter));
  EXPECT_FALSE((LetterFilter{.reason = "Column"}).matches(letter));
  EXPECT_TRUE((LetterFilter{.before_us = 1'767'323'045'000'001}).matches(letter));
  EXPECT_FALSE((LetterFilter{.before_us = 1'767'323'045'000'000}).matches(letter));
}

}  // namespace
}  // namespace leat
