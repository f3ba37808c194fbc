// Parts of the journal's files are damaged, or gone: what can be read is there, under its own name,
// and what cannot is read again by a source that is able to.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <zlib.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <random>
#include <set>

#include "journal/database.h"
#include "journal/journal.h"
#include "journal/schema.h"
#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

namespace fs = std::filesystem;
using testing::read_file;
using testing::TempDir;
using testing::write_file;

constexpr size_t kWalHeader = 32;
constexpr size_t kFrame = 24 + kPageSize;

class DamageTest : public ::testing::Test {
 protected:
  DamageTest() = default;
  ~DamageTest() override {
    close();
    EXPECT_TRUE(loop_.close());
  }

  std::string path() const { return folder_ / "journal.db"; }

  void open(bool can_replay = true) {
    Result<std::unique_ptr<Journal>> journal = Journal::open(path(), loop_.clock());
    ASSERT_TRUE(journal) << journal.error().message();
    journal_ = std::move(*journal);
    client_ = journal_->make_client(loop_);
    if (free_on_disk_) journal_->ask_room([this] { return *free_on_disk_; });
    journal_->start();
    for (const char* name : {"b", "a"})
      client_->open_spool(
          name,
          [this, name](Result<SpoolState> state) {
            ASSERT_TRUE(state) << state.error().message();
            state_[name] = *state;
          },
          can_replay);
    run();
  }
  void close() {
    client_.reset();
    journal_.reset();
    run();
  }
  void run() { uv_run(loop_.uv(), UV_RUN_DEFAULT); }

  // What kill -9 leaves, in place of what a clean end does.
  void kill() {
    TempDir copy;
    for (const char* name : {"journal.db", "journal.db-wal", "journal.db.boot"})
      fs::copy(folder_ / name, copy / name);
    close();
    for (const std::string& name : folder_.list()) fs::remove(folder_ / name);
    for (const std::string& name : copy.list()) fs::copy(copy / name, folder_ / name);
  }

  static std::string content_of(const std::string& pipeline, uint64_t number) {
    std::string out = pipeline + ":" + std::to_string(number) + ":";
    std::mt19937 random(static_cast<unsigned>(number));  // so that it does not compress
    while (out.size() < 2500) out += static_cast<char>(random());
    return out;
  }
  std::string add(const std::string& pipeline, uint64_t number, bool with_position = true) {
    std::vector<SavedPosition> positions;
    if (with_position) positions.push_back({"file", std::to_string(number + 1)});
    std::string failed = "no answer";
    client_->append(pipeline, {number, 1, content_of(pipeline, number)}, positions,
                    JournalClient::Durability::kPower, [&failed](const Result<uint64_t>& stored) {
                      failed = stored ? "" : stored.error().message();
                    });
    run();
    return failed;
  }
  void add_all(uint64_t rows, bool with_positions = true) {
    for (uint64_t n = 0; n < rows; ++n)
      for (const char* name : {"a", "b"}) ASSERT_EQ(add(name, n, with_positions), "");
  }
  // Numbers of the rows that can be read, which must be what was written.
  std::set<uint64_t> rows(const std::string& pipeline) {
    std::set<uint64_t> out;
    for (uint64_t from = 0;;) {
      SpoolRow row;
      client_->read_spool(pipeline, from, [&row](Result<SpoolRow> read) {
        ASSERT_TRUE(read) << read.error().message();
        row = std::move(*read);
      });
      run();
      if (row.records == 0) return out;
      from = row.first + row.records;
      if (row.content.empty()) continue;  // damaged
      EXPECT_EQ(row.content, content_of(pipeline, row.first));
      out.insert(row.first);
    }
  }
  uint64_t position(const std::string& pipeline) {
    uint64_t value = 0;
    client_->load(pipeline, [&value](Result<std::vector<SavedPosition>> saved) {
      ASSERT_TRUE(saved);
      for (const SavedPosition& one : *saved)
        if (one.partition == "file") value = std::stoull(one.value);
    });
    run();
    return value;
  }
  // The promise: each record is there, or the source reads it again.
  void expect_nothing_lost(uint64_t written) {
    for (const char* name : {"a", "b"}) {
      std::set<uint64_t> there = rows(name);
      uint64_t resume = position(name);
      for (uint64_t n = 0; n < std::min(written, resume); ++n)
        EXPECT_TRUE(there.count(n))
            << name << ": record " << n << " is lost; the source goes on at " << resume;
    }
  }

