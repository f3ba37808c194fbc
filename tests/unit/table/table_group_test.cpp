// Several tables in one source, over databases of the test's own.
#include "table/table_group.h"

#include <algorithm>
#include <map>

#include "support/source_harness.h"
#include "table/table_list.h"
#include "table/table_source.h"

namespace leat::testing {
namespace {

using table::Look;
using table::Page;
using Ids = std::vector<int>;

// By table; read in pages of two.
std::map<std::string, Ids> tables;
std::map<std::string, std::string> failures;            // of a table that cannot be read, for good
std::map<std::string, int> failures_in_row;             // of a table: this one cannot be read
std::map<std::string, std::vector<std::string>> meant;  // by patterns
std::map<std::string, std::string> aliases;             // other names of tables
bool away = false;                                      // the database
int open_now = 0;
int most_open = 0;
int looks = 0;
int reads = 0;
int divisions = 0;

std::string text_of(int id) {
  return std::to_string(1000 + id);
}

class ListDatabase final : public table::Database {
 public:
  explicit ListDatabase(std::string table) : table_(std::move(table)) {}

  Status open(SourceContext& context) override {
    most_open = std::max(most_open, ++open_now);
    EXPECT_TRUE(context.passes_rows()) << "as the task says";
    return open(context.loop(), context.pipeline());
  }
  Status open(Loop& loop, const std::string& /*pipeline*/) override {
    later_.emplace(loop);
    return {};
  }
  void look(std::function<void(Result<Look>)> done) override {
    later_->start_next_turn([this, done = std::move(done)] {
      auto call = done;
      ++looks;
      if (away) return call(fail(ErrorKind::kUnavailable, "nobody answers"));
      if (auto failure = failures.find(table_); failure != failures.end())
        return call(fail(ErrorKind::kUsage, failure->second));
      Look look;
      look.cursor = {"id"};
      call(std::move(look));
    });
  }
  void read(Page page, table::Rows& rows, std::function<void(Result<bool>)> done) override {
    ++reads;
    after_ = page.pass.after.empty() ? "" : page.pass.after[0];
    last_ = page.last.empty() ? "9999" : page.last[0];
    rows_ = &rows;
    done_ = std::move(done);
    left_ = 2;
    go_on();
  }
  void go_on() override {
    later_->start_next_turn([this] { give(); });
  }
  void list(const std::vector<std::string>& names,
            std::function<void(table::Tables)> done) override {
    later_->start_next_turn([names, done = std::move(done)] {
      auto call = done;
      if (away) return call(fail(ErrorKind::kUnavailable, "nobody answers"));
      std::vector<table::Listed> listed;
      for (size_t i = 0; i < names.size(); ++i)
        for (const std::string& name :
             table::is_pattern(names[i]) ? meant[names[i]] : std::vector{names[i]})
          if (const auto other = aliases.find(name); other != aliases.end())
            listed.push_back({i, name, other->second});
          else if (tables.contains(name))
            listed.push_back({i, name, name});
      call(std::move(listed));
    });
  }
  void divide(const std::vector<std::string>& /*cursor*/, size_t parts,
              std::function<void(Result<std::vector<table::Key>>)> done) override {
    later_->start_next_turn([this, parts, done = std::move(done)] {
      ++divisions;
      const Ids& rows = tables[table_];
      std::vector<table::Key> bounds;
      for (size_t i = 0; i + 1 < rows.size(); ++i)
        if ((i + 1) * parts / rows.size() > i * parts / rows.size())
          bounds.push_back({text_of(rows[i])});
      auto call = done;
      call(std::move(bounds));
    });
  }
  void close(std::function<void()> closed) override {
    if (!later_) return closed();
    later_->start_next_turn([closed = std::move(closed)] {
      --open_now;
      auto call = closed;
      call();
    });
  }

 private:
  void give() {
    for (int id : tables[table_]) {
      const std::string key = text_of(id);
      if (key <= after_ || key > last_) continue;
      if (left_ == 0) break;
      if (const auto bad = failures_in_row.find(table_);
          bad != failures_in_row.end() && bad->second == id) {
        auto done = std::move(done_);
        return done(fail(ErrorKind::kFatal, "row " + key + " is damaged"));
      }
      Batch* batch = rows_->room();
      if (batch == nullptr) return;
      auto* values = batch->arena.array<Value>(1);
      values[0] = Value::of_integer(id);
      const std::string_view keys[] = {key};
      rows_->add(shape_, values, 100, keys);
      after_ = key;
      --left_;
    }
    auto done = std::move(done_);
    done(left_ > 0);
  }

  const std::string table_;
  const ShapeRef shape_ = std::make_shared<const Shape>(std::vector<std::string_view>{"id"});
  std::optional<Timer> later_;
  std::string after_;
  std::string last_;
  table::Rows* rows_ = nullptr;
  std::function<void(Result<bool>)> done_;
  int left_ = 0;
};

Result<std::unique_ptr<table::Database>> make_database(const Options& options) {
  Result<table::Settings> settings = table::Settings::from_options(options);
  if (!settings) return fail(settings.error());
  return std::make_unique<ListDatabase>(settings->table);
}

Result<std::unique_ptr<Source>> make_several(const Options& options) {
  return table::TableGroup::make(options, make_database);
}

const SourceType kType{.name = "lists",
                       .help = "",
                       .produces = Produces::kRecords,
                       .replay = replays<Replay::kFromPosition>,
                       .options = table::kOptions,
                       .bounded = table::Settings::is_bounded,
                       .make = make_several};

class TableGroupTest : public SourceHarness {
 public:
  bool passes_rows() override { return true; }

 protected:
  TableGroupTest() : SourceHarness(kType) {
    options_.set("tables", std::vector<std::string>{"a", "b", "c"});
    tables = {{"a", {1, 2, 3}}, {"b", {}}, {"c", {4, 5}}};
    options_.set("concurrency", int64_t{1});
    failures.clear();
    failures_in_row.clear();
    meant.clear();
    aliases.clear();
    away = false;
    open_now = most_open = looks = reads = divisions = 0;
  }
  void given(BatchRef batch) override {
    for (const Record& record : batch->records)
      ids_.push_back(static_cast<int>(record.value(0).integer));
    places_.push_back(source_->describe(batch->end));
  }
  std::string states() {
    std::string out;
    for (const SourceTask& task : source_->tasks().shown)
      out +=
          task.name + "wrdf"[static_cast<size_t>(task.state)] + std::to_string(task.records) + ' ';
    return out;
  }
  std::string error_of_make() {
    Result<std::unique_ptr<Source>> made = make();
    return made ? "" : made.error().message();
  }

  Ids ids_;
  std::vector<std::string> places_;
};

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

// --- failover ---

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
