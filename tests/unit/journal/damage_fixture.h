// A journal of two pipelines whose files the test damages or removes.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "journal/database.h"
#include "journal/journal.h"
#include "journal/schema.h"
#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat {

namespace fs = std::filesystem;
using testing::read_file;
using testing::TempDir;
using testing::write_file;

inline constexpr size_t kWalHeader = 32;
inline constexpr size_t kFrame = 24 + kPageSize;

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
  // The first page below the root of the tree: its number is at the begin of the root's first cell
  // (SQLite's file format, section 1.6). While the root is always in SQLite's cache, this one is
  // not when many other rows were read since.
  uint32_t first_below(uint32_t root) {
    std::string page =
        read_file(path()).substr((root - 1) * static_cast<size_t>(kPageSize), kPageSize);
    auto byte = [&page](size_t at) {
      return static_cast<uint32_t>(static_cast<uint8_t>(page[at]));
    };
    EXPECT_EQ(byte(0), 5U) << "a tree of one page";
    size_t cell = byte(12) << 8 | byte(13);
    return byte(cell) << 24 | byte(cell + 1) << 16 | byte(cell + 2) << 8 | byte(cell + 3);
  }
  // Whether the journal was made anew.
  bool was_mended() const { return fs::exists(path() + ".damaged-1"); }

  TempDir folder_;
  testing::HandLoop loop_;
  std::optional<uint64_t> free_on_disk_;  // that is said to be
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
  std::map<std::string, SpoolState> state_;
};

inline const std::string kZeros(kPageSize, '\0');
inline const std::string kGarbage(kPageSize, '\xA5');

}  // namespace leat
