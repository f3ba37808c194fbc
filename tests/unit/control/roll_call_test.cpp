#include "control/roll_call.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "sink_harness.h"

namespace leat {
namespace {

// Home on the test's thread, and two workers.
class RollCallTest : public ::testing::Test {
 protected:
  RollCallTest() {
    Result<std::unique_ptr<Journal>> journal = Journal::open(folder_ / "journal.db");
    if (!journal) throw std::runtime_error(journal.error().message());
    journal_ = std::move(*journal);
    for (int i = 0; i < 3; ++i) hosts_.push_back(std::make_unique<LoopHost>(*journal_));
    journal_->start();
    for (size_t i = 1; i < hosts_.size(); ++i) hosts_[i]->start_thread();
    roll_call_ = std::make_unique<RollCall>(
        std::vector<LoopHost*>{hosts_[0].get(), hosts_[1].get(), hosts_[2].get()},
        [this](LoopHost& host) { return std::vector<std::string>{name_of(host)}; },
        [this](const std::vector<std::string>& said) { rounds_.push_back(said); });
  }
  ~RollCallTest() override {
    roll_call_.reset();
    for (; !hosts_.empty(); hosts_.pop_back()) EXPECT_TRUE(hosts_.back()->close());
  }

  std::string name_of(const LoopHost& host) const {
    size_t index = 0;
    while (hosts_[index].get() != &host) ++index;
    return "host " + std::to_string(index);
  }
  // The loop of this worker does not turn until the promise is kept.
  void block(size_t worker, std::promise<void>& release) {
    hosts_[worker]->post([until = release.get_future().share()] { until.wait(); });
  }
  // Waits until all that was posted to a host has run there.
  void pass_through(size_t worker) {
    bool passed = false;
    hosts_[worker]->post([this, &passed] { hosts_[0]->post([&passed] { passed = true; }); });
    ASSERT_TRUE(testing::run_until(hosts_[0]->loop(), [&passed] { return passed; }));
  }
  bool wait_rounds(size_t count) {
    return testing::run_until(hosts_[0]->loop(), [this, count] { return rounds_.size() == count; });
  }

  testing::TempDir folder_;
  std::unique_ptr<Journal> journal_;
  std::vector<std::unique_ptr<LoopHost>> hosts_;
  std::unique_ptr<RollCall> roll_call_;
  std::vector<std::vector<std::string>> rounds_;
};

TEST_F(RollCallTest, ends_when_all_have_answered_with_the_answers_in_order) {
  roll_call_->ask();
  ASSERT_TRUE(wait_rounds(1));
  EXPECT_EQ(rounds_[0], (std::vector<std::string>{"host 0", "host 1", "host 2"}));
}

TEST_F(RollCallTest, comes_after_what_was_posted_before) {
  bool started = false;
  hosts_[1]->post([this, &started] { hosts_[0]->post([&started] { started = true; }); });
  roll_call_->ask();
  ASSERT_TRUE(wait_rounds(1));
  EXPECT_TRUE(started);
}

TEST_F(RollCallTest, does_not_end_while_one_loop_is_stuck) {
  std::promise<void> release;
  block(1, release);
  roll_call_->ask();
  pass_through(0);
  pass_through(2);
  pass_through(0);
  EXPECT_TRUE(rounds_.empty());
  release.set_value();
  EXPECT_TRUE(wait_rounds(1));
}

TEST_F(RollCallTest, does_not_heap_up_questions_at_a_stuck_loop) {
  std::promise<void> release;
  block(1, release);
  for (int i = 0; i < 1000; ++i) roll_call_->ask();
  pass_through(2);
  EXPECT_TRUE(rounds_.empty());
  release.set_value();
  // The one that waited, and one for all that came in the meantime.
  ASSERT_TRUE(wait_rounds(2));
  for (size_t i = 1; i < 3; ++i) pass_through(i);
  pass_through(0);
  EXPECT_EQ(rounds_.size(), 2U);
}

TEST_F(RollCallTest, may_be_dropped_while_answers_are_missing) {
  std::promise<void> release;
  block(2, release);
  roll_call_->ask();
  roll_call_.reset();
  release.set_value();
  for (size_t i = 1; i < 3; ++i) pass_through(i);
  pass_through(0);
  EXPECT_TRUE(rounds_.empty());
}

}  // namespace
}  // namespace leat
