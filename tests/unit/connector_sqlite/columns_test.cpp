#include "connectors/sqlite/columns.h"

#include <gtest/gtest.h>

#include "sink_harness.h"

namespace leat::sqlite {
namespace {

using leat::testing::Row;
using leat::testing::SinkHarness;

std::string described(const std::vector<Row>& rows) {
  SinkHarness harness;
  std::string out;
  for (const Column& column : columns_of(harness.records(rows)))
    out += (out.empty() ? "" : ", ") + column.name + (column.type.empty() ? "" : " ") + column.type;
  return out;
}

Value number(std::string_view text) {
  return number_from_text(text);
}

TEST(SqliteColumns, types_follow_the_values) {
  EXPECT_EQ(described({{{"i", Value::of_integer(1)},
                        {"b", Value::boolean(true)},
                        {"f", number("1.5")},
                        {"d", number("123456789012345678901234567890")},
                        {"s", leat::testing::text("x")},
                        {"t", Value::of_time(0)},
                        {"j", Value::of_text(Type::kJson, "[1]")},
                        {"x", Value::of_text(Type::kBytes, "ab")}}}),
            "i INTEGER, b INTEGER, f REAL, d TEXT, s TEXT, t TEXT, j TEXT, x BLOB");
}

TEST(SqliteColumns, integers_beside_floats_are_real) {
  EXPECT_EQ(described({{{"v", number("20")}}, {{"v", number("20.5")}}}), "v REAL");
  EXPECT_EQ(described({{{"v", number("20.5")}}, {{"v", number("20")}}}), "v REAL");
}

TEST(SqliteColumns, other_mixtures_keep_every_value_as_it_comes) {
  EXPECT_EQ(described({{{"v", number("20")}}, {{"v", leat::testing::text("x")}}}), "v");
  EXPECT_EQ(described({{{"v", number("1")}}, {{"v", number("18446744073709551616")}}}), "v");
}

TEST(SqliteColumns, nulls_and_absent_fields_say_nothing_about_a_type) {
  EXPECT_EQ(described({{{"v", Value::null()}, {"n", Value::null()}, {"a", Value::absent()}},
                       {{"v", number("1")}, {"n", Value::null()}, {"a", Value::absent()}}}),
            "v INTEGER, n");
}

TEST(SqliteColumns, fields_come_in_the_order_they_appear_in_once_each) {
  EXPECT_EQ(described({{{"b", number("1")}}, {{"a", number("1")}, {"B", number("2.5")}}}),
            "b REAL, a INTEGER");
}

TEST(SqliteColumns, names_are_quoted) {
  EXPECT_EQ(create_table_sql("my \"t\"", {{"select", "TEXT"}, {"a\"b", ""}}, {"select"}),
            "CREATE TABLE \"my \"\"t\"\"\" (\"select\" TEXT, \"a\"\"b\", PRIMARY KEY "
            "(\"select\"))");
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
