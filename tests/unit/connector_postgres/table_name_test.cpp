#include <gtest/gtest.h>

#include "connectors/postgres/layout.h"

namespace leat::postgres {
namespace {

std::string sql(std::string_view text) {
  Result<TableName> name = TableName::parse(text);
  return name ? name->sql() : "error";
}

TEST(TableName, is_read_as_sql_reads_it) {
  EXPECT_EQ(sql("t"), "\"t\"");
  EXPECT_EQ(sql("Plant.Readings"), "\"plant\".\"readings\"");
  EXPECT_EQ(sql("\"Plant\".\"A.b\"\"c\""), "\"Plant\".\"A.b\"\"c\"");
  for (const char* bad : {"", ".", "a.", ".a", "a.b.c", "\"a", "a\"b", "\"a\"b", "\"\""})
    EXPECT_EQ(sql(bad), "error") << bad;
}

TEST(Layout, of_strange_answers_is_an_error) {
  Row table = {"T", "1", "t", "r", "f"};
  Row column = {"C", "1", "id", "23", "t", "f", "-", "f", "integer", "23", "-1", "b", "N"};
  auto layout = read_layout({table, column, {"I", "1 2", "1"}});
  ASSERT_TRUE(layout && *layout);
  EXPECT_EQ((*layout)->columns[0].kind, Kind::kInt4);
  EXPECT_TRUE((*layout)->columns[0].not_null);
  EXPECT_TRUE((*layout)->has_unique_key({"id"}));
  EXPECT_FALSE(read_layout({table, {"C"}}));
  EXPECT_FALSE(read_layout({table, {"X"}}));
  column[3] = "x";
  EXPECT_FALSE(read_layout({table, column}));
  column[3] = std::nullopt;
  EXPECT_FALSE(read_layout({table, column}));
  EXPECT_FALSE(*read_layout({}));
  EXPECT_FALSE(read_layout(std::vector<Row>(5000, table)).value()->columns.size() > 1600);
}

TEST(Column, knows_the_limits_of_its_type) {
  Column column;
  set_kind(column, 1043, 14, 'b', 'S');  // varchar(10)
  EXPECT_EQ(column.most_characters, 10);
  set_kind(column, 1700, (6 << 16 | 2) + 4, 'b', 'N');  // numeric(6,2)
  EXPECT_EQ(column.integer_digits, 4);
  set_kind(column, 1700, (3 << 16 | (-2 & 0x7FF)) + 4, 'b', 'N');  // numeric(3,-2)
  EXPECT_EQ(column.integer_digits, 5);
  set_kind(column, 99999, -1, 'e', 'E');
  EXPECT_EQ(column.kind, Kind::kText);
  set_kind(column, 1007, -1, 'b', 'A');
  EXPECT_EQ(column.kind, Kind::kArray);
}

}  // namespace
}  // namespace leat::postgres