  void overwrite(const std::string& file, size_t offset, const std::string& bytes) {
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(offset));
    out << bytes;
  }
  void damage_page(uint32_t number, const std::string& with) {
    overwrite(path(), (number - 1) * static_cast<size_t>(kPageSize), with);
  }
  int64_t ask(const std::string& sql) {
    sqlite3* db = nullptr;
    sqlite3_stmt* row = nullptr;
    int64_t value = -1;
    if (sqlite3_open(path().c_str(), &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql.c_str(), -1, &row, nullptr) == SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW)
      value = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return value;
  }
  uint32_t root_of(const std::string& table) {
    return static_cast<uint32_t>(
        ask("SELECT rootpage FROM sqlite_schema WHERE name = '" + table + "'"));
  }

  TempDir folder_;
  testing::HandLoop loop_;
  std::optional<uint64_t> free_on_disk_;  // that is said to be
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
  std::map<std::string, SpoolState> state_;
};

const std::string kZeros(kPageSize, '\0');
const std::string kGarbage(kPageSize, '\xA5');

TEST_F(DamageTest, rows_stay_with_their_pipelines_when_the_table_that_names_them_is_gone) {
  open();
  add_all(10);
  std::string epoch = state_["a"].epoch;
  close();
  damage_page(root_of("spools"), kZeros);
  open();
  EXPECT_EQ(rows("a").size(), 10U);
  EXPECT_EQ(rows("b").size(), 10U);
  EXPECT_EQ(state_["a"].epoch, epoch);
  EXPECT_EQ(position("a"), 10U);
}

TEST_F(DamageTest, all_rows_are_there_when_the_root_of_their_tree_is_gone) {
  open();
  add_all(30);
  close();
  damage_page(root_of("spool"), kGarbage);
  open();
  EXPECT_EQ(rows("a").size(), 30U);
  EXPECT_EQ(rows("b").size(), 30U);
  EXPECT_EQ(add("a", 30), "");
}

TEST_F(DamageTest, whichever_page_is_damaged_nothing_is_lost_and_little_comes_twice) {
  open();
  add_all(8);
  close();
  std::string whole = read_file(path());
  auto pages = static_cast<uint32_t>(whole.size() / kPageSize);
  ASSERT_GT(pages, 40U);
  for (uint32_t page = 1; page <= pages; ++page) {
    SCOPED_TRACE("page " + std::to_string(page));
    for (const std::string& name : folder_.list()) fs::remove(folder_ / name);
    write_file(path(), whole);
    damage_page(page, page % 2 == 0 ? kZeros : kGarbage);
    open();
    expect_nothing_lost(8);
    EXPECT_GE(rows("a").size() + rows("b").size(), 12U);
    EXPECT_EQ(add("a", 8), "");
    close();
    uint64_t resumed = 0;
    open();  // what was lost is dealt with once
    resumed = position("a");
    EXPECT_EQ(resumed, 9U);
    close();
  }
}

TEST_F(DamageTest, a_flipped_bit_in_the_wal_costs_only_what_is_in_its_frame) {
  open();
  add_all(25, false);
  kill();
  std::string wal = read_file(path() + "-wal");
  size_t frames = (wal.size() - kWalHeader) / kFrame;
  size_t at = kWalHeader + frames / 2 * kFrame + 24 + 700;
  overwrite(path() + "-wal", at, std::string(1, static_cast<char>(wal[at] ^ 4)));
  open(false);
  EXPECT_GE(rows("a").size() + rows("b").size(), 48U);
  EXPECT_EQ(add("a", 25, false), "");
  std::vector<std::string> names = folder_.list();
  EXPECT_NE(std::find(names.begin(), names.end(), "journal.db.damaged-1-wal"), names.end());
}

