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
  Row table = {"T", "1", "t", "r", "f", "f"};
  Row column = {"C",       "1",  "id", "23", "t", "f", "-", "f",
                "integer", "23", "-1", "b",  "N", "0", "b", ","};
  auto layout = read_layout({table, column, {"I", "1 2", "1", "t"}, {"I", "1", "1", "f"}});
  ASSERT_TRUE(layout && *layout);
  EXPECT_EQ((*layout)->columns[0].kind, Kind::kInt4);
  EXPECT_TRUE((*layout)->columns[0].not_null);
  EXPECT_TRUE((*layout)->has_unique_key({"id"}));
  EXPECT_EQ((*layout)->telling_keys.size(), 1U) << "the other compares otherwise than its column";
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
  EXPECT_EQ(most_characters({1043, 14, 'b', 'S'}), 10);  // varchar(10)
  EXPECT_EQ(most_characters({1042, 5, 'b', 'S'}), 1);    // char(1)
  EXPECT_EQ(most_characters({1043, -1, 'b', 'S'}), 0);   // varchar
  EXPECT_EQ(most_characters({25, -1, 'b', 'S'}), 0);     // text
}

TEST(Column, knows_kinds_by_their_number_and_others_by_their_category) {
  EXPECT_EQ(kind_of({3802, -1, 'b', 'U'}), Kind::kJson);   // jsonb
  EXPECT_EQ(kind_of({99999, -1, 'e', 'E'}), Kind::kText);  // an enum
  EXPECT_EQ(kind_of({1007, -1, 'b', 'A'}), Kind::kArray);  // int4[]
  EXPECT_EQ(kind_of({22, -1, 'b', 'A'}), Kind::kOther);    // int2vector: "1 2 3"
  EXPECT_EQ(kind_of({869, -1, 'b', 'I'}), Kind::kOther);   // inet
}

}  // namespace
}  // namespace leat::postgres
