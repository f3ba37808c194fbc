#include "connectors/sqlite/table_page.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <future>
#include <utility>

#include "connectors/sqlite/literals.h"
#include "support/temp_dir.h"

namespace leat::sqlite {
namespace {

class TablePagesTest : public ::testing::Test {
 protected:
  TablePagesTest() {
    EXPECT_EQ(sqlite3_open((dir_.path() + "/plant.db").c_str(), &db_), SQLITE_OK);
    config_.path = dir_.path() + "/plant.db";
    config_.busy_timeout = Milliseconds{0};
    config_.table.table = "t";
  }
  ~TablePagesTest() override { sqlite3_close(db_); }
  void execute(const char* sql) {
    EXPECT_EQ(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db_);
  }
  // Reads the whole table by pages, and returns how many there were.
  size_t read_all(int64_t page_size) {
    config_.table.page_size = page_size;
    TablePages pages(config_);
    Result<table::Look> look = pages.look({});
    EXPECT_TRUE(look) << look.error().message();
    table::Page page;
    page.pass.cursor = look->cursor;
    size_t count = 0;
    for (bool last = false; !last; ++count) {
      Result<PageRows> rows = pages.read(page);
      if (!rows) {
        ADD_FAILURE() << rows.error().message();
        return count;
      }
      rows_ += rows->rows;
      last = rows->last;
      if (rows->rows > 0) page.pass.after = {std::to_string(rows_)};
    }
    return count;
  }

  testing::TempDir dir_;
  sqlite3* db_ = nullptr;
  ReadConfig config_;
  size_t rows_ = 0;
};

TEST_F(TablePagesTest, pages_follow_one_another_by_the_rowid) {
  execute(
      "CREATE TABLE t (a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "WHERE i < 20) INSERT INTO t SELECT i FROM n");
  EXPECT_EQ(read_all(8), 3U);
  EXPECT_EQ(rows_, 20U);
}

TEST_F(TablePagesTest, a_page_of_long_rows_ends_early) {
  execute(
      "CREATE TABLE t (a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "WHERE i < 20) INSERT INTO t SELECT zeroblob(100000) FROM n");
  EXPECT_EQ(read_all(1000), 11U) << "two a page, and an empty one";
  EXPECT_EQ(rows_, 20U);
}

TEST_F(TablePagesTest, nothing_is_locked_between_pages) {
  execute("PRAGMA journal_mode=delete; CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
  config_.table.page_size = 1;
  TablePages pages(config_);
  ASSERT_TRUE(pages.look({}));
  table::Page page;
  page.pass.cursor = {"rowid"};
  ASSERT_TRUE(pages.read(page));
  execute("BEGIN EXCLUSIVE; INSERT INTO t VALUES (3); COMMIT");
}

// By their keys, as SQL; those that are too long in brackets.
std::string keys_of(TablePages& pages, table::Page& page) {
  std::string out;
  for (bool last = false; !last;) {
    Result<PageRows> rows = pages.read(page);
    if (!rows) return out + " " + rows.error().message();
    size_t at = 0;
    size_t next_long = 0;
    for (size_t row = 0; row < rows->rows; ++row) {
      const bool too_long =
          next_long < rows->too_long.size() && rows->too_long[next_long].row == row;
      if (too_long) ++next_long;
      page.pass.after.clear();
      for (size_t i = 0; i < (too_long ? 0 : rows->columns.size()) + page.pass.cursor.size(); ++i) {
        const char type = i < (too_long ? 0 : rows->columns.size()) ? rows->values[at++] : '\0';
        uint32_t size = 0;
        if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) size = 8;
        if (type == SQLITE_TEXT || type == SQLITE_BLOB || type == '\0') {
          std::memcpy(&size, rows->values.data() + at, sizeof size);
          at += sizeof size;
        }
        if (type == '\0') page.pass.after.push_back(rows->values.substr(at, size));
        at += size;
      }
      out += (out.empty() ? "" : " ");
      out += too_long ? "[" + page.pass.after[0] + "]" : page.pass.after[0];
    }
    last = rows->last;
  }
  return out;
}

TEST_F(TablePagesTest, rows_that_are_too_long_are_named_by_their_keys_and_never_held) {
  execute(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); "
      "INSERT INTO t VALUES (1, 1, 'x'), (2, zeroblob(30000000), NULL), "
      "(3, zeroblob(900000), zeroblob(900000)), (4, NULL, zeroblob(40000000)), (5, 5, 'x'), "
      "(6, zeroblob(30000000), NULL)");
  config_.table.max_record = 1 << 20;
  for (int64_t page_size : {1, 2, 1000}) {
    config_.table.page_size = page_size;
    TablePages pages(config_);
    table::Page page;
    page.pass.cursor = pages.look({})->cursor;
    sqlite3_memory_highwater(1);
    EXPECT_EQ(keys_of(pages, page), "1 [2] [3] [4] 5 [6]") << page_size;
    EXPECT_LT(sqlite3_memory_highwater(0), 10'000'000);
  }
}

// Sorting brings whole rows together, and fails at the first page.
TEST_F(TablePagesTest, where_no_index_orders_them_they_are_found_as_well) {
  execute(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, at, a); "
      "INSERT INTO t VALUES (1, 30, 'x'), (2, 20, zeroblob(3000000)), (3, 10, 'x')");
  config_.table.max_record = 1 << 20;
  config_.table.cursor = {"at", "id"};
  TablePages pages(config_);
  table::Page page;
  page.pass.cursor = pages.look({})->cursor;
  EXPECT_EQ(keys_of(pages, page), "10 [20] 30");
}

