// When what is held goes to the journal, and when it is acknowledged.
#include "delivery/spool_fixture.h"

namespace leat {
namespace {

TEST_F(SpoolTest, while_all_is_well_nothing_goes_to_the_journal_and_acks_follow_deliveries) {
  start();
  add(0, 4);
  run_until([this] { return !sink_.open_attempts.empty(); });
  EXPECT_TRUE(source_.acks.empty());
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until_acked(40);
  EXPECT_EQ(spool_->counters().spooled, 0U);
  EXPECT_EQ(spooled(), 0U);
}

TEST_F(SpoolTest, in_trouble_what_is_held_is_journaled_and_acknowledged) {
  start();
  add(0, 4);
  add(4, 2);
  answer("r0 r1 r2 r3", Answer::retry("down"));
  run_until_acked(60);
  EXPECT_EQ(spooled(), 6U);
}

TEST_F(SpoolTest, what_comes_in_trouble_is_delivered_behind_what_came_before) {
  start();
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::retry("down"));
  run_until_acked(40);
  add(4, 4);
  add(8, 4);
  run_until_acked(120);
  answer("r0 r1 r2 r3", Answer::delivered());
  answer("r4 r5 r6 r7", Answer::delivered());
  answer("r8 r9 r10 r11", Answer::delivered());
  run_until_empty();
  // Well again: straight to the sink.
  uint64_t before = spool_->counters().spooled;
  add(12, 4);
  answer("r12 r13 r14 r15", Answer::delivered());
  run_until_acked(160);
  EXPECT_EQ(spool_->counters().spooled, before);
}

TEST_F(SpoolTest, what_is_in_the_journal_is_delivered_after_a_kill) {
  start();
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::retry("down"));
  add(4, 3);
  run_until_acked(70);
  start();
  answer("r0 r1 r2 r3", Answer::delivered());
  answer("r4 r5 r6", Answer::delivered());
  run_until_empty();
}

TEST_F(SpoolTest, what_a_record_brought_is_known_when_it_is_rejected_long_after) {
  brings_ = true;
  start();
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::retry("down"));
  add(4, 6);
  run_until_acked(100);
  answer("r0 r1 r2 r3", Answer::rejected("bad", {2}));
  answer("r0 r1 r3", Answer::delivered());
  answer("r4 r5 r6 r7", Answer::delivered());
  run_until([this] { return saved_in_spool() == "8"; });
  start();  // after a kill: out of the journal, and from inside a row
  answer("r8 r9", Answer::rejected("bad", {1}));
  answer("r8", Answer::delivered());
  run_until_empty();
  EXPECT_EQ(known_, (std::vector<std::string>{"of r2", "of r9"}));
}

TEST_F(SpoolTest, after_a_kill_delivery_goes_on_inside_a_row) {
  config_.spool.mode = SpoolMode::kAlways;
  start();
  add(0, 6);  // one row, two deliveries
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until([this] { return sink_.open_attempts.size() == 1; });
  run_until([this] { return saved_in_spool() == "4"; });
  start();
  answer("r4 r5", Answer::delivered());
  run_until_empty();
}

TEST_F(SpoolTest, always_acknowledges_what_is_journaled_before_it_is_delivered) {
  config_.spool.mode = SpoolMode::kAlways;
  start(Replay::kNone);
  add(0, 4);
  run_until_acked(40);
  EXPECT_EQ(spooled(), 4U);
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until_empty();
}

TEST_F(SpoolTest, an_acknowledgement_held_for_too_long_is_trouble) {
  config_.spool.max_ack_hold = Milliseconds{1};
  start();
  add(0, 4);
  run_until([this] { return !sink_.open_attempts.empty(); });
  loop_.advance(Milliseconds{2});
  run_until_acked(40);
  EXPECT_EQ(spooled(), 4U);
  // The sink answers at last: the journal's copy is not delivered again.
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until_empty();
  EXPECT_EQ(sink_.history.size(), 1U);
}

