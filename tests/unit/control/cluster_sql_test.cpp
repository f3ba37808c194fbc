#include "control/cluster/cluster_sql.h"

#include <gtest/gtest.h>

namespace leat::cluster {
namespace {

bool has(const std::string& sql, std::string_view part) {
  return sql.find(part) != std::string::npos;
}

const Me kMe{
    .group = "e'tl", .agent = "a", .instance = "5", .session = 77, .lease = Milliseconds{3000}};

TEST(ClusterSql, renews_only_the_session_that_is_there_and_takes_only_what_has_nobody) {
  const std::string sql = tick_sql(kMe, false, {{.job = "", .names = {"p"}, .most = 1}});
  EXPECT_TRUE(has(sql,
                  "UPDATE leat_cluster_members SET until = now() + interval '3000 milliseconds' "
                  "WHERE grp = 'e''tl' AND agent = 'a' AND session = 77"))
      << sql;
  EXPECT_TRUE(has(sql, "FOR UPDATE OF t SKIP LOCKED")) << sql;
  EXPECT_FALSE(has(sql, "INSERT INTO leat_cluster_members")) << sql;
  EXPECT_FALSE(has(tick_sql(kMe, false, {}), "SKIP LOCKED) UPDATE")) << "it wants nothing";
}

TEST(ClusterSql, begins_a_session_in_the_place_of_its_own_and_of_no_other_agent) {
  EXPECT_TRUE(has(tick_sql(kMe, true, {}),
                  "DO UPDATE SET instance = excluded.instance, session = excluded.session, until = "
                  "excluded.until WHERE m.instance = excluded.instance OR m.until <= now()"));
}

TEST(ClusterSql, saves_and_removes_positions_only_under_the_fencing_number) {
  const std::string sql =
      save_sql(kMe, {"p", 9}, {{"table o'x", std::string("\x00\xff'", 3)}, {"gone", ""}});
  EXPECT_TRUE(has(sql, "session = 77 AND fence = 9 FOR SHARE")) << sql;
  EXPECT_TRUE(has(sql, "('table o''x', '\\x00ff27'::bytea)")) << sql;
  EXPECT_TRUE(has(sql, "p.partition IN ('gone')")) << sql;
  EXPECT_FALSE(has(save_sql(kMe, {"p", 9}, {{"gone", ""}}), "VALUES")) << "nothing to save";
}

TEST(ClusterSql, opens_a_run_only_for_who_leads_the_job_and_while_none_is_open) {
  const std::string sql = open_run_sql(kMe, {"p", 9}, false);
  EXPECT_TRUE(has(sql,
                  "pipeline = 'p' AND agent = 'a' AND session = 77 AND fence = 9 AND NOT "
                  "EXISTS (SELECT 1 FROM leat_cluster_tasks r WHERE r.grp = 'e''tl' AND "
                  "r.pipeline = 'p~(run)' AND r.state = '') FOR SHARE"))
      << sql;
  EXPECT_FALSE(has(sql, "leat_cluster_positions")) << "it goes on where it was";
  EXPECT_TRUE(has(open_run_sql(kMe, {"p", 9}, true), "DELETE FROM leat_cluster_positions"));
  EXPECT_TRUE(has(close_run_sql(kMe, {"p", 9}), "AND fence = 9 FOR SHARE)"));
}

}  // namespace
}  // namespace leat::cluster
