// One table in ranges of its key (`split`).
#include "table_group_bench.h"

namespace leat::testing {
namespace {

class TableRanges : public TableGroupTest {
 protected:
  TableRanges() {
    options_ = Options(table::kOptions, "source");
    options_.set("table", "a");
    options_.set("split.tasks", int64_t{3});
    tables = {{"a", {1, 2, 3, 4, 5, 6, 7}}};
  }
};

TEST_F(TableRanges, one_table_is_read_in_ranges_of_its_key) {
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(states(), "a, 1 of 3d3 a, 2 of 3d2 a, 3 of 3d2 ");
  std::ranges::sort(ids_);
  EXPECT_EQ(ids_, (Ids{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(journal_["ranges of table a"], R"({"cursor":["id"],"bounds":[["1003"],["1005"]]})");
  EXPECT_TRUE(on_the_disk_) << "before a row is read";
  deliver();
  EXPECT_EQ(journal_["table a, 2 of 3"],
            R"({"reading":"full","cursor":["id"],"after":["1005"],"upto":["1005"]})");
  stop();
  EXPECT_EQ(open_now, 0);
}

TEST_F(TableRanges, after_kills_they_are_the_same_and_nothing_is_repeated_or_left_out) {
  batch_bytes_ = 1;
  Ids all;
  for (int life = 0; life < 20 && !(finished_ && *finished_); ++life) {
    ids_.clear();
    credit_ = static_cast<size_t>(life);
    start();
    settle();
    deliver();
    all.insert(all.end(), ids_.begin(), ids_.end());
    if (!finished_) kill();
    if (life == 0) tables["a"] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  }
  ASSERT_TRUE(finished_ && *finished_);
  std::ranges::sort(all);
  EXPECT_EQ(all, (Ids{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(divisions, 1);
}

TEST_F(TableRanges, where_there_are_few_rows_there_are_few_ranges) {
  tables = {{"a", {4, 7}}};
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(states(), "a, 1 of 2d1 a, 2 of 2d1 ");
  stop();
  journal_.clear();
  tables = {{"a", {}}};
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(states(), "a, 1 of 1d0 ");
}

TEST_F(TableRanges, a_read_that_began_as_one_goes_on_as_one_and_one_in_ranges_in_them) {
  const Options in_ranges = options_;
  options_ = Options(table::kOptions, "source");
  options_.set("table", "a");
  start();
  EXPECT_TRUE(wait_end());
  deliver();
  stop();
  options_ = in_ranges;
  tables["a"].push_back(8);
  ids_.clear();
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(states(), "ad1 ");
  EXPECT_EQ(ids_, (Ids{8}));
  stop();

  journal_.clear();
  start();
  EXPECT_TRUE(wait_end());
  stop();
  options_ = Options(table::kOptions, "source");
  options_.set("table", "a");
  Result<std::unique_ptr<Source>> made = make();
  ASSERT_TRUE(made);
  adopt(std::move(*made));
  const Status opened = source_->open(*this);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find("was read in ranges"), std::string::npos);
}

TEST_F(TableRanges, without_the_journal_that_knows_them_positions_in_the_sink_mean_nothing) {
  start();
  EXPECT_TRUE(wait_end());
  deliver();
  stop();
  journal_.erase("ranges of table a");
  start();
  EXPECT_TRUE(wait([this] { return finished_.has_value(); }));
  ASSERT_FALSE(*finished_);
  EXPECT_NE(finished_->error().message().find("the journal does not know the ranges"),
            std::string::npos);
}

TEST_F(TableRanges, where_the_database_is_away_it_is_asked_again) {
  away = true;
  start();
  for (int i = 0; i < 20; ++i) {
    settle();
    loop_.advance(Milliseconds{1000});
  }
  EXPECT_GT(looks, 3);
  EXPECT_FALSE(finished_);
  away = false;
  most_ = Milliseconds{40'000};
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(ids_.size(), 7U);
}

TEST_F(TableRanges, may_be_stopped_at_any_moment) {
  for (int turns = 0; turns < 40; ++turns) {
    journal_.clear();
    start();
    for (int i = 0; i < turns; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
    stop();
    EXPECT_EQ(open_now, 0) << turns;
  }
}

TEST_F(TableRanges, are_for_a_full_read_of_one_table) {
  options_.set("cursor", std::vector<std::string>{"id"});
  options_.set("mode", "incremental");
  EXPECT_NE(error_of_make().find("source.split: is for mode full"), std::string::npos);
  options_.set("mode", "full");
  EXPECT_EQ(error_of_make(), "");
  options_.set("split.by", "customer");
  EXPECT_NE(error_of_make().find("split.by: is to be the first column of \"cursor\""),
            std::string::npos);
}

TEST(TablePattern, an_underscore_stands_for_itself) {
  EXPECT_TRUE(table::is_pattern("orders_%"));
  EXPECT_FALSE(table::is_pattern("orders_1"));
  EXPECT_FALSE(table::is_pattern("\"100%\""));
  EXPECT_EQ(table::like_of("a_%\\"), "a\\_%\\\\");
}

}  // namespace
}  // namespace leat::testing
