// TableSource over a database of the test's own, which has transactions.
#include "table/table_source.h"

#include <algorithm>
#include <set>

#include "support/source_harness.h"

namespace leat::testing {
namespace {

using table::Look;
using table::Page;
using table::TableSource;

struct Row {
  int id = 0;
  uint64_t transaction = 0;
};

// Its rows are ordered by id, which pads with zeros so that texts compare as numbers do.
struct World {
  std::vector<Row> rows;
  std::set<uint64_t> open;  // transactions
  uint64_t next = 10;       // transaction
  bool numbered = true;
  bool keyed = true;
  std::string system = "one";
  std::vector<std::string> failures;  // one for each read that fails, after two rows
  bool fatal = false;
  bool away = false;
  std::set<int> too_long;
  std::function<void()> after_look;
  int looks = 0;
  int reads = 0;

  uint64_t begin() {
    open.insert(next);
    return next++;
  }
  void commit(uint64_t transaction) { open.erase(transaction); }
  void insert(int id) { insert(id, next++); }
  void insert(int id, uint64_t transaction) {
    std::erase_if(rows, [id](const Row& row) { return row.id == id; });
    rows.push_back({id, transaction});
  }
  uint64_t oldest() const { return open.empty() ? next : *open.begin(); }
};

std::string text_of(int id) {
  std::string digits = std::to_string(id);
  return std::string(6 - digits.size(), '0') + digits;
}

class WorldDatabase final : public table::Database {
 public:
  explicit WorldDatabase(World& world)
      : world_(world), shape_(std::make_shared<const Shape>(std::vector<std::string_view>{"id"})) {}

  Status open(SourceContext& context) override { return open(context.loop(), context.pipeline()); }
  Status open(Loop& loop, const std::string& /*pipeline*/) override {
    later_.emplace(loop);
    return {};
  }
  std::string found() const override { return {}; }
  void look(std::function<void(Result<Look>)> done) override {
    ++world_.looks;
    later_->start_next_turn([this, done = std::move(done)] {
      Look look;
      if (world_.keyed) look.cursor = {"id"};
      look.numbered = world_.numbered;
      look.oldest = world_.oldest();
      look.next = world_.next;
      look.now = "at " + std::to_string(world_.next);
      look.system = world_.system;
      look.settle = !world_.numbered;
      if (!world_.numbered && !world_.rows.empty())
        look.last = {text_of(std::ranges::max(world_.rows, {}, &Row::id).id)};
      if (auto after = std::exchange(world_.after_look, nullptr)) after();
      auto call = done;
      if (world_.away) return call(fail(ErrorKind::kUnavailable, "nobody answers"));
      call(std::move(look));
    });
  }
  void read(Page page, table::Rows& rows, std::function<void(Result<bool>)> done) override {
    ++world_.reads;
    page_ = std::move(page);
    rows_ = &rows;
    done_ = std::move(done);
    found_.clear();
    const table::TablePosition& pass = page_.pass;
    for (const Row& row : world_.rows) {
      if (world_.open.contains(row.transaction)) continue;
      if (pass.high != 0 && pass.full && row.transaction >= pass.high) continue;
      if (pass.high != 0 && !pass.full &&
          (row.transaction < pass.low || row.transaction >= pass.high))
        continue;
      const std::string key = text_of(row.id);
      if (!pass.after.empty() && key <= pass.after[0]) continue;
      if (!page_.last.empty() && key > page_.last[0]) continue;
      found_.push_back(row.id);
    }
    std::ranges::sort(found_);
    last_ = !world_.keyed || found_.size() < kPage;
    if (world_.keyed && found_.size() > kPage) found_.resize(kPage);
    given_ = 0;
    later_->start_next_turn([this] { give(); });
  }
  void go_on() override {
    later_->start_next_turn([this] { give(); });
  }
  void list(const std::vector<std::string>& /*names*/,
            std::function<void(table::Tables)> done) override {
    done({});
  }
  void divide(const std::vector<std::string>& /*cursor*/, size_t /*parts*/,
              std::function<void(Result<std::vector<table::Key>>)> done) override {
    done({});
  }
  void close(std::function<void()> closed) override { later_->start_next_turn(std::move(closed)); }

