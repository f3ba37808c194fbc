#include "journal/database.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "base/folder.h"
#include "base/log.h"
#include "journal/counting_vfs.h"

namespace leat {
namespace {

constexpr int kVersion = 2;

// Values and reasons: FORMAT.md.
constexpr const char* kSetup =
    "PRAGMA page_size=1024;"
    "PRAGMA locking_mode=EXCLUSIVE;"
    "PRAGMA journal_mode=WAL;"
    "PRAGMA wal_autocheckpoint=2048;"
    "PRAGMA cache_size=-64;"
    "PRAGMA temp_store=MEMORY;";
constexpr const char* kSync = "PRAGMA synchronous=NORMAL";

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
    "PRAGMA user_version=2;"};

constexpr const char* kSave =
    "INSERT OR REPLACE INTO positions(pipeline, partition, value, saved_at) VALUES(?1, ?2, ?3, ?4)";
constexpr const char* kLoad = "SELECT partition, value FROM positions WHERE pipeline = ?1";

Error sqlite_error(sqlite3* db, const std::string& what) {
  int code = sqlite3_errcode(db);
  std::string message = what + ": " + sqlite3_errmsg(db);
  switch (code) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorKind::kData, message};
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {ErrorKind::kUsage, message};
    default:
      return {ErrorKind::kUnavailable, message};
  }
}

Status execute(sqlite3* db, const char* sql, const std::string& path) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  if (sqlite3_errcode(db) == SQLITE_BUSY)
    return fail(ErrorKind::kUnavailable, path + ": another agent is using this journal");
  return fail(sqlite_error(db, path));
}

Result<int> user_version(sqlite3* db, const std::string& path) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, nullptr) != SQLITE_OK)
    return fail(sqlite_error(db, path));
  int version = -1;
  if (sqlite3_step(statement) == SQLITE_ROW) version = sqlite3_column_int(statement, 0);
  sqlite3_finalize(statement);
  if (version < 0) return fail(sqlite_error(db, path));
  return version;
}

Status migrate(sqlite3* db, const std::string& path) {
  Result<int> version = user_version(db, path);
  if (!version) return fail(version.error());
  if (*version > kVersion)
    return fail(ErrorKind::kUsage, path + ": its format " + std::to_string(*version) +
                                       " is newer than this leat understands (" +
                                       std::to_string(kVersion) +
                                       "): install the newer leat again");
  for (int v = *version; v < kVersion; ++v) {
    std::string sql = std::string("BEGIN IMMEDIATE;") + kMigrations[v] + "COMMIT;";
    if (Status status = execute(db, sql.c_str(), path); !status) {
      sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
      return status;
    }
  }
  return {};
}

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

struct Salvaged {
  int positions = 0;
  int batches = 0;
};

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

// Writes the first bytes of a file over themselves.
bool write_again(sqlite3_file* file, sqlite3_int64 most) {
  if (file == nullptr || file->pMethods == nullptr) return true;  // there is no WAL yet
  sqlite3_int64 size = 0;
  if (file->pMethods->xFileSize(file, &size) != SQLITE_OK) return false;
  size = std::min(size, most);
  std::string piece(64 * 1024, '\0');
  for (sqlite3_int64 at = 0; at < size;) {
    auto n = static_cast<int>(std::min<sqlite3_int64>(size - at, sqlite3_int64{64 * 1024}));
    if (file->pMethods->xRead(file, piece.data(), n, at) != SQLITE_OK ||
        file->pMethods->xWrite(file, piece.data(), n, at) != SQLITE_OK)
      return false;
    at += n;
  }
  return true;
}

void bind(sqlite3_stmt* statement, int index, const std::string& text) {
  sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

}  // namespace

Error JournalDatabase::error(const std::string& what) const {
  return sqlite_error(db_, what);
}

Result<std::unique_ptr<JournalDatabase>> JournalDatabase::open_file(const std::string& path) {
  sqlite3* db = nullptr;
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  int code = sqlite3_open_v2(path.c_str(), &db, kFlags, counting_vfs());
  std::unique_ptr<JournalDatabase> database(new JournalDatabase(db, path));
  if (code != SQLITE_OK) return fail(database->error("open " + path));
  // A new file holds nothing yet that a power cut could take, so making it waits for no disk: its
  // six fsyncs took 30 of 40 ms to the first delivery, measured on a virtual disk. begin() makes up
  // for it.
  struct stat info {};
  database->is_new_ = ::stat(path.c_str(), &info) != 0 || info.st_size == 0;
  const char* sync = database->is_new_ ? "PRAGMA synchronous=OFF" : kSync;
  if (Status status = execute(db, sync, path); !status) return fail(status.error());
  if (Status status = execute(db, kSetup, path); !status) return fail(status.error());
  if (Status status = migrate(db, path); !status) return fail(status.error());
  if (Status status = execute(db, kSync, path); !status) return fail(status.error());
  if (Status status = database->prepare(); !status) return fail(status.error());
  // Touch what can be touched now, when damage can still be dealt with: all of the small tables,
  // and the tree, but not the content, of the spool.
  constexpr const char* kTouch =
      "SELECT count(value) FROM positions; SELECT count(epoch) FROM spools;"
      "SELECT min(id), max(id) FROM spool";
  if (Status status = execute(db, kTouch, path); !status) return fail(status.error());
  return database;
}

