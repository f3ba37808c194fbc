#include "connectors/mysql/statement.h"

#include <gtest/gtest.h>

namespace leat::mysql {
namespace {

TEST(MysqlStatement, has_its_rows_between_head_and_tail) {
  Statement statement("INSERT INTO t (id) VALUES ", " ON DUPLICATE KEY UPDATE id = VALUES(id)");
  statement.add(0, "(1)");
  statement.add(2, "(3)");
  EXPECT_EQ(statement.sql(),
            "INSERT INTO t (id) VALUES (1), (3) ON DUPLICATE KEY UPDATE id = VALUES(id)");
  EXPECT_EQ(statement.sql_of(statement.rows()[1].second),
            "INSERT INTO t (id) VALUES (3) ON DUPLICATE KEY UPDATE id = VALUES(id)");
  EXPECT_EQ(statement.rows()[1].first, 2U);
}

// A server gives up the connection of whoever sends it a byte too many.
TEST(MysqlStatement, knows_its_length_with_one_more_row_to_the_byte) {
  Statement statement("INSERT INTO t (id) VALUES ", " tail");
  for (const char* row : {"(1)", "(22)", "(333)"}) {
    const size_t expected = statement.bytes_with(row);
    statement.add(0, row);
    EXPECT_EQ(statement.sql().size(), expected);
  }
}

}  // namespace
}  // namespace leat::mysql