TEST_F(DamageTest, a_clock_that_was_set_hides_no_damage) {
  open();
  add_all(8, false);
  kill();
  std::string wal = read_file(path() + "-wal");
  size_t at = kWalHeader + wal.size() / kFrame / 2 * kFrame + 700;
  overwrite(path() + "-wal", at, std::string(1, static_cast<char>(wal[at] ^ 4)));
  fs::last_write_time(path() + "-wal", fs::file_time_type::clock::now() - std::chrono::years(20));
  open(false);
  EXPECT_GE(rows("a").size() + rows("b").size(), 15U);
  EXPECT_TRUE(fs::exists(path() + ".damaged-1-wal"));
}

TEST_F(DamageTest, what_a_power_cut_tore_is_no_damage_on_a_board_without_a_clock) {
  open();
  add_all(8, false);
  kill();
  std::string wal = read_file(path() + "-wal");
  size_t at = kWalHeader + wal.size() / kFrame / 2 * kFrame + 700;
  overwrite(path() + "-wal", at, std::string(1, static_cast<char>(wal[at] ^ 4)));
  for (const char* note : {"0d3f0b0e-6d9c-4f0c-9d0e-2f6f5c1a7b11", ""}) {  // "": torn itself
    write_file(path() + ".boot", note);
    open(false);
    EXPECT_FALSE(fs::exists(path() + ".damaged-1"));
    EXPECT_EQ(add("a", rows("a").size() + 8, false), "");
    kill();
  }
  EXPECT_NE(read_file(path() + ".boot"), "");
}

TEST_F(DamageTest, whichever_byte_of_the_header_of_the_wal_is_damaged_nothing_is_lost) {
  open();
  add_all(8, false);
  kill();
  std::string database = read_file(path());
  std::string wal = read_file(path() + "-wal");
  for (size_t at = 0; at < 2 * kWalHeader; ++at) {
    size_t byte = at / 2;
    int bits = at % 2 == 0 ? 0x10 : 0x01;  // of one of them hangs the byte order
    SCOPED_TRACE("byte " + std::to_string(byte) + ", bits " + std::to_string(bits));
    for (const std::string& name : folder_.list()) fs::remove(folder_ / name);
    write_file(path(), database);
    write_file(path() + "-wal", wal);
    overwrite(path() + "-wal", byte, std::string(1, static_cast<char>(wal[byte] ^ bits)));
    open(false);
    EXPECT_EQ(rows("a").size(), 8U);
    EXPECT_EQ(rows("b").size(), 8U);
    EXPECT_TRUE(fs::exists(path() + ".damaged-1-wal"));
    close();
  }
}

TEST_F(DamageTest, a_first_sector_of_the_wal_that_is_gone_costs_only_what_was_in_it) {
  for (const std::string& with : {std::string(512, '\0'), std::string(512, '\xA5')}) {
    for (const std::string& name : folder_.list()) fs::remove(folder_ / name);
    open();
    add_all(8, false);
    kill();
    overwrite(path() + "-wal", 0, with);
    open(false);
    EXPECT_EQ(rows("a").size() + rows("b").size(), 16U);
    close();
  }
}

// It begins again at its start, with salts of its own, and what is behind belongs to the past.
TEST_F(DamageTest, what_an_earlier_round_of_the_wal_left_is_not_taken_when_its_header_is_damaged) {
  open();
  for (uint64_t n = 0; n < 700; ++n) ASSERT_EQ(add("a", n, false), "");
  kill();
  overwrite(path() + "-wal", 17, "X");
  open(false);
  EXPECT_EQ(rows("a").size(), 700U);
}