Result<std::unique_ptr<JournalDatabase>> JournalDatabase::open(const std::string& path) {
  Result<std::unique_ptr<JournalDatabase>> database = open_file(path);
  if (database || database.error().kind() != ErrorKind::kData) return database;
  std::string reason = database.error().message();
  Result<std::string> damaged = set_aside(path);
  if (!damaged) return fail(damaged.error());
  database = open_file(path);
  if (!database) return database;
  Salvaged saved = salvage(*damaged, (*database)->db_);
  log::error("leat", "the journal was damaged (" + reason + "): kept as " + *damaged + ", " +
                         std::to_string(saved.positions) + " positions and " +
                         std::to_string(saved.batches) +
                         " spooled batches carried over; sources without a position start from "
                         "the beginning");
  return database;
}

Status JournalDatabase::prepare() {
  struct Wanted {
    const char* sql;
    sqlite3_stmt** statement;
  };
  const Wanted wanted[] = {{"BEGIN IMMEDIATE", &begin_},
                           {"COMMIT", &commit_},
                           {"ROLLBACK", &rollback_},
                           {kSave, &save_},
                           {kLoad, &load_}};
  for (const Wanted& one : wanted)
    if (sqlite3_prepare_v3(db_, one.sql, -1, SQLITE_PREPARE_PERSISTENT, one.statement, nullptr) !=
        SQLITE_OK)
      return fail(error(path_));
  return spool_.prepare();
}

JournalDatabase::~JournalDatabase() {
  for (sqlite3_stmt* statement : {begin_, commit_, rollback_, save_, load_})
    sqlite3_finalize(statement);
  sqlite3_close_v2(db_);  // closes when the statements of spool_ are gone, too
}

// A WAL is only read when the file beside it says that it has one: while that file has never
// reached the disk, no commit has, whatever was done with the WAL. Nor has it while the folder does
// not name them on disk.
//
// What an earlier run wrote and could not sync, the kernel may show though the disk never got it.
// A WAL ends, when it is read, at the first frame that is not there: what is committed behind such
// a frame would go with it. So what is there is written again, in place, which needs no room.
Status JournalDatabase::sync_file() {
  sqlite3_file* file = nullptr;  // SQLite's own: closing another descriptor would drop its locks
  sqlite3_file* wal = nullptr;
  sqlite3_file_control(db_, nullptr, SQLITE_FCNTL_FILE_POINTER, &file);
  sqlite3_file_control(db_, nullptr, SQLITE_FCNTL_JOURNAL_POINTER, &wal);
  constexpr sqlite3_int64 kFirstPage = 1024;  // all others are in the WAL until they are synced
  if (!is_new_ && !(write_again(file, kFirstPage) && write_again(wal, INT64_MAX)))
    return fail(ErrorKind::kUnavailable, path_ + ": it cannot be written");
  bool done = file != nullptr && file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) == SQLITE_OK;
  if (!done || !sync_folder(folder_of(path_))) return broken();
  synced_ = true;
  return {};
}

Status JournalDatabase::broken() {
  broken_ = path_ +
            ": the disk failed to store what was written to it (fsync); nothing is journaled "
            "from now on: look at the disk, then restart leat";
  log::error("leat", broken_);
  return fail(ErrorKind::kUnavailable, broken_);
}

Status JournalDatabase::begin(bool durable) {
  if (!broken_.empty()) return fail(ErrorKind::kUnavailable, broken_);
  if (durable && !synced_)
    if (Status status = sync_file(); !status) return status;
  if (durable != durable_) {
    const char* sync = durable ? "PRAGMA synchronous=FULL" : kSync;
    if (Status status = execute(db_, sync, path_); !status) return status;
    durable_ = durable;
  }
  sqlite3_step(begin_);
  return sqlite3_reset(begin_) == SQLITE_OK ? Status{} : Status(fail(error(path_ + ": begin")));
}

Status JournalDatabase::commit() {
  sqlite3_step(commit_);
  ++written().commits;
  int code = sqlite3_extended_errcode(db_);
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) {
    sqlite3_reset(commit_);
    return broken();
  }
  return sqlite3_reset(commit_) == SQLITE_OK ? Status{} : Status(fail(error(path_ + ": commit")));
}

void JournalDatabase::rollback() {
  if (sqlite3_get_autocommit(db_) != 0) return;  // SQLite has rolled back by itself
  sqlite3_step(rollback_);
  sqlite3_reset(rollback_);
}

void JournalDatabase::make_room() {
  if (broken_.empty())
    sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

Status JournalDatabase::save(const std::string& pipeline, const SavedPosition& position) {
  bind(save_, 1, pipeline);
  bind(save_, 2, position.partition);
  bind(save_, 3, position.value);
  sqlite3_bind_int64(save_, 4, static_cast<sqlite3_int64>(std::time(nullptr)));
  sqlite3_step(save_);
  return sqlite3_reset(save_) == SQLITE_OK ? Status{} : Status(fail(error(path_ + ": save")));
}

Result<std::vector<SavedPosition>> JournalDatabase::load(const std::string& pipeline) {
  std::vector<SavedPosition> out;
  bind(load_, 1, pipeline);
  auto text = [this](int i) {
    return std::string(reinterpret_cast<const char*>(sqlite3_column_text(load_, i)),
                       static_cast<size_t>(sqlite3_column_bytes(load_, i)));
  };
  while (sqlite3_step(load_) == SQLITE_ROW) out.push_back({text(0), text(1)});
  if (sqlite3_reset(load_) != SQLITE_OK) return fail(error(path_ + ": load"));
  return out;
}

}  // namespace leat
