#include "journal/salvage.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace leat {

// Renames a damaged journal (and its WAL) to the first free ".damaged-N"; returns the new path.
Result<std::string> set_aside(const std::string& path) {
  constexpr int kMost = 100;  // more than that many damaged journals need a person
  for (int n = 1; n <= kMost; ++n) {
    std::string target = path + ".damaged-" + std::to_string(n);
    if (::access(target.c_str(), F_OK) == 0) continue;
    if (std::rename(path.c_str(), target.c_str()) != 0)
      return fail_errno("rename " + path + " to " + target, errno);
    std::rename((path + "-wal").c_str(), (target + "-wal").c_str());
    return target;
  }
  return fail(ErrorKind::kUsage, path + ": damaged, and so are " + std::to_string(kMost) +
                                     " earlier ones beside it: remove some");
}

namespace {

// Copies what can still be read of a table, row by row, as it is; returns how many rows.
int salvage(sqlite3* from, sqlite3* into, const std::string& table, int columns) {
  int saved = 0;
  sqlite3_stmt* rows = nullptr;
  sqlite3_stmt* insert = nullptr;
  std::string values = "?";
  for (int i = 1; i < columns; ++i) values += ",?";
  std::string sql = "INSERT OR IGNORE INTO " + table + " VALUES(" + values + ")";
  if (sqlite3_prepare_v2(from, ("SELECT * FROM " + table).c_str(), -1, &rows, nullptr) ==
          SQLITE_OK &&
      sqlite3_prepare_v2(into, sql.c_str(), -1, &insert, nullptr) == SQLITE_OK) {
    while (sqlite3_step(rows) == SQLITE_ROW) {
      for (int i = 0; i < columns; ++i)
        sqlite3_bind_value(insert, i + 1, sqlite3_column_value(rows, i));
      sqlite3_step(insert);
      if (sqlite3_reset(insert) == SQLITE_OK) ++saved;
    }
  }
  sqlite3_finalize(rows);
  sqlite3_finalize(insert);
  return saved;
}

}  // namespace

Salvaged salvage(const std::string& damaged, sqlite3* into) {
  sqlite3* db = nullptr;
  Salvaged saved;
  if (sqlite3_open_v2(damaged.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK) {
    saved.positions = salvage(db, into, "positions", 4);
    salvage(db, into, "spools", 3);
    saved.batches = salvage(db, into, "spool", 4);
  }
  sqlite3_close(db);
  return saved;
}

}  // namespace leat
