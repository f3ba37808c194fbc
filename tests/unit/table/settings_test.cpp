#include "table/settings.h"

#include <gtest/gtest.h>

namespace leat::table {
namespace {

class SettingsTest : public ::testing::Test {
 protected:
  std::string problem() {
    Result<Settings> made = Settings::from_options(options_);
    return made ? "" : made.error().message();
  }
  void expect(std::string_view text) {
    EXPECT_NE(problem().find(text), std::string::npos) << problem();
  }
  Options options_{kOptions, "source"};
};

TEST_F(SettingsTest, a_table_alone_is_read_in_full) {
  options_.set("table", "orders");
  EXPECT_EQ(problem(), "");
  EXPECT_TRUE(Settings::is_bounded(options_));
}

TEST_F(SettingsTest, one_of_table_and_query_is_needed) {
  expect("must say what to read");
  options_.set("table", "orders");
  options_.set("query", "SELECT 1");
  expect("do not go together");
}

TEST_F(SettingsTest, what_is_new_cannot_be_found_without_a_cursor) {
  options_.set("table", "orders");
  options_.set("mode", "incremental");
  expect("source.cursor: is needed to find what is new");
  options_.set("cursor", std::vector<std::string>{"updated_at", "id"});
  EXPECT_EQ(problem(), "");
  EXPECT_FALSE(Settings::is_bounded(options_));
  options_.set("once", true);
  EXPECT_TRUE(Settings::is_bounded(options_));
}

TEST_F(SettingsTest, rows_are_not_read_downwards) {
  options_.set("table", "orders");
  options_.set("cursor", std::vector<std::string>{"id DESC"});
  expect("source.cursor[0]: is the name of a column: rows are always read upwards");
}

TEST_F(SettingsTest, a_query_must_say_how_it_is_gone_on_with) {
  options_.set("mode", "incremental");
  options_.set("cursor", std::vector<std::string>{"t", "id"});
  options_.set("query", "SELECT * FROM x WHERE t > :after_t");
  expect("it needs ORDER BY t, id");
  expect("lacks the parameter :after_id");
  expect("it needs a value for each cursor column (t, id)");
  options_.set("query", "SELECT * FROM x WHERE (t, id) > (:after_t, :after_id) ORDER BY t, id");
  options_.set("from", std::vector<std::string>{"2026-01-01", "0"});
  EXPECT_EQ(problem(), "");
  options_.set("query", "SELECT * FROM x ORDER BY :after_t, :after_id OFFSET 3; SELECT 1");
  expect("OFFSET");
  expect("without a semicolon");
}

TEST_F(SettingsTest, now_is_where_it_begins_by_default) {
  options_.set("table", "orders");
  options_.set("mode", "incremental");
  options_.set("cursor", std::vector<std::string>{"id"});
  options_.set("from", std::vector<std::string>{"now"});
  Result<Settings> made = Settings::from_options(options_);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->from.empty());
  options_.set("mode", "full");
  expect("source.from: is for mode incremental");
}

}  // namespace
}  // namespace leat::table
