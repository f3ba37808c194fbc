#include "journal/position_rhythm.h"

#include <gtest/gtest.h>

#include "journal/journal.h"
#include "journal/journal_vfs.h"
#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

using testing::TempDir;

// Positions that may wait, in a journal whose thread's place the test takes.
class PositionRhythmTest : public ::testing::Test {
 protected:
  PositionRhythmTest() {
    Result<std::unique_ptr<Journal>> journal = Journal::open(folder_ / "journal.db", loop_.clock());
    EXPECT_TRUE(journal);
    journal_ = std::move(*journal);
    journal_->set_commit_every(Milliseconds{10'000});
    client_ = journal_->make_client(loop_);
  }
  ~PositionRhythmTest() override {
    client_.reset();
    journal_.reset();
    EXPECT_TRUE(loop_.close());
  }
  void save_later(const std::string& pipeline) {
    client_->at_next_commit([this, pipeline] {
      ++asked_;
      client_->commit(pipeline, {{"file", "1"}},
                      [this](const Status& status) { saved_ += !!status; });
    });
  }
  // How long what comes now waits.
  Milliseconds wait() {
    save_later("press");
    Milliseconds began = loop_.now();
    EXPECT_TRUE(loop_.advance_to_next());
    return loop_.now() - began;
  }

  TempDir folder_;
  testing::HandLoop loop_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
  int asked_ = 0;
  int saved_ = 0;
};

TEST_F(PositionRhythmTest, those_of_all_pipelines_are_committed_in_one_transaction) {
  for (const char* pipeline : {"press", "oven", "saw"}) save_later(pipeline);
  EXPECT_EQ(asked_, 0);
  loop_.advance(Milliseconds{10'000});
  EXPECT_EQ(asked_, 3);
  uint64_t commits = written().commits;
  journal_->serve_all();
  EXPECT_EQ(written().commits - commits, 1U);
  EXPECT_TRUE(testing::run_until(loop_, [this] { return saved_ == 3; }));
  EXPECT_EQ(asked_, 3);  // each once
}

TEST_F(PositionRhythmTest, it_begins_quick_and_slows_down_to_the_period_that_is_asked_for) {
  EXPECT_EQ(wait(), Milliseconds{100});
  EXPECT_EQ(wait(), Milliseconds{100});
  EXPECT_EQ(wait(), Milliseconds{200});
  EXPECT_EQ(wait(), Milliseconds{400});
  loop_.advance(Milliseconds{60'000});
  EXPECT_EQ(wait(), Milliseconds{10'000});
  journal_->set_commit_every(Milliseconds{50});
  EXPECT_EQ(wait(), Milliseconds{50});
}

TEST_F(PositionRhythmTest, nothing_wakes_the_loop_while_nothing_waits) {
  EXPECT_EQ(loop_.next_due(), std::nullopt);
  wait();
  EXPECT_EQ(loop_.next_due(), std::nullopt);
}

}  // namespace
}  // namespace leat
