#include "base/in_quotes.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(InQuotes, has_quotes_that_are_in_the_text_twice) {
  EXPECT_EQ(in_quotes("", '\''), "''");
  EXPECT_EQ(in_quotes("it's \\", '\''), "'it''s \\'");
  EXPECT_EQ(in_quotes("\"a.b\"", '"'), "\"\"\"a.b\"\"\"");
  EXPECT_EQ(in_quotes("a\"b", '`'), "`a\"b`");
}

}  // namespace
}  // namespace leat
