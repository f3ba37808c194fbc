#include "journal/schema.h"

#include <sqlite3.h>

#include <optional>

#include "journal/sqlite_error.h"

namespace leat {
namespace {

constexpr int kVersion = 4;
constexpr int64_t kApplicationId = 0x6C656174;

// Before the file is read: otherwise SQLite wants a -shm file, and so room for it.
constexpr const char* kAlone = "PRAGMA locking_mode=EXCLUSIVE";
// Values and reasons: FORMAT.md.
constexpr const char* kSetup =
    "PRAGMA page_size=1024;"
    "PRAGMA journal_mode=WAL;"
    "PRAGMA wal_autocheckpoint=0;"
    "PRAGMA secure_delete=OFF;"
    "PRAGMA cache_size=-64;"
    "PRAGMA temp_store=MEMORY;";

// kMigrations[n] takes the format from version n to n + 1.
constexpr const char* kMigrations[kVersion] = {
    "CREATE TABLE positions("
    "  pipeline TEXT NOT NULL,"
    "  partition TEXT NOT NULL,"
    "  value TEXT NOT NULL,"
    "  saved_at INTEGER NOT NULL,"
    "  PRIMARY KEY(pipeline, partition)"
    ") WITHOUT ROWID;"
    "PRAGMA application_id=0x6C656174;"
    "PRAGMA user_version=1;",
    "CREATE TABLE spools("
    "  number INTEGER PRIMARY KEY,"
    "  pipeline TEXT NOT NULL UNIQUE,"
    "  epoch TEXT NOT NULL"
    ");"
    "CREATE TABLE spool("
    "  id INTEGER PRIMARY KEY,"
    "  records INTEGER NOT NULL,"
    "  before INTEGER NOT NULL,"
    "  batch BLOB NOT NULL"
    ");"
    "PRAGMA user_version=2;",
    // What is in a row has changed, see pack_row.cpp; those of version 2 stay as they are.
    "PRAGMA user_version=3;",
    // Rows may be packed in a way that older leats do not know.
    "PRAGMA user_version=4;"};
constexpr const char* kTables[] = {"positions", "spools", "spool"};

// Touches what can be touched at the start, when damage can still be dealt with: all of the small
// tables, and the tree, but not the content, of the spool.
constexpr const char* kTouch =
    "SELECT count(value) FROM positions; SELECT count(epoch) FROM spools;"
    "SELECT min(id), max(id) FROM spool";

Result<int64_t> number(sqlite3* db, const std::string& sql, const std::string& path) {
  sqlite3_stmt* statement = nullptr;
  std::optional<int64_t> value;
  if (sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW)
    value = sqlite3_column_int64(statement, 0);
  Error error = sqlite_error(db, path);
  sqlite3_finalize(statement);
  if (!value) return fail(error);
  return *value;
}

// The version of the journal in the file; 0 when nothing is in it.
Result<int> version_of(sqlite3* db, const std::string& path) {
  Result<int64_t> application = number(db, "PRAGMA application_id", path);
  if (!application) return fail(application.error());
  Result<int64_t> version = number(db, "PRAGMA user_version", path);
  if (!version) return fail(version.error());
  Result<int64_t> objects = number(db, "SELECT count(*) FROM sqlite_schema", path);
  if (!objects) return fail(objects.error());
  if (*application == 0 && *version == 0 && *objects == 0) return 0;
  if (*application != kApplicationId)
    return fail(ErrorKind::kUsage,
                path + ": the database of another program (its application_id is " +
                    std::to_string(*application) +
                    "), not a journal of leat; it is left as it is: give agent.dataDir another "
                    "folder, or move that file away");
  if (*version > kVersion)
    return fail(ErrorKind::kUsage, path + ": its format " + std::to_string(*version) +
                                       " is newer than this leat understands (" +
                                       std::to_string(kVersion) +
                                       "): install the newer leat again");
  if (*version < 1)
    return fail(ErrorKind::kUsage, path + ": its format " + std::to_string(*version) +
                                       " is none that any leat has written; it is left as it is: "
                                       "move that file away, and a new journal is made");
  return static_cast<int>(*version);
}

Status migrate(sqlite3* db, int version, const std::string& path) {
  for (int v = version; v < kVersion; ++v) {
    std::string sql = std::string("BEGIN IMMEDIATE;") + kMigrations[v] + "COMMIT;";
    if (Status status = execute(db, sql.c_str(), path); !status) {
      bool later = v >= 2 && is_out_of_room(db);  // later versions read what 2 has
      sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
      return later ? Status{} : status;
    }
  }
  return {};
}

}  // namespace

Status execute(sqlite3* db, const char* sql, const std::string& what) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return fail(sqlite_error(db, what));
}

Status look_at_journal(sqlite3* db, const std::string& path) {
  if (Status status = execute(db, kAlone, path); !status) return status;
  Result<int> version = version_of(db, path);
  return version ? Status{} : Status(fail(version.error()));
}

Status make_journal(sqlite3* db, const std::string& path, bool is_new) {
  if (Status status = execute(db, kAlone, path); !status) return status;
  Result<int> version = version_of(db, path);
  if (!version) return fail(version.error());
  // A new file holds nothing yet that a power cut could take, so making it waits for no disk: its
  // six fsyncs took 30 of 40 ms to the first delivery, measured on a virtual disk.
  // JournalDatabase::begin() makes up for it.
  const char* sync = is_new ? "PRAGMA synchronous=OFF" : kSyncNormal;
  for (const char* sql : {sync, kSetup})
    if (Status status = execute(db, sql, path); !status) return status;
  if (Status status = migrate(db, *version, path); !status) return status;
  if (Status status = execute(db, kSyncNormal, path); !status) return status;
  for (const char* table : kTables) {
    std::string sql =
        std::string("SELECT count(*) FROM sqlite_schema WHERE name = '") + table + "'";
    Result<int64_t> there = number(db, sql, path);
    if (!there) return fail(there.error());
    if (*there == 0) return fail(ErrorKind::kData, path + ": the table " + table + " is missing");
  }
  return execute(db, kTouch, path);
}

}  // namespace leat
