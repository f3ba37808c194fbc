#include "journal/journal.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <fstream>

#include "journal/database.h"
#include "journal/journal_vfs.h"
#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

using testing::TempDir;

// A journal in a folder of its own, with one loop's client. The verbs run the loop until the answer
// is there.
class JournalTest : public ::testing::Test {
 protected:
  JournalTest() = default;
  ~JournalTest() override {
    close();
    EXPECT_TRUE(loop_.close());
  }

  std::string path() const { return folder_ / "journal.db"; }

  void open() {
    Result<std::unique_ptr<Journal>> journal = Journal::open(path(), loop_.clock());
    ASSERT_TRUE(journal) << journal.error().message();
    journal_ = std::move(*journal);
    client_ = journal_->make_client(loop_);
    journal_->start();
  }

  void close() {
    client_.reset();
    journal_.reset();
    uv_run(loop_.uv(), UV_RUN_DEFAULT);
  }

  void commit(const std::string& pipeline, std::vector<SavedPosition> positions) {
    bool committed = false;
    client_->commit(pipeline, std::move(positions), [&committed](const Status& status) {
      EXPECT_TRUE(status) << status.error().message();
      committed = true;
    });
    uv_run(loop_.uv(), UV_RUN_DEFAULT);
    EXPECT_TRUE(committed);
  }

  std::map<std::string, std::string> load(const std::string& pipeline) {
    std::map<std::string, std::string> out;
    client_->load(pipeline, [&out](Result<std::vector<SavedPosition>> saved) {
      ASSERT_TRUE(saved);
      for (const SavedPosition& position : *saved) out[position.partition] = position.value;
    });
    uv_run(loop_.uv(), UV_RUN_DEFAULT);
    return out;
  }

  // What a tool of the operator would see, or a damaged card would do to the file.
  void overwrite(size_t offset, const std::string& bytes) {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes;
  }

  TempDir folder_;
  testing::HandLoop loop_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
};

using Positions = std::map<std::string, std::string>;

TEST_F(JournalTest, what_rides_along_is_written_with_the_next_write_and_never_for_itself) {
  open();
  int asked = 0;
  bool ready = false;
  client_->ride_along(1, [&] {
    ++asked;
    if (!ready) return false;
    client_->commit("runs", {{"1", "began"}}, [](const Status& status) { EXPECT_TRUE(status); });
    return true;
  });
  client_->ride_along(2, [&asked] {
    asked += 100;
    return true;
  });
  client_->get_off(2);
  EXPECT_TRUE(load("runs").empty()) << "what only reads is no reason";
  EXPECT_EQ(asked, 0);
  commit("a", {{"file", "1"}});
  EXPECT_EQ(asked, 1);
  ready = true;
  commit("a", {{"file", "2"}});
  commit("a", {{"file", "3"}});
  EXPECT_EQ(asked, 2) << "once";
  ASSERT_EQ(load("runs").size(), 1U);
}

TEST_F(JournalTest, positions_are_there_after_reopening) {
  open();
  commit("a", {{"file1", "10"}, {"file2", "20"}});
  commit("a", {{"file1", "11"}});
  commit("b", {{"file1", "99"}});
  close();
  open();
  EXPECT_EQ(load("a"), (Positions{{"file1", "11"}, {"file2", "20"}}));
  EXPECT_EQ(load("b"), (Positions{{"file1", "99"}}));
  EXPECT_EQ(load("c"), Positions{});
}

TEST_F(JournalTest, what_waits_together_is_committed_in_order) {
  open();
  int committed = 0;
  constexpr int kMany = 1000;  // far more than the ring holds
  for (int i = 0; i < kMany; ++i)
    client_->commit("p", {{"f", std::to_string(i)}}, [&committed, i](const Status& status) {
      EXPECT_TRUE(status);
      EXPECT_EQ(committed++, i);
    });
  uv_run(loop_.uv(), UV_RUN_DEFAULT);
  EXPECT_EQ(committed, kMany);
  EXPECT_EQ(load("p"), (Positions{{"f", "999"}}));
}

TEST_F(JournalTest, a_flush_is_answered_when_all_that_was_asked_before_is_through) {
  open();
  int committed = 0;
  int at_flush = 0;
  constexpr int kMany = 200;  // more than travel at once
  for (int i = 0; i < kMany; ++i)
    client_->commit("p", {{"f", std::to_string(i)}},
                    [&committed](const Status& status) { committed += status ? 1 : 0; });
  client_->flush([&] { at_flush = committed; });
  client_->commit("p", {{"f", "later"}}, [](const Status&) {});
  uv_run(loop_.uv(), UV_RUN_DEFAULT);
  EXPECT_EQ(at_flush, kMany);
}

