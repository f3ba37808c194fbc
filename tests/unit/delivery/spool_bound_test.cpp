// A spool that is full, and rows that make room or cannot be read.
#include "delivery/spool_fixture.h"

namespace leat {
namespace {

TEST_F(SpoolTest, at_max_spool_block_holds_the_source_back) {
  config_.spool.max_bytes = 300;
  start();
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::retry("down"));
  int next = 4;
  while (spool_->wants_more() && next < 4000) {
    add(next, 4);
    next += 4;
    uv_run(loop_.uv(), UV_RUN_NOWAIT);
  }
  EXPECT_LT(next, 1000) << "the source was not held back";
  EXPECT_EQ(spool_->counters().dropped_newest + spool_->counters().dropped_oldest, 0U);
  deliver_all();
  EXPECT_EQ(delivered_.size(), static_cast<size_t>(next));
  EXPECT_TRUE(in_order());
}

TEST_F(SpoolTest, it_is_said_that_it_fills_before_it_is_full_and_once) {
  config_.spool.max_bytes = 4'000;
  start();
  ::testing::internal::CaptureStderr();
  fill_to_the_brim();
  std::string log = ::testing::internal::GetCapturedStderr();
  auto said = [&log](const std::string& what) {
    size_t count = 0;
    for (size_t at = log.find(what); at != std::string::npos; at = log.find(what, at + 1)) ++count;
    return count;
  };
  EXPECT_EQ(said("the spool is filled to 5"), 1U) << log;
  EXPECT_EQ(said("the spool is filled to 8"), 1U) << log;
  EXPECT_EQ(said("the spool is filled"), 2U) << log;
}

TEST_F(SpoolTest, at_max_spool_drop_oldest_keeps_what_came_last) {
  config_.spool.max_bytes = 600;
  config_.spool.overflow = Overflow::kDropOldest;
  start();
  fill(400);
  EXPECT_GT(spool_->counters().dropped_oldest, 0U);
  deliver_all();
  EXPECT_EQ(delivered_.back(), 399);
  EXPECT_TRUE(in_order());
  EXPECT_EQ(delivered_.size() + spool_->counters().dropped_oldest, 400U);
}

// A spool that is smaller than what is in flight at once: it must come to rest, and not ask the
// journal again and again.
TEST_F(SpoolTest, when_all_of_it_is_on_its_way_to_the_sink_nothing_is_dropped_and_it_is_held_up) {
  config_.spool.max_bytes = 100;
  limits_ = {.records = 1000, .bytes = 1 << 20, .linger = Milliseconds{1}};
  config_.spool.overflow = Overflow::kDropOldest;
  start();
  int taken = fill_to_the_brim();
  const int changed = changed_;  // by each answer of the journal
  for (int i = 0; i < 100; ++i) {
    spool_->check();  // as whoever is told of a change does
    uv_run(loop_.uv(), UV_RUN_NOWAIT);
    loop_.advance(Milliseconds{1});
  }
  EXPECT_TRUE(spool_->held_up());
  EXPECT_LE(changed_, changed + 1);
  EXPECT_EQ(spool_->counters().dropped_oldest, 0U);
  deliver_all();
  EXPECT_EQ(delivered_.size(), static_cast<size_t>(taken));
}

// Between what the deliverer holds and what came last there is a hole: the numbers at the ends of
// the spool tell nothing of what is in it.
TEST_F(SpoolTest, after_drop_oldest_only_what_is_there_waits) {
  config_.spool.max_bytes = 600;
  config_.spool.overflow = Overflow::kDropOldest;
  start();
  fill(400);
  uint64_t dropped = spool_->counters().dropped_oldest;
  ASSERT_GT(dropped, 0U);
  EXPECT_EQ(spool_->records_waiting(), 400 - dropped);
  EXPECT_EQ(spool_->bytes(), stored_bytes());
}

TEST_F(SpoolTest, after_drop_oldest_and_a_kill_what_is_left_is_delivered_and_more_is_taken) {
  config_.spool.max_bytes = 600;
  config_.spool.overflow = Overflow::kDropOldest;
  start();
  fill(400);
  uint64_t left = 400 - spool_->counters().dropped_oldest;
  start();
  EXPECT_EQ(spool_->records_waiting(), left);
  EXPECT_EQ(spool_->bytes(), stored_bytes());
  for (int next = 400; next < 440; next += 4) {
    run_until([this] { return spool_->wants_more(); });
    add(next, 4);
  }
  deliver_all();
  EXPECT_TRUE(in_order());
  EXPECT_EQ(delivered_.back(), 439);
  EXPECT_EQ(delivered_.size() + spool_->counters().dropped_oldest, left + 40);
}

TEST_F(SpoolTest, what_waits_after_a_kill_inside_a_row_is_the_rest_of_it) {
  config_.spool.mode = SpoolMode::kAlways;
  start();
  add(0, 6);  // one row, two deliveries
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until([this] { return saved_in_spool() == "4"; });
  start();
  EXPECT_EQ(spool_->records_waiting(), 2U);
}

TEST_F(SpoolTest, rows_that_cannot_be_read_do_not_take_their_room_for_ever) {
  config_.spool.max_bytes = 600;
  start();
  fill(40);
  change_journal("UPDATE spool SET batch = zeroblob(length(batch))");
  start();
  run_until([this] { return spooled() == 0; });
  EXPECT_EQ(spool_->records_waiting(), 0U);
  EXPECT_EQ(spool_->bytes(), 0U);
}

TEST_F(SpoolTest, what_is_damaged_does_not_wait_any_more_and_is_counted_as_lost) {
  start();
  fill(40);
  change_journal("UPDATE spool SET batch = zeroblob(length(batch)) WHERE id & 0xFFFF = 4");
  start();
  EXPECT_EQ(spool_->records_waiting(), 40U);
  deliver_all();
  EXPECT_GT(spool_->lost(), 0U);
  EXPECT_EQ(spool_->lost() + delivered_.size(), 40U);
}

// As when the journal is made anew while it runs, without a row that cannot be read.
TEST_F(SpoolTest, what_is_not_there_any_more_does_not_wait_for_ever) {
  start();
  fill(40);
  start();
  uint64_t gone = 0;
  client_->drop_spooled("p", 4, 1, [&gone](const Result<SpoolRemoved>& removed) {
    ASSERT_TRUE(removed);
    gone = removed->records;
  });
  deliver_all();
  EXPECT_GT(gone, 0U);
  EXPECT_EQ(spool_->lost(), gone);
  EXPECT_EQ(delivered_.size(), 40 - gone);
}

TEST_F(SpoolTest, what_cannot_be_made_what_the_sink_takes_stays_in_the_journal) {
  start();
  fill(8);
  adapt_ = [](BatchRef& batch) -> Result<Turn> {
    batch->slices.resize(1);  // it had come that far
    return fail(ErrorKind::kData, "no schema 7");
  };
  start();
  run_until([this] { return !failure_.empty(); });
  EXPECT_EQ(failure_, "no schema 7");
  EXPECT_TRUE(sink_.open_attempts.empty());
  EXPECT_EQ(spooled(), 8U);
  EXPECT_EQ(spool_->records_waiting(), 8U);
  adapt_ = [](BatchRef&) { return Turn::kDone; };
  start();
  deliver_all();
  EXPECT_EQ(delivered_.size(), 8U);
}

TEST_F(SpoolTest, a_source_is_not_held_back_by_rows_that_could_not_be_removed_for_a_moment) {
  change_journal(
      "CREATE TRIGGER jam BEFORE DELETE ON spool"
      "  WHEN EXISTS(SELECT 1 FROM positions WHERE pipeline = 'jam' AND value = 'on')"
      "  BEGIN SELECT RAISE(ABORT, 'jammed'); END");
  config_.spool.max_bytes = 330;
  config_.spool.mode = SpoolMode::kAlways;
  row_linger_.held = Milliseconds{0};  // a row for each batch
  start();
  int next = 0;
  run_until([this, &next] {
    for (; spool_->wants_more() && next < 4000; next += 4) add(next, 4);
    return spool_->held_up() && !sink_.open_attempts.empty();
  });
  ASSERT_LT(next, 4000);
  save("jam", {"", "on"});
  sink_.open_attempts.front().done(Answer::delivered());
  sink_.open_attempts.pop_front();
  run_until([this] { return saved_in_spool() == "4"; });
  EXPECT_GT(spooled(), 0U);
  save("jam", {"", "off"});
  run_until([this] { return spool_->wants_more(); });
  deliver_all();
}

// Found by a random history: the room was there before the answer that nothing could be dropped.
TEST_F(SpoolTest, what_is_removed_while_the_oldest_are_dropped_makes_room) {
  config_.spool.mode = SpoolMode::kAlways;
  start(Replay::kNone);
  SpoolState state;
  bool stored = false;
  client_->open_spool("p", [&state](const Result<SpoolState>& opened) { state = *opened; });
  client_->append("p", {0, 4, "what an earlier run has delivered"}, {},
                  JournalClient::Durability::kProcess,
                  [&stored](const Result<uint64_t>& bytes) { stored = bytes.has_value(); });
  run_until([&stored] { return stored; });
  save("p", {Spool::partition(state.epoch), "4"});
  config_.spool.max_bytes = static_cast<int64_t>(stored_bytes());
  config_.spool.overflow = Overflow::kDropOldest;
  start(Replay::kNone);  // asks that the row be removed
  add(100, 20);          // asks at once that the oldest be dropped
  run_until_acked(1200);
  EXPECT_EQ(spool_->counters().dropped_oldest, 0U);
}

TEST_F(SpoolTest, at_max_spool_drop_newest_keeps_what_came_first) {
  config_.spool.max_bytes = 600;
  config_.spool.overflow = Overflow::kDropNewest;
  start();
  fill(400);
  EXPECT_GT(spool_->counters().dropped_newest, 0U);
  deliver_all();
  EXPECT_EQ(delivered_.size() + spool_->counters().dropped_newest, 400U);
  EXPECT_EQ(delivered_[10], 10);
  EXPECT_TRUE(in_order());
}

}  // namespace
}  // namespace leat