TEST_F(SpoolTest, a_full_window_sends_what_is_collected_and_then_spools_it) {
  limits_.linger = Milliseconds{60'000};
  start();
  add(0, 2);
  spool_->in_flight_full(true, Milliseconds{100});
  run_until([this] { return !sink_.open_attempts.empty(); });
  EXPECT_TRUE(source_.acks.empty());
  loop_.advance(Milliseconds{300});
  run_until_acked(20);
  EXPECT_EQ(spooled(), 2U);
  answer("r0 r1", Answer::delivered());
}

TEST_F(SpoolTest, a_full_window_whose_source_is_in_haste_is_spooled_sooner) {
  start();
  add(0, 2);
  spool_->in_flight_full(true, Milliseconds{100});
  run_until([this] { return !sink_.open_attempts.empty(); });
  loop_.advance(Milliseconds{30});
  spool_->check();
  EXPECT_FALSE(spool_->in_use());
  spool_->in_flight_full(true, Milliseconds{20});
  loop_.advance(Milliseconds{1});
  run_until_acked(20);
  EXPECT_EQ(spooled(), 2U);
  answer("r0 r1", Answer::delivered());
}

TEST_F(SpoolTest, a_sink_that_keeps_up_with_full_windows_writes_nothing) {
  start();
  for (int next = 0; next < 100; next += 4) {
    add(next, 4);
    spool_->in_flight_full(true, Milliseconds{100});
    run_until([this] { return !sink_.open_attempts.empty(); });
    loop_.advance(Milliseconds{30});
    spool_->check();
    answer(sink_.history.back(), Answer::delivered());
    run_until_acked(static_cast<uint64_t>(next + 4) * 10);
    spool_->in_flight_full(false, Milliseconds{100});
  }
  EXPECT_EQ(spool_->counters().spooled, 0U);
}

// --- a source that cannot give anything again ---------------------------------------------------

TEST_F(SpoolTest, what_comes_once_is_held_in_memory_while_all_is_well) {
  start(Replay::kNone);
  add(0, 4);
  spool_->source_waits(true);
  spool_->source_waits(false);
  loop_.advance(Milliseconds{300});
  spool_->check();
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until_acked(40);
  EXPECT_EQ(spooled(), 0U);
  EXPECT_EQ(spool_->counters().spooled, 0U);
}

TEST_F(SpoolTest, what_comes_once_is_journaled_when_its_source_waits_for_long) {
  start(Replay::kNone);
  add(0, 4);
  run_until([this] { return !sink_.open_attempts.empty(); });
  spool_->source_waits(true);
  loop_.advance(Milliseconds{300});
  run_until_acked(40);
  EXPECT_EQ(spooled(), 4U);
}

TEST_F(SpoolTest, what_comes_once_is_journaled_when_its_source_waits_again_and_again) {
  start(Replay::kNone);
  for (int i = 0; i < 10 && spool_->counters().spooled == 0; ++i) {
    add(2 * i, 2);
    spool_->source_waits(true);
    loop_.advance(Milliseconds{20});
    spool_->source_waits(false);
    loop_.advance(Milliseconds{5});
    spool_->check();
    if (spool_->in_use()) run_until([this] { return spool_->counters().spooled > 0; });
  }
  EXPECT_GT(spooled(), 0U);
}

TEST_F(SpoolTest, what_comes_once_is_journaled_when_the_agent_ends_whatever_the_sink_does) {
  start(Replay::kNone);
  add(0, 4);
  add(4, 2);
  run_until([this] { return !sink_.open_attempts.empty(); });
  spool_->end_of_input(true);
  run_until_acked(60);
  EXPECT_EQ(spooled(), 6U);
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until([this] { return saved_in_spool() == "4"; });
  EXPECT_TRUE(spool_->all_safe());
  start(Replay::kNone);  // it was killed before the sink took the rest
  answer("r4 r5", Answer::delivered());
  run_until_empty();
}

TEST_F(SpoolTest, what_can_come_again_is_not_journaled_since_its_source_waits_or_the_agent_ends) {
  start(Replay::kHoldsAck);
  add(0, 4);
  spool_->source_waits(true);
  loop_.advance(Milliseconds{300});
  spool_->check();
  spool_->end_of_input(true);
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until_acked(40);
  EXPECT_EQ(spool_->counters().spooled, 0U);
}

// --- how much goes into one row -----------------------------------------------------------------

constexpr Milliseconds kLong{60'000};  // longer than a test waits

TEST_F(SpoolTest, in_trouble_acknowledgements_wait_for_a_group_until_the_window_is_full) {
  row_linger_ = {.held = kLong, .held_quiet = kLong};
  start();
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::retry("down"));
  run_until_acked(40);  // what was held goes at once
  for (int next = 4; next < 16; next += 4) {
    add(next, 4);
    EXPECT_EQ(spooled(), 4U);
  }
  spool_->in_flight_full(true, Milliseconds{100});
  run_until_acked(160);
  EXPECT_EQ(spooled(), 16U);
  add(16, 4);  // still full: it waits for nothing
  run_until_acked(200);
  deliver_all();
}

TEST_F(SpoolTest, a_group_is_not_waited_for_while_nothing_comes) {
  row_linger_ = {.held = kLong, .held_quiet = Milliseconds{1}};
  start();
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::retry("down"));
  add(4, 4);
  run_until_acked(80);
  deliver_all();
}

TEST_F(SpoolTest, no_acknowledgement_is_held_longer_than_it_may_for_a_group) {
  row_linger_ = {.held = kLong, .held_quiet = kLong};
  config_.spool.max_ack_hold = Milliseconds{1};
  start();
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::retry("down"));
  add(4, 4);
  run_until_acked(80);
  deliver_all();
}

