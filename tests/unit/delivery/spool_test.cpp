#include "spool/spool.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "delivery/fixture.h"

namespace leat {
namespace {

// A source and a sink that the test scripts, with the spool, the deliverer and the journal between.
class SpoolTest : public testing::DelivererTest, private SpoolOwner {
 protected:
  SpoolTest() {
    config_.spool.mode = SpoolMode::kOnTrouble;
    config_.spool.max_bytes = 1 << 20;
  }
  ~SpoolTest() override { end(); }

  // As a fresh start of the agent does; as after a kill when there was one before.
  void start(Replay replay = Replay::kHoldsAck) {
    end();
    sink_.open_attempts.clear();
    source_.acks.clear();
    forget();
    spool_ = std::make_unique<Spool>(SpoolSetup{.loop = loop_,
                                                .pipeline = "p",
                                                .config = config_,
                                                .replay = replay,
                                                .acknowledgements = *acknowledgements_,
                                                .dead_letters = *letters_,
                                                .journal = *client_,
                                                .owner = *this,
                                                .pool = pool_,
                                                .batch_bytes = 64,
                                                .linger = Milliseconds{60'000},
                                                .row_linger = row_linger_});
    make_deliverer();
    spool_->attach(*deliverer_);
    std::optional<SpoolState> state;
    client_->open_spool("p", [&state](Result<SpoolState> opened) {
      ASSERT_TRUE(opened);
      state = *opened;
    });
    uint64_t delivered = 0;
    bool loaded = false;
    client_->load("p", [&delivered, &state, &loaded](Result<std::vector<SavedPosition>> saved) {
      loaded = true;
      for (const SavedPosition& position : *saved)
        if (position.partition == Spool::partition(state->epoch))
          delivered = std::stoull(position.value);
    });
    run_until([&loaded] { return loaded; });
    std::optional<SpoolTotals> totals;
    client_->count_spooled("p", delivered, [&totals](auto counted) { totals = *counted; });
    run_until([&totals] { return totals.has_value(); });
    spool_->restore(*state, delivered, *totals);
  }
  void end() {
    deliverer_.reset();
    spool_.reset();
  }

  void delivery_changed() override { spool_->check(); }
  void spool_changed() override { ++changed_; }
  void spool_failed(const Error& error) override { failure_ = error.message(); }
  std::string spool_format() override { return "lines"; }
  Result<Turn> adapt_spooled(BatchRef& batch, const std::string& /*format*/) override {
    return adapt_(batch);
  }
  Brought brought_by(const Batch& batch, size_t index) override {
    if (!brings_) return {};
    std::string_view text = batch.slices[index].view();
    return {.metadata = "of " + std::string(text.substr(0, text.size() - 1))};
  }
  void reject_at_sink(const Batch& batch, size_t index, const Why& why) override {
    known_.push_back(spool_->brought_with(batch, index).metadata);
    DelivererTest::reject_at_sink(batch, index, why);
  }

  int changed_ = 0;
  SpoolLinger row_linger_{.longest = Milliseconds{1}};

  void add(int first, int count) { spool_->add(given(first, count)); }
  void run_until_acked(uint64_t offset) {
    run_until([this, offset] { return !source_.acks.empty() && source_.acks.back() == offset; });
  }
  // Records in the journal.
  uint64_t spooled() {
    uint64_t records = 0;
    bool done = false;
    client_->count_spooled("p", 0, [&records, &done](Result<SpoolTotals> totals) {
      records = totals->records;
      done = true;
    });
    run_until([&done] { return done; });
    return records;
  }
  void run_until_empty() {
    run_until([this] { return spool_->records_waiting() == 0 && deliverer_->settled(); });
    run_until([this] { return spooled() == 0; });
  }

  uint64_t stored_bytes() {
    uint64_t bytes = 0;
    bool done = false;
    client_->count_spooled("p", 0, [&bytes, &done](Result<SpoolTotals> totals) {
      bytes = totals->bytes;
      done = true;
    });
    run_until([&done] { return done; });
    return bytes;
  }

  // As an operator, or a damaged card, changes the file while the agent is down.
  void change_journal(const char* sql) {
    end();
    client_.reset();
    journal_.reset();
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ / "journal.db").c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
    Result<std::unique_ptr<Journal>> journal = Journal::open(folder_ / "journal.db", loop_.clock());
    ASSERT_TRUE(journal);
    journal_ = std::move(*journal);
    client_ = journal_->make_client(loop_);
    journal_->start();
  }
  void save(const std::string& pipeline, SavedPosition position) {
    bool done = false;
    client_->commit(pipeline, {std::move(position)}, [&done](const Status& status) {
      EXPECT_TRUE(status);
      done = true;
    });
    run_until([&done] { return done; });
  }

  std::string saved_in_spool() {
    std::string out;
    bool done = false;
    client_->load("p", [&out, &done](Result<std::vector<SavedPosition>> saved) {
      for (const SavedPosition& position : *saved)
        if (position.partition.starts_with("spool:")) out = position.value;
      done = true;
    });
    run_until([&done] { return done; });
    return out;
  }

  // Adds records while the sink is in trouble.
  void fill(int records) {
    add(0, 4);
    answer("r0 r1 r2 r3", Answer::retry("down"));
    for (int next = 4; next < records; next += 4) {
      run_until([this] { return spool_->wants_more(); });
      add(next, 4);
    }
    run_until_acked(static_cast<uint64_t>(records) * 10);
  }

