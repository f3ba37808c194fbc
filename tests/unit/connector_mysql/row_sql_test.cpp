#include "connectors/mysql/row_sql.h"

#include <gtest/gtest.h>

#include <limits>

namespace leat::mysql {
namespace {

std::string sql(const ReadColumn& column, const Value& value) {
  std::string out;
  Status done = append_sql(out, column, value);
  return done ? out : "refused: " + done.error().message();
}

ReadColumn integer() {
  return {"c", Kind::kNumber};
}
ReadColumn decimal() {
  return {"c", Kind::kNumber, true};
}
ReadColumn bits() {
  return {"c", Kind::kBit};
}
ReadColumn boolean() {
  return {"c", Kind::kBool};
}
ReadColumn text() {
  return {"c", Kind::kText};
}
ReadColumn json() {
  return {"c", Kind::kJson};
}
ReadColumn time() {
  return {"c", Kind::kTime};
}
ReadColumn bytes() {
  return {"c", Kind::kBytes};
}

Value number(std::string_view text) {
  return number_from_text(text);
}

TEST(RowSql, whole_numbers_go_into_columns_of_integers_and_no_others) {
  EXPECT_EQ(sql(integer(), Value::of_integer(INT64_MIN)), "-9223372036854775808");
  EXPECT_EQ(sql(integer(), number("44.0")), "44");
  EXPECT_EQ(sql(integer(), number("18446744073709551615")), "18446744073709551615");
  EXPECT_EQ(sql(integer(), number("44.5")), "refused: 44.5 is not whole");
  EXPECT_EQ(sql(integer(), Value::of_text(Type::kString, "44.5")), "refused: 44.5 is not whole");
  EXPECT_EQ(sql(integer(), Value::of_text(Type::kString, "x")), "'x'") << "the server refuses it";
  EXPECT_EQ(sql(decimal(), number("44.50")), "44.50");
}

TEST(RowSql, bits_are_numbers_and_never_the_characters_of_a_text) {
  for (const ReadColumn& column : {bits(), boolean()}) {
    EXPECT_EQ(sql(column, Value::of_text(Type::kString, "1")), "1");
    EXPECT_EQ(sql(column, Value::of_text(Type::kString, "true")), "1");
    EXPECT_EQ(sql(column, Value::of_text(Type::kString, "false")), "0");
    EXPECT_EQ(sql(column, Value::of_text(Type::kString, "x")), "refused: x is no number");
    EXPECT_EQ(sql(column, Value::boolean(true)), "1");
  }
}

TEST(RowSql, text_is_quoted_and_bytes_are_hexadecimal) {
  EXPECT_EQ(sql(text(), Value::of_text(Type::kString, "it's \\")), "'it''s \\'");
  EXPECT_EQ(sql(text(), number("44.50")), "'44.50'");
  EXPECT_EQ(sql(text(), Value::boolean(true)), "'true'");
  EXPECT_EQ(sql(integer(), Value::boolean(true)), "1");
  EXPECT_EQ(sql(bytes(), Value::of_text(Type::kBytes, std::string_view("\0'", 2))), "x'0027'");
  EXPECT_EQ(sql(text(), Value::null()), "NULL");
}

TEST(RowSql, times_are_in_utc) {
  EXPECT_EQ(sql(time(), Value::of_time(1'767'323'045'000'006)), "'2026-01-02 03:04:05.000006'");
}

TEST(RowSql, json_is_json_and_what_is_none_becomes_it) {
  EXPECT_EQ(sql(json(), Value::of_text(Type::kJson, "{\"a\":1}")), "'{\"a\":1}'");
  EXPECT_EQ(sql(json(), Value::of_text(Type::kString, "it's")), "'\"it''s\"'");
  EXPECT_EQ(sql(json(), number("1.50")), "'1.50'");
  EXPECT_EQ(sql(json(), Value::boolean(false)), "'false'");
  EXPECT_EQ(sql(json(), Value::of_text(Type::kString, "[1]")), "'[1]'");
  EXPECT_EQ(sql(json(), Value::of_text(Type::kString, R"({"a":"C:\x"})")),
            R"('"{\"a\":\"C:\\x\"}"')");
}

TEST(RowSql, numbers_that_mysql_has_not_are_refused) {
  EXPECT_EQ(sql(decimal(), Value::of_float(std::numeric_limits<double>::infinity())),
            "refused: there is no such number in MySQL");
}

}  // namespace
}  // namespace leat::mysql
