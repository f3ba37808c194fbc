// What damage took is counted, or read again by a source that is able to.
#include "journal/damage_fixture.h"

namespace leat {
namespace {

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

}  // namespace
}  // namespace leat