TEST_F(TablePagesTest, without_a_cursor_a_row_that_is_too_long_is_for_a_person_to_mend) {
  execute(
      "CREATE TABLE u (a); INSERT INTO u VALUES (zeroblob(3000000)); CREATE VIEW t AS SELECT * "
      "FROM u");
  config_.table.max_record = 1 << 20;
  TablePages pages(config_);
  table::Page page;
  page.pass.cursor = pages.look({})->cursor;
  EXPECT_TRUE(page.pass.cursor.empty());
  Result<PageRows> rows = pages.read(page);
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind(), ErrorKind::kUsage);
  EXPECT_NE(rows.error().message().find("maxRecord"), std::string::npos) << rows.error().message();
}

TEST_F(TablePagesTest, a_lock_may_pass_and_wrong_sql_does_not) {
  execute("CREATE TABLE t (a)");
  execute("BEGIN EXCLUSIVE");
  TablePages pages(config_);
  Result<table::Look> locked = pages.look({});
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().kind(), ErrorKind::kUnavailable);
  execute("COMMIT");
  EXPECT_TRUE(pages.look({}));
  ReadConfig wrong = config_;
  wrong.table.where = "nowhere = 1";
  wrong.table.mode = table::Mode::kIncremental;
  TablePages other(wrong);
  Result<table::Look> refused = other.look({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUsage);
}

TEST_F(TablePagesTest, what_is_no_database_and_what_lacks_a_collation_are_for_a_person_to_mend) {
  execute("CREATE TABLE t (a)");
  // An extended code of SQLITE_ERROR.
  config_.table.where = "a = 'x' COLLATE nobody_has_it";
  Result<table::Look> look = TablePages(config_).look({});
  ASSERT_FALSE(look);
  EXPECT_EQ(look.error().kind(), ErrorKind::kUsage) << look.error().message();
  config_.path = dir_.path() + "/notes.txt";
  testing::write_file(config_.path, std::string(8192, 'x'));
  look = TablePages(config_).look({});
  ASSERT_FALSE(look);
  EXPECT_EQ(look.error().kind(), ErrorKind::kUsage) << look.error().message();
}

TEST_F(TablePagesTest, a_look_that_fails_does_not_keep_the_file_open) {
  execute(
      "PRAGMA journal_mode=wal; CREATE TABLE t (a); INSERT INTO t VALUES (-9223372036854775808)");
  config_.table.mode = table::Mode::kFullAndContinuous;
  config_.table.query = "SELECT a FROM t WHERE abs(a) > 0";
  config_.table.cursor = {"a"};
  TablePages pages(config_);
  EXPECT_FALSE(pages.look({})) << "it overflows";
  sqlite3_close(std::exchange(db_, nullptr));
  EXPECT_FALSE(std::filesystem::exists(config_.path + "-wal")) << "the last one takes it away";
}

