#include "connectors/mysql/source_sql.h"

#include <gtest/gtest.h>

namespace leat::mysql {
namespace {

class SourceSqlTest : public testing::Test {
 protected:
  SourceSqlTest() {
    config_.name = {"", "orders"};
    config_.table.page_size = 10;
  }
  std::string page(const table::Page& page) {
    return SourceSql(config_).page(columns_, cursor_, page).value_or("error");
  }

  ReadConfig config_;
  std::vector<ReadColumn> columns_ = {{"id", Kind::kNumber}, {"weight", Kind::kFloat, false, true}};
  std::vector<ReadColumn> cursor_ = {{"day", Kind::kText}, {"id", Kind::kNumber}};
};

TEST_F(SourceSqlTest, a_page_is_of_its_columns_and_behind_them_of_the_cursors) {
  EXPECT_EQ(page({}),
            "SELECT `id`, `weight` + 0e0 AS `weight`, `day`, `id` FROM `orders`"
            " ORDER BY `day`, `id` LIMIT 10");
  cursor_.clear();
  EXPECT_EQ(page({}), "SELECT `id`, `weight` + 0e0 AS `weight` FROM `orders`");
}

TEST_F(SourceSqlTest, a_page_begins_behind_the_last_row_by_what_an_index_can_do) {
  config_.table.where = "id > 0 -- all";
  table::Page next;
  next.pass.after = {"it's", "7"};
  next.last = {"z", "9"};
  EXPECT_EQ(page(next),
            "SELECT `id`, `weight` + 0e0 AS `weight`, `day`, `id` FROM `orders`"
            " WHERE (id > 0 -- all\n)"
            " AND (`day` > 'it''s' OR (`day` = 'it''s' AND `id` > 7))"
            " AND (`day` < 'z' OR (`day` = 'z' AND `id` <= 9))"
            " ORDER BY `day`, `id` LIMIT 10");
}

TEST_F(SourceSqlTest, a_position_that_is_none_is_refused) {
  table::Page next;
  next.pass.after = {"x", "7 OR 1=1"};
  EXPECT_EQ(page(next), "error");
  next.pass.after = {"x"};
  EXPECT_EQ(page(next), "error");
}

TEST_F(SourceSqlTest, a_query_gets_its_parameters) {
  config_.table.query = "SELECT ':after_id' a, t.* FROM t WHERE id > :after_id -- x";
  config_.table.cursor = {"id"};
  cursor_ = {{"id", Kind::kNumber}};
  table::Page next;
  next.pass.after = {"7"};
  EXPECT_EQ(page(next),
            "SELECT `id`, `weight` + 0e0 AS `weight`, `id` FROM (SELECT ':after_id' a, t.* FROM t"
            " WHERE id > 7 -- x\n) AS leat_query WHERE `id` > 7 ORDER BY `id` LIMIT 10");
  EXPECT_NE(SourceSql(config_).describe({}, {}).value_or("").find("id > NULL"), std::string::npos);
}

TEST_F(SourceSqlTest, a_pattern_stands_for_any_text_by_its_percent_sign_alone) {
  const std::string sql = SourceSql::listed("orders_%");
  EXPECT_NE(sql.find("table_name LIKE 'orders\\_%' ESCAPE '\\'"), std::string::npos) << sql;
  EXPECT_NE(SourceSql::listed("plant.orders").find("table_schema = 'plant'"), std::string::npos);
}

}  // namespace
}  // namespace leat::mysql