 private:
  static constexpr size_t kPage = 3;

  void give() {
    for (; given_ < found_.size(); ++given_) {
      if (given_ == 2 && !world_.failures.empty()) {
        const std::string why = world_.failures.back();
        world_.failures.pop_back();
        auto done = std::move(done_);
        return done(fail(world_.fatal ? ErrorKind::kUsage : ErrorKind::kUnavailable, why));
      }
      Batch* batch = rows_->room();
      if (batch == nullptr) return;
      auto* values = batch->arena.array<Value>(1);
      values[0] = Value::of_integer(found_[given_]);
      const std::string key = text_of(found_[given_]);
      const std::string_view keys[] = {key};
      const auto of_cursor = world_.keyed ? std::span<const std::string_view>(keys)
                                          : std::span<const std::string_view>();
      if (!world_.too_long.contains(found_[given_]))
        rows_->add(shape_, values, 100, of_cursor);
      else if (!rows_->too_long(of_cursor, 20 << 20))
        return;
    }
    auto done = std::move(done_);
    done(last_);
  }

  World& world_;
  const ShapeRef shape_;
  std::optional<Timer> later_;
  Page page_;
  table::Rows* rows_ = nullptr;
  std::function<void(Result<bool>)> done_;
  std::vector<int> found_;
  size_t given_ = 0;
  bool last_ = false;
};

const SourceType kType{.name = "world",
                       .help = "",
                       .produces = Produces::kRecords,
                       .replay = replays<Replay::kFromPosition>,
                       .options = table::kOptions,
                       .bounded = table::Settings::is_bounded,
                       .make = nullptr};

class TableSourceTest : public SourceHarness {
 protected:
  TableSourceTest() : SourceHarness(kType) {
    options_.set("table", "t");
    options_.set("cursor", std::vector<std::string>{"id"});
    options_.set("mode", "fullAndContinuous");
    options_.set("every", int64_t{1000});
  }
  Result<std::unique_ptr<Source>> make() override {
    Result<table::Settings> settings = table::Settings::from_options(options_);
    if (!settings) return fail(settings.error());
    return std::make_unique<TableSource>(std::move(*settings),
                                         std::make_unique<WorldDatabase>(world_));
  }
  void given(BatchRef batch) override {
    for (const Record& record : batch->records) {
      ids_.push_back(static_cast<int>(record.value(0).integer));
      std::string text;
      for (size_t i = 0; i < record.shape->size(); ++i) {
        text += std::string(text.empty() ? "" : " ") + std::string(record.shape->name(i)) + "=";
        append_text(text, record.value(i));
      }
      records_.push_back(text);
    }
    for (const Rejected& one : batch->rejected)
      rejected_.push_back(std::string(one.bytes) + ": " + std::string(one.why));
  }
  void wait_for(size_t rows) {
    EXPECT_TRUE(wait([this, rows] { return ids_.size() >= rows; })) << ids_.size();
  }
  void pass(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      settle();
      loop_.advance(Milliseconds{1000});
    }
    settle();
  }
  void passes(int count) {
    const int before = world_.looks;
    EXPECT_TRUE(wait([this, before, count] { return world_.looks >= before + count; }));
    settle();
  }

