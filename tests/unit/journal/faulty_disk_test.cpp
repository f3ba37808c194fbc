// The disk that the other tests put under the journal: does it really lose, tear and fill?
#include "support/faulty_disk.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <set>

#include "journal/journal_vfs.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

using testing::DiskCall;
using testing::FaultyDisk;
using testing::read_file;
using testing::TempDir;
using testing::Unsynced;

// One SQLite database, opened as the journal is.
class FaultyDiskTest : public ::testing::Test {
 protected:
  ~FaultyDiskTest() override { close(); }

  std::string path() const { return folder_ / "test.db"; }
  std::string wal() const { return path() + "-wal"; }

  void open() {
    ASSERT_EQ(sqlite3_open_v2(path().c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                              journal_vfs()),
              SQLITE_OK);
    ASSERT_EQ(run("PRAGMA page_size=1024; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                  "CREATE TABLE IF NOT EXISTS t(n INTEGER PRIMARY KEY, pad);"
                  "PRAGMA synchronous=FULL"),
              SQLITE_OK);
  }
  void close() {
    sqlite3_close(db_);
    db_ = nullptr;
  }
  // SQLite's extended code.
  int run(const std::string& sql) {
    sqlite3_extended_result_codes(db_, 1);
    return sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  }
  int insert(int n) {
    return run("INSERT INTO t VALUES(" + std::to_string(n) + ", randomblob(100))");
  }
  std::set<int> rows() {
    std::set<int> out;
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db_, "SELECT n FROM t", -1, &statement, nullptr);
    while (sqlite3_step(statement) == SQLITE_ROW) out.insert(sqlite3_column_int(statement, 0));
    sqlite3_finalize(statement);
    return out;
  }
  void restart() {
    close();
    open();
  }

  TempDir folder_;
  FaultyDisk disk_{folder_.path()};
  sqlite3* db_ = nullptr;
};

TEST_F(FaultyDiskTest, counts_what_goes_through_it_beneath_the_journal_vfs) {
  open();
  uint64_t bytes = written().bytes;
  FaultyDisk::Counters before = disk_.counters();
  ASSERT_EQ(insert(1), SQLITE_OK);
  FaultyDisk::Counters after = disk_.counters();
  EXPECT_EQ(after.calls[DiskCall::kSync] - before.calls[DiskCall::kSync], 1u);
  EXPECT_EQ(after.bytes_written - before.bytes_written, written().bytes - bytes);
  EXPECT_GT(after.bytes_written, before.bytes_written);
}

TEST_F(FaultyDiskTest, the_nth_call_fails_and_those_around_it_work) {
  open();
  disk_.fail({.call = DiskCall::kSync, .file = "-wal", .nth = 2});
  EXPECT_EQ(insert(1), SQLITE_OK);
  EXPECT_EQ(insert(2), SQLITE_IOERR_FSYNC);
  EXPECT_EQ(insert(3), SQLITE_OK);
  EXPECT_EQ(disk_.counters().failed[DiskCall::kSync], 1u);
}

TEST_F(FaultyDiskTest, a_fault_for_ever_ends_when_it_is_mended) {
  open();
  disk_.fail(
      {.call = DiskCall::kWrite, .times = testing::DiskFault::kForEver, .code = SQLITE_FULL});
  EXPECT_EQ(insert(1), SQLITE_FULL);
  EXPECT_EQ(insert(1), SQLITE_FULL);
  disk_.mend();
  EXPECT_EQ(insert(1), SQLITE_OK);
}

