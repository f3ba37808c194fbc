// The WAL begins anew, in place, when the database has all that is in it: what of the round before
// is still there is neither taken for damage nor for something new.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "journal/database.h"
#include "journal/page_images.h"
#include "support/faulty_disk.h"
#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

using testing::DiskCall;
using testing::FaultyDisk;
using testing::read_file;
using testing::TempDir;

constexpr size_t kHeader = 32;

class WalRoundTest : public ::testing::Test {
 protected:
  void open() {
    Result<std::unique_ptr<JournalDatabase>> opened =
        JournalDatabase::open(folder_ / "journal.db", clock_);
    ASSERT_TRUE(opened) << opened.error().message();
    database_ = std::move(*opened);
  }
  Status save(const std::string& value) {
    Status status = database_->begin(true);
    if (status) status = database_->save("p", {"f", value});
    if (status) status = database_->commit();
    if (!status) database_->rollback();
    return status;
  }
  std::string saved() {
    Result<std::vector<SavedPosition>> saved = database_->load("p");
    return saved && !saved->empty() ? saved->front().value : "nothing";
  }
  // A round of so many transactions, of one frame each, behind one of many frames. All of it is in
  // the database then.
  void round(int transactions) {
    ASSERT_TRUE(save("first"));
    database_->checkpoint();
    for (int i = 0; i < transactions; ++i) ASSERT_TRUE(save("round " + std::to_string(i)));
    last_ = "round " + std::to_string(transactions - 1);
    database_->checkpoint();
  }
  void kill() {
    disk_.kill();
    database_.reset();
  }
  bool set_aside() const {
    std::vector<std::string> names = folder_.list();
    return std::any_of(names.begin(), names.end(), [](const std::string& name) {
      return name.find("damaged") != std::string::npos;
    });
  }
  void start_anew() {
    kill();
    disk_.mend();
    for (const std::string& name : folder_.list()) std::filesystem::remove(folder_ / name);
    open();
  }
  std::string wal() const { return folder_ / "journal.db-wal"; }

  testing::FakeClock clock_;
  TempDir folder_;
  FaultyDisk disk_{folder_.path()};
  std::unique_ptr<JournalDatabase> database_;
  std::string last_;
};

// Found by random histories.
TEST_F(WalRoundTest, a_header_that_was_written_in_part_is_no_damage) {
  for (int transactions : {1, 2, 9})
    for (size_t written = 0; written < kHeader; ++written) {
      SCOPED_TRACE(std::to_string(transactions) + " transactions, " + std::to_string(written) +
                   " bytes of the next header");
      start_anew();
      round(transactions);
      disk_.fail({.call = DiskCall::kWrite, .file = "-wal", .keep = written});
      ASSERT_FALSE(save("failed"));
      kill();
      open();
      EXPECT_EQ(saved(), last_);
      ASSERT_TRUE(save("next"));
      kill();
      open();
      EXPECT_EQ(saved(), "next");
      ASSERT_FALSE(set_aside());
    }
}

TEST_F(WalRoundTest, nor_is_it_after_a_power_cut) {
  for (size_t written : {17U, 20U, 30U}) {
    SCOPED_TRACE(std::to_string(written) + " bytes of the next header");
    start_anew();
    round(3);
    disk_.fail({.call = DiskCall::kWrite, .file = "-wal", .keep = written});
    ASSERT_FALSE(save("failed"));
    disk_.cut_power(testing::Unsynced::kKept);
    database_.reset();
    open();
    EXPECT_EQ(saved(), last_);
    ASSERT_TRUE(save("next"));
    disk_.cut_power(testing::Unsynced::kLost);
    database_.reset();
    open();
    EXPECT_EQ(saved(), "next");
    ASSERT_FALSE(set_aside());
  }
}

// The frames behind the first one are then those of the round before, which went on from each other
// as well.
TEST_F(WalRoundTest, a_round_of_one_frame_is_read_when_its_header_is_damaged) {
  for (size_t byte = 0; byte < kHeader; ++byte) {
    SCOPED_TRACE("byte " + std::to_string(byte));
    start_anew();
    ASSERT_TRUE(save("first"));
    database_->checkpoint();
    ASSERT_TRUE(save("last"));
    kill();
    disk_.flip_bit(wal(), byte * 8 + byte % 8);
    open();
    EXPECT_EQ(saved(), "last");
    EXPECT_TRUE(set_aside());
  }
}

// What is not needed is no obstacle to a start.
TEST_F(WalRoundTest, only_frames_of_this_round_must_be_readable) {
  constexpr uint64_t kFrame = 24 + 1024;
  open();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(save("old " + std::to_string(i)));
  database_->checkpoint();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(save("new " + std::to_string(i)));
  const std::string content = read_file(wal());
  uint64_t unreadable = 0;  // frame
  RawFile file{content.size(), [&](uint64_t offset, void* into, size_t bytes) {
                 if (offset == kHeader + unreadable * kFrame) return false;
                 std::copy_n(content.data() + offset, bytes, static_cast<char*>(into));
                 return true;
               }};
  for (unreadable = 0; kHeader + unreadable * kFrame < content.size(); ++unreadable) {
    SCOPED_TRACE(unreadable);
    // Who knows whose the first one behind the round is?
    EXPECT_EQ(read_frames(file).unreadable, unreadable <= 5);
  }
}

}  // namespace
}  // namespace leat