TEST_F(DamageTest, a_loss_before_the_first_row_is_counted_also_of_sources_without_positions) {
  open();
  for (uint64_t n = 0; n < 12; ++n) ASSERT_EQ(add("a", n, false), "");
  close();
  std::string file = read_file(path());
  size_t row = file.rfind(content_of("a", 0).substr(0, 40));  // in the root there is an old one
  ASSERT_NE(row, std::string::npos);
  overwrite(path(), row, "X");
  damage_page(root_of("spool"), kGarbage);
  open(false);
  EXPECT_EQ(rows("a").size(), 11U);
  close();
  // What is lost before this number was said.
  EXPECT_EQ(ask("SELECT value FROM positions WHERE partition LIKE '%:known'"), 12);
}

TEST_F(DamageTest, a_loss_behind_the_last_row_is_counted_by_its_traces) {
  open();
  for (uint64_t n = 0; n < 12; ++n) ASSERT_EQ(add("a", n, false), "");
  close();
  std::string file = read_file(path());
  for (uint64_t n : {10U, 11U}) {
    size_t inside = file.find(content_of("a", n).substr(1500, 40));
    ASSERT_NE(inside, std::string::npos);
    damage_page(static_cast<uint32_t>(inside / kPageSize) + 1, kGarbage);
  }
  damage_page(root_of("spool"), kGarbage);
  open(false);
  EXPECT_EQ(rows("a").size(), 10U);
  EXPECT_EQ(state_["a"].end, 12U);
  EXPECT_EQ(add("a", 12, false), "");
  close();
  // What is lost before this number was said, and is not said again.
  EXPECT_EQ(ask("SELECT value FROM positions WHERE partition LIKE '%:known'"), 12);
  open(false);
  EXPECT_EQ(rows("a").size(), 11U);
}

// Found by scripts/fault-test.
TEST_F(DamageTest, a_loss_is_said_though_the_agent_dies_when_it_has_made_the_journal_anew) {
  open();
  for (uint64_t n = 0; n < 12; ++n) ASSERT_EQ(add("a", n, false), "");
  close();
  size_t inside = read_file(path()).find(content_of("a", 5).substr(1500, 40));
  ASSERT_NE(inside, std::string::npos);
  damage_page(static_cast<uint32_t>(inside / kPageSize) + 1, kGarbage);
  damage_page(root_of("spool"), kGarbage);
  ASSERT_TRUE(JournalDatabase::open(path(), loop_.clock()));
  for (int start = 0; start < 2; ++start) {
    ::testing::internal::CaptureStderr();
    open(false);
    std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(said.find("a: 1 spooled record was lost") == std::string::npos, start > 0) << said;
    EXPECT_EQ(rows("a").size(), 11U);
    close();
  }
}

TEST_F(DamageTest, the_source_goes_back_when_all_rows_of_its_spool_are_lost) {
  for (const char* table : {"spool", "spools"}) {
    SCOPED_TRACE(table);
    for (const std::string& name : folder_.list()) fs::remove(folder_ / name);
    open();
    ASSERT_EQ(add("a", 0), "");
    for (uint64_t n = 0; n < 12; ++n) ASSERT_EQ(add("b", n), "");
    close();
    std::string file = read_file(path());
    std::string row = content_of("a", 0).substr(0, 40);
    for (size_t at = file.find(row); at != std::string::npos; at = file.find(row, at + 1))
      overwrite(path(), at, "X");
    damage_page(root_of(table), kZeros);
    open();
    EXPECT_EQ(rows("a").size(), 0U);
    EXPECT_EQ(position("a"), 0U);
    EXPECT_EQ(rows("b").size(), 12U);
    close();
  }
}

