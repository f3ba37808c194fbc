// Pages of the journal are damaged, before a start or under a running agent: what can be read is
// there, under its own name.
#include <zlib.h>

#include "journal/damage_fixture.h"

namespace leat {
namespace {

// Rows of which each has a page in the tree, whether or not SQLite keeps what is behind that page
// in its cache of 64 KiB, too (3.40 does, 3.46 reads it past the cache).
constexpr uint64_t kMoreThanIsCached = 150;

TEST_F(DamageTest, rows_stay_with_their_pipelines_when_the_table_that_names_them_is_gone) {
  open();
  add_all(10);
  std::string epoch = state_["a"].epoch;
  close();
  damage_page(root_of("spools"), kZeros);
  open();
  EXPECT_EQ(rows("a").size(), 10U);
  EXPECT_EQ(rows("b").size(), 10U);
  EXPECT_EQ(state_["a"].epoch, epoch);
  EXPECT_EQ(position("a"), 10U);
}

TEST_F(DamageTest, all_rows_are_there_when_the_root_of_their_tree_is_gone) {
  open();
  add_all(30);
  close();
  damage_page(root_of("spool"), kGarbage);
  open();
  EXPECT_EQ(rows("a").size(), 30U);
  EXPECT_EQ(rows("b").size(), 30U);
  EXPECT_EQ(add("a", 30), "");
}

TEST_F(DamageTest, whichever_page_is_damaged_nothing_is_lost_and_little_comes_twice) {
  open();
  add_all(8);
  close();
  std::string whole = read_file(path());
  auto pages = static_cast<uint32_t>(whole.size() / kPageSize);
  ASSERT_GT(pages, 40U);
  for (uint32_t page = 1; page <= pages; ++page) {
    SCOPED_TRACE("page " + std::to_string(page));
    for (const std::string& name : folder_.list()) fs::remove(folder_ / name);
    write_file(path(), whole);
    damage_page(page, page % 2 == 0 ? kZeros : kGarbage);
    open();
    expect_nothing_lost(8);
    EXPECT_GE(rows("a").size() + rows("b").size(), 12U);
    EXPECT_EQ(add("a", 8), "");
    close();
    uint64_t resumed = 0;
    open();  // what was lost is dealt with once
    resumed = position("a");
    EXPECT_EQ(resumed, 9U);
    close();
  }
}

TEST_F(DamageTest, damage_that_is_found_while_it_runs_is_mended_at_once) {
  open();
  add_all(kMoreThanIsCached);
  close();
  uint32_t page = first_below(root_of("spool"));
  open();
  damage_page(page, kGarbage);                     // it was read at the start, and is read again
  EXPECT_EQ(rows("b").size(), kMoreThanIsCached);  // the first in the tree
  EXPECT_TRUE(was_mended());
  EXPECT_EQ(add("b", kMoreThanIsCached), "");
  EXPECT_EQ(rows("a").size(), kMoreThanIsCached);
}

TEST_F(DamageTest, whichever_page_is_damaged_while_it_runs_what_is_behind_it_is_read) {
  open();
  add_all(12, false);
  close();
  std::string whole = read_file(path());
  auto pages = static_cast<uint32_t>(whole.size() / kPageSize);
  for (uint32_t page = 2; page <= pages; ++page) {
    SCOPED_TRACE("page " + std::to_string(page));
    for (const std::string& name : folder_.list()) fs::remove(folder_ / name);
    write_file(path(), whole);
    open(false);
    damage_page(page, page % 2 == 0 ? kZeros : kGarbage);
    EXPECT_GE(rows("a").size() + rows("b").size(), 20U);
    close();
  }
}

// Removing it is what makes room.
TEST_F(DamageTest, a_damaged_row_is_passed_over_where_there_is_no_room_to_make_the_journal_anew) {
  open();
  add_all(12, false);
  close();
  size_t row = read_file(path()).find(content_of("a", 5).substr(700, 40));
  ASSERT_NE(row, std::string::npos);
  free_on_disk_ = 0;
  open(false);
  damage_page(static_cast<uint32_t>(row / kPageSize) + 1, kGarbage);
  client_->read_spool("a", 5, [](const Result<SpoolRow>& read) { EXPECT_FALSE(read); });
  run();
  EXPECT_EQ(rows("a").size(), 11U);
  EXPECT_EQ(rows("b").size(), 12U);
}

TEST_F(DamageTest, what_is_found_to_be_lost_while_it_runs_is_read_again_at_the_next_start) {
  open();
  for (uint64_t n = 0; n < kMoreThanIsCached; ++n) ASSERT_EQ(add("a", n), "");
  close();
  uint32_t page = first_below(root_of("spool"));
  std::string file = read_file(path());
  size_t row = file.find(content_of("a", 20).substr(0, 40));
  ASSERT_NE(row, std::string::npos);
  open();
  overwrite(path(), row, "X");
  damage_page(page, kGarbage);
  EXPECT_EQ(rows("a").size(), kMoreThanIsCached - 1);
  EXPECT_TRUE(was_mended());
  EXPECT_EQ(add("a", kMoreThanIsCached), "");  // it does not know, and saves where it is
  EXPECT_EQ(position("a"), kMoreThanIsCached + 1);
  close();
  open();
  EXPECT_EQ(position("a"), 20U);
  EXPECT_EQ(add("a", kMoreThanIsCached + 1), "");
  close();
  open();
  EXPECT_EQ(position("a"), kMoreThanIsCached + 2);
}

TEST_F(DamageTest, rows_of_version_2_are_kept) {
  open();
  add_all(1);
  close();
  std::string content = content_of("a", 1);
  auto crc = static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
  std::string packed(1, '\0');
  for (uint32_t n : {crc, static_cast<uint32_t>(content.size())})
    for (int i = 0; i < 4; ++i) packed += static_cast<char>(n >> (8 * i));
  packed += content;
  int64_t number = ask("SELECT number FROM spools WHERE pipeline = 'a'");
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO spool VALUES(?1, 1, 0, ?2)", -1, &insert, nullptr);
  sqlite3_bind_int64(insert, 1, row_id(number, 1));
  sqlite3_bind_blob(insert, 2, packed.data(), static_cast<int>(packed.size()), SQLITE_STATIC);
  EXPECT_EQ(sqlite3_step(insert), SQLITE_DONE);
  sqlite3_finalize(insert);
  sqlite3_exec(db, "PRAGMA user_version=2", nullptr, nullptr, nullptr);
  sqlite3_close(db);
  open();
  EXPECT_EQ(rows("a").size(), 2U);
  close();
  EXPECT_EQ(ask("PRAGMA user_version"), 4);
  damage_page(root_of("positions"), kZeros);  // `spools` still says whose they are
  open();
  EXPECT_EQ(rows("a").size(), 2U);
}

}  // namespace
}  // namespace leat
