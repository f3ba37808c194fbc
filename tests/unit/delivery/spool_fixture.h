// A source and a sink that the test scripts, with the spool, the deliverer and the journal between.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <sstream>

#include "delivery/fixture.h"
#include "spool/spool.h"

namespace leat {

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

}  // namespace leat
