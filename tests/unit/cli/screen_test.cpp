// What a terminal has room for.
#include "cli/screen.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(Screen, shows_what_there_is_room_for) {
  EXPECT_EQ(fitted("a\nb\n", 2, 80), "a\nb");
  EXPECT_EQ(fitted("a\nb\n\n", 24, 80), "a\nb");
  EXPECT_EQ(fitted("", 24, 80), "");
  EXPECT_EQ(fitted("a\n\nc\nd\n", 3, 80), "a\n\n… 2 more lines");
  EXPECT_EQ(fitted("a\nb\n", 1, 80), "… 2 more lines");
}

TEST(Screen, cuts_lines_at_its_edge_between_characters) {
  EXPECT_EQ(fitted("abcd\näöüß\n", 5, 3), "abc\näöü");
  EXPECT_EQ(fitted("äöü", 5, 3), "äöü");
}

}  // namespace
}  // namespace leat
