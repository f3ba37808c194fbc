#include "task/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "task/fixture.h"

namespace leat {
namespace {

using Lines = std::vector<std::string>;

// Transforms run on two further loops, whenever there is anything to do. Results are compared with
// those of the same task without them.
class ParallelTest : public testing::TaskTest {
 protected:
  ParallelTest() {
    further_loops_ = 2;
    config_.parallel = {.max = 2, .threshold = 0, .growth = 2};
    // So what waits in the queue at two turns has waited for longer than they are patient.
    each_turn_ = [this] { loop_.advance(ParallelLoad::kPatience); };
    config_.sink.batch = {.records = 1'000'000, .bytes = 1 << 30, .linger = Milliseconds{1}};
  }

  static std::string line(int n) {
    return R"({"n":)" + std::to_string(n) + R"(,"text":"number )" + std::to_string(n) + "\"}";
  }
  // Reads whatever it has credit for, and the sink takes whatever comes, until so many lines have
  // been read, and all is delivered.
  void run(int lines, int in_a_batch = 20) {
    start();
    go_on(lines, in_a_batch);
    end_of_input();
    ASSERT_TRUE(run_until([this] { return take(), ended_; })) << waits();
  }
  void go_on(int lines, int in_a_batch = 20) {
    ASSERT_TRUE(run_until([&] {
      take();
      if (read_ >= lines || ended_) return true;
      bool has_credit = true;
      while (has_credit && read_ < lines) {
        Lines some;
        for (int i = 0; i < in_a_batch && read_ + i < lines; ++i) some.push_back(line(read_ + i));
        has_credit = read(some);
        if (has_credit) read_ += static_cast<int>(some.size());
      }
      return false;
    })) << waits();
  }
  void take() {
    while (!sink().attempts.empty()) {
      for (const std::string& record : sink().attempts.front().records) got_.push_back(record);
      answer(Answer::delivered());
    }
  }
  std::string waits() const { return std::to_string(task_->status().waiting) + " wait"; }
  void expect_sum() const {
    const TaskStatus now = task_->status();
    EXPECT_EQ(now.records + now.made,
              now.delivered + now.filtered + now.dead_letters + now.dropped + now.waiting);
  }
  Lines dead_letters() const {
    std::ifstream file(folder_ / "dead.jsonl");
    Lines out;
    for (std::string one; std::getline(file, one);) {
      // Without its name and its times.
      const size_t time = one.find("\"eventTime\"");
      one.erase(time, one.find(",\"payload\"") - time);
      out.push_back(one.substr(one.find("\"stage\"")));
    }
    return out;
  }

  // All that comes out, and all that is counted, is what it is without further loops.
  void expect_as_one_loop(int lines, int in_a_batch = 20) {
    run(lines, in_a_batch);
    letters_ = dead_letters();
    const Lines got = std::exchange(got_, {});
    const TaskStatus status = task_->status();
    EXPECT_EQ(status.parallel->most, static_cast<uint64_t>(further_loops_));
    expect_sum();
    std::remove((folder_ / "dead.jsonl").c_str());
    further_loops_ = 0;
    read_ = 0;
    offset_ = line_ = 0;
    config_.name = "again";
    run(lines, in_a_batch);
    EXPECT_EQ(letters_, dead_letters());
    EXPECT_EQ(got, got_);
    const TaskStatus one = task_->status();
    EXPECT_EQ(status.filtered, one.filtered);
    EXPECT_EQ(status.made, one.made);
    EXPECT_EQ(status.dead_letters, one.dead_letters);
    ASSERT_EQ(status.stages.size(), one.stages.size());
    for (size_t i = 0; i < one.stages.size(); ++i) {
      EXPECT_EQ(status.stages[i].counters.in, one.stages[i].counters.in) << one.stages[i].name;
      EXPECT_EQ(status.stages[i].counters.out, one.stages[i].counters.out) << one.stages[i].name;
      EXPECT_EQ(status.stages[i].counters.failed, one.stages[i].counters.failed);
    }
  }