TEST_F(TablePagesTest, a_stop_does_not_wait_for_another_programs_lock) {
  execute("CREATE TABLE t (a)");
  execute("BEGIN EXCLUSIVE");
  config_.busy_timeout = Milliseconds{30'000};
  TablePages pages(config_);
  auto look = std::async(std::launch::async, [&pages] { return pages.look({}).has_value(); });
  EXPECT_EQ(look.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  pages.cancel();
  EXPECT_EQ(look.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_FALSE(look.get());
}

TEST_F(TablePagesTest, only_the_number_of_a_row_says_that_none_comes_before_it_any_more) {
  config_.table.mode = table::Mode::kFullAndContinuous;
  config_.table.cursor = {"id"};
  for (const char* type : {"TEXT PRIMARY KEY NOT NULL", "INT PRIMARY KEY NOT NULL",
                           "INTEGER PRIMARY KEY DESC NOT NULL", "INTEGER PRIMARY KEY"}) {
    execute(("DROP TABLE IF EXISTS t; CREATE TABLE t (id " + std::string(type) +
             "); INSERT INTO t VALUES (7)")
                .c_str());
    Result<table::Look> look = TablePages(config_).look({});
    ASSERT_TRUE(look) << look.error().message();
    EXPECT_EQ(look->settle, std::string_view(type) != "INTEGER PRIMARY KEY") << type;
  }
}

TEST_F(TablePagesTest, rowids_that_vacuum_may_change_are_no_cursor_for_what_is_new) {
  execute("CREATE TABLE t (a)");
  config_.table.cursor = {"rowid"};
  EXPECT_TRUE(TablePages(config_).look({})) << "a full read";
  config_.table.mode = table::Mode::kIncremental;
  Result<table::Look> refused = TablePages(config_).look({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUsage);
  execute("DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY)");
  EXPECT_TRUE(TablePages(config_).look({}));
}

TEST_F(TablePagesTest, text_of_a_database_in_utf_16_is_read) {
  execute("PRAGMA encoding='UTF-16be'; CREATE TABLE t (k TEXT UNIQUE, v TEXT)");
  execute("INSERT INTO t VALUES ('\xc3\xa4', 'abc')");
  config_.table.cursor = {"k"};
  config_.table.mode = table::Mode::kFullAndContinuous;
  TablePages pages(config_);
  Result<table::Look> look = pages.look({});
  ASSERT_TRUE(look) << look.error().message();
  EXPECT_EQ(look->last, table::Key{"'\xc3\xa4'"});
  table::Page page;
  page.pass.cursor = look->cursor;
  Result<PageRows> rows = pages.read(page);
  ASSERT_TRUE(rows) << rows.error().message();
  EXPECT_NE(rows->values.find("abc"), std::string::npos);
  EXPECT_NE(rows->values.find("\xc3\xa4"), std::string::npos);
}

TEST_F(TablePagesTest, an_index_that_compares_otherwise_than_its_column_is_no_key) {
  config_.table.cursor = {"k"};
  for (const char* table :
       {"t (k TEXT COLLATE NOCASE NOT NULL); CREATE UNIQUE INDEX i ON t (k COLLATE BINARY)",
        "t (k TEXT COLLATE NOCASE, PRIMARY KEY (k COLLATE BINARY)) WITHOUT ROWID"}) {
    execute(("DROP TABLE IF EXISTS t; CREATE TABLE " + std::string(table)).c_str());
    Result<table::Look> refused = TablePages(config_).look({});
    ASSERT_FALSE(refused) << table;
    EXPECT_EQ(refused.error().kind(), ErrorKind::kUsage);
  }
  for (const char* table : {"t (k TEXT COLLATE NOCASE UNIQUE)",
                            "t (k TEXT); CREATE UNIQUE INDEX i ON t (k COLLATE NOCASE)",
                            "t (k TEXT COLLATE NOCASE PRIMARY KEY) WITHOUT ROWID"}) {
    execute(("DROP TABLE t; CREATE TABLE " + std::string(table)).c_str());
    EXPECT_TRUE(TablePages(config_).look({})) << table;
  }
}

TEST_F(TablePagesTest, what_writes_is_refused) {
  execute("CREATE TABLE t (a)");
  config_.table.table = "";
  config_.table.query = "DELETE FROM t RETURNING a";
  TablePages pages(config_);
  Result<table::Look> refused = pages.look({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUsage);
}

TEST(Literals, only_values_are_taken_for_ones) {
  for (const char* good : {"1", "-9223372036854775808", "0.1", "9e999", "'it''s'", "''", "x'00ff'",
                           "CAST(x'00ff' AS TEXT)"})
    EXPECT_TRUE(is_literal(good)) << good;
  for (const char* bad : {"", "'", "a", "'a' OR 1", "'a'b'", "x'zz'", "1; DROP TABLE t", "NULL",
                          "(SELECT 1)", "'''", "CAST(1 AS TEXT) --"})
    EXPECT_FALSE(is_literal(bad)) << bad;
  EXPECT_EQ(literal_of("10"), "10");
  EXPECT_EQ(literal_of("it's"), "'it''s'");
  EXPECT_EQ(literal_of("01"), "'01'");
}

}  // namespace
}  // namespace leat::sqlite
