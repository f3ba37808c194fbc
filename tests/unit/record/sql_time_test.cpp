#include "record/sql_time.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(SqlTime, is_read_with_and_without_a_fraction) {
  EXPECT_EQ(read_sql_time("1970-01-01 00:00:00"), 0);
  EXPECT_EQ(read_sql_time("2026-01-02 03:04:05"), 1'767'323'045'000'000);
  EXPECT_EQ(read_sql_time("2026-01-02 03:04:05.6"), 1'767'323'045'600'000);
  EXPECT_EQ(read_sql_time("2026-01-02 03:04:05.000001"), 1'767'323'045'000'001);
  EXPECT_EQ(read_sql_time("0001-01-01 00:00:00"), -62'135'596'800'000'000);
  EXPECT_EQ(read_sql_time("9999-12-31 23:59:59.999999"), 253'402'300'799'999'999);
  EXPECT_EQ(read_sql_time("2024-02-29 00:00:00"), 1'709'164'800'000'000);
}

TEST(SqlTime, is_none_where_there_is_no_such_day) {
  for (const char* text : {"0000-00-00 00:00:00", "2026-00-01 00:00:00", "2026-01-00 00:00:00",
                           "0000-01-01 00:00:00", "2026-02-29 00:00:00", "2026-13-01 00:00:00"})
    EXPECT_FALSE(read_sql_time(text)) << text;
}

TEST(SqlTime, is_none_in_another_form) {
  for (const char* text : {"", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z",
                           "infinity", "2026-01-02 03:04:05.1234567", "2026-01-02 03:04:05.x",
                           "12026-01-02 03:04:05", "0044-03-15 12:00:00 BC"})
    EXPECT_FALSE(read_sql_time(text)) << text;
}

}  // namespace
}  // namespace leat
