// What the spool does with what is in flight when the agent ends.
#include "delivery/spool_fixture.h"

namespace leat {
namespace {

TEST_F(SpoolTest, an_agent_that_ends_in_trouble_leaves_the_rest_in_the_journal) {
  start();
  add(0, 4);
  add(4, 4);
  answer("r0 r1 r2 r3", Answer::retry("down"));
  spool_->end_of_input(true);
  run_until([this] { return spool_->settled(); });
  EXPECT_EQ(spooled(), 8U);
}

TEST_F(SpoolTest, an_agent_that_ends_in_health_delivers_what_is_in_flight) {
  start();
  add(0, 4);
  spool_->end_of_input(true);
  EXPECT_FALSE(spool_->settled());
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until([this] { return spool_->settled(); });
  EXPECT_EQ(spool_->counters().spooled, 0U);
}

TEST_F(SpoolTest, an_agent_that_ends_in_trouble_leaves_what_the_source_gives_again) {
  config_.spool.mode = SpoolMode::kNever;
  start(Replay::kFromPosition);
  add(0, 4);
  add(4, 4);
  answer("r0 r1 r2 r3", Answer::retry("down"));
  EXPECT_TRUE(spool_->may_leave_rest());
  spool_->end_of_input(true);
  EXPECT_TRUE(spool_->settled());
  EXPECT_EQ(spool_->records_unsafe(), 8U);
}

TEST_F(SpoolTest, an_agent_that_ends_in_trouble_does_not_leave_what_would_be_lost) {
  config_.spool.mode = SpoolMode::kNever;
  start(Replay::kNone);
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::retry("down"));
  spool_->end_of_input(true);
  EXPECT_FALSE(spool_->settled());
  EXPECT_FALSE(spool_->may_leave_rest());
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until([this] { return spool_->settled(); });
}

TEST_F(SpoolTest, an_agent_that_ends_with_a_full_spool_leaves_what_the_source_gives_again) {
  config_.spool.max_bytes = 300;
  config_.spool.mode = SpoolMode::kAlways;
  start(Replay::kHoldsAck);
  int accepted = fill_to_the_brim();
  answer("r0 r1 r2 r3", Answer::retry("down"));
  EXPECT_TRUE(spool_->may_leave_rest());
  spool_->end_of_input(true);
  run_until([this] { return spool_->settled(); });
  EXPECT_GT(spool_->records_unsafe(), 0U);
  EXPECT_EQ(spool_->records_unsafe() + spooled(), static_cast<uint64_t>(accepted));
}

TEST_F(SpoolTest, an_agent_that_ends_with_a_full_spool_makes_room_for_what_would_be_lost) {
  config_.spool.max_bytes = 300;
  config_.spool.mode = SpoolMode::kAlways;
  start(Replay::kNone);
  int accepted = fill_to_the_brim();
  spool_->end_of_input(true);
  EXPECT_FALSE(spool_->settled());
  run_until([this] {
    take_all();
    return spool_->settled();
  });
  EXPECT_EQ(spool_->records_unsafe(), 0U);
  EXPECT_EQ(delivered_.size() + spooled(), static_cast<size_t>(accepted));
}

}  // namespace
}  // namespace leat
