// What the journal's database has brought to the disk, when the power is cut.
#include <gtest/gtest.h>

#include <fstream>

#include "journal/database.h"
#include "sink_harness.h"
#include "support/faulty_disk.h"

namespace leat {
namespace {

using testing::DiskCall;
using testing::FaultyDisk;
using testing::TempDir;
using testing::Unsynced;

class PowerCutTest : public ::testing::Test {
 protected:
  void open() {
    Result<std::unique_ptr<JournalDatabase>> opened = JournalDatabase::open(folder_ / "journal.db");
    ASSERT_TRUE(opened) << opened.error().message();
    database_ = std::move(*opened);
  }
  Status save(const std::string& value, bool durable = true) {
    Status status = database_->begin(durable);
    if (status) status = database_->save("p", {"f", value});
    if (status) status = database_->commit();
    if (!status) database_->rollback();
    return status;
  }
  std::string saved() {
    Result<std::vector<SavedPosition>> saved = database_->load("p");
    return saved && !saved->empty() ? saved->front().value : "nothing";
  }
  void kill() {
    disk_.kill();
    database_.reset();
    open();
  }
  void cut_power(Unsynced unsynced = Unsynced::kLost) {
    disk_.cut_power(unsynced);
    database_.reset();
    open();
  }

  TempDir folder_;
  FaultyDisk disk_{folder_.path()};
  std::unique_ptr<JournalDatabase> database_;
};

TEST_F(PowerCutTest, a_durable_commit_and_what_came_before_it_are_there) {
  open();
  ASSERT_TRUE(save("1", false));
  ASSERT_TRUE(save("2"));
  ASSERT_TRUE(save("3", false));
  cut_power();
  EXPECT_EQ(saved(), "2");
}

// Found by a random history: the kernel shows what the disk did not get, to the next run, too.
TEST_F(PowerCutTest, what_an_earlier_run_could_not_sync_does_not_take_later_commits_with_it) {
  open();
  ASSERT_TRUE(save("1"));
  disk_.fail({.call = DiskCall::kSync, .file = "-wal"});
  ASSERT_FALSE(save("2"));
  kill();
  ASSERT_TRUE(save("3"));
  cut_power();
  EXPECT_EQ(saved(), "3");
}

TEST_F(PowerCutTest, a_new_journal_whose_first_sync_failed_is_durable_in_the_next_run) {
  open();
  disk_.fail({.call = DiskCall::kSync, .file = ".db"});
  ASSERT_FALSE(save("1"));
  kill();
  ASSERT_TRUE(save("2"));
  cut_power();
  EXPECT_EQ(saved(), "2");
}

TEST_F(PowerCutTest, writing_again_what_the_last_run_left_needs_no_room) {
  open();
  ASSERT_TRUE(save("1"));
  ASSERT_TRUE(save("2"));
  kill();
  ASSERT_TRUE(save("3", false));
  disk_.set_capacity(disk_.used());
  ASSERT_TRUE(database_->begin(true));
  database_->rollback();
}

// Found by a random history: the first start wrote some of it, found no room, and the next one took
// what the power cut had torn for damage.
TEST_F(PowerCutTest, a_start_that_fails_does_not_make_damage_of_what_the_power_cut_tore) {
  open();
  for (const char* value : {"1", "2", "3"}) ASSERT_TRUE(save(value, false));
  disk_.kill();
  database_.reset();
  disk_.cut_power(Unsynced::kKept);
  const std::string wal = folder_ / "journal.db-wal";
  constexpr uint64_t kHeader = 32;
  constexpr uint64_t kFrame = 24 + 1024;
  std::ifstream in(wal, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(in), {}};
  uint64_t at = kHeader;
  while (content.substr(at + 4, 4) == std::string(4, '\0')) at += kFrame;  // to the first commit
  disk_.overwrite(wal, at + 2 * kFrame + 100, "torn");                     // some of the tables
  disk_.overwrite(wal, content.size() - kFrame - 500, "torn");             // the second value
  disk_.cut_power(Unsynced::kKept);

  disk_.fail({.call = DiskCall::kWrite, .file = "-wal", .nth = 3});
  EXPECT_FALSE(JournalDatabase::open(folder_ / "journal.db"));
  open();
  EXPECT_TRUE(save("4"));
  for (const std::string& name : folder_.list())
    EXPECT_EQ(name.find("damaged"), std::string::npos) << name;
}

}  // namespace
}  // namespace leat
