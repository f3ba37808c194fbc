// What comes while the journal takes nothing, and after. Found by random histories
// (tests/unit/histories).
#include <gtest/gtest.h>

#include <algorithm>

#include "delivery/fixture.h"
#include "spool/spool.h"
#include "support/faulty_disk.h"

namespace leat {
namespace {

using testing::DiskCall;
using testing::DiskFault;
using testing::FaultyDisk;

class StuckJournalTest : public testing::DelivererTest, private SpoolOwner {
 protected:
  StuckJournalTest() {
    client_.reset();
    journal_.reset();
    uv_run(loop_.uv(), UV_RUN_DEFAULT);
    journal_ = std::move(
        *Journal::open(folder_ / "journal.db", loop_.clock()));  // again, on the faulty disk
    client_ = journal_->make_client(loop_);
    journal_->start();
    config_.spool.mode = SpoolMode::kAlways;
    config_.spool.max_bytes = 1 << 20;
    forget();
    spool_ = std::make_unique<Spool>(SpoolSetup{.loop = loop_,
                                                .pipeline = "p",
                                                .config = config_,
                                                .replay = Replay::kHoldsAck,
                                                .acknowledgements = *acknowledgements_,
                                                .dead_letters = *letters_,
                                                .journal = *client_,
                                                .owner = *this,
                                                .pool = pool_,
                                                .batch_bytes = 8,  // each batch is a row
                                                .linger = Milliseconds{1}});
    make_deliverer();
    spool_->attach(*deliverer_);
    bool opened = false;
    client_->open_spool("p", [this, &opened](const Result<SpoolState>& state) {
      spool_->restore(*state, 0, SpoolTotals{});
      opened = true;
    });
    run_until([&opened] { return opened; });
  }
  ~StuckJournalTest() override {
    deliverer_.reset();
    spool_.reset();
  }
  void delivery_changed() override { spool_->check(); }
  void spool_changed() override { spool_->check(); }
  void spool_failed(const Error& error) override { failure_ = error.message(); }
  std::string spool_format() override { return "lines"; }
  Result<Turn> adapt_spooled(BatchRef& /*batch*/, const std::string& /*format*/) override {
    return Turn::kDone;
  }
  Brought brought_by(const Batch& /*batch*/, size_t /*index*/) override { return {}; }

  void add(int first, int count) { spool_->add(given(first, count)); }

  std::string delivered_number() {
    std::string out;
    bool done = false;
    client_->load("p", [&out, &done](const Result<std::vector<SavedPosition>>& saved) {
      for (const SavedPosition& position : *saved)
        if (position.partition.starts_with("spool:")) out = position.value;
      done = true;
    });
    run_until([&done] { return done; });
    return out;
  }

  std::string saved_place() {
    std::string out;
    bool done = false;
    client_->load("p", [&out, &done](const Result<std::vector<SavedPosition>>& saved) {
      for (const SavedPosition& position : *saved)
        if (position.partition == "file1") out = position.value;
      done = true;
    });
    run_until([&done] { return done; });
    return out;
  }

