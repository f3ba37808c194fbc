#include "table/sql_text.h"

#include <gtest/gtest.h>

namespace leat::table {
namespace {

std::string filled(std::string_view sql) {
  return QueryText(sql).filled([](std::string_view name) { return "<" + std::string(name) + ">"; });
}

TEST(QueryText, parameters_are_found_and_filled) {
  const QueryText text("SELECT a FROM t WHERE (a, b) > (:after_a,:after_b) AND a<>:after_a");
  EXPECT_EQ(text.parameters(), (std::vector<std::string>{"after_a", "after_b"}));
  EXPECT_EQ(filled("x>:a AND y=:b_1"), "x><a> AND y=<b_1>");
}

TEST(QueryText, what_is_quoted_or_a_comment_is_left_alone) {
  for (const char* same :
       {"':a'", "'it''s :a'", R"(E'it\'s :a')", R"('\')", "\":a\"", "-- :a", "/* :a /* :a */ :a */",
        "$$ :a $$", "$x$ :a $$ :a $x$", "x::text", "now()::date", "a[1:2]", "`:a`",
        "'never closed :a", "/* never closed :a", "$x$ :a"})
    EXPECT_EQ(filled(same), same);
  EXPECT_EQ(filled(R"('\' :a)"), R"('\' <a>)");
  EXPECT_EQ(filled("-- x\n:a"), "-- x\n<a>");
  EXPECT_EQ(filled("$1 :a"), "$1 <a>");
}

TEST(QueryText, words_count_outside_of_strings_only) {
  EXPECT_TRUE(QueryText("select 1 Order\n BY 1").orders());
  EXPECT_FALSE(QueryText("select 'order by'").orders());
  EXPECT_FALSE(QueryText("select \"order\" by").orders());
  EXPECT_TRUE(QueryText("select 1 OFFSET 3").has_word("offset"));
  EXPECT_FALSE(QueryText("select offset_x").has_word("offset"));
}

TEST(QueryText, a_second_statement_is_seen) {
  EXPECT_TRUE(QueryText("SELECT 1; DELETE FROM t").several());
  EXPECT_FALSE(QueryText("SELECT ';'").several());
}

TEST(SqlText, keys_are_compared_as_a_whole) {
  EXPECT_EQ(compared({"a"}, ">", {"1"}), "a > 1");
  EXPECT_EQ(compared({"a", "b"}, "<=", {"1", "2"}), "(a, b) <= (1, 2)");
}

}  // namespace
}  // namespace leat::table
