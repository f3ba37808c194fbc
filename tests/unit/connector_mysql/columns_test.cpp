#include "connectors/mysql/columns.h"

#include <gtest/gtest.h>

namespace leat::mysql {
namespace {

MYSQL_FIELD field(enum_field_types type, unsigned flags = 0, unsigned charset = 45) {
  static char name[] = "c";
  MYSQL_FIELD out{};
  out.name = name;
  out.name_length = 1;
  out.type = type;
  out.flags = flags;
  out.charsetnr = charset;
  out.length = 10;
  return out;
}

Value value(const MYSQL_FIELD& of, std::string& text) {
  return ReadColumn::of(of).value(text);
}

TEST(Columns, numbers_are_exact) {
  std::string text = "18446744073709551615";
  Value number = value(field(MYSQL_TYPE_LONGLONG), text);
  EXPECT_EQ(number.type, Type::kDecimal);
  EXPECT_EQ(number.view(), text);
  text = "-9223372036854775808";
  number = value(field(MYSQL_TYPE_LONGLONG), text);
  EXPECT_EQ(number.type, Type::kInteger);
  EXPECT_EQ(integer_of(number), INT64_MIN);
  text = "44.50";
  number = value(field(MYSQL_TYPE_NEWDECIMAL), text);
  EXPECT_EQ(number.type, Type::kDecimal);
  EXPECT_EQ(number.view(), "44.50");
  text = "44";
  EXPECT_EQ(value(field(MYSQL_TYPE_NEWDECIMAL), text).type, Type::kDecimal);
}

TEST(Columns, zeros_in_front_are_no_part_of_a_number) {
  std::string text = "00042";
  EXPECT_EQ(integer_of(value(field(MYSQL_TYPE_LONG), text)), 42);
  text = "000.50";
  EXPECT_EQ(value(field(MYSQL_TYPE_NEWDECIMAL), text).view(), "0.50");
  text = "0000";
  EXPECT_EQ(integer_of(value(field(MYSQL_TYPE_YEAR), text)), 0);
}

TEST(Columns, a_zero_date_is_the_text_that_it_is) {
  std::string text = "0000-00-00 00:00:00";
  EXPECT_EQ(value(field(MYSQL_TYPE_DATETIME), text).type, Type::kString);
  text = "2026-01-02 03:04:05.000006";
  EXPECT_EQ(value(field(MYSQL_TYPE_DATETIME), text).integer, 1'767'323'045'000'006);
}

TEST(Columns, json_is_on_one_line_and_bytes_are_not_text) {
  std::string text = "{\n\"a\": 1}";
  EXPECT_EQ(value(field(MYSQL_TYPE_JSON), text).view(), "{ \"a\": 1}");
  std::string none = R"({"path": "C:\xampp"})";
  EXPECT_EQ(value(field(MYSQL_TYPE_JSON), none).type, Type::kString);
  text = "x";
  EXPECT_EQ(value(field(MYSQL_TYPE_BLOB, 0, 63), text).type, Type::kBytes);
  EXPECT_EQ(value(field(MYSQL_TYPE_BLOB), text).type, Type::kString);
  EXPECT_EQ(value(field(MYSQL_TYPE_GEOMETRY), text).type, Type::kBytes);
}

TEST(Columns, a_key_of_one_is_sql_that_is_nothing_else) {
  const ReadColumn number = ReadColumn::of(field(MYSQL_TYPE_LONGLONG));
  EXPECT_EQ(number.literal("18446744073709551615").value_or(""), "18446744073709551615");
  EXPECT_EQ(number.literal("00042").value_or(""), "42");
  for (const char* bad : {"", "1 OR 1=1", "x", "1;", "NULL"})
    EXPECT_FALSE(number.literal(bad)) << bad;
  const ReadColumn real = ReadColumn::of(field(MYSQL_TYPE_DOUBLE));
  EXPECT_EQ(real.literal("0.1").value_or(""), "0.1e0");
  EXPECT_EQ(real.literal("1e300").value_or(""), "1e300");
  const ReadColumn text = ReadColumn::of(field(MYSQL_TYPE_VAR_STRING));
  EXPECT_EQ(text.literal("it's \\").value_or(""), "'it''s \\'");
  const ReadColumn bytes = ReadColumn::of(field(MYSQL_TYPE_VAR_STRING, 0, 63));
  EXPECT_EQ(bytes.literal("00ff").value_or(""), "x'00ff'");
  for (const char* bad : {"0", "0x", "' OR '"}) EXPECT_FALSE(bytes.literal(bad)) << bad;
}

TEST(Columns, what_is_ordered_otherwise_than_compared_is_known) {
  EXPECT_FALSE(ReadColumn::of(field(MYSQL_TYPE_STRING, ENUM_FLAG)).ordered());
  EXPECT_FALSE(ReadColumn::of(field(MYSQL_TYPE_STRING, SET_FLAG)).ordered());
  EXPECT_FALSE(ReadColumn::of(field(MYSQL_TYPE_JSON)).ordered());
  EXPECT_TRUE(ReadColumn::of(field(MYSQL_TYPE_STRING)).ordered());
  MYSQL_FIELD text = field(MYSQL_TYPE_BLOB, BLOB_FLAG);
  text.length = 255 * 4;  // TINYTEXT
  EXPECT_TRUE(ReadColumn::of(text).ordered());
  text.length = 65535;
  EXPECT_FALSE(ReadColumn::of(text).ordered());
}

TEST(Columns, a_time_is_one_that_the_server_takes_for_no_other) {
  for (enum_field_types type : {MYSQL_TYPE_DATETIME, MYSQL_TYPE_TIMESTAMP, MYSQL_TYPE_DATE}) {
    const ReadColumn time = ReadColumn::of(field(type));
    for (const char* good : {"2026-01-02", "2026-01-02 03:04:05", "2026-01-02 03:04:05.123456",
                             "0000-00-00 00:00:00", "2026-02-31"})
      EXPECT_EQ(time.literal(good).value_or(""), "'" + std::string(good) + "'");
    for (const char* bad :
         {"", "garbage", "2026-13-45", "03.01.2026", "1767398400", "2026-01-02 24:00:00",
          "2026-01-03T00:00:00+05:00", "2026-01-02 03:04", "2026-01-02 03:04:05 "})
      EXPECT_FALSE(time.literal(bad)) << bad;
  }
}

}  // namespace
}  // namespace leat::mysql