TEST_F(SpoolTest, what_is_always_spooled_does_not_linger_while_the_window_is_full) {
  config_.spool.mode = SpoolMode::kAlways;
  row_linger_ = {.longest = kLong};
  start(Replay::kNone);
  add(0, 2);
  EXPECT_EQ(spooled(), 0U);
  spool_->in_flight_full(true, Milliseconds{100});
  run_until_acked(20);
  deliver_all();
}

TEST_F(SpoolTest, rows_that_fill_at_once_are_packed_in_haste_and_those_that_linger_small) {
  config_.spool.mode = SpoolMode::kAlways;
  start();
  spool_->set_batch_bytes(2'000);
  add(0, 1'000);
  run_until_acked(10'000);
  add(1'000, 190);
  run_until_acked(11'900);
  EXPECT_EQ(spooled(), 1'190U);
  change_journal("DELETE FROM spool WHERE substr(batch, 1, 1) = x'04'");  // LZ4, see FORMAT.md
  start();
  EXPECT_EQ(spooled(), 190U);
}

TEST_F(SpoolTest, what_is_delivered_while_it_is_being_journaled_is_acknowledged_once) {
  start();
  add(0, 4);
  add(4, 4);
  answer("r0 r1 r2 r3", Answer::retry("down"));
  run_until([this] { return !sink_.open_attempts.empty(); });
  answer("r0 r1 r2 r3", Answer::delivered());
  answer("r4 r5 r6 r7", Answer::delivered());
  run_until_empty();
  run_until_acked(80);
  EXPECT_EQ(sink_.history.size(), 3U);
}

TEST_F(SpoolTest, bounded_input_is_over_when_the_journal_is_empty) {
  config_.spool.mode = SpoolMode::kAlways;
  start(Replay::kFromPosition);
  fill(40);
  spool_->end_of_input(false);
  EXPECT_FALSE(spool_->settled());
  deliver_all();
  run_until([this] { return spool_->settled(); });
  EXPECT_EQ(delivered_.size(), 40U);
}

TEST_F(SpoolTest, a_batch_without_records_is_acknowledged_in_its_turn) {
  config_.spool.mode = SpoolMode::kAlways;
  start();
  add(0, 4);
  spool_->add(given(4, 0));
  auto filtered = given(4, 3);
  filtered->slices.clear();
  spool_->add(std::move(filtered));
  run_until_acked(70);
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until_empty();
}

// A source may count on it that what it says then is what is saved (mqtt: Completions::formed()).
TEST_F(SpoolTest, a_source_is_asked_once_for_what_is_saved_with_a_row) {
  config_.spool.mode = SpoolMode::kAlways;
  start();
  source_.formed = 0;
  add(0, 4);
  run_until_acked(40);
  EXPECT_EQ(source_.formed, 1);
}

TEST_F(SpoolTest, acknowledging_waits_for_dead_letters_that_came_before) {
  config_.spool.mode = SpoolMode::kAlways;
  row_linger_.held = Milliseconds{0};
  start();
  letters_->append("{}");
  add(0, 4);
  run_until_acked(40);
  EXPECT_EQ(letters_->durable(), letters_->last());
}

TEST_F(SpoolTest,
       rows_that_waited_for_dead_letters_make_place_for_the_next_when_those_are_written) {
  std::filesystem::create_directory(folder_ / "dead.jsonl");  // nothing can be written there
  config_.spool.mode = SpoolMode::kAlways;
  row_linger_.held = Milliseconds{0};
  start();
  letters_->append("{}");
  for (int first = 0; first < 64; first += 16) add(first, 16);  // a row each
  // With a row goes how far its source has come.
  EXPECT_EQ(spooled(), 0U);
  EXPECT_TRUE(source_.acks.empty());
  std::filesystem::remove(folder_ / "dead.jsonl");
  run_until_acked(640);
  deliver_all();
  EXPECT_EQ(delivered_.size(), 64U);
}

TEST_F(SpoolTest, dead_letters_that_cannot_be_written_hold_the_source_back_with_and_without_spool) {
  std::filesystem::create_directory(folder_ / "dead.jsonl");
  for (SpoolMode mode : {SpoolMode::kAlways, SpoolMode::kOnTrouble, SpoolMode::kNever}) {
    config_.spool.mode = mode;
    start();
    EXPECT_TRUE(letters_->full() || spool_->wants_more());
    while (!letters_->full()) letters_->append(std::string(1000, 'x'));
    EXPECT_FALSE(spool_->wants_more());
  }
}

TEST_F(SpoolTest, rejected_records_that_were_spooled_become_dead_letters) {
  config_.spool.mode = SpoolMode::kAlways;
  start();
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::rejected("bad", {2}));
  answer("r0 r1 r3", Answer::delivered());
  run_until_empty();
  EXPECT_EQ(rejected_, std::vector<std::string>{"r2"});
}

}  // namespace
}  // namespace leat
