// Histories of the journal's database: transactions on a disk that fails, kills and power cuts, and
// after each what is there against what was committed.
//
// What must hold: a transaction is there as a whole or not at all; one that was committed is there
// after a kill, and after a power cut when it was durable (or one after it was); one whose COMMIT
// failed may be there after a kill, and nothing else may; after an fsync that failed nothing is
// committed; without damage no journal is set aside; spools do not mix.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include "histories/history.h"
#include "journal/database.h"
#include "support/faulty_disk.h"
#include "support/hand_loop.h"

namespace leat::testing {
namespace {

struct Pipeline {
  std::map<uint64_t, std::pair<uint64_t, std::string>> rows;  // by first record: how many, content
  std::map<std::string, std::string> positions;
  bool operator==(const Pipeline&) const = default;
};
using State = std::map<std::string, Pipeline>;

bool is_empty(const State& state) {
  return std::all_of(state.begin(), state.end(),
                     [](const auto& one) { return one.second == Pipeline(); });
}

bool has_no_positions(const State& state) {
  return std::all_of(state.begin(), state.end(),
                     [](const auto& one) { return one.second.positions.empty(); });
}

constexpr const char* kNames[] = {"press", "oven", "saw"};

class JournalHistory final : public History {
 public:
  explicit JournalHistory(uint64_t seed) : History(seed), folder_(empty_folder()), disk_(folder_) {
    large_ = dice.one_in(250);
    for (size_t i = 0, n = dice.between(1, 3); i < n; ++i) committed_[kNames[i]];
    after_cut_ = {committed_};
  }

  void run() override {
    uint64_t steps =
        long_histories() ? dice.between(4, large_ ? 120 : 18) : dice.between(3, large_ ? 120 : 13);
    start();
    while (steps-- > 0 && !broken()) {
      switch (dice.pick({30, 6, 3, 3, 3, 3, 4, 2})) {
        case 0:
          transaction();
          break;
        case 1:
          check_what_is_read();
          break;
        case 2:
          stop();
          break;
        case 3:
          kill();
          break;
        case 4:
          cut_power();
          break;
        case 5:
          mend();
          break;
        case 6:
          break_something();
          break;
        case 7:
          fill_up();
          break;
      }
      if (database_ == nullptr && !broken()) start();
    }
    mend();
    if (database_ == nullptr) start();
    if (database_ == nullptr) return breaks("it cannot be opened though nothing fails any more");
    check_what_is_read();
    kill();
    start();
    check_what_is_read();
    stop();
    note_faults();
  }

 private:
  std::string path() const { return folder_ + "/journal.db"; }

  void start() {
    step([] { return "start"; });
    Result<std::unique_ptr<JournalDatabase>> opened = JournalDatabase::open(path(), clock_);
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      if (entry.path().string().find("damaged") == std::string::npos) continue;
      // A new file that the power cut caught before anything durable was in it may be torn.
      if (!was_cut_ || !is_empty(after_cut_.front()))
        return breaks("set aside without damage: " + entry.path().string());
      std::filesystem::remove(entry.path());
      torn_ = true;
    }
    if (!opened) {
      step([&opened] { return "  " + opened.error().message(); });
      if (!failing_ && !full_) breaks("cannot be opened: " + opened.error().message());
      return;
    }
    // Put in place, and not opened: Journal puts nothing into what stands in for it, and tries
    // again.
    if ((*opened)->stand_in()) {
      step([] { return "  only a stand-in"; });
      if (!failing_ && !full_) breaks("cannot be opened");
      return;
    }
    database_ = std::move(*opened);
    sync_failures_ = failed_syncs();
    find_what_is_there();
  }

  uint64_t failed_syncs() { return disk_.counters().failed[DiskCall::kSync]; }