  int read_ = 0;
  Lines got_;
  Lines letters_;
};

Lines numbers(int from, int to, const std::function<std::string(int)>& f) {
  Lines out;
  for (int n = from; n < to; ++n) out.push_back(f(n));
  return out;
}

TEST_F(ParallelTest, records_come_out_in_order_and_the_transforms_have_run_elsewhere) {
  testing::add_transform(config_, "filter", {{"where", std::string("n % 3 <> 1")}});
  testing::add_transform(config_, "map", {{"set", Options::Map{{"twice", "n * 2"}}}});
  run(3'000);
  Lines expected;
  for (int n = 0; n < 3'000; ++n) {
    if (n % 3 == 1) continue;
    std::string one = line(n);
    one.back() = ',';
    expected.push_back(one + "\"twice\":" + std::to_string(2 * n) + "}");
  }
  EXPECT_EQ(got_, expected);
  EXPECT_TRUE(result_) << result_.error().message();
  const TaskStatus status = task_->status();
  EXPECT_EQ(status.filtered, 1'000U);
  EXPECT_EQ(status.parallel->most, 2U);
  EXPECT_GE(status.parallel->breaches, 2U);
  expect_sum();
}

TEST_F(ParallelTest, what_another_loop_makes_of_a_batch_takes_its_place) {
  testing::add_transform(
      config_, "sql",
      {{"query", std::string("SELECT count(*) AS n, text FROM input GROUP BY input.n")}});
  run(1'000);
  EXPECT_EQ(got_, numbers(0, 1'000, [](int n) {
              return R"({"n":1,"text":"number )" + std::to_string(n) + "\"}";
            }));
  let_go();
  EXPECT_EQ(budget_.used(), 0U) << "what was lent is given back";
}

TEST_F(ParallelTest, order_is_kept_when_some_batches_take_much_longer_than_others) {
  further_loops_ = config_.parallel.max = 4;
  testing::add_transform(config_, "map",
                         {{"set", Options::Map{{"x",
                                                "CASE WHEN n % 100 < 20 THEN "
                                                "length(hex(printf('%.50000c', 'x'))) END"}}}});
  run(6'000);
  ASSERT_EQ(got_.size(), 6'000U);
  for (int n = 0; n < 6'000; ++n)
    ASSERT_TRUE(got_[static_cast<size_t>(n)].starts_with("{\"n\":" + std::to_string(n) + ","));
  EXPECT_EQ(task_->status().parallel->most, 4U);
  EXPECT_LE(budget_.peak(), budget_.limit() + budget_.limit() / 4);
}

// Some that fail, with what the source had given for them.
TEST_F(ParallelTest, dead_letters_are_those_of_one_loop_in_the_same_order) {
  testing::add_transform(config_, "filter", {{"where", std::string("n > 0 OR true")}});
  testing::add_transform(
      config_, "map",
      {{"set", Options::Map{{"x", "CASE WHEN n % 7 = 0 THEN json('{') ELSE n END"}}}});
  expect_as_one_loop(700);
  EXPECT_EQ(letters_.size(), 100U);
}

// More than a further loop keeps: the rest of each batch is run at home.
TEST_F(ParallelTest, dead_letters_are_those_of_one_loop_when_all_fail) {
  testing::add_transform(config_, "map", {{"set", Options::Map{{"m", "n + 1"}}}});
  testing::add_transform(config_, "map", {{"set", Options::Map{{"x", "json('{' || n)"}}}});
  expect_as_one_loop(2'000, 200);
  ASSERT_EQ(letters_.size(), 2'000U);
  EXPECT_NE(letters_.back().find("number 1999"), std::string::npos);
  EXPECT_NE(letters_.back().find("\"payload\""), std::string::npos) << letters_.back();
}

// A row of a query is of no record alone.
TEST_F(ParallelTest, dead_letters_behind_a_query_have_nothing_of_the_source) {
  testing::add_transform(config_, "sql",
                         {{"query", std::string("SELECT max(n) AS n, min(text) AS t FROM input")}});
  testing::add_transform(
      config_, "map",
      {{"set", Options::Map{{"x", "CASE WHEN n % 3 = 0 THEN json('{') ELSE n END"}}}});
  expect_as_one_loop(2'000);
  ASSERT_FALSE(letters_.empty());
  EXPECT_EQ(letters_.front().find("\"payload\""), std::string::npos) << letters_.front();
}

TEST_F(ParallelTest, an_error_of_a_transform_ends_it_behind_what_came_before) {
  testing::add_transform(config_, "map",
                         {{"set", Options::Map{{"x", "CASE WHEN n = 1010 THEN json('{') END"}}},
                          {"onError", std::string("fail")}});
  start();
  go_on(2'000);
  ASSERT_TRUE(run_until([this] { return take(), ended_; }));
  ASSERT_FALSE(result_);
  EXPECT_NE(result_.error().message().find("JSON"), std::string::npos) << result_.error().message();
  EXPECT_GE(got_.size(), 500U);
  EXPECT_LE(got_.size(), 1'010U);
}

TEST_F(ParallelTest, what_is_too_much_for_a_further_loop_is_done_at_home) {
  testing::add_transform(config_, "map",
                         {{"set", Options::Map{{"long", "printf('%.20000c', 'x') || n"}}}});
  run(200, 50);
  ASSERT_EQ(got_.size(), 200U);
  for (int n = 0; n < 200; ++n)
    EXPECT_TRUE(got_[static_cast<size_t>(n)].starts_with("{\"n\":" + std::to_string(n) + ","));
  EXPECT_GT(task_->status().parallel->most, 0U);
  EXPECT_LE(budget_.peak(), 3 * kMemory);
}

TEST_F(ParallelTest, they_go_when_there_is_nothing_to_do_and_come_back) {
  testing::add_transform(config_, "filter", {{"where", std::string("n >= 0")}});
  start();
  go_on(2'000);
  EXPECT_EQ(task_->status().parallel->loops, 2U);
  ASSERT_TRUE(run_until([this] { return take(), task_->status().waiting == 0; }));
  ASSERT_TRUE(run_until([this] { return task_->status().parallel->loops == 0; }));
  go_on(4'000);
  EXPECT_GT(task_->status().parallel->loops, 0U);
  end_of_input();
  ASSERT_TRUE(run_until([this] { return take(), ended_; }));
  EXPECT_EQ(got_, numbers(0, 4'000, line));
}

TEST_F(ParallelTest, a_drain_waits_for_what_is_elsewhere) {
  testing::add_transform(config_, "filter", {{"where", std::string("n >= 0")}});
  start();
  go_on(2'000);
  each_turn_ = nullptr;  // the sink answers soon
  task_->drain();
  ASSERT_TRUE(run_until([this] { return take(), ended_; }));
  EXPECT_TRUE(result_) << result_.error().message();
  EXPECT_EQ(got_, numbers(0, read_, line));
}

TEST_F(ParallelTest, it_can_be_stopped_at_once_while_other_loops_work) {
  testing::add_transform(config_, "filter", {{"where", std::string("n >= 0")}});
  start();
  go_on(2'000);
  task_->abort("stopped");
  EXPECT_TRUE(ended());
  let_go();
  EXPECT_EQ(budget_.used(), 0U);
}

TEST_F(ParallelTest, it_can_go_while_other_loops_work) {
  testing::add_transform(config_, "filter", {{"where", std::string("n >= 0")}});
  start();
  go_on(2'000);
  let_go();
  EXPECT_EQ(budget_.used(), 0U);
}

TEST_F(ParallelTest, a_tap_sees_some_of_the_records_and_changes_no_order) {
  testing::add_transform(config_, "filter", {{"where", std::string("n >= 0")}});
  testing::add_transform(config_, "map", {{"set", Options::Map{{"x", "n"}}}});
  start();
  go_on(1'000);
  struct Seen final : TapLines {
    explicit Seen(Lines& to) : to_(to) {}
    bool give(std::string line) override {
      to_.push_back(std::move(line));
      return true;
    }
    Lines& to_;
  };
  Lines seen;
  ASSERT_TRUE(task_->tap(1, {.at = "map"}, std::make_shared<Seen>(seen)));
  go_on(3'000);
  EXPECT_FALSE(seen.empty());
  EXPECT_EQ(task_->status().parallel->loops, 2U) << "the others go on";
  task_->untap(1);
  end_of_input();
  ASSERT_TRUE(run_until([this] { return take(), ended_; }));
  ASSERT_EQ(got_.size(), 3'000U);
  for (int n = 0; n < 3'000; ++n)
    ASSERT_TRUE(got_[static_cast<size_t>(n)].starts_with("{\"n\":" + std::to_string(n) + ","));
}

}  // namespace
}  // namespace leat
