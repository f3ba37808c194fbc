#include "connectors/mysql/errors.h"

#include <errmsg.h>
#include <gtest/gtest.h>
#include <mysqld_error.h>

namespace leat::mysql {
namespace {

TEST(Errors, of_the_connection_and_of_the_moment_are_tried_again) {
  for (unsigned number :
       {unsigned{CR_CONN_HOST_ERROR}, unsigned{CR_SERVER_LOST}, unsigned{CR_SSL_CONNECTION_ERROR},
        unsigned{ER_CON_COUNT_ERROR}, unsigned{ER_SERVER_SHUTDOWN}, unsigned{ER_LOCK_DEADLOCK},
        unsigned{ER_LOCK_WAIT_TIMEOUT}, unsigned{ER_QUERY_INTERRUPTED}, 1927U, 3024U})
    EXPECT_EQ(kind_of(number), ErrorKind::kUnavailable) << number;
}

TEST(Errors, that_a_person_must_mend_are_not) {
  for (unsigned number : {unsigned{ER_ACCESS_DENIED_ERROR}, unsigned{ER_BAD_DB_ERROR},
                          unsigned{ER_NO_SUCH_TABLE}, unsigned{ER_PARSE_ERROR},
                          unsigned{ER_BAD_FIELD_ERROR}, unsigned{CR_AUTH_PLUGIN_CANNOT_LOAD}})
    EXPECT_EQ(kind_of(number), ErrorKind::kUsage) << number;
}

TEST(Errors, say_whether_the_connection_is_left) {
  EXPECT_TRUE(is_lost(CR_SERVER_LOST));
  EXPECT_TRUE(is_lost(ER_SERVER_SHUTDOWN));
  EXPECT_FALSE(is_lost(ER_LOCK_DEADLOCK));
  EXPECT_FALSE(is_lost(ER_PARSE_ERROR));
}

TEST(Errors, of_a_row_are_known_by_their_number) {
  for (unsigned number : {unsigned{ER_DUP_ENTRY}, unsigned{ER_DATA_TOO_LONG}, 4025U, 3819U, 4078U,
                          unsigned{ER_AUTOINC_READ_FAILED}})
    EXPECT_TRUE(is_of_row(number, "HY000")) << number;
  EXPECT_FALSE(is_of_row(ER_PARSE_ERROR, "42000"));
  EXPECT_FALSE(is_of_row(ER_ACCESS_DENIED_ERROR, "28000"));
}

TEST(Errors, of_a_row_are_known_by_their_class_where_the_number_says_nothing) {
  for (const char* state : {"45000", "45001", "02000", "22012", "23000"})
    EXPECT_TRUE(is_of_row(30001, state)) << state;
  for (const char* state : {"", "4", "HY000", "42000", "01000", "99001"})
    EXPECT_FALSE(is_of_row(30001, state)) << state;
  EXPECT_FALSE(is_of_row(ER_NON_UNIQ_ERROR, "23000"));
  // What passes is waited for, whatever else is said of it.
  EXPECT_FALSE(is_of_row(ER_LOCK_WAIT_TIMEOUT, "45000"));
  EXPECT_FALSE(is_of_row(CR_SERVER_LOST, "45000"));
}

}  // namespace
}  // namespace leat::mysql