TEST_F(JournalTest, a_request_that_fails_takes_no_others_of_its_group_with_it) {
  // Not started: what is asked for is one group when the test says so.
  Result<std::unique_ptr<Journal>> journal = Journal::open(path(), loop_.clock());
  ASSERT_TRUE(journal);
  journal_ = std::move(*journal);
  client_ = journal_->make_client(loop_);
  auto serve = [this] {
    journal_->serve_all();
    uv_run(loop_.uv(), UV_RUN_DEFAULT);
  };
  std::vector<bool> done;
  auto note = [&done](const auto& result) { done.push_back(result.has_value()); };
  using Durability = JournalClient::Durability;
  client_->open_spool("p", note);
  serve();
  done.clear();
  client_->commit("q", {{"f", "1"}}, note);
  client_->append("p", {0, 5, "row"}, {{"f", "5"}}, Durability::kProcess, note);
  client_->append("p", {0, 5, "the same numbers"}, {{"f", "6"}}, Durability::kProcess, note);
  client_->commit("r", {{"f", "2"}}, note);
  serve();
  EXPECT_EQ(done, (std::vector<bool>{true, true, false, true}));
  close();
  open();
  EXPECT_EQ(load("q"), (Positions{{"f", "1"}}));
  EXPECT_EQ(load("p"), (Positions{{"f", "5"}}));
  EXPECT_EQ(load("r"), (Positions{{"f", "2"}}));
}

TEST_F(JournalTest, a_commit_is_in_the_file_before_it_is_answered) {
  open();
  commit("p", {{"f", "before-the-kill"}});
  // As after kill -9: the files as they are now, opened by another process's eyes.
  std::filesystem::copy(path(), folder_ / "copy.db");
  std::filesystem::copy(path() + "-wal", folder_ / "copy.db-wal");
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open((folder_ / "copy.db").c_str(), &db), SQLITE_OK);
  sqlite3_stmt* row = nullptr;
  ASSERT_EQ(sqlite3_prepare_v2(db, "SELECT value FROM positions", -1, &row, nullptr), SQLITE_OK);
  ASSERT_EQ(sqlite3_step(row), SQLITE_ROW);
  EXPECT_STREQ(reinterpret_cast<const char*>(sqlite3_column_text(row, 0)), "before-the-kill");
  sqlite3_finalize(row);
  sqlite3_close(db);
}

// Found by cutting the power: the WAL was on the disk, the file that it belongs to was not.
TEST_F(JournalTest, the_first_durable_commit_brings_the_file_itself_to_the_disk) {
  Result<std::unique_ptr<JournalDatabase>> database = JournalDatabase::open(path(), loop_.clock());
  ASSERT_TRUE(database);
  int value = 0;
  auto syncs_of_a_commit = [&database, &value](bool durable) {
    uint64_t before = written().syncs;
    EXPECT_TRUE((*database)->begin(durable));
    EXPECT_TRUE((*database)->save("p", {"a", std::to_string(++value)}));
    EXPECT_TRUE((*database)->commit());
    return written().syncs - before;
  };
  EXPECT_EQ(syncs_of_a_commit(false), 0u);  // that of a position needs none
  EXPECT_EQ(syncs_of_a_commit(true), 2u);   // the file, and the WAL
  EXPECT_EQ(syncs_of_a_commit(true), 1u);
}

TEST_F(JournalTest, a_second_agent_is_refused) {
  open();
  Result<std::unique_ptr<Journal>> second = Journal::open(path(), loop_.clock());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message().find("another agent"), std::string::npos);
}

TEST_F(JournalTest, a_file_that_is_no_database_is_set_aside_and_a_new_one_made) {
  std::ofstream(path()) << std::string(5000, 'x');
  open();
  EXPECT_EQ(load("p"), Positions{});
  commit("p", {{"f", "1"}});
  std::vector<std::string> names = folder_.list();
  EXPECT_NE(std::find(names.begin(), names.end(), "journal.db.damaged-1"), names.end());
}

TEST_F(JournalTest, what_can_be_read_of_a_damaged_journal_is_carried_over) {
  open();
  std::vector<SavedPosition> many;
  for (int i = 0; i < 200; ++i)
    many.push_back({"file" + std::to_string(1000 + i), std::string(40, 'v')});
  commit("p", many);
  close();
  auto size = std::filesystem::file_size(path());
  overwrite(size - 1024, std::string(1024, '\xAA'));  // one leaf of the table
  open();
  size_t left = load("p").size();
  EXPECT_GT(left, 0U);
  EXPECT_LT(left, 200U);
  commit("p", {{"after", "1"}});
  EXPECT_EQ(load("p").count("after"), 1U);
}

TEST_F(JournalTest, a_newer_format_is_not_touched) {
  open();
  close();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
  sqlite3_exec(db, "PRAGMA user_version=99", nullptr, nullptr, nullptr);
  sqlite3_close(db);
  Result<std::unique_ptr<Journal>> journal = Journal::open(path(), loop_.clock());
  ASSERT_FALSE(journal);
  EXPECT_NE(journal.error().message().find("newer"), std::string::npos);
}

}  // namespace
}  // namespace leat