  // Opens the spools as the pipelines do, and compares with what may be there.
  void find_what_is_there() {
    std::map<std::string, SpoolState> states;
    Status status = database_->begin(false);
    for (const auto& [name, pipeline] : committed_) {
      if (!status) break;
      Result<SpoolState> state = database_->spool().open(name);
      if (state) {
        states[name] = *state;
      } else {
        status = fail(state.error());
      }
    }
    if (status) status = database_->commit();
    State found;
    if (!status || !read_all(found)) {
      if (!failing_ && !full_)
        breaks("its spools cannot be read: " + (status ? read_error_ : status.error().message()));
      return close();
    }
    const std::vector<State>& possible = was_cut_ ? after_cut_ : after_kill_;
    if (std::find(possible.begin(), possible.end(), found) == possible.end() &&
        (was_cut_ || found != committed_) && !(torn_ && has_no_positions(found)))
      return breaks("what is there was never committed, or what was is missing:" +
                    difference(found));
    for (const auto& [name, pipeline] : found) check_totals(name, pipeline, states[name]);
    committed_ = found;
    after_kill_.clear();
    seen_.clear();
    if (was_cut_) after_cut_ = {found};
    was_cut_ = torn_ = false;
  }

  void check_totals(const std::string& name, const Pipeline& pipeline, const SpoolState& state) {
    if (pipeline.rows.empty()) return;
    uint64_t bytes = 0;
    uint64_t records = 0;
    for (const auto& [first, content] : pipeline.rows) {
      bytes += stored_[name].at(first);
      records += content.first;
    }
    const auto& [last, row] = *pipeline.rows.rbegin();
    if (state.first != pipeline.rows.begin()->first || state.end != last + row.first)
      breaks("the spool of " + name + " begins or ends elsewhere");
    Result<SpoolTotals> totals = database_->spool().totals(name, 0);
    if (totals && (totals->bytes != bytes || totals->records != records))
      breaks("the spool of " + name + " has " + std::to_string(records) + " records in " +
             std::to_string(bytes) + " bytes, it says " + std::to_string(totals->records) + " in " +
             std::to_string(totals->bytes));
  }

  bool read_all(State& out) {
    for (const auto& [name, pipeline] : committed_) {
      Pipeline& found = out[name];
      Result<std::vector<SavedPosition>> saved = database_->load(name);
      if (!saved) return read_failed(saved.error());
      for (const SavedPosition& position : *saved)
        found.positions[position.partition] = position.value;
      for (uint64_t from = 0;;) {
        uint64_t end = from;
        Result<std::optional<SpoolRow>> row = database_->spool().read(name, from, &end);
        if (!row) return read_failed(row.error());
        if (!*row) break;
        found.rows[(*row)->first] = {(*row)->records, (*row)->content};
        from = (*row)->first + (*row)->records;
      }
    }
    return true;
  }
  bool read_failed(const Error& error) {
    read_error_ = error.message();
    return false;
  }

  void transaction() {
    if (database_ == nullptr) return;
    bool durable = dice.one_in(2);
    bool sync_failed = failed_syncs() > sync_failures_;
    State next = committed_;
    std::string said;
    bool writes = false;  // else there is nothing to bring to the disk, nor what came before
    Status status = database_->begin(durable);
    for (uint64_t n = dice.between(1, 4); n > 0 && status; --n) status = change(next, said, writes);
    if (status && dice.one_in(40)) return kill();
    if (status) status = database_->commit();
    step([&] {
      return std::string(durable ? "durable " : "") + "transaction:" + said +
             (status ? "" : " FAILED: " + status.error().message());
    });
    if (status) {
      if (sync_failed) return breaks("committed after an fsync had failed");
      if (durable && writes) after_cut_.clear();
      after_cut_.push_back(next);
      // One before it that failed is written over; by one that changes nothing it is not.
      if (writes) after_kill_.clear();
      committed_ = std::move(next);
      return;
    }
    if (!failing_ && !full_ && failed_syncs() == sync_failures_)
      return breaks("failed though nothing fails: " + status.error().message());
    // Who knows what of it is in the WAL?
    after_kill_.push_back(next);
    // A sync that failed in the checkpoint after COMMIT leaves it there, but nobody may rely on it.
    if (failed_syncs() != sync_failures_) seen_.push_back(next);
    after_cut_.push_back(std::move(next));
    database_->rollback();
    database_->checkpoint();
    if (dice.one_in(2)) check_what_is_read();
  }

