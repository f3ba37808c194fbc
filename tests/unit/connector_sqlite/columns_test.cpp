#include "connectors/sqlite/columns.h"

#include <gtest/gtest.h>

#include "support/sink_harness.h"

namespace leat::sqlite {
namespace {

using leat::testing::Row;
using leat::testing::SinkHarness;

std::string described(const std::vector<Row>& rows) {
  SinkHarness harness;
  std::string out;
  for (const std::string& column : columns_of(harness.records(rows)))
    out += (out.empty() ? "" : ", ") + column;
  return out;
}

Value number(std::string_view text) {
  return number_from_text(text);
}

TEST(SqliteColumns, a_field_that_is_absent_everywhere_has_none) {
  EXPECT_EQ(described({{{"v", Value::null()}, {"n", Value::absent()}}}), "v");
}

TEST(SqliteColumns, fields_come_in_the_order_they_appear_in_once_each) {
  EXPECT_EQ(described({{{"b", number("1")}}, {{"a", number("1")}, {"B", number("2.5")}}}), "b, a");
}

TEST(SqliteColumns, names_are_quoted) {
  EXPECT_EQ(create_table_sql("my \"t\"", {"select", "a\"b"}, {"select"}),
            "CREATE TABLE \"my \"\"t\"\"\" (\"select\", \"a\"\"b\", PRIMARY KEY (\"select\"))");
}

TEST(SqliteColumns, upsert_updates_all_but_the_key) {
  EXPECT_EQ(insert_sql("t", {"id", "a", "b"}, {"id"}),
            "INSERT INTO \"t\" (\"id\", \"a\", \"b\") VALUES (?, ?, ?) ON CONFLICT (\"id\") DO "
            "UPDATE SET \"a\" = excluded.\"a\", \"b\" = excluded.\"b\"");
  EXPECT_EQ(insert_sql("t", {"ID"}, {"id"}),
            "INSERT INTO \"t\" (\"ID\") VALUES (?) ON CONFLICT (\"id\") DO NOTHING");
}

}  // namespace
}  // namespace leat::sqlite
