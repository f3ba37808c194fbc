// Tables that failed and are tried again (`failover`).
#include "table_group_bench.h"

namespace leat::testing {
namespace {

TEST_F(TableGroupTest, one_that_failed_is_tried_again_while_the_others_go_on) {
  options_.set("failover.attempts", int64_t{3});
  options_.set("failover.interval", int64_t{20'000});
  failures = {{"a", "no such table: a"}};
  start();
  EXPECT_TRUE(wait([this] { return ids_ == Ids{4, 5}; })) << "the others do not wait for it";
  EXPECT_EQ(states(), "aw0 bd0 cd2 ");
  EXPECT_EQ(source_->tasks().shown[0].reason, "no such table: a") << "why it waits";
  EXPECT_FALSE(finished_);
  EXPECT_EQ(open_now, 0) << "it waits without a connection";
  failures.clear();
  most_ = Milliseconds{25'000};
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(ids_, (Ids{4, 5, 1, 2, 3}));
  EXPECT_EQ(states(), "ad3 bd0 cd2 ");
}

TEST_F(TableGroupTest, one_that_fails_each_time_is_given_up_after_so_many_attempts) {
  options_.set("failover.attempts", int64_t{2});
  options_.set("failover.interval", int64_t{1'000});
  failures = {{"a", "no such table: a"}, {"c", "no such table: c"}};
  start();
  EXPECT_TRUE(wait([this] { return finished_.has_value(); }));
  ASSERT_FALSE(*finished_);
  EXPECT_EQ(finished_->error().message(),
            "2 of 3 tables failed: a: no such table: a; c: no such table: c");
  EXPECT_EQ(states(), "af0 bd0 cf0 ");
  EXPECT_EQ(looks, 7) << "three times each, and once where there is nothing";
}

TEST_F(TableGroupTest, it_goes_on_behind_the_last_row_that_it_gave) {
  options_.set("failover.interval", int64_t{1'000});
  failures_in_row = {{"a", 3}};  // the third row cannot be read
  start();
  EXPECT_TRUE(wait([this] { return states() == "aw2 bd0 cd2 "; }));
  for (int seconds = 0; seconds < 3; ++seconds) {
    settle();
    loop_.advance(Milliseconds{1'000});
  }
  EXPECT_EQ(states(), "aw2 bd0 cd2 ") << "not before what it gave is acknowledged";
  deliver();
  failures_in_row.clear();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(ids_, (Ids{1, 2, 4, 5, 3}));
  EXPECT_EQ(bytes_read_, 500U);
  EXPECT_EQ(states(), "ad3 bd0 cd2 ");
  EXPECT_NE(places_.back().find("table a, row (1003)"), std::string::npos) << places_.back();
  deliver();
  EXPECT_NE(journal_["table a"].find("1003"), std::string::npos) << journal_["table a"];
}

TEST_F(TableGroupTest, after_a_kill_it_goes_on_where_it_was_and_counts_anew) {
  options_.set("failover.attempts", int64_t{1});
  options_.set("failover.interval", int64_t{1'000});
  failures_in_row = {{"a", 3}};
  for (int life = 0; life < 3; ++life) {
    start();
    EXPECT_TRUE(wait(
        [this] { return states().starts_with("aw") && states().find("cd") != std::string::npos; }));
    deliver();
    kill();
    open_now = 0;
  }
  EXPECT_EQ(ids_, (Ids{1, 2, 4, 5})) << "what was done is not repeated";
  failures_in_row.clear();
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(ids_, (Ids{1, 2, 4, 5, 3}));
}

TEST_F(TableGroupTest, a_database_that_is_back_is_found_by_one_and_then_read_by_all) {
  options_.set("concurrency", int64_t{2});
  options_.set("failover.interval", int64_t{5'000});
  start();
  EXPECT_TRUE(wait([this] { return states() == "ar0 br0 cw0 "; }));
  away = true;
  most_ = Milliseconds{70'000};
  EXPECT_TRUE(wait([this] { return states() == "aw0 bw0 cw0 "; })) << states();
  looks = 0;
  EXPECT_TRUE(wait([] { return looks > 0; }));
  settle();
  EXPECT_EQ(open_now, 1) << "one finds out";
  away = false;
  EXPECT_TRUE(wait_end());
  std::ranges::sort(ids_);
  EXPECT_EQ(ids_, (Ids{1, 2, 3, 4, 5}));
}

TEST_F(TableGroupTest, may_be_stopped_at_any_moment_with_some_that_wait) {
  options_.set("concurrency", int64_t{2});
  options_.set("failover.interval", int64_t{1});
  failures = {{"b", "no such table: b"}};
  failures_in_row = {{"a", 2}};
  for (int turns = 0; turns < 60; ++turns) {
    start();
    for (int i = 0; i < turns; ++i) {
      uv_run(loop_.uv(), UV_RUN_NOWAIT);
      loop_.advance(Milliseconds{1});
      if (i % 7 == 0) deliver();
    }
    stop();
    EXPECT_EQ(open_now, 0) << turns;
    journal_.clear();
  }
}

TEST_F(TableGroupTest, a_single_table_is_tried_again_too) {
  options_ = Options(table::kOptions, "source");
  options_.set("table", "a");
  options_.set("failover.interval", int64_t{1'000});
  failures = {{"a", "no such table: a"}};
  start();
  EXPECT_TRUE(wait([this] { return states() == "aw0 "; }));
  failures.clear();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(ids_, (Ids{1, 2, 3}));
  stop();
  options_.set("mode", "incremental");
  options_.set("cursor", std::vector<std::string>{"id"});
  EXPECT_NE(error_of_make().find("failover: is for what ends"), std::string::npos);
}

}  // namespace
}  // namespace leat::testing
