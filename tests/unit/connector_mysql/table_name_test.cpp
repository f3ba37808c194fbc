#include "connectors/mysql/table_name.h"

#include <gtest/gtest.h>

namespace leat::mysql {
namespace {

std::string sql(std::string_view text) {
  Result<TableName> name = TableName::parse(text);
  return name ? name->sql() : "error";
}

TEST(MysqlTableName, is_read_with_its_database_and_its_quotes) {
  EXPECT_EQ(sql("Orders"), "`Orders`");
  EXPECT_EQ(sql("plant.orders"), "`plant`.`orders`");
  EXPECT_EQ(sql("`a.b`.`c``d`"), "`a.b`.`c``d`");
  EXPECT_EQ(sql("\"a.b\""), "`a.b`");
  for (const char* bad : {"", ".", "a.", ".a", "a.b.c", "`a", "`a`b", "``"})
    EXPECT_EQ(sql(bad), "error") << bad;
}

TEST(MysqlTableName, text_is_quoted_for_a_server_to_which_a_backslash_is_one) {
  EXPECT_EQ(quoted_text("it's \\"), "'it''s \\'");
  EXPECT_EQ(quoted_name("a`b"), "`a``b`");
}

}  // namespace
}  // namespace leat::mysql
