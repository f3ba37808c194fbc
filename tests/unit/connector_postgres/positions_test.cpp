#include "connectors/postgres/positions.h"

#include <gtest/gtest.h>

namespace leat::postgres {
namespace {

Delivery delivery(std::string key, std::vector<SavedPosition> positions) {
  Delivery out;
  out.key = std::move(key);
  out.positions = std::move(positions);
  return out;
}

TEST(PostgresPositions, move_only_from_where_they_were_left) {
  Positions positions("gw", "p'1");
  ASSERT_TRUE(positions.loaded({{"a", "10", "k1"}}));
  std::string sql = positions.save_sql(delivery("k2", {{"a", "20"}, {"b", "5"}}));
  EXPECT_NE(sql.find("UPDATE leat_positions SET value = '20', delivery = 'k2' WHERE agent = 'gw' "
                     "AND pipeline = 'p''1' AND partition = 'a' AND value = '10' AND delivery = "
                     "'k1'"),
            std::string::npos)
      << sql;
  EXPECT_NE(sql.find("VALUES ('gw', 'p''1', 'b', '5', 'k2') ON CONFLICT DO NOTHING"),
            std::string::npos)
      << sql;
}

TEST(PostgresPositions, tell_whether_a_delivery_was_stored) {
  Positions positions("gw", "p");
  ASSERT_TRUE(positions.loaded({{"a", "10", "k1"}, {"b", "1", "k0"}}));
  EXPECT_TRUE(positions.has(delivery("k1", {{"a", "10"}})));
  EXPECT_FALSE(positions.has(delivery("k2", {{"a", "10"}})));
  EXPECT_FALSE(positions.has(delivery("k1", {{"a", "11"}})));
  EXPECT_FALSE(positions.has(delivery("k1", {{"a", "10"}, {"b", "1"}})));
  EXPECT_FALSE(positions.has(delivery("k1", {})));
}

TEST(PostgresPositions, notice_who_else_moves_them) {
  Positions positions("gw", "p");
  ASSERT_TRUE(positions.loaded({{"a", "10", "k1"}}));
  EXPECT_FALSE(positions.moved());
  positions.saved(delivery("k2", {{"a", "20"}}));
  positions.forget();
  EXPECT_FALSE(positions.known());
  ASSERT_TRUE(positions.loaded({{"a", "20", "k2"}}));
  EXPECT_FALSE(positions.moved());
  ASSERT_TRUE(positions.loaded({{"a", "30", "k3"}}));
  EXPECT_TRUE(positions.moved());
  positions.begin_anew();
  ASSERT_TRUE(positions.loaded({{"a", "40", "k4"}}));
  EXPECT_FALSE(positions.moved());
}

TEST(PostgresPositions, of_files_with_strange_names_come_back_as_they_were) {
  Positions positions("gw", "p");
  std::string sql = positions.save_sql(delivery("k", {{"/data/\xFF", "1"}}));
  EXPECT_NE(sql.find("'base64:L2RhdGEv/w=='"), std::string::npos) << sql;
  ASSERT_TRUE(positions.loaded({{"base64:L2RhdGEv/w==", "1", "k"}}));
  EXPECT_EQ(positions.all()[0].partition, "/data/\xFF");
  EXPECT_FALSE(positions.loaded({{"a", std::nullopt, "k"}}));
  EXPECT_FALSE(positions.loaded({{"a"}}));
}

}  // namespace
}  // namespace leat::postgres
