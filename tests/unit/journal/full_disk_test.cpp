// The disk under the journal is full, or fails to sync.
#include <gtest/gtest.h>

#include <filesystem>

#include "journal/database.h"
#include "journal/journal.h"
#include "journal/journal_vfs.h"
#include "support/faulty_disk.h"
#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

using testing::DiskCall;
using testing::FakeClock;
using testing::FaultyDisk;
using testing::TempDir;
using testing::Unsynced;

constexpr uint64_t kDisk = 4 << 20;
constexpr size_t kRow = 20'000;

class FullDiskTest : public ::testing::Test {
 protected:
  FullDiskTest() = default;
  ~FullDiskTest() override {
    close();
    EXPECT_TRUE(loop_.close());
  }

  std::string path() const { return folder_ / "journal.db"; }

  void open() {
    Result<std::unique_ptr<Journal>> journal = Journal::open(path(), clock_);
    ASSERT_TRUE(journal) << journal.error().message();
    journal_ = std::move(*journal);
    journal_->ask_room([this] {
      uint64_t used = disk_.used();
      return used < capacity_ ? capacity_ - used : 0;
    });
    client_ = journal_->make_client(loop_);
    journal_->start();
    client_->open_spool("p", [this](Result<SpoolState> state) {
      ASSERT_TRUE(state) << state.error().message();
      state_ = *state;
    });
    run();
  }
  void close() {
    client_.reset();
    journal_.reset();
    run();
  }
  void kill() {
    disk_.kill();
    close();
  }
  void set_capacity(uint64_t bytes) {
    capacity_ = bytes;
    disk_.set_capacity(bytes);
  }

  void run() { uv_run(loop_.uv(), UV_RUN_DEFAULT); }

