#include "protocols/postgres/sqlstate.h"

#include <gtest/gtest.h>

namespace leat::postgres {
namespace {

TEST(Sqlstate, what_heals_by_itself_is_tried_again) {
  for (const char* code : {"40001", "40P01", "53100", "53200", "53300", "55P03", "55006", "57014",
                           "58030", "XX001", "72000", "HV000", "42501"})
    EXPECT_EQ(verdict_on(code), Verdict::kRetry) << code;
}

TEST(Sqlstate, what_nobody_knows_may_be_anything) {
  for (const char* code : {"45000", "XX000", "99999", "", "ZZ"})
    EXPECT_EQ(verdict_on(code), Verdict::kUnclear) << code;
}

TEST(Sqlstate, a_row_that_a_policy_or_a_trigger_refuses_is_no_missing_right) {
  EXPECT_TRUE(refuses_row("42501", "ExecWithCheckOptions"));
  EXPECT_TRUE(refuses_row("42501", "exec_stmt_raise"));
  EXPECT_FALSE(refuses_row("42501", "aclcheck_error"));
  EXPECT_FALSE(refuses_row("42501", ""));
  EXPECT_FALSE(refuses_row("57014", "exec_stmt_raise"));
  for (const char* passes : {"08006", "40001", "40P01", "53100", "55P03", "57P01", "58030"})
    EXPECT_TRUE(passes_by_itself(passes)) << passes;
  for (const char* stays : {"28000", "25006", "42501", "XX000", "45000", "22012"})
    EXPECT_FALSE(passes_by_itself(stays)) << stays;
}

TEST(Sqlstate, what_needs_another_session_drops_this_one) {
  for (const char* code : {"08006", "08P01", "57P01", "57P02", "57P03", "57P05", "25006", "25P02",
                           "25P03", "28P01", "28000", "3D000"})
    EXPECT_EQ(verdict_on(code), Verdict::kReconnect) << code;
}

TEST(Sqlstate, bad_data_is_rejected) {
  for (const char* code : {"22001", "22003", "22P02", "22P05", "22021", "23502", "23503", "23505",
                           "23514", "21000", "44000", "54000", "P0001", "38000"})
    EXPECT_EQ(verdict_on(code), Verdict::kRejected) << code;
}

TEST(Sqlstate, a_table_that_looks_different_is_looked_at_again) {
  for (const char* code : {"22P04", "42703", "42P01", "42804", "42P10", "428C9", "3F000"})
    EXPECT_EQ(verdict_on(code), Verdict::kDrift) << code;
}

TEST(Sqlstate, mistakes_in_sql_end_the_pipeline) {
  for (const char* code : {"42601", "42883", "25001", "2D000", "34000"})
    EXPECT_EQ(verdict_on(code), Verdict::kFailed) << code;
}

TEST(Sqlstate, a_person_is_told_where_to_look) {
  EXPECT_NE(advice_on("28P01").find("password"), std::string_view::npos);
  EXPECT_NE(advice_on("28000").find("pg_hba.conf"), std::string_view::npos);
  EXPECT_EQ(advice_on("22003"), "");
}

}  // namespace
}  // namespace leat::postgres
