#include "task/dead_letter_reasons.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(DeadLetterReasons, what_differs_from_record_to_record_does_not_make_another_reason) {
  EXPECT_EQ(kind_of_reason("at byte 17: \"a\" is no number"), "at byte #: \"…\" is no number");
  EXPECT_EQ(kind_of_reason("not closed: \"abc 12"), "not closed: \"abc #");
  DeadLetterReasons reasons;
  reasons.count("decode json", "decode", "at byte 1: unexpected end");
  reasons.count("decode json", "decode", "at byte 25: unexpected end");
  reasons.count("filter", "sql", "at byte 25: unexpected end");
  ASSERT_EQ(reasons.all().size(), 2U);
  EXPECT_EQ(reasons.all()[0].reason, "at byte #: unexpected end");
  EXPECT_EQ(reasons.all()[0].count, 2U);
  EXPECT_EQ(reasons.all()[1].stage, "filter");
}

TEST(DeadLetterReasons, what_differs_in_a_number_that_matters_has_a_code_of_its_own) {
  DeadLetterReasons reasons;
  reasons.count("http", "http-400", "http://c/in: 400 Bad Request");
  reasons.count("http", "http-413", "http://c/in: 413 Content Too Large");
  reasons.count("http", "http-422", "http://c/in: 422 Bad Request");
  ASSERT_EQ(reasons.all().size(), 3U);
  EXPECT_EQ(reasons.all()[2].code, "http-422");
}

TEST(DeadLetterReasons, a_long_one_is_cut_between_characters) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "é";
  EXPECT_EQ(kind_of_reason("x" + text), "x" + text.substr(0, 118) + "…");
  EXPECT_EQ(kind_of_reason(text), text.substr(0, 118) + "…");
}

TEST(DeadLetterReasons, more_than_a_person_reads_are_counted_together) {
  DeadLetterReasons reasons;
  for (int i = 0; i < 100; ++i) reasons.count("sink", "refused", std::string(1 + i, 'x'));
  reasons.count("sink", "refused", "x");
  ASSERT_EQ(reasons.all().size(), DeadLetterReasons::kMost + 1);
  EXPECT_EQ(reasons.all().front().count, 2U);
  EXPECT_EQ(reasons.all().back().reason, "other reasons");
  EXPECT_EQ(reasons.all().back().count, 100U - DeadLetterReasons::kMost);
}

}  // namespace
}  // namespace leat