  // "" when it worked.
  std::string add(uint64_t number) {
    std::string failed = "no answer";
    std::string content(kRow, '\0');
    for (char& c : content)
      c = static_cast<char>(random_ = random_ * 6364136223846793005 + 1442695);
    client_->append("p", {number, 1, content}, {}, durability_,
                    [&failed](const Result<uint64_t>& stored) {
                      failed = stored ? "" : stored.error().message();
                    });
    run();
    return failed;
  }
  std::string save(const std::string& value) {
    std::string failed = "no answer";
    client_->commit("p", {{"file", value}}, [&failed](const Status& status) {
      failed = status ? "" : status.error().message();
    });
    run();
    return failed;
  }
  std::string saved() {
    std::string value = "nothing";
    client_->load("p", [&value](Result<std::vector<SavedPosition>> saved) {
      if (saved && !saved->empty()) value = saved->front().value;
    });
    run();
    return value;
  }
  uint64_t rows() {
    uint64_t records = 0;
    client_->count_spooled("p", 0, [&records](Result<SpoolTotals> totals) {
      ASSERT_TRUE(totals) << totals.error().message();
      records = totals->records;
    });
    run();
    return records;
  }
  std::string remove(uint64_t to) {
    std::string failed = "no answer";
    client_->remove_spooled("p", to, [&failed](const Result<SpoolRemoved>& removed) {
      failed = removed ? "" : removed.error().message();
    });
    run();
    return failed;
  }
  // Until it is full; returns how many rows went in.
  uint64_t fill() {
    uint64_t number = 0;
    while (number < 10'000 && add(number).empty()) ++number;
    return number;
  }
  // What is left for the others is gone, too.
  void take_the_rest() { set_capacity(disk_.used()); }

  TempDir folder_;
  FaultyDisk disk_{folder_.path()};
  uint64_t capacity_ = UINT64_MAX;
  FakeClock clock_;
  Loop loop_{clock_};
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
  SpoolState state_;
  uint64_t random_ = 1;
  JournalClient::Durability durability_ = JournalClient::Durability::kProcess;
};

TEST_F(FullDiskTest, what_filled_the_disk_is_there_after_a_kill_and_can_be_removed) {
  set_capacity(kDisk);
  open();
  uint64_t rows_added = fill();
  ASSERT_GT(rows_added, 30U);
  take_the_rest();
  kill();
  open();
  EXPECT_EQ(rows(), rows_added);
  EXPECT_EQ(state_.end, rows_added);
  for (uint64_t to = 1; to <= rows_added; ++to) ASSERT_EQ(remove(to), "") << "row " << to;
  EXPECT_EQ(save("10"), "");
  EXPECT_EQ(rows(), 0U);
  kill();
  open();
  EXPECT_EQ(rows(), 0U);
  EXPECT_EQ(saved(), "10");
}

TEST_F(FullDiskTest, what_filled_the_disk_is_there_after_a_power_cut_and_can_be_removed) {
  durability_ = JournalClient::Durability::kPower;
  set_capacity(kDisk);
  open();
  uint64_t rows_added = fill();
  client_.reset();
  disk_.cut_power(Unsynced::kSome, 7);
  close();
  take_the_rest();
  open();
  EXPECT_EQ(rows(), rows_added);
  EXPECT_EQ(remove(rows_added), "");
  EXPECT_EQ(rows(), 0U);
}

TEST_F(FullDiskTest, what_filled_the_disk_can_be_removed_after_a_clean_end) {
  set_capacity(kDisk);
  open();
  uint64_t rows_added = fill();
  close();
  take_the_rest();
  open();
  EXPECT_EQ(remove(rows_added), "");
  EXPECT_EQ(rows(), 0U);
}

TEST_F(FullDiskTest, the_error_names_the_place_that_is_full) {
  set_capacity(kDisk);
  open();
  uint64_t next = fill();
  EXPECT_EQ(add(next), "no space left on " + folder_.path());
}

TEST_F(FullDiskTest, while_it_is_full_positions_are_saved_and_rows_are_read) {
  set_capacity(kDisk);
  open();
  fill();
  take_the_rest();
  for (int i = 0; i < 3000; ++i) ASSERT_EQ(save(std::to_string(i)), "");
  EXPECT_EQ(saved(), "2999");
}

TEST_F(FullDiskTest, trying_again_while_it_is_full_writes_next_to_nothing) {
  set_capacity(kDisk);
  open();
  uint64_t next = fill();
  take_the_rest();
  add(next);
  uint64_t before = written().bytes;
  for (int second = 0; second < 600; ++second) {
    clock_.advance(std::chrono::seconds(1));
    EXPECT_NE(add(next), "");
  }
  EXPECT_LT(written().bytes - before, 64U << 10);
}

TEST_F(FullDiskTest, rows_are_taken_again_when_some_were_removed) {
  set_capacity(kDisk);
  open();
  uint64_t next = fill();
  take_the_rest();
  clock_.advance(std::chrono::seconds(1));
  add(next);  // the waits grow
  ASSERT_EQ(remove(next / 2), "");
  EXPECT_EQ(add(next), "");
}

TEST_F(FullDiskTest, rows_are_taken_again_when_the_disk_has_room) {
  set_capacity(kDisk);
  open();
  uint64_t next = fill();
  set_capacity(2 * kDisk);
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(add(next), "");
}

TEST_F(FullDiskTest, a_disk_that_is_full_at_the_start_is_no_obstacle) {
  set_capacity(0);
  open();
  EXPECT_EQ(saved(), "nothing");
  EXPECT_EQ(save("1"), "no space left on " + folder_.path());
  EXPECT_EQ(add(0), "no space left on " + folder_.path());
  std::string epoch = state_.epoch;
  set_capacity(kDisk);
  clock_.advance(std::chrono::seconds(60));
  EXPECT_EQ(save("2"), "");
  EXPECT_EQ(add(7), "");
  close();
  open();
  EXPECT_EQ(saved(), "2");
  EXPECT_EQ(rows(), 1U);
  EXPECT_EQ(state_.epoch, epoch);
}

TEST_F(FullDiskTest, a_damaged_wal_stays_as_it_is_while_there_is_no_room_to_make_the_journal_anew) {
  open();
  for (uint64_t n = 0; n < 80; ++n) ASSERT_EQ(add(n), "");
  kill();
  disk_.overwrite(path() + "-wal", 30'000, std::string(8, '\0'));
  std::string wal = testing::read_file(path() + "-wal");
  std::filesystem::remove(path() + ".reserve");
  take_the_rest();
  for (int start = 0; start < 2; ++start) {
    Result<std::unique_ptr<Journal>> opened = Journal::open(path(), clock_);
    ASSERT_FALSE(opened);
    const std::string& error = opened.error().message();
    EXPECT_NE(error.find("damaged"), std::string::npos) << error;
    EXPECT_NE(error.find("no space left on " + folder_.path() + ": to make it anew takes at least"),
              std::string::npos)
        << error;
    EXPECT_TRUE(testing::read_file(path() + "-wal") == wal);
  }
  set_capacity(20 << 20);
  open();
  EXPECT_GE(rows(), 79U);
}

TEST_F(FullDiskTest, the_reserve_goes_when_a_damaged_journal_can_only_be_made_anew_with_it) {
  open();
  for (uint64_t n = 0; n < 20; ++n) ASSERT_EQ(add(n), "");
  kill();
  disk_.overwrite(path() + "-wal", 30'000, std::string(8, '\0'));
  ASSERT_TRUE(std::filesystem::exists(path() + ".reserve"));
  take_the_rest();
  open();
  EXPECT_GE(rows(), 19U);
}

TEST_F(FullDiskTest, nothing_is_written_for_a_journal_that_has_no_room_to_be_made_anew) {
  open();
  for (uint64_t n = 0; n < 150; ++n) ASSERT_EQ(add(n), "");
  std::filesystem::remove(path() + ".reserve");
  std::filesystem::remove(path());  // the files that are open keep what they have
  std::filesystem::remove(path() + "-wal");
  set_capacity(64 << 10);
  uint64_t before = written().bytes;
  for (int second = 0; second < 100; ++second) {
    clock_.advance(std::chrono::seconds(1));
    EXPECT_NE(add(150), "");
  }
  EXPECT_LT(written().bytes - before, 64U << 10);
  set_capacity(16 << 20);
  clock_.advance(std::chrono::seconds(61));
  EXPECT_EQ(add(150), "");
  EXPECT_EQ(rows(), 151U);
}

TEST_F(FullDiskTest, nothing_is_committed_after_a_sync_that_failed_inside_a_checkpoint) {
  durability_ = JournalClient::Durability::kPower;
  open();
  ASSERT_EQ(add(0), "");  // and with it the file itself is on the disk
  disk_.fail({DiskCall::kSync, ".db", 1, 1});
  uint64_t number = 1;
  while (number < 1000 && add(number).empty()) ++number;
  EXPECT_LT(number, 1000U) << "it went on after the checkpoint";
  EXPECT_NE(add(number).find("fsync"), std::string::npos);
  EXPECT_NE(save("1").find("fsync"), std::string::npos);
}

}  // namespace
}  // namespace leat
