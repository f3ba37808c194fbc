#include "delivery/acknowledgements.h"

#include <gtest/gtest.h>

#include "delivery/fixture.h"

namespace leat {
namespace {

using testing::make_batch;
using testing::ScriptedSource;

class AcknowledgementsTest : public testing::DelivererTest {
 protected:
  AcknowledgementsTest() { forget(); }
  Owed owed(int first, int count, uint32_t partition = 1) {
    return std::move(given(first, count, partition)->owed);
  }
  // As whoever saves something in the journal, with its positions in the same transaction.
  void save_with(Owed what) {
    std::vector<SavedPosition> positions = acknowledgements_->take_along(what);
    bool done = false;
    client_->commit("p", positions, [this, &done, &what](const Status& status) {
      EXPECT_TRUE(status);
      acknowledgements_->stored(std::move(what));
      done = true;
    });
    run_until([&done] { return done; });
  }
  using Acks = std::vector<uint64_t>;
};

TEST_F(AcknowledgementsTest, a_position_is_acknowledged_when_it_is_saved) {
  Owed first = owed(0, 4);
  first.settle();
  bool through = false;
  EXPECT_FALSE(acknowledgements_->release([&through] { through = true; }));
  EXPECT_EQ(source_.acks, Acks{});
  run_until([&through] { return through; });
  EXPECT_EQ(source_.acks, Acks{40});
  EXPECT_EQ(saved(), "40");
}

TEST_F(AcknowledgementsTest, where_nothing_is_released_or_the_sink_has_it_nothing_is_saved) {
  Owed first = owed(0, 4);
  owed(4, 2).settle();
  EXPECT_TRUE(acknowledgements_->release([] {}));
  EXPECT_EQ(source_.acks, Acks{});
  config_.exactly_once = true;
  forget();
  owed(0, 4).settle();
  EXPECT_TRUE(acknowledgements_->release([] {}));
  EXPECT_EQ(source_.acks, Acks{40});
  EXPECT_EQ(saved(), "nothing");
}

TEST_F(AcknowledgementsTest, what_is_released_meanwhile_is_saved_next) {
  owed(0, 4).settle();
  EXPECT_FALSE(acknowledgements_->release());
  owed(4, 2).settle();
  bool through = false;
  EXPECT_FALSE(acknowledgements_->release([&through] { through = true; }));
  run_until([&through] { return through; });
  EXPECT_EQ(source_.acks, (Acks{40, 60}));
  EXPECT_EQ(saved(), "60");
}

TEST_F(AcknowledgementsTest,
       what_is_saved_with_its_position_is_acknowledged_without_another_commit) {
  Owed state = owed(0, 4);
  state.add(owed(4, 2));
  source_.formed = 0;
  save_with(std::move(state));
  EXPECT_EQ(source_.acks, Acks{60});
  EXPECT_EQ(source_.formed, 1);
  EXPECT_EQ(saved(), "60");
}

TEST_F(AcknowledgementsTest, what_was_not_stored_acknowledges_nothing_and_can_be_tried_again) {
  Owed state = owed(0, 4);
  EXPECT_EQ(acknowledgements_->take_along(state).front().value, "40");
  acknowledgements_->not_stored();
  EXPECT_TRUE(acknowledgements_->release());
  EXPECT_EQ(source_.acks, Acks{});
  save_with(std::move(state));
  EXPECT_EQ(source_.acks, Acks{40});
}

TEST_F(AcknowledgementsTest, what_is_released_behind_what_is_stored_is_saved_by_itself) {
  Owed state = owed(0, 4);
  Owed behind = owed(4, 2);
  std::vector<SavedPosition> positions = acknowledgements_->take_along(state);
  EXPECT_EQ(positions.front().value, "40");
  behind.settle();
  acknowledgements_->stored(std::move(state));
  run_until([this] { return !source_.acks.empty(); });
  EXPECT_EQ(source_.acks, Acks{60});
  EXPECT_EQ(saved(), "60");
}

TEST_F(AcknowledgementsTest, no_position_is_saved_behind_a_later_one_that_is_under_way) {
  owed(0, 4).settle();
  Owed state = owed(4, 2);
  std::vector<SavedPosition> positions = acknowledgements_->take_along(state);
  EXPECT_EQ(positions.front().value, "60");
  bool done = false;
  client_->commit("p", positions, [&done](const Status&) { done = true; });
  EXPECT_TRUE(acknowledgements_->release());
  run_until([&done] { return done; });
  acknowledgements_->stored(std::move(state));
  EXPECT_EQ(source_.acks, (Acks{40, 60}));
  EXPECT_EQ(saved(), "60");
}

// What a source that can be read again is told, and what is in the journal.
class LatePositions : public AcknowledgementsTest {
 protected:
  LatePositions() {
    journal_->set_commit_every(Milliseconds{3'600'000});
    crash();
  }
  void crash() {
    forget();
    acknowledgements_->may_save_late(source_);
  }
  void run_until_saved(const std::string& position) {
    run_until([this, position] { return saved() == position; });
  }
};

TEST_F(LatePositions, are_acknowledged_at_once_and_saved_soon) {
  owed(0, 4).settle();
  EXPECT_TRUE(acknowledgements_->release([] {}));
  EXPECT_EQ(source_.acks, Acks{40});
  owed(4, 2).settle();
  EXPECT_TRUE(acknowledgements_->release([] {}));
  EXPECT_EQ(source_.acks, (Acks{40, 60}));
  EXPECT_EQ(acknowledgements_->saved_releases(), 0U);
  run_until_saved("60");
  EXPECT_EQ(acknowledgements_->saved_releases(), 2U);
  owed(6, 1).settle();
  EXPECT_TRUE(acknowledgements_->release());
  run_until_saved("70");
}

TEST_F(LatePositions, are_gone_after_a_crash_and_saved_when_the_pipeline_ends) {
  owed(0, 4).settle();
  EXPECT_TRUE(acknowledgements_->release());
  crash();
  EXPECT_EQ(saved(), "nothing");
  owed(0, 4).settle();
  EXPECT_TRUE(acknowledgements_->release());
  acknowledgements_->stop();
  EXPECT_EQ(saved(), "40");
  // A sink may answer after that.
  owed(4, 2).settle();
  acknowledgements_->release();
  EXPECT_EQ(saved(), "60");
}

TEST_F(LatePositions, are_saved_at_once_when_nothing_may_wait) {
  journal_->set_commit_every(Milliseconds{0});
  owed(0, 4).settle();
  EXPECT_FALSE(acknowledgements_->release());
  EXPECT_EQ(source_.acks, Acks{});
  run_until([this] { return !source_.acks.empty(); });
  EXPECT_EQ(saved(), "40");
}

TEST_F(LatePositions, do_not_come_back_behind_what_overtook_them) {
  owed(0, 4).settle();
  EXPECT_TRUE(acknowledgements_->release());
  acknowledgements_->overtaken_by({{"file1", ""}});  // it was deleted
  acknowledgements_->stop();
  EXPECT_EQ(saved(), "nothing");
}

TEST_F(LatePositions, are_not_saved_behind_a_later_one_that_was_saved_with_something_else) {
  owed(0, 4).settle();
  EXPECT_TRUE(acknowledgements_->release());
  save_with(owed(4, 2));
  EXPECT_EQ(source_.acks, (Acks{40, 60}));
  acknowledgements_->stop();
  EXPECT_EQ(saved(), "60");
}

TEST_F(LatePositions, of_others_are_saved_before_they_are_acknowledged) {
  ScriptedSource other;
  BatchRef batch = make_batch(pool_, 0, 3, 9);
  Owed what = acknowledgements_->ledger().open(other, batch->begin, batch->end);
  what.settle();
  EXPECT_FALSE(acknowledgements_->release());
  EXPECT_EQ(other.acks, Acks{});
  run_until([&other] { return !other.acks.empty(); });
}

}  // namespace
}  // namespace leat
