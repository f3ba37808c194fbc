// Files of the journal, or its folder, are deleted or replaced under a running agent.
#include "journal/damage_fixture.h"

namespace leat {
namespace {

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

}  // namespace
}  // namespace leat
