// Several tables in one source, over databases of the test's own.
#include "table/table_group.h"

#include <algorithm>
#include <map>

#include "support/source_harness.h"
#include "table/table_source.h"

namespace leat::testing {
namespace {

using table::Look;
using table::Page;
using Ids = std::vector<int>;

// By table; read in pages of two.
std::map<std::string, Ids> tables;
std::map<std::string, std::string> failures;  // of a table that cannot be read, for good
int open_now = 0;
int reads = 0;

std::string text_of(int id) {
  return std::to_string(1000 + id);
}

class ListDatabase final : public table::Database {
 public:
  explicit ListDatabase(std::string table) : table_(std::move(table)) {}

  Status open(SourceContext& context) override {
    EXPECT_EQ(++open_now, 1) << "one at a time";
    EXPECT_TRUE(context.passes_rows()) << "as the task says";
    later_.emplace(context.loop());
    return {};
  }
  void look(std::function<void(Result<Look>)> done) override {
    later_->start_next_turn([this, done = std::move(done)] {
      auto call = done;
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
    rows_ = &rows;
    done_ = std::move(done);
    left_ = 2;
    go_on();
  }
  void go_on() override {
    later_->start_next_turn([this] { give(); });
  }
  void close(std::function<void()> closed) override {
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
      if (key <= after_) continue;
      if (left_ == 0) break;
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
  table::Rows* rows_ = nullptr;
  std::function<void(Result<bool>)> done_;
  int left_ = 0;
};

Result<std::unique_ptr<Source>> make_one(const Options& options) {
  Result<table::Settings> settings = table::Settings::from_options(options);
  if (!settings) return fail(settings.error());
  const std::string table = settings->table;
  return std::make_unique<table::TableSource>(std::move(*settings),
                                              std::make_unique<ListDatabase>(table));
}

Result<std::unique_ptr<Source>> make_several(const Options& options) {
  return table::TableGroup::make(options, make_one);
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
    failures.clear();
    open_now = reads = 0;
  }
  void given(BatchRef batch) override {
    for (const Record& record : batch->records)
      ids_.push_back(static_cast<int>(record.value(0).integer));
    places_.push_back(source_->describe(batch->end));
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

TEST_F(TableGroupTest, one_that_cannot_be_read_ends_the_source) {
  failures["b"] = "no such table: b";
  start();
  EXPECT_TRUE(wait([this] { return finished_.has_value(); }));
  ASSERT_FALSE(*finished_);
  EXPECT_EQ(finished_->error().message(), "no such table: b");
  EXPECT_EQ(ids_, (Ids{1, 2, 3}));
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
  EXPECT_NE(error_of_make().find("one after the other"), std::string::npos);
  options_.set("once", true);
  EXPECT_EQ(error_of_make(), "");
}

}  // namespace
}  // namespace leat::testing