  // Until the journal is tried again, and whatever comes of it.
  void let_the_retry_pass() {
    loop_.advance(Milliseconds{1'300});
    (void)delivered_number();  // what was asked of the journal before is answered
  }

  FaultyDisk disk_{folder_.path()};
  std::unique_ptr<Spool> spool_;
};

TEST_F(StuckJournalTest, what_waits_behind_what_went_past_the_journal_is_acknowledged_after_it) {
  disk_.fail({.call = DiskCall::kWrite, .times = DiskFault::kForEver});
  add(0, 4);  // the journal does not take it
  run_until([this] { return !sink_.open_attempts.empty(); });
  add(4, 4);
  let_the_retry_pass();
  EXPECT_TRUE(source_.acks.empty()) << "acknowledged to " << source_.acks.front();
  disk_.mend();
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until([this] { return !source_.acks.empty() && source_.acks.back() == 80; });
  EXPECT_EQ(source_.acks.front(), 40U);
}

TEST_F(StuckJournalTest,
       what_went_past_it_is_acknowledged_when_it_is_stored_before_it_is_delivered) {
  disk_.fail({.call = DiskCall::kWrite});
  add(0, 4);
  add(4, 4);
  run_until([this] { return !sink_.open_attempts.empty(); });
  run_until([this] { return !source_.acks.empty() && source_.acks.back() == 80; });
  answer("r0 r1 r2 r3", Answer::delivered());
  answer("r4 r5 r6 r7", Answer::delivered());
  run_until([this] { return spool_->records_waiting() == 0; });
  EXPECT_EQ(sink_.history.size(), 2U) << "the journal's copy is not delivered again";
}

TEST_F(StuckJournalTest, what_went_past_it_is_spooled_after_all_when_the_sink_is_in_trouble) {
  disk_.fail({.call = DiskCall::kWrite});
  add(0, 4);
  add(4, 4);
  answer("r0 r1 r2 r3", Answer::retry("down"));
  run_until([this] { return !source_.acks.empty() && source_.acks.back() == 80; });
  EXPECT_TRUE(std::is_sorted(source_.acks.begin(), source_.acks.end()));
  answer("r0 r1 r2 r3", Answer::delivered());
  answer("r4 r5 r6 r7", Answer::delivered());
  run_until([this] { return spool_->records_waiting() == 0; });
}

TEST_F(StuckJournalTest, a_position_that_could_not_be_saved_is_saved_when_nothing_more_comes) {
  add(0, 4);
  run_until([this] { return !sink_.open_attempts.empty(); });
  disk_.fail({.call = DiskCall::kWrite});
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until([this] { return deliverer_->settled(); });
  loop_.advance(Milliseconds{1'000});
  run_until([this] { return delivered_number() == "4"; });
}

TEST_F(StuckJournalTest, what_comes_behind_rows_that_went_past_the_journal_is_stored) {
  disk_.fail({.call = DiskCall::kWrite});
  add(0, 8);   // goes past the journal, and takes all the places at the sink
  add(8, 4);   // a row already: waits for the first ones, then goes past it, too
  add(12, 4);  // not yet one
  run_until([this] { return !sink_.open_attempts.empty(); });
  let_the_retry_pass();
  answer("r0 r1 r2 r3", Answer::delivered());
  answer("r4 r5 r6 r7", Answer::delivered());
  answer("r8 r9 r10 r11", Answer::delivered());
  run_until([this] { return !source_.acks.empty() && source_.acks.back() == 160; });
  answer("r12 r13 r14 r15", Answer::delivered());
  run_until([this] { return spool_->records_waiting() == 0; });
}

// The row says where the source is, and so does the delivery before it.
TEST_F(StuckJournalTest, a_position_that_could_not_be_saved_is_not_saved_behind_a_later_one) {
  disk_.fail({.call = DiskCall::kWrite});
  add(0, 4);
  run_until([this] { return !sink_.open_attempts.empty(); });
  disk_.fail({.call = DiskCall::kWrite});
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until([this] { return !source_.acks.empty(); });
  EXPECT_EQ(saved_place(), "");
  add(4, 4);
  answer("r4 r5 r6 r7", Answer::delivered());
  run_until([this] { return deliverer_->settled(); });
  EXPECT_EQ(delivered_number(), "8");
  EXPECT_EQ(saved_place(), "80");
}

TEST_F(StuckJournalTest, what_is_delivered_while_it_cannot_be_spooled_does_not_come_again) {
  config_.spool.mode = SpoolMode::kOnTrouble;
  spool_->check();
  add(0, 4);
  run_until([this] { return !sink_.open_attempts.empty(); });
  disk_.fail({.call = DiskCall::kWrite});
  answer("r0 r1 r2 r3", Answer::retry("down"));  // so it is to be spooled
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until([this] { return !source_.acks.empty() && source_.acks.back() == 40; });
  loop_.advance(Milliseconds{1'000});
  run_until([this] { return saved_place() == "40"; });
}

TEST_F(StuckJournalTest, what_was_to_be_dropped_and_is_delivered_is_not_counted_as_dropped) {
  config_.spool.overflow = Overflow::kDropNewest;
  config_.spool.max_bytes = 1;
  add(0, 4);  // larger than all of it, and alone: is stored
  run_until([this] { return !source_.acks.empty(); });
  disk_.fail({.call = DiskCall::kWrite});
  add(4, 4);
  EXPECT_EQ(spool_->counters().dropped_newest, 4U);
  answer("r0 r1 r2 r3", Answer::delivered());
  answer("r4 r5 r6 r7", Answer::delivered());
  run_until([this] { return source_.acks.back() == 80; });
  EXPECT_EQ(spool_->counters().dropped_newest, 0U);
}

}  // namespace
}  // namespace leat