  // Adds records until the spool takes none. How many.
  int fill_to_the_brim() {
    int next = 0;
    run_until([this, &next] {
      if (!spool_->wants_more()) return spool_->held_up();
      add(next, 4);
      next += 4;
      return false;
    });
    return next;
  }

  // The sink takes what it is given.
  void take_all() {
    while (!sink_.open_attempts.empty()) {
      auto attempt = std::move(sink_.open_attempts.front());
      sink_.open_attempts.pop_front();
      std::istringstream records(attempt.text);
      for (std::string record; records >> record;)
        delivered_.push_back(std::stoi(record.substr(1)));
      attempt.done(Answer::delivered());
    }
  }

  // The sink takes everything, until nothing is left.
  void deliver_all() {
    run_until([this] {
      take_all();
      return spool_->records_waiting() == 0 && deliverer_->settled();
    });
    run_until([this] { return spooled() == 0; });
  }
  bool in_order() const { return std::is_sorted(delivered_.begin(), delivered_.end()); }

  std::unique_ptr<Spool> spool_;
  std::function<Result<Turn>(BatchRef&)> adapt_ = [](BatchRef&) { return Turn::kDone; };
  std::vector<int> delivered_;
  bool brings_ = false;             // records bring something
  std::vector<std::string> known_;  // of what was rejected
};

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

// --- keys
// -----------------------------------------------------------------------------------------

// From a broker, which gives nothing a lasting place: what is tried, then spooled, then killed.
class SpooledKeys : public SpoolTest {
 protected:
  SpooledKeys() {
    source_.lasting = false;
    limits_.records = 4;
  }
  std::string attempt() {
    run_until([this] { return !sink_.open_attempts.empty(); });
    const auto& first = sink_.open_attempts.front();
    return first.text + "=" + first.key;
  }
  void answer_first(Answer answer) {
    auto attempt = std::move(sink_.open_attempts.front());
    sink_.open_attempts.pop_front();
    attempt.done(std::move(answer));
  }
};

TEST_F(SpooledKeys, of_what_was_tried_before_it_was_spooled_are_the_same_after_a_kill) {
  start();
  add(0, 3);
  std::string first = attempt();
  ASSERT_TRUE(first.starts_with("r0 r1 r2="));
  answer_first(Answer::retry("down"));
  run_until_acked(30);
  for (int kill = 0; kill < 2; ++kill) {
    start();
    EXPECT_EQ(attempt(), first);
  }
  answer_first(Answer::delivered());
  run_until_empty();
  EXPECT_EQ(sink_.history.back(), "r0 r1 r2");
}

TEST_F(SpooledKeys, are_the_same_also_where_some_of_it_came_from_the_journal) {
  limits_.linger = Milliseconds{60'000};
  start();
  add(0, 4);
  std::string first = attempt();
  add(4, 1);  // waits for more
  answer_first(Answer::retry("down"));
  add(5, 3);
  run_until_acked(80);
  run_until([this] { return !sink_.open_attempts.empty(); });
  EXPECT_EQ(attempt(), first);
  answer_first(Answer::delivered());
  const std::string second = attempt();
  EXPECT_TRUE(second.starts_with("r4 r5 r6 r7=")) << second;
  start();
  if (attempt() == first) answer_first(Answer::delivered());  // its position was not saved
  EXPECT_EQ(attempt(), second);
}

TEST_F(SpooledKeys, are_not_those_of_other_records_that_took_their_numbers) {
  auto tried_in_vain = [this](int first, const char* text) {
    start();
    add(first, 3);
    const std::string tried = attempt();
    EXPECT_TRUE(tried.starts_with(text)) << tried;
    answer_first(Answer::retry("down"));
    run_until([this] { return !sink_.open_attempts.empty(); });
    return tried.substr(tried.find('='));
  };
  tried_in_vain(0, "r0 r1 r2=");
  run_until_acked(30);
  answer_first(Answer::delivered());
  run_until_empty();
  change_journal("CREATE TRIGGER full BEFORE INSERT ON spool BEGIN SELECT RAISE(ABORT, 'no'); END");
  const std::string noted = tried_in_vain(3, "r3 r4 r5=");  // and no row of it is ever stored
  change_journal("DROP TRIGGER full");
  limits_.linger = Milliseconds{60'000};
  config_.spool.max_ack_hold = Milliseconds{10};
  start();
  add(10, 3);  // waits for more, and goes into the journal without having been tried
  run_until_acked(130);
  EXPECT_TRUE(sink_.open_attempts.empty());
  limits_.linger = Milliseconds{1};
  start();
  const std::string now = attempt();
  EXPECT_TRUE(now.starts_with("r10 r11 r12=")) << now;
  EXPECT_EQ(now.find(noted), std::string::npos) << now;
}

TEST_F(SpooledKeys, are_new_where_deliveries_have_other_limits_now) {
  start();
  add(0, 4);
  const std::string before = attempt();
  answer_first(Answer::retry("down"));
  run_until_acked(40);
  limits_.records = 2;
  start();
  const std::string now = attempt();
  EXPECT_TRUE(now.starts_with("r0 r1="));
  EXPECT_NE(now.substr(6), before.substr(12));
  answer_first(Answer::delivered());
  EXPECT_TRUE(attempt().starts_with("r2 r3="));
  EXPECT_NE(attempt().substr(6), before.substr(12));
}

}  // namespace
}  // namespace leat
