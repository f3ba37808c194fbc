#include "client.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <utility>

#include "base/in_quotes.h"

namespace leat::sqlite {
namespace {

// Codes after which nothing the connection has cached is to be trusted. A failed fsync
// (SQLITE_IOERR_FSYNC) is one: the kernel may have dropped the pages it could not write.
bool puts_file_in_doubt(int extended_code) {
  if (extended_code == SQLITE_READONLY_DBMOVED) return true;
  switch (extended_code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_PROTOCOL:
      return true;
    default:
      return false;
  }
}

// One value of a query that returns one row, -1 when it fails.
int64_t integer_result(sqlite3* db, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(db, sql, -1, &raw, nullptr) != SQLITE_OK) return -1;
  Statement statement(raw);
  return sqlite3_step(raw) == SQLITE_ROW ? sqlite3_column_int64(raw, 0) : -1;
}

std::string cache_pragma(int64_t bytes) {
  return "PRAGMA cache_size=-" + std::to_string(bytes / 1024) + ";";
}

}  // namespace

std::string quoted_name(std::string_view name) {
  return in_quotes(name, '"');
}

ErrorKind kind_of(int extended_code) {
  switch (extended_code) {
    // The file was renamed or deleted under the connection: a new one will make it anew.
    case SQLITE_READONLY_DBMOVED:
    // The program that writes it has to put it in order, or is about to.
    case SQLITE_READONLY_ROLLBACK:
    case SQLITE_READONLY_RECOVERY:
    case SQLITE_READONLY_CANTINIT:
    case SQLITE_READONLY_CANTLOCK:
      return ErrorKind::kUnavailable;
    default:
      break;
  }
  switch (extended_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT:
    case SQLITE_SCHEMA:
      return ErrorKind::kUnavailable;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
      return ErrorKind::kData;
    default:
      return ErrorKind::kFatal;
  }
}

int wait_for_lock(int attempts, Milliseconds timeout, const std::atomic<bool>& cancelled) {
  static constexpr std::array<int, 8> kSleepMs = {1, 2, 5, 10, 15, 20, 25, 50};
  int64_t waited = 0;
  for (int i = 0; i < attempts; ++i) {
    waited += kSleepMs[std::min<size_t>(static_cast<size_t>(i), kSleepMs.size() - 1)];
    if (waited >= timeout.count()) return 0;
  }
  if (cancelled || timeout.count() == 0) return 0;
  sqlite3_sleep(kSleepMs[std::min<size_t>(static_cast<size_t>(attempts), kSleepMs.size() - 1)]);
  return 1;
}

Status Connection::open() {
  if (db_ != nullptr) return {};
  bool was_in_doubt = std::exchange(file_in_doubt_, false);
  // One thread uses the connection, so it needs no mutex of its own.
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  int code = sqlite3_open_v2(settings_.path.c_str(), &db_, flags, nullptr);
  if (code != SQLITE_OK) {
    tl::unexpected<Error> error = failure(db_ == nullptr ? code : sqlite3_extended_errcode(db_));
    close();
    return error;
  }
  sqlite3_extended_result_codes(db_, 1);
  sqlite3_busy_handler(
      db_,
      [](void* self, int attempts) {
        auto* connection = static_cast<Connection*>(self);
        return wait_for_lock(attempts, connection->settings_.busy_timeout, connection->cancelled_);
      },
      this);
  sqlite3_wal_hook(db_, committed_to_log, this);
  // EXTRA is FULL plus a sync of the folder after a rollback journal is deleted; without it a power
  // cut right after COMMIT can bring the journal back, and with it the state before. In WAL mode
  // the two are the same.
  std::string pragmas =
      settings_.survive_power_cut ? "PRAGMA synchronous=EXTRA;" : "PRAGMA synchronous=NORMAL;";
  // Off by default in SQLite, each connection for itself; who writes REFERENCES means it.
  pragmas += "PRAGMA foreign_keys=ON;";
  pragmas += cache_pragma(settings_.cache_bytes);
  // The journal mode of a database that exists is its owner's choice. A new one gets WAL: one fsync
  // for each commit instead of three, and readers do not stop the writer.
  if (integer_result(db_, "PRAGMA page_count") == 0) pragmas += "PRAGMA journal_mode=WAL;";
  Status done = execute(pragmas);
  if (done && was_in_doubt) done = restart_log();
  if (done) return done;
  file_in_doubt_ = file_in_doubt_ || was_in_doubt;
  close();
  return done;
}