TEST_F(FaultyDiskTest, opening_locking_and_reading_can_fail) {
  disk_.fail({.call = DiskCall::kOpen, .file = "-wal"});
  ASSERT_EQ(sqlite3_open(path().c_str(), &db_), SQLITE_OK);
  EXPECT_EQ(run("PRAGMA journal_mode=WAL; CREATE TABLE t(n INTEGER PRIMARY KEY, pad)"),
            SQLITE_CANTOPEN);
  ASSERT_EQ(run("CREATE TABLE IF NOT EXISTS t(n INTEGER PRIMARY KEY, pad)"), SQLITE_OK);
  close();
  ASSERT_EQ(sqlite3_open(path().c_str(), &db_), SQLITE_OK);
  disk_.fail({.call = DiskCall::kLock, .file = ".db"});
  EXPECT_EQ(run("SELECT * FROM t"), SQLITE_BUSY);
  disk_.fail({.call = DiskCall::kRead, .file = ".db"});
  EXPECT_EQ(run("SELECT * FROM t") & 0xFF, SQLITE_IOERR);
  EXPECT_EQ(run("SELECT * FROM t"), SQLITE_OK);
}

TEST_F(FaultyDiskTest, a_torn_write_leaves_its_beginning_in_the_file) {
  open();
  ASSERT_EQ(insert(1), SQLITE_OK);
  auto size = std::filesystem::file_size(wal());
  disk_.fail({.call = DiskCall::kWrite, .file = "-wal", .keep = 512});
  EXPECT_EQ(insert(2), SQLITE_IOERR_WRITE);
  EXPECT_EQ(std::filesystem::file_size(wal()), size + 512);  // of the one frame, which is one write
}

TEST_F(FaultyDiskTest, a_full_disk_takes_what_still_fits) {
  open();
  ASSERT_EQ(insert(1), SQLITE_OK);
  uint64_t capacity = disk_.used() + 500;
  disk_.set_capacity(capacity);
  EXPECT_EQ(insert(2), SQLITE_FULL);
  EXPECT_EQ(disk_.used(), capacity);
  EXPECT_EQ(disk_.counters().full, 1u);
  disk_.set_capacity(std::nullopt);
  EXPECT_EQ(insert(2), SQLITE_OK);
  EXPECT_EQ(rows(), (std::set<int>{1, 2}));
}

TEST_F(FaultyDiskTest, on_a_full_disk_there_is_no_room_for_shared_memory) {
  open();
  close();
  disk_.set_capacity(disk_.used());
  ASSERT_EQ(sqlite3_open(path().c_str(), &db_), SQLITE_OK);
  EXPECT_EQ(run("SELECT * FROM t") & 0xFF, SQLITE_IOERR);
}

TEST_F(FaultyDiskTest, after_a_kill_all_that_was_written_is_there) {
  open();
  run("PRAGMA synchronous=OFF");
  for (int n = 1; n <= 5; ++n) ASSERT_EQ(insert(n), SQLITE_OK);
  disk_.kill();
  EXPECT_NE(insert(6), SQLITE_OK);
  restart();
  EXPECT_EQ(rows(), (std::set<int>{1, 2, 3, 4, 5}));
}

TEST_F(FaultyDiskTest, a_power_cut_takes_what_was_not_synced) {
  open();
  ASSERT_EQ(insert(1), SQLITE_OK);
  ASSERT_EQ(run("PRAGMA wal_checkpoint"), SQLITE_OK);
  ASSERT_EQ(insert(2), SQLITE_OK);
  ASSERT_EQ(run("PRAGMA synchronous=OFF"), SQLITE_OK);
  ASSERT_EQ(insert(3), SQLITE_OK);
  disk_.cut_power(Unsynced::kLost);
  restart();
  EXPECT_EQ(rows(), (std::set<int>{1, 2}));
}

TEST_F(FaultyDiskTest, a_file_that_was_never_synced_is_gone_after_a_power_cut) {
  ASSERT_EQ(sqlite3_open(path().c_str(), &db_), SQLITE_OK);
  ASSERT_EQ(run("PRAGMA synchronous=OFF; CREATE TABLE t(n INTEGER PRIMARY KEY, pad)"), SQLITE_OK);
  disk_.cut_power(Unsynced::kLost);
  EXPECT_TRUE(folder_.list().empty());
}

