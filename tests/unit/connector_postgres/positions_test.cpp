#include "connectors/postgres/positions.h"

#include <gtest/gtest.h>

#include <regex>

namespace leat::postgres {
namespace {

Delivery delivery(std::string key, std::vector<SavedPosition> positions) {
  Delivery out;
  out.key = std::move(key);
  out.positions = std::move(positions);
  return out;
}

// "OWNER/SESSION" in a statement.
std::string mark_in(const std::string& sql) {
  std::smatch found;
  std::regex mark("'([0-9.]{6,}/[0-9]+)'");  // unlike those made up below
  return std::regex_search(sql, found, mark) ? found[1].str() : "";
}

bool has(const std::string& sql, std::string_view part) {
  return sql.find(part) != std::string::npos;
}

class PostgresPositions : public ::testing::Test {
 protected:
  // A session takes them over; `number` is that of the last transaction the table tells of.
  void take(const std::string& number, std::vector<Row> rows = {}) {
    std::vector<Row> owner;
    if (!mark_.empty()) owner.push_back({mark_});
    ASSERT_TRUE(positions_.found(owner));
    mark_ = mark_in(positions_.take_sql());
    rows.push_back({"", mark_, number});
    ASSERT_TRUE(positions_.taken(rows));
  }

  Positions positions_{"gw", "p'1"};
  std::string mark_;
};

TEST_F(PostgresPositions, are_taken_over_from_anybody_at_first_and_then_only_from_oneself) {
  EXPECT_TRUE(positions_.found({{"17/5"}}));
  std::string first = positions_.take_sql();
  EXPECT_TRUE(has(first, "SET value = '" + mark_in(first) + "', delivery = '0' WHERE")) << first;
  EXPECT_TRUE(has(first, "AND partition = '' AND value = '17/5'")) << first;
  EXPECT_FALSE(positions_.found({{"18/1"}}));
  EXPECT_FALSE(positions_.found({}));
  EXPECT_TRUE(positions_.found({{mark_in(first)}}));
  std::string second = positions_.take_sql();
  EXPECT_TRUE(has(second, "AND value = '" + mark_in(first) + "'")) << second;
  EXPECT_FALSE(has(second, "delivery = '0'")) << second;
}

TEST_F(PostgresPositions, that_nobody_has_are_not_taken_from_who_was_faster) {
  EXPECT_TRUE(positions_.found({}));
  std::string sql = positions_.take_sql();
  EXPECT_TRUE(has(sql, "(SELECT 'gw', 'p''1', '', '" + mark_in(sql) +
                           "', '0') ON CONFLICT DO "
                           "NOTHING"))
      << sql;
  ASSERT_TRUE(positions_.taken({{"", "17/1", "0"}}));
  EXPECT_TRUE(positions_.moved());
}

TEST_F(PostgresPositions, are_saved_only_by_the_session_that_has_them) {
  take("0", {{"a", "10", "k1"}});
  EXPECT_TRUE(positions_.known());
  std::string sql = positions_.save_sql(delivery("k2", {{"a", "20"}, {"b", "5"}}));
  EXPECT_TRUE(
      sql.starts_with("WITH mine AS (UPDATE leat_positions SET delivery = '1' WHERE agent "
                      "= 'gw' AND pipeline = 'p''1' AND partition = '' AND value = '" +
                      mark_ + "'"))
      << sql;
  EXPECT_TRUE(has(sql, "VALUES ('gw', 'p''1', 'a', '20', 'k2') ON CONFLICT")) << sql;
  EXPECT_TRUE(has(sql, "VALUES ('gw', 'p''1', 'b', '5', 'k2') ON CONFLICT")) << sql;
  EXPECT_EQ(positions_.save_sql(delivery("k3", {})), "");
}

TEST_F(PostgresPositions, of_a_transaction_without_an_answer_are_found_by_its_number) {
  take("0");
  (void)positions_.save_sql(delivery("k1", {{"a", "10 in app.log"}}));
  positions_.forget();
  EXPECT_FALSE(positions_.known());
  take("1", {{"a", "10 in app.log", "k1"}});
  EXPECT_FALSE(positions_.moved());
  // The same delivery; the source has other words for its place by now.
  Delivery again = delivery("k1", {{"a", "10 in app.log.1"}});
  EXPECT_TRUE(positions_.was_stored(again));
  // The next one may look the same, as all do that have no records.
  EXPECT_FALSE(positions_.was_stored(again));
}

TEST_F(PostgresPositions, of_a_transaction_that_was_not_carried_out_are_saved_anew) {
  take("0");
  (void)positions_.save_sql(delivery("k1", {{"a", "10"}}));
  positions_.saved();
  (void)positions_.save_sql(delivery("k2", {{"a", "20"}}));
  take("1", {{"a", "10", "k1"}});
  EXPECT_FALSE(positions_.moved());
  EXPECT_FALSE(positions_.was_stored(delivery("k2", {{"a", "20"}})));
  EXPECT_TRUE(has(positions_.save_sql(delivery("k2", {{"a", "20"}})), "SET delivery = '3'"));
}

TEST_F(PostgresPositions, notice_who_else_takes_them) {
  take("0");
  (void)positions_.save_sql(delivery("k1", {{"a", "10"}}));
  (void)positions_.take_sql();
  ASSERT_TRUE(positions_.taken({{"", "17/1", "1"}, {"a", "10", "k1"}}));
  EXPECT_TRUE(positions_.moved());
  (void)positions_.take_sql();
  ASSERT_TRUE(positions_.taken({}));
  EXPECT_TRUE(positions_.moved());
  positions_.begin_anew();
  take("0", {{"a", "40", "k4"}});
  EXPECT_FALSE(positions_.moved());
}

// A standby that was behind became the primary.
TEST_F(PostgresPositions, notice_a_server_that_lost_what_it_had_confirmed) {
  take("0");
  (void)positions_.save_sql(delivery("k1", {{"a", "10"}}));
  positions_.saved();
  (void)positions_.save_sql(delivery("k2", {{"a", "20"}}));
  positions_.saved();
  take("1", {{"a", "10", "k1"}});
  EXPECT_TRUE(positions_.moved());
}

TEST_F(PostgresPositions, that_an_earlier_session_of_ours_took_late_are_taken_again) {
  EXPECT_TRUE(positions_.found({}));
  const std::string first = mark_in(positions_.take_sql());
  EXPECT_TRUE(positions_.found({})) << "as far as it looks, it was not carried out";
  (void)positions_.take_sql();
  EXPECT_FALSE(positions_.taken({{"", first, "0"}})) << "to be tried again, and nobody else's";
  EXPECT_TRUE(positions_.found({{first}}));
}

// A connection that was lost before the server had carried it out.
TEST_F(PostgresPositions, that_could_not_be_taken_are_taken_once_more_where_nobody_else_has_them) {
  EXPECT_TRUE(positions_.found({{"17/5"}}));
  const std::string first = positions_.take_sql();
  EXPECT_TRUE(positions_.found({{"17/5"}}));
  const std::string second = positions_.take_sql();
  EXPECT_NE(mark_in(first), mark_in(second));
  EXPECT_TRUE(has(second, "', delivery = '0' WHERE")) << second;
  EXPECT_TRUE(has(second, "; DELETE FROM leat_positions")) << second;
  EXPECT_FALSE(positions_.found({{"18/1"}}));
}

TEST_F(PostgresPositions, that_were_had_and_are_in_nobodys_hands_were_changed_by_somebody) {
  take("0");
  EXPECT_FALSE(positions_.found({}));
}

// --- lanes ---

TEST_F(PostgresPositions, the_first_lane_takes_them_from_all_of_an_earlier_run) {
  Positions first("gw", "p", {0, 77});
  EXPECT_TRUE(first.found({{"17/5"}}));
  const std::string sql = first.take_sql();
  const std::string mark = mark_in(sql);
  EXPECT_TRUE(mark.starts_with("77."));
  EXPECT_TRUE(has(sql,
                  "; DELETE FROM leat_positions WHERE agent = 'gw' AND pipeline = 'p' AND "
                  "partition LIKE 'base64:lane %' AND EXISTS"))
      << sql;
  ASSERT_TRUE(
      first.taken({{"", mark, "0"}, {"table a", "1", "k"}, {"base64:lane 1", "5.6/1", "9"}}));
  EXPECT_FALSE(first.moved());
  ASSERT_EQ(first.all().size(), 1U) << "the hands of others are no position";
  first.forget();
  EXPECT_TRUE(first.found({{mark}}));
  EXPECT_FALSE(has(first.take_sql(), "DELETE")) << "the others are of this run";
}

TEST_F(PostgresPositions, a_later_lane_has_hands_of_its_own_while_its_run_has_the_first) {
  Positions lane("gw", "p", {2, 77});
  EXPECT_TRUE(lane.found({}));
  const std::string sql = lane.take_sql();
  const std::string mark = mark_in(sql);
  EXPECT_TRUE(has(sql, "'base64:lane 2', '" + mark + "', '0' FROM leat_positions")) << sql;
  EXPECT_TRUE(has(sql, "AND partition = '' AND value LIKE '77.%' FOR SHARE) ON CONFLICT")) << sql;
  ASSERT_TRUE(lane.taken({{"", "77.1/1", "4"}, {"base64:lane 2", mark, "0"}}));
  EXPECT_FALSE(lane.moved());
  EXPECT_TRUE(has(lane.save_sql(delivery("k", {{"table a", "2"}})),
                  "SET delivery = '1' WHERE agent = 'gw' AND pipeline = 'p' AND partition = "
                  "'base64:lane 2' AND value = '" +
                      mark + "'"));
  lane.forget();
  EXPECT_TRUE(lane.found({{mark}}));
  EXPECT_TRUE(has(lane.take_sql(), "UPDATE leat_positions SET value = "));
}

TEST_F(PostgresPositions, a_later_lane_of_a_run_that_is_over_gets_none) {
  Positions lane("gw", "p", {2, 77});
  EXPECT_TRUE(lane.found({}));
  const std::string mark = mark_in(lane.take_sql());
  ASSERT_TRUE(lane.taken({{"", "77.1/1", "4"}, {"base64:lane 2", mark, "0"}}));
  EXPECT_FALSE(lane.moved());
  lane.forget();
  EXPECT_TRUE(lane.found({})) << "the next run has removed them";
  EXPECT_TRUE(has(lane.take_sql(), "value LIKE '77.%' FOR SHARE"));
  ASSERT_TRUE(lane.taken({{"", "78.1/1", "4"}}));
  EXPECT_TRUE(lane.moved());
}

TEST_F(PostgresPositions, of_a_group_are_taken_over_only_from_who_has_a_smaller_fencing_number) {
  Positions stale("group:etl", "p", {}, 7);
  EXPECT_TRUE(stale.found({{"17.4f6/5"}}));
  EXPECT_TRUE(has(stale.take_sql(), "f7/1'"));
  EXPECT_FALSE(stale.found({{"18.9f8/1"}}));
  EXPECT_TRUE(stale.fenced());
  Positions later("group:etl", "p", {}, 8);
  EXPECT_FALSE(later.found({{"18.9f9/1"}})) << "also who has not had them yet";
  EXPECT_TRUE(later.found({{"17.4/2"}})) << "of no group";
  EXPECT_FALSE(later.fenced());
}

TEST_F(PostgresPositions, of_files_with_strange_names_come_back_as_they_were) {
  take("0");
  std::string sql = positions_.save_sql(delivery("k", {{"/data/\xFF", "1"}}));
  EXPECT_TRUE(has(sql, "'base64:L2RhdGEv/w=='")) << sql;
  take("0", {{"base64:L2RhdGEv/w==", "1", "k"}});
  ASSERT_EQ(positions_.all().size(), 1u);
  EXPECT_EQ(positions_.all()[0].partition, "/data/\xFF");
  EXPECT_FALSE(positions_.taken({{"a", std::nullopt, "k"}}));
  EXPECT_FALSE(positions_.taken({{"a"}}));
}

}  // namespace
}  // namespace leat::postgres
