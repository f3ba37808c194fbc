#include "cli/import/time_pattern.h"

#include <gtest/gtest.h>

#include "base/time_format.h"

namespace leat::datax {
namespace {

std::string of(std::string_view java) {
  Result<std::string> pattern = time_pattern(java);
  return pattern ? *pattern : pattern.error().message();
}

TEST(TimePattern, letters_become_directives) {
  EXPECT_EQ(of("yyyy-MM-dd"), "%Y-%m-%d");
  EXPECT_EQ(of("yyyy-MM-dd HH:mm:ss.SSS"), "%Y-%m-%d %H:%M:%S.%f");
  EXPECT_EQ(of("dd/MMM/yy hh:mm a"), "%d/%b/%y %I:%M %p");
  EXPECT_EQ(of("yyyyMMdd'T'HHmmssZ"), "%Y%m%dT%H%M%S%z");
}

TEST(TimePattern, quoted_text_stands_for_itself) {
  EXPECT_EQ(of("HH 'o''clock' 100%"), "%H o'clock 100%%");
  EXPECT_EQ(of("HH'"), "a quote (') is not closed");
}

TEST(TimePattern, what_leat_cannot_read_is_named) {
  EXPECT_EQ(of("EEE, yyyy"), "leat has no counterpart of \"EEE\" in a pattern of times");
  EXPECT_EQ(of("yyyy VV"), "leat has no counterpart of \"VV\" in a pattern of times");
}

TEST(TimePattern, each_pattern_is_one_that_columns_take) {
  for (std::string_view java : {"yyyy-MM-dd", "dd.MM.yyyy HH:mm:ss", "yyyyMMdd", "HH:mm:ss.SSSSSS"})
    EXPECT_TRUE(TimeFormat::parse(of(java))) << java;
}

}  // namespace
}  // namespace leat::datax