  World world_;
  std::vector<int> ids_;
  std::vector<std::string> records_;
  std::vector<std::string> rejected_;
};

using Ids = std::vector<int>;

TEST_F(TableSourceTest, a_full_read_ends_and_gives_every_row_once) {
  options_.set("mode", "full");
  world_.numbered = false;
  for (int id = 1; id <= 9; ++id) world_.insert(id);
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(ids_, (Ids{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_F(TableSourceTest, each_record_says_which_table_it_is_of_where_that_is_asked_for) {
  options_.set("mode", "full");
  options_.set("tableField", "from");
  world_.numbered = false;
  for (int id = 1; id <= 4; ++id) world_.insert(id);
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(records_,
            (std::vector<std::string>{"id=1 from=t", "id=2 from=t", "id=3 from=t", "id=4 from=t"}));
}

TEST_F(TableSourceTest, the_name_takes_the_place_of_a_column_of_that_name) {
  options_.set("mode", "full");
  options_.set("tableField", "id");
  world_.numbered = false;
  world_.insert(1);
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(records_, (std::vector<std::string>{"id=t"}));
}

TEST_F(TableSourceTest, what_is_new_is_read_once_and_only_when_it_is_finished) {
  world_.insert(1);
  const uint64_t late = world_.begin();
  world_.insert(2, late);
  world_.insert(3);
  start();
  wait_for(1);
  passes(2);
  EXPECT_EQ(ids_, (Ids{1})) << "3 was written later than what is still open";
  world_.insert(4);
  passes(2);
  world_.commit(late);
  wait_for(4);
  passes(3);
  EXPECT_EQ(ids_, (Ids{1, 2, 3, 4}));
  world_.insert(1);
  wait_for(5);
  EXPECT_EQ(ids_.back(), 1) << "it was changed";
}

TEST_F(TableSourceTest, rows_that_become_visible_while_the_full_read_goes_on_come_once) {
  for (int id = 10; id < 40; ++id) world_.insert(id);
  batch_bytes_ = 1;  // a batch for each row
  start();
  give_credit(5);
  wait_for(4);
  world_.insert(5);   // behind it
  world_.insert(50);  // before it
  world_.insert(30);  // changed while it was not read yet
  give_credit();
  wait_for(32);
  passes(3);
  std::ranges::sort(ids_);
  Ids all;
  for (int id = 10; id < 40; ++id) all.push_back(id);
  all.insert(all.begin(), 5);
  all.push_back(50);
  EXPECT_EQ(ids_, all);
}

TEST_F(TableSourceTest, after_a_kill_it_goes_on_behind_what_was_delivered) {
  for (int id = 1; id <= 8; ++id) world_.insert(id);
  batch_bytes_ = 1;
  start();
  give_credit(4);
  wait_for(4);
  settle();
  deliver();
  give_credit(2);
  wait_for(6);
  settle();
  EXPECT_EQ(ids_, (Ids{1, 2, 3, 4, 5, 6}));
  kill();
  ids_.clear();
  world_.insert(2);
  start();
  give_credit();
  wait_for(5);
  passes(2);
  EXPECT_EQ(ids_, (Ids{5, 6, 7, 8, 2}));
}

TEST_F(TableSourceTest, a_kill_in_the_middle_of_a_later_pass_loses_nothing) {
  world_.insert(1);
  batch_bytes_ = 1;
  start();
  wait_for(1);
  deliver();
  credit_ = 3;
  for (int id = 2; id <= 6; ++id) world_.insert(id);
  wait_for(3);
  deliver();
  kill();
  ids_.clear();
  world_.insert(3);
  world_.insert(7);
  start();
  give_credit();
  passes(3);
  std::ranges::sort(ids_);
  EXPECT_EQ(ids_, (Ids{3, 4, 5, 6, 7}));
}

TEST_F(TableSourceTest, now_is_remembered_before_a_row_comes) {
  options_.set("mode", "incremental");
  world_.insert(1);
  start();
  passes(1);
  EXPECT_EQ(journal_.size(), 1U);
  EXPECT_TRUE(on_the_disk_);
  kill();
  world_.insert(2);
  start();
  wait_for(1);
  EXPECT_EQ(ids_, (Ids{2}));
}

TEST_F(TableSourceTest, once_ends_when_what_was_there_is_read) {
  options_.set("once", true);
  world_.insert(1);
  start();
  EXPECT_TRUE(wait_end());
  deliver();
  world_.insert(2);
  stop();
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(ids_, (Ids{1, 2}));
}

TEST_F(TableSourceTest, once_from_now_on_ends_at_once_and_the_next_run_has_what_came_since) {
  options_.set("once", true);
  options_.set("mode", "incremental");
  world_.insert(1);
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(world_.looks, 1);
  world_.insert(2);
  stop();
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(ids_, (Ids{2}));
}

TEST_F(TableSourceTest, once_says_what_an_open_transaction_leaves_to_the_next_run) {
  options_.set("once", true);
  world_.insert(1);
  const uint64_t open = world_.begin();
  world_.insert(2);
  for (Ids given : {Ids{1}, Ids{1}, Ids{1, 2}}) {
    if (given.size() == 2) world_.commit(open);
    ::testing::internal::CaptureStderr();
    start();
    EXPECT_TRUE(wait_end());
    deliver();
    stop();
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(said.find("is left to the next run") == std::string::npos, given.size() == 2) << said;
    EXPECT_EQ(ids_, given);
  }
}

TEST_F(TableSourceTest, without_numbers_it_waits_until_older_rows_can_no_longer_come) {
  world_.numbered = false;
  world_.insert(1);
  world_.insert(5);
  start();
  settle();
  EXPECT_TRUE(ids_.empty());
  world_.insert(3);
  world_.insert(7);
  loop_.advance(Milliseconds{10'000});
  wait_for(3);
  EXPECT_EQ(ids_, (Ids{1, 3, 5}));
}

TEST_F(TableSourceTest, without_numbers_a_look_that_finds_no_row_reads_none) {
  world_.numbered = false;
  uint64_t late = 0;
  world_.after_look = [this, &late] {
    late = world_.begin();
    world_.insert(3, late);
    world_.insert(7);
  };
  start();
  settle();
  EXPECT_TRUE(ids_.empty()) << "what comes before them is not committed yet";
  passes(1);
  world_.commit(late);
  wait_for(2);
  EXPECT_EQ(ids_, (Ids{3, 7}));
}

TEST_F(TableSourceTest, without_a_key_what_waits_is_not_given_twice_when_a_read_fails) {
  options_.set("mode", "full");
  world_.keyed = world_.numbered = false;
  options_.set("cursor", std::vector<std::string>{});
  for (int id = 1; id <= 5; ++id) world_.insert(id);
  world_.failures = {"gone"};
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(ids_, (Ids{1, 2, 3, 4, 5}));
}

TEST_F(TableSourceTest, a_row_that_is_too_long_is_a_dead_letter_and_is_not_read_again) {
  for (int id = 1; id <= 5; ++id) world_.insert(id);
  world_.too_long = {2, 5};
  batch_bytes_ = 1;
  start();
  give_credit(2);
  EXPECT_TRUE(wait([this] { return rejected_.size() == 1; }));
  settle();
  deliver();
  EXPECT_EQ(rejected_,
            std::vector<std::string>{"(id) = (" + text_of(2) +
                                     "): the row is longer than maxRecord (16.0 MiB): 20.0 MiB"});
  kill();
  start();
  give_credit();
  wait_for(3);
  passes(2);
  EXPECT_EQ(ids_, (Ids{1, 3, 4}));
  EXPECT_EQ(rejected_.size(), 2U);
}

TEST_F(TableSourceTest, without_a_key_it_is_named_by_its_number) {
  options_.set("mode", "full");
  world_.keyed = world_.numbered = false;
  options_.set("cursor", std::vector<std::string>{});
  for (int id = 1; id <= 3; ++id) world_.insert(id);
  world_.too_long = {3};
  start();
  EXPECT_TRUE(wait_end());
  ASSERT_EQ(rejected_.size(), 1U);
  EXPECT_TRUE(rejected_[0].starts_with("row 3: ")) << rejected_[0];
}

TEST_F(TableSourceTest, without_a_key_it_is_saved_only_that_all_was_read) {
  options_.set("mode", "full");
  world_.keyed = world_.numbered = false;
  options_.set("cursor", std::vector<std::string>{});
  for (int id = 1; id <= 5; ++id) world_.insert(id);
  batch_bytes_ = 250;
  start();
  EXPECT_TRUE(wait_end());
  ASSERT_GT(owed_.size(), 1U);
  EXPECT_EQ(source_->saved_position(owed_.front()).partition, "");
  deliver();
  EXPECT_EQ(journal_.size(), 1U);
  stop();
  start();
  EXPECT_TRUE(wait_end());
  EXPECT_EQ(ids_, (Ids{1, 2, 3, 4, 5}));
}

TEST_F(TableSourceTest, without_a_key_exactly_once_is_refused) {
  options_.set("mode", "full");
  world_.keyed = world_.numbered = false;
  exactly_once_ = true;
  start();
  EXPECT_TRUE(wait([this] { return finished_.has_value(); }));
  EXPECT_NE(finished_->error().message().find("has no key"), std::string::npos);
}

TEST_F(TableSourceTest, a_read_that_fails_goes_on_behind_the_last_row) {
  for (int id = 1; id <= 9; ++id) world_.insert(id);
  world_.failures = {"gone", "gone"};
  start();
  wait_for(9);
  EXPECT_EQ(ids_, (Ids{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_F(TableSourceTest, what_a_person_must_mend_ends_it) {
  options_.set("mode", "full");
  world_.numbered = false;
  for (int id = 1; id <= 9; ++id) world_.insert(id);
  world_.failures = {"no such column"};
  world_.fatal = true;
  start();
  EXPECT_TRUE(wait([this] { return finished_.has_value(); }));
  EXPECT_EQ(finished_->error().message(), "no such column");
  EXPECT_EQ(ids_, (Ids{1, 2})) << "what it had is not lost";
}

TEST_F(TableSourceTest, a_run_that_ends_gives_up_what_cannot_be_reached) {
  for (const bool bounded : {true, false}) {
    stop();
    options_.set("mode", bounded ? "full" : "fullAndContinuous");
    world_.away = true;
    world_.looks = 0;
    start();
    pass(59);
    EXPECT_FALSE(finished_);
    EXPECT_GE(world_.looks, 4);
    pass(2);
    ASSERT_EQ(finished_.has_value(), bounded);
    if (!bounded) continue;
    EXPECT_EQ(finished_->error().kind(), ErrorKind::kUnavailable) << "another run may do better";
    EXPECT_EQ(finished_->error().message(), "table t: nobody answers; given up after 1m 0s");
  }
}

TEST_F(TableSourceTest, of_another_database_the_numbers_mean_nothing) {
  world_.insert(1);
  start();
  wait_for(1);
  deliver();
  kill();
  world_ = World{};
  world_.system = "two";
  world_.next = 100;
  world_.insert(2);
  ids_.clear();
  start();
  wait_for(1);
  deliver();
  kill();
  world_ = World{};  // a copy from before
  world_.system = "two";
  world_.insert(3);
  start();
  wait_for(2);
  EXPECT_EQ(ids_, (Ids{2, 3}));
}

TEST_F(TableSourceTest, another_cursor_than_the_saved_ones_is_refused) {
  options_.set("mode", "full");
  world_.numbered = false;
  world_.insert(1);
  start();
  EXPECT_TRUE(wait_end());
  deliver();
  stop();
  journal_["table t"] = R"({"reading":"full","cursor":["other"],"after":["1"]})";
  start();
  EXPECT_TRUE(wait([this] { return finished_.has_value(); }));
  EXPECT_NE(finished_->error().message().find("the saved position is of the cursor (other)"),
            std::string::npos);
}

TEST_F(TableSourceTest, a_pass_that_finds_nothing_is_one_look) {
  world_.insert(1);
  start();
  wait_for(1);
  passes(1);
  const int reads = world_.reads;
  passes(10);
  EXPECT_EQ(world_.reads, reads);
}

TEST_F(TableSourceTest, keys_that_wait_count_against_the_budget) {
  options_.set("mode", "full");
  world_.numbered = false;
  for (int id = 1; id <= 900; ++id) world_.insert(id);
  start();
  EXPECT_TRUE(wait_end());
  const size_t held = budget_.used();
  EXPECT_GT(held, 900U * 10);
  deliver();
  EXPECT_LT(budget_.used(), held);
}

}  // namespace
}  // namespace leat::testing