void Connection::set_cache(int64_t bytes) {
  if (std::exchange(settings_.cache_bytes, bytes) == bytes || !is_open()) return;
  (void)execute(cache_pragma(bytes) + "PRAGMA shrink_memory;");  // without it, it works as well
}

// After a failed fsync the log may hold frames that are in memory and will never be on the disk. A
// power cut would end the log there, and take with it what was confirmed behind them. So all of it
// goes into the database first, and the log begins anew.
Status Connection::restart_log() {
  int code = sqlite3_wal_checkpoint_v2(db_, "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code == SQLITE_BUSY)
    return fail(ErrorKind::kUnavailable,
                "sqlite " + settings_.path +
                    ": the write-ahead log must begin anew after an I/O error, and another program "
                    "that reads the database holds that up");
  if (code != SQLITE_OK) return failure(code);
  return {};
}

void Connection::close() {
  // Fails only while statements are left; they are then finalized later and the handle with them.
  sqlite3_close_v2(std::exchange(db_, nullptr));
}

Status Connection::execute(const std::string& sql) {
  int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(code);
  return {};
}

Result<Statement> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return failure(code);
  return Statement(raw);
}

Status Connection::run(sqlite3_stmt* statement) {
  int code = sqlite3_step(statement);
  if (code == SQLITE_DONE || code == SQLITE_ROW) {
    // A row comes from a trigger or a pragma; nobody wants it.
    sqlite3_reset(statement);
    return {};
  }
  tl::unexpected<Error> error = failure(code);
  sqlite3_reset(statement);
  return error;
}

Status Connection::store(sqlite3_stmt* statement, bool& by_its_code) {
  const int code = sqlite3_step(statement);
  by_its_code = (code & 0xff) == SQLITE_ERROR;
  Status stored;
  if (by_its_code)
    stored = fail(ErrorKind::kData, sqlite3_errmsg(db_));
  else if (code != SQLITE_DONE && code != SQLITE_ROW)
    stored = failure(code);
  sqlite3_reset(statement);
  return stored;
}

Result<bool> Connection::next_row(sqlite3_stmt* statement) {
  int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return failure(code);
}

// IMMEDIATE: the wait for a lock happens here, and not half-way through the records, where SQLite
// answers SQLITE_BUSY at once to avoid a deadlock.
//
// With a WAL SQLite does not notice that the file was deleted or replaced, and would go on writing
// to one that nobody will ever find again.
Status Connection::begin() {
  int moved = 0;
  if (sqlite3_file_control(db_, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
      moved != 0) {
    file_in_doubt_ = true;
    return fail(ErrorKind::kUnavailable,
                "sqlite " + settings_.path + ": the file was moved or deleted, opening it anew");
  }
  return execute("BEGIN IMMEDIATE");
}

Status Connection::commit() {
  return execute("COMMIT");
}

bool Connection::roll_back() {
  if (db_ == nullptr) return false;
  // SQLite has rolled back by itself after some errors.
  if (in_transaction()) (void)execute("ROLLBACK");
  return file_in_doubt_ || in_transaction();
}

tl::unexpected<Error> Connection::failure(int code) {
  std::string message = db_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db_);
  if (puts_file_in_doubt(code)) file_in_doubt_ = true;
  ErrorKind kind = kind_of(code);
  // What is wrong with a record is said in terms of the table, the rest in terms of the file.
  if (kind == ErrorKind::kData) return fail(kind, std::move(message));
  std::string what = "sqlite " + settings_.path + ": " + message;
  int system_error = db_ == nullptr ? 0 : sqlite3_system_errno(db_);
  bool about_file = (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_IOERR;
  if (about_file && system_error != 0)
    what = tl::unexpected<Error>(fail_errno(what, system_error)).value().message();
  return fail(kind, std::move(what));
}

// Does what SQLite would do by itself (a checkpoint that waits for nobody, of 1,000 pages and
// more), and looks at what came of it.
int Connection::committed_to_log(void* self, sqlite3* db, const char* name, int pages) {
  constexpr int kCheckpointFrom = 1000;
  int64_t& held = static_cast<Connection*>(self)->held_in_log_;
  held = 0;
  if (pages < kCheckpointFrom) return SQLITE_OK;
  int in_log = 0;
  int done = 0;
  int code = sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, &in_log, &done);
  if (code == SQLITE_OK && done < in_log)
    held = (in_log - done) * std::max<int64_t>(integer_result(db, "PRAGMA page_size"), 0);
  return SQLITE_OK;  // what failed here is tried again, and fails a commit when it matters
}

}  // namespace leat::sqlite
