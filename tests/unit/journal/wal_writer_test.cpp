// What SQLite appends to a WAL is gathered, and yet there when a commit is: nothing is closed here
// before another connection opens a copy of the files, as they are after a kill.
#include "journal/wal_writer.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <string>

#include "journal/journal_vfs.h"
#include "support/faulty_disk.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

using testing::DiskCall;
using testing::FaultyDisk;
using testing::TempDir;

int run(sqlite3* db, const std::string& sql) {
  return sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
}

std::string text(sqlite3* db, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr);
  std::string out;
  if (sqlite3_step(statement) == SQLITE_ROW)
    out = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
  sqlite3_finalize(statement);
  return out;
}

class WalWriterTest : public ::testing::Test {
 protected:
  // NORMAL: nothing but the last frame tells that a transaction ends. A cache of 16 pages, so that
  // a large one is written before it ends, and what it changes again is written over.
  void SetUp() override {
    ASSERT_EQ(sqlite3_open_v2((folder_ / "a.db").c_str(), &db_,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, journal_vfs()),
              SQLITE_OK);
    ASSERT_EQ(run(db_,
                  "PRAGMA page_size=1024; PRAGMA locking_mode=EXCLUSIVE;"
                  "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=16;"
                  "PRAGMA wal_autocheckpoint=0;"
                  "CREATE TABLE t(n INTEGER PRIMARY KEY, version INTEGER, pad)"),
              SQLITE_OK);
  }
  void TearDown() override { sqlite3_close(db_); }

  std::string insert(int from, int count) {
    return "WITH RECURSIVE r(n) AS (SELECT " + std::to_string(from) +
           " UNION ALL SELECT n + 1 FROM r LIMIT " + std::to_string(count) +
           ") INSERT INTO t SELECT n, 0, randomblob(700) FROM r;";
  }
  uint64_t writes() { return disk_.counters().calls[DiskCall::kWrite]; }

  // As after a kill: "rows, sum of versions".
  std::string left_behind() {
    const std::string copy = folder_ / "copy.db";
    for (const char* suffix : {"", "-wal"})
      std::filesystem::copy_file(folder_ / "a.db" + suffix, copy + suffix,
                                 std::filesystem::copy_options::overwrite_existing);
    sqlite3* other = nullptr;
    EXPECT_EQ(sqlite3_open(copy.c_str(), &other), SQLITE_OK);
    EXPECT_EQ(text(other, "PRAGMA integrity_check"), "ok");
    std::string out = text(other, "SELECT count(*) || ', ' || total(version) FROM t");
    sqlite3_close(other);
    std::filesystem::remove(copy + "-shm");
    return out;
  }

  TempDir folder_;
  FaultyDisk disk_{folder_.path()};
  sqlite3* db_ = nullptr;
};

TEST_F(WalWriterTest, a_transaction_is_there_when_it_is_committed_and_takes_few_writes) {
  const uint64_t before = writes();
  for (int n = 0; n < 50; ++n) ASSERT_EQ(run(db_, insert(n, 1)), SQLITE_OK);
  EXPECT_LE(writes() - before, 55u);  // of 100 frames and more
  EXPECT_EQ(left_behind(), "50, 0.0");
}

TEST_F(WalWriterTest, one_that_is_larger_than_the_cache_is_written_over_where_it_changes_again) {
  ASSERT_EQ(run(db_, "BEGIN;" + insert(0, 400) + "UPDATE t SET version = 1 WHERE n % 3 = 0;" +
                         "UPDATE t SET version = 2 WHERE n % 7 = 0"),
            SQLITE_OK);
  EXPECT_EQ(left_behind(), "0, 0.0");
  ASSERT_EQ(run(db_, "COMMIT"), SQLITE_OK);
  EXPECT_EQ(left_behind(), "400, 230.0");  // 134 - 20 of version 1, 58 of version 2
  ASSERT_EQ(run(db_, insert(400, 1)), SQLITE_OK);
  EXPECT_EQ(left_behind(), "401, 230.0");
}

TEST_F(WalWriterTest, what_was_taken_back_leaves_nothing_for_the_next_transaction) {
  ASSERT_EQ(run(db_, "BEGIN;" + insert(0, 100) + "ROLLBACK"), SQLITE_OK);
  ASSERT_EQ(run(db_, insert(0, 3)), SQLITE_OK);
  EXPECT_EQ(left_behind(), "3, 0.0");
}

TEST_F(WalWriterTest, a_write_that_fails_fails_its_transaction_alone) {
  for (uint64_t nth = 1; nth <= 5; ++nth) {
    SCOPED_TRACE(nth);
    const int from = static_cast<int>(nth) * 1000;
    const std::string before = left_behind();
    disk_.fail({.call = DiskCall::kWrite, .file = "-wal", .nth = nth, .code = SQLITE_FULL});
    ASSERT_EQ(run(db_, "BEGIN;" + insert(from, 300) + "COMMIT"), SQLITE_FULL);
    run(db_, "ROLLBACK");
    EXPECT_EQ(left_behind(), before);
    ASSERT_EQ(run(db_, insert(from, 1)), SQLITE_OK);
    EXPECT_EQ(left_behind(), std::to_string(nth) + ", 0.0");
  }
}

// A checkpoint reads the WAL, and begins it anew.
TEST_F(WalWriterTest, a_checkpoint_finds_what_was_written) {
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(run(db_, insert(round * 100, 100)), SQLITE_OK);
    ASSERT_EQ(run(db_, "PRAGMA wal_checkpoint(TRUNCATE)"), SQLITE_OK);
    EXPECT_EQ(left_behind(), std::to_string((round + 1) * 100) + ", 0.0");
  }
}

}  // namespace
}  // namespace leat