TEST_F(DamageTest, what_was_delivered_is_no_loss_of_sources_without_positions) {
  open();
  for (uint64_t n = 0; n < 12; ++n) ASSERT_EQ(add("a", n, false), "");
  std::string spool = "spool:" + state_["a"].epoch;
  client_->commit("a", {{spool, "6"}}, [](const Status& status) { EXPECT_TRUE(status); });
  client_->remove_spooled("a", 6, [](const auto& removed) { EXPECT_TRUE(removed); });
  run();
  close();
  damage_page(root_of("spool"), kGarbage);
  open(false);
  EXPECT_EQ(rows("a").size(), 6U);
  close();
  EXPECT_EQ(ask("SELECT count(*) FROM positions WHERE partition LIKE '%:known'"), 0);
}

TEST_F(DamageTest, wherever_a_bit_of_the_wal_flips_nothing_is_lost) {
  open();
  add_all(8);
  kill();
  std::string database = read_file(path());
  std::string wal = read_file(path() + "-wal");
  for (size_t at = kWalHeader + 9; at < wal.size(); at += 2 * kFrame + 31) {
    SCOPED_TRACE("byte " + std::to_string(at));
    for (const std::string& name : folder_.list()) fs::remove(folder_ / name);
    write_file(path(), database);
    write_file(path() + "-wal", wal);
    overwrite(path() + "-wal", at, std::string(1, static_cast<char>(wal[at] ^ 1)));
    open();
    expect_nothing_lost(8);
    close();
  }
}

TEST_F(DamageTest, the_source_goes_back_behind_what_was_delivered_not_to_its_beginning) {
  open();
  for (uint64_t n = 0; n < 12; ++n) ASSERT_EQ(add("a", n), "");
  std::string spool = "spool:" + state_["a"].epoch;
  bool removed = false;
  client_->commit("a", {{spool, "6"}}, [](const Status& status) { EXPECT_TRUE(status); });
  client_->remove_spooled("a", 6, [&removed](const auto& result) { removed = bool(result); });
  run();
  ASSERT_TRUE(removed);
  close();
  std::string file = read_file(path());
  size_t row = file.find(content_of("a", 6).substr(0, 40));
  ASSERT_NE(row, std::string::npos);
  overwrite(path(), row, "X");
  open();
  EXPECT_EQ(position("a"), 6U);
  EXPECT_EQ(rows("a").size(), 5U);
}

TEST_F(DamageTest, what_transforms_remember_goes_when_the_source_goes_back_before_it) {
  open();
  for (uint64_t n = 0; n < 12; ++n) ASSERT_EQ(add("a", n), "");
  for (const char* name : {"a", "b"})
    client_->commit(name, {{"state:", "head"}, {"state:0", "row"}},
                    [](const Status& status) { EXPECT_TRUE(status); });
  close();
  std::string file = read_file(path());
  size_t row = file.find(content_of("a", 6).substr(0, 40));
  ASSERT_NE(row, std::string::npos);
  overwrite(path(), row, "X");
  open();
  EXPECT_EQ(position("a"), 6U);
  close();
  EXPECT_EQ(ask("SELECT count(*) FROM positions WHERE partition LIKE 'state:%'"), 2);
  EXPECT_EQ(ask("SELECT count(*) FROM positions WHERE partition LIKE 'state:%' AND pipeline = 'b'"),
            2);
}

TEST_F(DamageTest, numbers_that_no_row_ever_had_are_no_loss) {
  open();
  ASSERT_EQ(add("a", 0), "");
  ASSERT_EQ(add("a", 7), "");  // those between found no room, and were delivered
  close();
  open();
  EXPECT_EQ(position("a"), 8U);
}

TEST_F(DamageTest, rows_that_were_dropped_are_no_loss) {
  open();
  for (uint64_t n = 0; n < 6; ++n) ASSERT_EQ(add("a", n), "");
  client_->drop_spooled("a", 1, 3000, [](const auto& removed) {
    ASSERT_TRUE(removed);
    EXPECT_EQ(removed->records, 2U);
  });
  run();
  close();
  open();
  EXPECT_EQ(position("a"), 6U);
}