TEST_F(FaultyDiskTest, a_power_cut_may_tear_what_was_not_synced_the_same_way_for_a_seed) {
  std::set<std::string> left;
  for (uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}) {
    for (const std::string& name : folder_.list()) std::filesystem::remove(folder_ / name);
    open();
    ASSERT_EQ(run("INSERT INTO t VALUES(0, zeroblob(100)); PRAGMA wal_checkpoint(TRUNCATE);"
                  "PRAGMA synchronous=OFF"),
              SQLITE_OK);
    for (int n = 1; n <= 20; ++n)
      ASSERT_EQ(run("INSERT INTO t VALUES(" + std::to_string(n) + ", zeroblob(900))"), SQLITE_OK);
    disk_.cut_power(Unsynced::kSome, seed);
    close();
    std::string content = std::filesystem::exists(wal()) ? read_file(wal()) : "";
    // A WAL's header has a salt of its own each time: which sectors are there is what counts.
    std::string sectors;
    for (size_t at = 0; at < content.size(); at += FaultyDisk::kSector)
      sectors +=
          content.substr(at, FaultyDisk::kSector).find_first_not_of('\0') == std::string::npos
              ? '-'
              : '#';
    left.insert(sectors);
    open();
    EXPECT_TRUE(rows().count(0));  // it was synced
    close();
  }
  EXPECT_GT(left.size(), 4u);
  EXPECT_LE(left.size(), 8u);
}

TEST_F(FaultyDiskTest, what_a_failed_sync_should_have_written_stays_lost_when_the_next_one_works) {
  open();
  sqlite3_file* file = nullptr;
  sqlite3_file_control(db_, nullptr, SQLITE_FCNTL_FILE_POINTER, &file);
  auto write = [file](char c, int at) {
    return file->pMethods->xWrite(file, std::string(4, c).data(), 4, at);
  };
  ASSERT_EQ(write('a', 50'000), SQLITE_OK);
  disk_.fail({.call = DiskCall::kSync, .file = ".db"});
  EXPECT_EQ(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
  ASSERT_EQ(write('b', 60'000), SQLITE_OK);
  EXPECT_EQ(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_OK);
  EXPECT_EQ(read_file(path()).substr(50'000, 4), "aaaa");  // the cache has it
  disk_.cut_power(Unsynced::kKept);
  EXPECT_EQ(read_file(path()).substr(50'000, 4), std::string(4, '\0'));
  EXPECT_EQ(read_file(path()).substr(60'000, 4), "bbbb");
}

TEST_F(FaultyDiskTest, a_file_that_was_renamed_beside_sqlite_loses_the_same) {
  open();
  ASSERT_EQ(insert(1), SQLITE_OK);
  run("PRAGMA synchronous=OFF");
  ASSERT_EQ(insert(2), SQLITE_OK);
  std::filesystem::rename(wal(), folder_ / "aside.db-wal");
  std::filesystem::rename(path(), folder_ / "aside.db");
  disk_.cut_power(Unsynced::kLost);
  close();
  std::filesystem::rename(folder_ / "aside.db-wal", wal());
  std::filesystem::rename(folder_ / "aside.db", path());
  open();
  EXPECT_EQ(rows(), (std::set<int>{1}));
}

TEST_F(FaultyDiskTest, a_flipped_bit_is_read_and_survives_a_power_cut) {
  testing::write_file(path(), "");
  open();
  ASSERT_EQ(insert(1), SQLITE_OK);
  std::string before = read_file(wal());
  disk_.flip_bit(wal(), 8 * 100 + 3);
  std::string flipped = read_file(wal());
  EXPECT_EQ(flipped[100], static_cast<char>(before[100] ^ 8));
  disk_.cut_power(Unsynced::kLost);
  EXPECT_TRUE(read_file(wal()) == flipped);
}

}  // namespace
}  // namespace leat