  Status change(State& state, std::string& said, bool& writes) {
    auto at = state.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(dice.below(state.size())));
    const std::string& name = at->first;
    Pipeline& pipeline = at->second;
    uint64_t& next = next_[name];
    switch (dice.pick({6, 4, 2, 1})) {
      case 0: {
        writes = true;
        SpoolRow row{next, dice.between(1, 20), content_for(name)};
        next += row.records;
        said += " append " + name + ":" + std::to_string(row.first) + "+" +
                std::to_string(row.records) + " (" + std::to_string(row.content.size()) + " bytes)";
        pipeline.rows[row.first] = {row.records, row.content};
        Result<uint64_t> stored = database_->spool().append(name, row);
        if (!stored) return fail(stored.error());
        stored_[name][row.first] = *stored;
        return save(name, pipeline, said);
      }
      case 1:
        writes = true;
        return save(name, pipeline, said);
      case 2: {
        uint64_t to = dice.below(next + 1);
        said += " remove " + name + " to " + std::to_string(to);
        std::erase_if(pipeline.rows,
                      [to](const auto& row) { return row.first + row.second.first <= to; });
        Result<SpoolRemoved> removed = database_->spool().remove(name, to);
        if (removed) writes |= removed->records > 0;
        return removed ? Status{} : Status(fail(removed.error()));
      }
      default: {
        uint64_t from = dice.below(next + 1);
        uint64_t bytes = dice.between(1, 2000);
        said += " drop " + name + " from " + std::to_string(from);
        Result<SpoolRemoved> removed = database_->spool().drop(name, from, bytes);
        if (!removed) return fail(removed.error());
        writes |= removed->records > 0;
        uint64_t end = removed->end;
        std::erase_if(pipeline.rows, [from, end](const auto& row) {
          return row.first >= from && row.first + row.second.first <= end;
        });
        return {};
      }
    }
  }

  Status save(const std::string& name, Pipeline& pipeline, std::string& said) {
    SavedPosition position{"f" + std::to_string(dice.below(3)), std::to_string(++value_)};
    said += " save " + name + "/" + position.partition + "=" + position.value;
    pipeline.positions[position.partition] = position.value;
    return database_->save(name, position);
  }