TEST_F(DamageTest, damage_that_is_found_while_it_runs_is_mended_at_once) {
  open();
  add_all(40);
  close();
  uint32_t root = root_of("spool");
  open();
  damage_page(root, kGarbage);  // it was read at the start, and is read again
  EXPECT_EQ(rows("a").size(), 40U);
  EXPECT_EQ(add("a", 40), "");
  EXPECT_EQ(rows("b").size(), 40U);
}

TEST_F(DamageTest, whichever_page_is_damaged_while_it_runs_what_is_behind_it_is_read) {
  open();
  add_all(12, false);
  close();
  std::string whole = read_file(path());
  auto pages = static_cast<uint32_t>(whole.size() / kPageSize);
  for (uint32_t page = 2; page <= pages; ++page) {
    SCOPED_TRACE("page " + std::to_string(page));
    for (const std::string& name : folder_.list()) fs::remove(folder_ / name);
    write_file(path(), whole);
    open(false);
    damage_page(page, page % 2 == 0 ? kZeros : kGarbage);
    EXPECT_GE(rows("a").size() + rows("b").size(), 20U);
    close();
  }
}

// Removing it is what makes room.
TEST_F(DamageTest, a_damaged_row_is_passed_over_where_there_is_no_room_to_make_the_journal_anew) {
  open();
  add_all(12, false);
  close();
  size_t row = read_file(path()).find(content_of("a", 5).substr(700, 40));
  ASSERT_NE(row, std::string::npos);
  free_on_disk_ = 0;
  open(false);
  damage_page(static_cast<uint32_t>(row / kPageSize) + 1, kGarbage);
  client_->read_spool("a", 5, [](const Result<SpoolRow>& read) { EXPECT_FALSE(read); });
  run();
  EXPECT_EQ(rows("a").size(), 11U);
  EXPECT_EQ(rows("b").size(), 12U);
}

TEST_F(DamageTest, what_is_found_to_be_lost_while_it_runs_is_read_again_at_the_next_start) {
  open();
  for (uint64_t n = 0; n < 40; ++n) ASSERT_EQ(add("a", n), "");
  close();
  uint32_t root = root_of("spool");
  std::string file = read_file(path());
  size_t row = file.find(content_of("a", 20).substr(0, 40));
  ASSERT_NE(row, std::string::npos);
  open();
  overwrite(path(), row, "X");
  damage_page(root, kGarbage);
  EXPECT_EQ(rows("a").size(), 39U);
  EXPECT_EQ(add("a", 40), "");  // it does not know, and saves where it is
  EXPECT_EQ(position("a"), 41U);
  close();
  open();
  EXPECT_EQ(position("a"), 20U);
  EXPECT_EQ(add("a", 41), "");
  close();
  open();
  EXPECT_EQ(position("a"), 42U);
}

TEST_F(DamageTest, a_journal_that_is_deleted_under_it_is_made_again_with_all_that_was_in_it) {
  open();
  add_all(5);
  fs::remove(path());
  fs::remove(path() + "-wal");
  EXPECT_EQ(add("a", 5), "");
  kill();
  open();
  EXPECT_EQ(rows("a").size(), 6U);
  EXPECT_EQ(rows("b").size(), 5U);
  EXPECT_EQ(position("a"), 6U);
}

TEST_F(DamageTest, a_journal_that_is_replaced_under_it_is_made_again_beside_what_replaced_it) {
  open();
  add_all(5);
  write_file(folder_ / "other", "not a journal");
  fs::rename(folder_ / "other", path());
  EXPECT_EQ(add("a", 5), "");
  kill();
  open();
  EXPECT_EQ(rows("a").size(), 6U);
}

