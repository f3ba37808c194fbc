// The half of a source that blocks: looks at another program's table, and reads it page by page.
// Nothing is held between two of them: no transaction, and behind the last page of a pass not even
// the file, so that the other program's checkpoints find no reader in their way.
//
// Thread: one at a time (the source's job thread); cancel() from any.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "connectors/sqlite/client.h"
#include "table/database.h"
#include "table/settings.h"

namespace leat::sqlite {

struct ReadConfig {
  std::string path;
  Milliseconds busy_timeout{5000};
  table::Settings table;
};

// Rows, as they are handed from the job thread to the loop.
struct PageRows {
  std::vector<std::string> columns;
  std::vector<bool> truths;  // of the columns: declared as BOOLEAN
  // Of each value its type (SQLITE_INTEGER, …), then 8 bytes of a number, or 4 bytes of a size and
  // so many of text; behind those of the names come the key's, as SQL.
  std::string values;
  size_t rows = 0;
  // Of these there are only the keys: they are longer than maxRecord. In order.
  struct LongRow {
    size_t row;
    size_t bytes;  // 0: nobody knows
  };
  std::vector<LongRow> too_long;
  bool last = false;  // there are no more in this pass
  static constexpr bool ended = true;

  std::vector<std::string_view> names() const { return {columns.begin(), columns.end()}; }
  Value value(size_t column, size_t& at, Arena& arena) const;
  std::string_view key(size_t& at) const;
};

// See table/page_reader.h.
class TablePages {
 public:
  using PageRows = sqlite::PageRows;
  explicit TablePages(ReadConfig config) : config_(std::move(config)) {}
  ~TablePages() { close(); }
  TablePages(const TablePages&) = delete;
  TablePages& operator=(const TablePages&) = delete;

  Result<table::Look> look(const table::Key& behind);
  // As Database::list().
  table::Tables list(const std::vector<std::string>& names);
  // All of a page at once.
  Result<PageRows> read(table::Page page);
  Result<PageRows> read_on() { return PageRows{}; }
  // As Database::divide(): each bound within a transaction of its own.
  Result<std::vector<table::Key>> divide(const std::vector<std::string>& cursor, size_t parts);
  void close();
  // What runs now, and all behind it, fails soon. Any thread.
  void cancel() { cancelled_ = true; }

  // As SQL.
  table::Key first() const;
  std::string found() const { return config_.path + ": " + config_.table.name() + " can be read"; }

 private:
  struct Column {
    std::string name;
    bool nullable = true;
  };

  Status open();
  tl::unexpected<Error> failure();
  Result<Statement> prepare(const std::string& sql);
  // All rows, as text; NULL is "".
  Result<std::vector<std::vector<std::string>>> rows_of(const std::string& sql);
  Status know_table();
  Status choose_cursor();
  Status check_sql(const table::Key& behind);
  Status check_cursor();
  Result<bool> tells_rows_apart();
  bool tells_apart(const std::string& column, const std::string& collation) const;
  std::string from(const table::Key& behind) const;
  std::vector<std::string> conditions(const table::Page& page) const;
  std::string page_sql(const table::Page& page, bool only_keys = false) const;
  std::string row_sql(const table::Page& page, const table::Key& key) const;
  Result<table::Look> look_now(const table::Key& behind);
  Result<std::vector<table::Key>> bounds(const std::vector<std::string>& cursor, size_t parts);
  Status begin_page(const table::Page& page);
  void append_row(PageRows& out, sqlite3_stmt* statement, size_t keys) const;
  Result<PageRows> read_by_keys(const table::Page& page);
  Result<PageRows> rows_by_keys(const table::Page& page);

  const ReadConfig config_;
  std::atomic<bool> cancelled_{false};
  sqlite3* db_ = nullptr;
  bool ever_known_ = false;
  std::vector<Column> columns_;  // of the table; none of a query
  std::vector<std::string> primary_key_;
  bool is_table_ = false;       // and no view
  bool has_rowid_ = false;      // under that name
  bool rowid_is_kept_ = false;  // it is the INTEGER PRIMARY KEY, which VACUUM leaves as it is
  std::vector<std::string> cursor_;
  Statement statement_;  // of a read without a cursor, which goes on; else of a page under way
};

// A value of a row as SQL, and what a person writes as a value of a cursor.
std::string literal_of(sqlite3_stmt* statement, int column);
std::string literal_of(std::string_view written);
bool is_literal(std::string_view text);

}  // namespace leat::sqlite
