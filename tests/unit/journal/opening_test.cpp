// What may be found where the journal should be.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>

#include "journal/database.h"
#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

using testing::read_file;
using testing::TempDir;

class OpeningTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_ / "journal.db"; }

  void sql(const std::string& statements) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(db, statements.c_str(), nullptr, nullptr, &message), SQLITE_OK)
        << message;
    sqlite3_close(db);
  }
  void make() {
    auto made = JournalDatabase::open(path(), clock_);
    ASSERT_TRUE(made);
    ASSERT_TRUE((*made)->begin(false));
    ASSERT_TRUE((*made)->save("p", {"file", "17"}));
    ASSERT_TRUE((*made)->commit());
  }
  // The error; the file must be as it was, and nothing beside it.
  std::string refused() {
    std::string before = read_file(path());
    std::vector<std::string> names = folder_.list();
    auto opened = JournalDatabase::open(path(), clock_);
    EXPECT_FALSE(opened);
    if (opened) return "";
    EXPECT_EQ(opened.error().kind(), ErrorKind::kUsage);
    EXPECT_EQ(read_file(path()), before);
    EXPECT_EQ(folder_.list(), names);
    return opened.error().message();
  }

  testing::FakeClock clock_;
  TempDir folder_;
};

TEST_F(OpeningTest, a_database_of_another_program_is_left_as_it_is) {
  sql("PRAGMA application_id=12345; CREATE TABLE theirs(a); INSERT INTO theirs VALUES(1)");
  EXPECT_NE(refused().find("another program"), std::string::npos);
}

TEST_F(OpeningTest, a_database_without_an_application_is_left_as_it_is_too) {
  sql("CREATE TABLE theirs(a); INSERT INTO theirs VALUES(1)");
  EXPECT_NE(refused().find("another program"), std::string::npos);
}

TEST_F(OpeningTest, a_negative_version_is_refused) {
  make();
  sql("PRAGMA user_version=-3");
  EXPECT_NE(refused().find("format -3"), std::string::npos);
}

TEST_F(OpeningTest, a_journal_without_a_version_is_refused) {
  make();
  sql("PRAGMA user_version=0");
  EXPECT_NE(refused().find("format 0"), std::string::npos);
}

TEST_F(OpeningTest, a_newer_version_is_refused) {
  make();
  sql("PRAGMA user_version=99");
  EXPECT_NE(refused().find("newer"), std::string::npos);
}

TEST_F(OpeningTest, a_folder_in_its_place_is_said_to_be_one) {
  std::filesystem::create_directory(path());
  auto opened = JournalDatabase::open(path(), clock_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind(), ErrorKind::kUsage);
  EXPECT_EQ(opened.error().message(), "open " + path() + ": is a directory");
}

TEST_F(OpeningTest, a_folder_that_is_missing_is_named) {
  auto opened = JournalDatabase::open(folder_ / "none/journal.db", clock_);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find("no such file or directory"), std::string::npos);
}

TEST_F(OpeningTest, a_missing_table_is_damage_and_the_others_are_carried_over) {
  make();
  sql("DROP TABLE spool");
  auto opened = JournalDatabase::open(path(), clock_);
  ASSERT_TRUE(opened) << opened.error().message();
  Result<std::vector<SavedPosition>> saved = (*opened)->load("p");
  ASSERT_TRUE(saved);
  ASSERT_EQ(saved->size(), 1U);
  EXPECT_EQ(saved->front().value, "17");
  std::vector<std::string> names = folder_.list();
  EXPECT_NE(std::find(names.begin(), names.end(), "journal.db.damaged-1"), names.end());
}

}  // namespace
}  // namespace leat