TEST_F(DamageTest, nothing_is_acknowledged_while_a_journal_that_is_gone_cannot_be_made_again) {
  open();
  add_all(5);
  write_file(folder_ / "other", "not a journal");
  fs::rename(folder_ / "other", path());
  fs::remove(path() + "-wal");
  for (int n = 1; n <= 100; ++n)  // more are never made
    write_file(path() + ".damaged-" + std::to_string(n), "");
  EXPECT_NE(add("a", 5), "");
  EXPECT_NE(add("a", 5), "");
  bool answered = false;
  client_->read_spool("a", 0, [&answered](const Result<SpoolRow>& row) {
    EXPECT_FALSE(row);  // not that there is none
    answered = true;
  });
  run();
  EXPECT_TRUE(answered);
  close();
  for (int n = 1; n <= 100; ++n) fs::remove(path() + ".damaged-" + std::to_string(n));
  open();
  EXPECT_EQ(rows("a").size(), 5U);
  EXPECT_EQ(add("a", 5), "");
  EXPECT_EQ(rows("a").size(), 6U);
}

TEST_F(DamageTest, a_folder_that_is_deleted_under_it_is_made_again_with_the_journal) {
  open();
  add_all(5);
  fs::remove_all(folder_.path());
  EXPECT_EQ(add("a", 5), "");
  kill();
  open();
  EXPECT_EQ(rows("a").size(), 6U);
  EXPECT_EQ(rows("b").size(), 5U);
}

TEST_F(DamageTest, a_folder_that_is_deleted_when_all_is_spooled_is_made_again_at_the_end) {
  open();
  add_all(5);
  fs::remove_all(folder_.path());
  client_.reset();
  EXPECT_TRUE(journal_->finish());
  close();
  open();
  EXPECT_EQ(rows("a").size(), 5U);
}

TEST_F(DamageTest, what_is_lost_with_a_folder_that_cannot_be_made_again_is_said_with_its_number) {
  open();
  add_all(5);
  fs::remove_all(folder_.path());
  write_file(folder_.path(), "in its place");
  EXPECT_NE(add("a", 5), "");
  client_.reset();
  Status status = journal_->finish();
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message().find(": 10 spooled records are lost"), std::string::npos)
      << status.error().message();
  close();
  fs::remove(folder_.path());
}

TEST_F(DamageTest, a_wal_that_is_deleted_under_it_is_made_again) {
  open();
  add_all(5);
  fs::remove(path() + "-wal");
  EXPECT_EQ(add("a", 5), "");
  kill();
  open();
  EXPECT_EQ(rows("a").size(), 6U);
  EXPECT_EQ(rows("b").size(), 5U);
}

TEST_F(DamageTest,
       what_was_acknowledged_is_there_when_the_file_was_deleted_and_nothing_came_after) {
  open();
  add_all(5);
  fs::remove(path());
  close();
  open();
  EXPECT_EQ(rows("a").size(), 5U);
}

TEST_F(DamageTest, rows_of_version_2_are_kept) {
  open();
  add_all(1);
  close();
  std::string content = content_of("a", 1);
  auto crc = static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
  std::string packed(1, '\0');
  for (uint32_t n : {crc, static_cast<uint32_t>(content.size())})
    for (int i = 0; i < 4; ++i) packed += static_cast<char>(n >> (8 * i));
  packed += content;
  int64_t number = ask("SELECT number FROM spools WHERE pipeline = 'a'");
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO spool VALUES(?1, 1, 0, ?2)", -1, &insert, nullptr);
  sqlite3_bind_int64(insert, 1, row_id(number, 1));
  sqlite3_bind_blob(insert, 2, packed.data(), static_cast<int>(packed.size()), SQLITE_STATIC);
  EXPECT_EQ(sqlite3_step(insert), SQLITE_DONE);
  sqlite3_finalize(insert);
  sqlite3_exec(db, "PRAGMA user_version=2", nullptr, nullptr, nullptr);
  sqlite3_close(db);
  open();
  EXPECT_EQ(rows("a").size(), 2U);
  close();
  EXPECT_EQ(ask("PRAGMA user_version"), 4);
  damage_page(root_of("positions"), kZeros);  // `spools` still says whose they are
  open();
  EXPECT_EQ(rows("a").size(), 2U);
}

}  // namespace
}  // namespace leat
