// read + resumed + made = delivered + filtered + dead + dropped + waiting, whatever happens, at
// every moment: each of these runs is asked after each turn of the loop.
#include <sqlite3.h>

#include "task/fixture.h"

namespace leat {
namespace {

using Lines = std::vector<std::string>;

class CountersTest : public testing::TaskTest {
 protected:
  CountersTest() {
    each_turn_ = [this] { balance(); };
  }
  ~CountersTest() override { each_turn_ = nullptr; }

  void balance() {
    TaskStatus now = task_->status();
    EXPECT_EQ(now.records + now.resumed + now.made,
              now.delivered + now.filtered + now.dead_letters + now.dropped + now.spool_dropped +
                  now.spool_lost + now.waiting)
        << "read " << now.records << ", resumed " << now.resumed << ", made " << now.made
        << ", delivered " << now.delivered << ", filtered " << now.filtered << ", dead "
        << now.dead_letters << ", dropped " << now.dropped << ", dropped from the spool "
        << now.spool_dropped << ", lost there " << now.spool_lost << ", waiting " << now.waiting;
  }

  // Numbered records from `first` on.
  static Lines numbers(int first, int count) {
    Lines lines;
    for (int i = first; i < first + count; ++i)
      lines.push_back("{\"a\":" + std::to_string(i) + "}");
    return lines;
  }
  // As a damaged card does while the agent is down.
  void change_journal(const char* sql) {
    let_go();
    client_.reset();
    journal_.reset();
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ / "journal.db").c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
    open_journal();
  }
  // Waits for credit.
  void must_read(const Lines& lines) {
    if (HasFailure()) return;  // each wait would take its time
    ASSERT_TRUE(run_until([&, this] { return read(lines); })) << "no credit";
    balance();
  }
  // Answers all that comes, by what it holds, until the task has ended.
  void run_to_the_end(const std::function<Answer(const Lines&)>& answer_to) {
    end_of_input();
    while (run_until([this] { return ended_ || !sink().attempts.empty(); }) && !ended_) {
      answer(answer_to(sink().attempts.front().records));
      balance();
    }
    ASSERT_TRUE(ended_);
  }
  static Answer deliver(const Lines& /*records*/) { return Answer::delivered(); }
};

TEST_F(CountersTest, of_a_run_in_which_each_fate_befalls_a_record) {
  testing::add_transform(
      config_, "filter",
      {{"where", std::string("abs(a) % 2 = 1")}, {"onError", std::string("drop")}});
  testing::add_transform(
      config_, "sql",
      {{"query", std::string("SELECT a FROM input UNION ALL SELECT a FROM input WHERE a = 9")}});
  start();
  balance();
  must_read({R"({"a":1})", "{", R"({"a":2})", R"({"a":-9223372036854775808})"});
  must_read(numbers(3, 10));  // one of them comes twice
  bool first = true;
  run_to_the_end([&first](const Lines& records) {
    if (std::exchange(first, false)) return Answer::retry("not now");
    for (const std::string& record : records)
      if (record == R"({"a":5})") return Answer::rejected("five");  // found by halving
    return Answer::delivered();
  });
  TaskStatus end = task_->status();
  EXPECT_EQ(end.records, 14U);
  EXPECT_EQ(end.made, 1U);
  EXPECT_EQ(end.filtered, 6U);
  EXPECT_EQ(end.dropped, 1U);
  EXPECT_EQ(end.dead_letters, 2U);
  EXPECT_EQ(end.delivered, 6U);
  EXPECT_EQ(end.waiting, 0U);
  EXPECT_EQ(end.retries, 1U);
}

TEST_F(CountersTest, of_records_that_the_source_rejects) {
  start();
  BatchRef batch = source().context->new_batch(Content::kBytes);
  batch->rejected.push_back({"too long", "the record is too long"});
  emit(std::move(batch), {R"({"a":1})"});
  run_to_the_end(deliver);
  EXPECT_EQ(task_->status().records, 2U);
  EXPECT_EQ(task_->status().dead_letters, 1U);
  EXPECT_EQ(task_->status().delivered, 1U);
}

TEST_F(CountersTest, while_the_sink_takes_nothing_and_the_source_has_no_credit_any_more) {
  start();
  Lines lines = numbers(1, 2000);
  for (int i = 0; i < 20 && read(lines); ++i) run_until([] { return true; });
  run_until([] { return !sink().attempts.empty(); });
  EXPECT_GT(task_->status().waiting, 0U);
  run_to_the_end(deliver);
  EXPECT_EQ(task_->status().waiting, 0U);
}

TEST_F(CountersTest, of_what_goes_through_the_spool) {
  config_.source.type = &testing::kScriptedSource<Produces::kBytes, Replay::kNone>;
  config_.delivery.spool.mode = SpoolMode::kAlways;
  start();
  for (int i = 0; i < 10; ++i) must_read(numbers(i * 10, 10));
  run_to_the_end([](const Lines& records) {
    if (records.size() > 1 && records.front() == R"({"a":0})") return Answer::rejected("why", {0});
    return Answer::delivered();
  });
  TaskStatus end = task_->status();
  EXPECT_EQ(end.records, 100U);
  EXPECT_EQ(end.spooled, 100U);
  EXPECT_EQ(end.delivered, 99U);
  EXPECT_EQ(end.dead_letters, 1U);
}

TEST_F(CountersTest, of_what_is_spooled_in_trouble_and_delivered_by_a_later_run) {
  config_.source.type = &testing::kScriptedSource<Produces::kBytes, Replay::kNone>;
  config_.delivery.spool.mode = SpoolMode::kOnTrouble;
  config_.delivery.breaker_threshold = 1000;
  start();
  must_read(numbers(0, 10));
  answer(Answer::retry("not now"));
  balance();
  must_read(numbers(10, 10));
  ASSERT_TRUE(run_until([this] { return task_->status().spooled == 20; }));
  task_->drain();
  ASSERT_TRUE(run_until([this] {
    if (!sink().attempts.empty()) answer(Answer::retry("not now"));
    return ended_;
  }));
  EXPECT_EQ(task_->status().records, 20U);
  EXPECT_EQ(task_->status().waiting, 20U);
  start();
  EXPECT_EQ(task_->status().records, 0U);
  EXPECT_EQ(task_->status().resumed, 20U);
  must_read(numbers(20, 5));
  run_to_the_end(deliver);
  TaskStatus end = task_->status();
  EXPECT_EQ(end.records, 5U);
  EXPECT_EQ(end.delivered, 25U);
  EXPECT_EQ(end.waiting, 0U);
}

TEST_F(CountersTest, of_what_was_spooled_and_is_damaged) {
  config_.source.type = &testing::kScriptedSource<Produces::kBytes, Replay::kNone>;
  config_.delivery.spool.mode = SpoolMode::kAlways;
  config_.delivery.breaker_threshold = 1000;
  start();
  must_read(numbers(0, 10));
  ASSERT_TRUE(run_until([this] { return task_->status().spooled == 10; }));
  task_->drain();
  ASSERT_TRUE(run_until([this] {
    if (!sink().attempts.empty()) answer(Answer::retry("not now"));
    return ended_;
  }));
  change_journal("UPDATE spool SET batch = zeroblob(length(batch))");
  start();
  EXPECT_EQ(task_->status().resumed, 10U);
  must_read(numbers(10, 5));
  run_to_the_end(deliver);
  TaskStatus end = task_->status();
  EXPECT_EQ(end.spool_lost, 10U);
  EXPECT_EQ(end.delivered, 5U);
  EXPECT_EQ(end.waiting, 0U);
}

class FullSpoolCounters : public CountersTest, public ::testing::WithParamInterface<Overflow> {};

TEST_P(FullSpoolCounters, of_what_is_dropped_for_want_of_room) {
  config_.source.type = &testing::kScriptedSource<Produces::kBytes, Replay::kNone>;
  config_.delivery.spool.mode = SpoolMode::kAlways;
  config_.delivery.spool.max_bytes = 4096;
  config_.delivery.spool.overflow = GetParam();
  config_.sink.batch.records = 1;  // what is on its way to the sink cannot be dropped: little
  start();
  uint32_t random = 1;
  for (int i = 0; i < 40; ++i) {
    std::string text;  // that cannot be packed much
    for (int n = 0; n < 300; ++n)
      text += static_cast<char>('A' + ((random = random * 1'664'525 + 1'013'904'223) >> 24) % 58);
    std::erase(text, '\\');
    must_read({"{\"a\":\"" + text + "\"}"});
  }
  ASSERT_TRUE(run_until([this] { return task_->status().spool_dropped > 0; }));
  run_to_the_end(deliver);
  TaskStatus end = task_->status();
  EXPECT_EQ(end.records, 40U);
  EXPECT_EQ(end.delivered + end.spool_dropped, 40U);
}

INSTANTIATE_TEST_SUITE_P(, FullSpoolCounters,
                         ::testing::Values(Overflow::kDropOldest, Overflow::kDropNewest),
                         [](const auto& test) {
                           return test.param == Overflow::kDropOldest ? "oldest" : "newest";
                         });

TEST_F(CountersTest, of_a_run_that_is_drained_with_a_dead_sink) {
  testing::add_transform(config_, "filter", {{"where", std::string("a > 3")}});
  config_.delivery.breaker_threshold = 1000;
  start();
  for (int i = 0; i < 3; ++i) must_read(numbers(i * 10, 10));
  answer(Answer::retry("not now"));
  task_->drain();
  ASSERT_TRUE(run_until([this] {
    if (!sink().attempts.empty()) answer(Answer::retry("not now"));
    return ended_;
  }));
  balance();
  EXPECT_EQ(task_->status().delivered, 0U);
  EXPECT_GT(task_->status().waiting, 0U);
}

}  // namespace
}  // namespace leat