  // Some of it compresses, some does not; the large ones bring the WAL to its checkpoint.
  std::string content_for(const std::string& name) {
    size_t size = large_ ? dice.between(1, 60'000) : dice.between(1, 600);
    return name + ":" + (dice.one_in(3) ? std::string(size, 'x') : dice.bytes(size));
  }

  void check_what_is_read() {
    if (database_ == nullptr || broken()) return;
    step([] { return "read"; });
    State found;
    if (!read_all(found)) {
      if (!failing_) breaks("cannot be read: " + read_error_);
      return;
    }
    bool seen = std::find(seen_.begin(), seen_.end(), found) != seen_.end();
    if (found != committed_ && !seen)
      breaks("what is read is not what was committed:" + difference(found));
  }

  void stop() {
    step([] { return "stop"; });
    close();
  }
  void close() { database_.reset(); }

  void kill() {
    step([] { return "kill -9"; });
    disk_.kill();
    close();
    ++met["kill"];
  }

  void cut_power() {
    auto unsynced = static_cast<Unsynced>(dice.below(3));
    uint64_t seed = dice.seed();
    step([unsynced] {
      return "power cut, unsynced writes " + std::string(unsynced == Unsynced::kLost   ? "lost"
                                                         : unsynced == Unsynced::kKept ? "kept"
                                                                                       : "torn");
    });
    disk_.cut_power(unsynced, seed);
    close();
    was_cut_ = true;
    ++met["power_cut"];
  }

  void mend() {
    step([] { return "the disk is well"; });
    disk_.mend();
    disk_.set_capacity(std::nullopt);
    failing_ = full_ = false;
  }

  void break_something() {
    static constexpr DiskCall kCalls[] = {DiskCall::kOpen,     DiskCall::kRead, DiskCall::kWrite,
                                          DiskCall::kTruncate, DiskCall::kSync, DiskCall::kLock};
    DiskFault fault{.call = kCalls[dice.pick({1, 2, 6, 1, 6, 1})]};
    if (dice.one_in(2)) fault.file = dice.one_in(2) ? "-wal" : ".db";
    fault.nth = dice.between(1, dice.one_in(2) ? 3 : 30);
    fault.times = dice.one_in(4) ? DiskFault::kForEver : dice.between(1, 3);
    if (fault.call == DiskCall::kWrite) {
      if (dice.one_in(3)) fault.code = SQLITE_FULL;
      if (dice.one_in(2)) fault.keep = dice.below(1024);
    }
    step([&fault] {
      return std::string("from now the ") + std::to_string(fault.nth) + ". " +
             to_string(fault.call) + " of *" + fault.file + " fails" +
             (fault.times == DiskFault::kForEver ? " for ever" : "") + ", " +
             std::to_string(fault.keep) + " bytes of it written";
    });
    disk_.fail(fault);
    failing_ = true;
  }

  void fill_up() {
    uint64_t room = dice.below(large_ ? 100'000 : 6'000);
    step([room] { return "room for " + std::to_string(room) + " bytes more"; });
    disk_.set_capacity(disk_.used() + room);
    full_ = true;
  }

  std::string difference(const State& found) {
    std::string out;
    for (const auto& [name, pipeline] : committed_) {
      const Pipeline& there = found.at(name);
      for (const auto& [first, row] : pipeline.rows)
        if (!there.rows.count(first))
          out += " row " + name + ":" + std::to_string(first) + " is missing;";
        else if (there.rows.at(first) != row)
          out += " row " + name + ":" + std::to_string(first) + " is another;";
      for (const auto& [first, row] : there.rows)
        if (!pipeline.rows.count(first))
          out += " row " + name + ":" + std::to_string(first) + " is there;";
      if (there.positions != pipeline.positions) {
        for (const auto& [partition, value] : pipeline.positions)
          out += " " + name + "/" + partition + "=" + value + " committed;";
        for (const auto& [partition, value] : there.positions)
          out += " " + name + "/" + partition + "=" + value + " is there;";
      }
    }
    return out;
  }

  void note_faults() {
    FaultyDisk::Counters counters = disk_.counters();
    for (const auto& [call, times] : counters.failed)
      met[std::string("failed_") + to_string(call)] += times;
    met["disk_full"] += counters.full;
  }

  FakeClock clock_;
  std::string folder_;
  FaultyDisk disk_;
  std::unique_ptr<JournalDatabase> database_;
  bool large_ = false;
  bool failing_ = false;
  bool full_ = false;
  uint64_t sync_failures_ = 0;  // when it was opened
  uint64_t value_ = 0;
  std::map<std::string, uint64_t> next_;
  std::map<std::string, std::map<uint64_t, uint64_t>> stored_;  // bytes of rows
  std::string read_error_;

  State committed_;                // what a reader sees
  std::vector<State> after_kill_;  // what else may be there after a kill
  std::vector<State> seen_;        // what else a reader may see
  std::vector<State> after_cut_;   // the last durable state, and what came after it
  bool was_cut_ = false;
  // A new journal was torn: some rows were salvaged, which come again when no position says else.
  bool torn_ = false;
};

class JournalHistories : public ::testing::TestWithParam<int> {};

TEST_P(JournalHistories, hold) {
  run_histories("journal", GetParam(),
                [](uint64_t seed) { return std::make_unique<JournalHistory>(seed); });
}

INSTANTIATE_TEST_SUITE_P(Part, JournalHistories, ::testing::Range(0, kParts));

}  // namespace
}  // namespace leat::testing
