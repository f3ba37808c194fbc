// Several tables in one source.
#include "table_group_bench.h"

namespace leat::testing {
namespace {

TEST_F(TableGroupTest, reads_one_after_the_other_and_ends) {
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(ids_, (Ids{1, 2, 3, 4, 5}));
  EXPECT_NE(places_.front().find("table a"), std::string::npos) << places_.front();
  EXPECT_NE(places_.back().find("table c"), std::string::npos) << places_.back();
  EXPECT_EQ(bytes_read_, 500U) << "of all of them";
  EXPECT_EQ(most_open, 1);
  EXPECT_EQ(states(), "ad3 bd0 cd2 ");
  deliver();
  EXPECT_EQ(journal_.size(), 2U) << "each has a position of its own, where there was a row";
  stop();
  EXPECT_EQ(open_now, 0);
}

TEST_F(TableGroupTest, goes_on_in_the_table_where_it_was_and_repeats_nothing) {
  batch_bytes_ = 1;  // a batch for each row
  start();
  give_credit(5);  // one of them is for a table in which there is nothing
  EXPECT_TRUE(wait([this] { return ids_.size() == 4; }));
  deliver();
  kill();
  open_now = 0;
  ids_.clear();
  credit_ = SIZE_MAX;
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(ids_, (Ids{5}));
}

TEST_F(TableGroupTest, waits_for_credit_wherever_it_is) {
  batch_bytes_ = 1;
  start();
  for (int i = 0; i < 10 && !finished_; ++i) {
    give_credit(1);
    settle();
  }
  ASSERT_TRUE(finished_ && *finished_);
  EXPECT_EQ(ids_, (Ids{1, 2, 3, 4, 5}));
}

TEST_F(TableGroupTest, may_be_stopped_at_any_moment) {
  for (int turns = 0; turns < 30; ++turns) {
    start();
    for (int i = 0; i < turns; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
    stop();
    EXPECT_EQ(open_now, 0) << turns;
  }
}

TEST_F(TableGroupTest, what_was_read_can_be_acknowledged_when_its_table_is_closed) {
  start();
  EXPECT_TRUE(wait_end());
  bool closed = false;
  source_->stop([&closed] { closed = true; });
  EXPECT_TRUE(wait([&closed] { return closed; }));
  deliver();
  EXPECT_EQ(journal_.count("table a"), 1U);
  EXPECT_EQ(journal_.count("table c"), 1U);
}

TEST_F(TableGroupTest, one_that_cannot_be_read_does_not_keep_the_others_from_it) {
  failures = {{"a", "no such table: a"}};
  start();
  EXPECT_TRUE(wait([this] { return finished_.has_value(); }));
  ASSERT_FALSE(*finished_);
  EXPECT_EQ(finished_->error().message(), "1 of 3 tables failed: a: no such table: a");
  EXPECT_EQ(finished_->error().kind(), ErrorKind::kUsage);
  EXPECT_EQ(ids_, (Ids{4, 5}));
  EXPECT_EQ(states(), "af0 bd0 cd2 ");
  EXPECT_EQ(source_->tasks().shown[0].reason, "no such table: a");
}

TEST_F(TableGroupTest, where_the_database_is_away_none_is_begun) {
  away = true;
  start();
  most_ = Milliseconds{70'000};
  EXPECT_TRUE(wait([this] { return finished_.has_value(); }));
  ASSERT_FALSE(*finished_);
  EXPECT_EQ(finished_->error().message(), "the tables a, …: nobody answers; given up after 1m 0s");
  EXPECT_EQ(finished_->error().kind(), ErrorKind::kUnavailable);
}

TEST_F(TableGroupTest, where_the_database_goes_away_no_other_is_begun) {
  start();
  EXPECT_TRUE(wait([this] { return states() == "ar0 bw0 cw0 "; }));
  away = true;
  most_ = Milliseconds{70'000};
  EXPECT_TRUE(wait([this] { return finished_.has_value(); }));
  ASSERT_FALSE(*finished_);
  EXPECT_EQ(finished_->error().message(),
            "1 of 3 tables failed, and 2 tables not begun, since the database is away: a: table a: "
            "nobody answers; given up after 1m 0s");
  EXPECT_EQ(finished_->error().kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(states(), "af0 bw0 cw0 ");
}

TEST_F(TableGroupTest, several_are_read_at_once_and_no_more) {
  options_.set("concurrency", int64_t{2});
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(most_open, 2);
  std::ranges::sort(ids_);
  EXPECT_EQ(ids_, (Ids{1, 2, 3, 4, 5}));
  deliver();
  EXPECT_EQ(journal_.size(), 2U);
  stop();
  EXPECT_EQ(open_now, 0);
}

TEST_F(TableGroupTest, where_memory_is_short_one_is_read_at_a_time) {
  options_.set("concurrency", int64_t{3});
  Charge others(budget_, budget_.limit() / 2 + 1);
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(most_open, 1);
}

TEST_F(TableGroupTest, several_at_once_share_what_credit_there_is) {
  options_.set("concurrency", int64_t{3});
  batch_bytes_ = 1;
  credit_ = 0;
  start();
  for (int i = 0; i < 20 && !finished_; ++i) {
    settle();
    give_credit(1);
    settle();
  }
  ASSERT_TRUE(finished_ && *finished_);
  std::ranges::sort(ids_);
  EXPECT_EQ(ids_, (Ids{1, 2, 3, 4, 5}));
}

TEST_F(TableGroupTest, after_kills_with_several_open_nothing_is_repeated_or_left_out) {
  options_.set("concurrency", int64_t{3});
  tables = {{"a", {1, 2, 3, 4, 5, 6}}, {"b", {11, 12, 13}}, {"c", {21, 22, 23, 24}}};
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
  }
  ASSERT_TRUE(finished_ && *finished_);
  std::ranges::sort(all);
  EXPECT_EQ(all, (Ids{1, 2, 3, 4, 5, 6, 11, 12, 13, 21, 22, 23, 24}));
}

TEST_F(TableGroupTest, what_a_pattern_means_is_asked_when_it_begins_and_each_is_read_once) {
  options_.set("tables", std::vector<std::string>{"a", "%_x", "c%"});
  tables = {{"a", {1}}, {"b_x", {2}}, {"c", {3}}, {"c_x", {4}}};
  meant = {{"%_x", {"b_x", "c_x"}}, {"c%", {"c", "c_x"}}};
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(ids_, (Ids{1, 2, 4, 3}));
  stop();
  EXPECT_EQ(open_now, 0);
  meant["%_x"].clear();
  start();
  EXPECT_TRUE(wait([this] { return finished_.has_value(); }));
  ASSERT_FALSE(*finished_);
  EXPECT_EQ(finished_->error().message(), "there is no table of the name %_x");
}

TEST_F(TableGroupTest, a_table_with_several_names_is_read_once) {
  options_.set("tables", std::vector<std::string>{"a", "main.a", "main.%", "nowhere"});
  aliases = {{"main.a", "a"}, {"main.c", "c"}};
  meant = {{"main.%", {"main.a", "main.c"}}};
  tables["main.c"] = tables["c"];
  start();
  EXPECT_TRUE(wait([this] { return finished_.has_value(); }));
  EXPECT_EQ(ids_, (Ids{1, 2, 3, 4, 5}));
  EXPECT_EQ(states(), "ad3 main.cd2 nowhered0 ");
}

TEST_F(TableGroupTest, a_table_goes_on_under_the_name_that_has_a_position) {
  options_.set("tables", std::vector<std::string>{"main.a"});
  tables["main.a"] = tables["a"];
  start();
  EXPECT_TRUE(wait_end());
  deliver();
  stop();
  ids_.clear();
  options_.set("tables", std::vector<std::string>{"a", "main.a"});
  aliases = {{"main.a", "a"}};
  tables["a"].push_back(9);
  tables["main.a"].push_back(9);
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(ids_, (Ids{9})) << "and nothing anew";
}

TEST(TableNames, what_is_read_with_another_is_not_read_by_itself) {
  const std::vector<table::Listed> listed = {
      {0, "orders", "1"}, {1, "orders_1", "2", true}, {1, "orders_2", "3", true}};
  EXPECT_EQ(table::each_once({"orders", "orders_%"}, listed, {}),
            (std::vector<std::string>{"orders"}));
}

TEST_F(TableGroupTest, may_be_stopped_at_any_moment_with_patterns_and_several_open) {
  options_.set("concurrency", int64_t{3});
  options_.set("tables", std::vector<std::string>{"%", "a"});
  meant = {{"%", {"b", "c"}}};
  failures = {{"b", "no such table: b"}};
  for (int turns = 0; turns < 40; ++turns) {
    start();
    for (int i = 0; i < turns; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
    stop();
    EXPECT_EQ(open_now, 0) << turns;
  }
}

TEST_F(TableGroupTest, what_does_not_go_together_is_refused) {
  options_.set("table", "x");
  EXPECT_NE(error_of_make().find("\"tables\" do not go together"), std::string::npos);
  options_ = Options(table::kOptions, "source");
  options_.set("tables", std::vector<std::string>{"a", "a"});
  EXPECT_NE(error_of_make().find("named twice"), std::string::npos);
  options_ = Options(table::kOptions, "source");
  options_.set("tables", std::vector<std::string>{"a"});
  options_.set("mode", "incremental");
  options_.set("cursor", std::vector<std::string>{"id"});
  EXPECT_NE(error_of_make().find("the tasks of a job"), std::string::npos);
  options_.set("once", true);
  EXPECT_EQ(error_of_make(), "");
  options_ = Options(table::kOptions, "source");
  options_.set("table", "a");
  options_.set("concurrency", int64_t{2});
  EXPECT_NE(error_of_make().find("is for \"tables\""), std::string::npos);
}

}  // namespace
}  // namespace leat::testing
