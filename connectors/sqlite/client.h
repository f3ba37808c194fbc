// One connection to the user's database, and what SQLite says turned into our errors.
//
// Thread: one at a time (the sink's job thread); cancel() from any.
// After a failure: roll_back() ends the transaction and, when the failure says something about the
// file rather than the data, closes the connection, so that the next open() starts from what is on
// the disk and not from what was cached.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"

namespace leat::sqlite {

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// `"name"`: an SQL identifier, whatever is in it (but a NUL, which SQL text cannot hold).
std::string quoted_name(std::string_view name);

// What trying again can do about a result code (https://sqlite.org/rescode.html).
ErrorKind kind_of(int extended_code);

// What a busy handler answers after so many `attempts`: it sleeps a little longer each time, up to
// `timeout` in all, and not at all once it is cancelled.
int wait_for_lock(int attempts, Milliseconds timeout, const std::atomic<bool>& cancelled);

class Connection {
 public:
  struct Settings {
    std::string path;
    Milliseconds busy_timeout{5000};
    bool survive_power_cut = true;
    int64_t cache_bytes = 1 << 20;
  };

  explicit Connection(Settings settings) : settings_(std::move(settings)) {}
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Does nothing when it is open. Creates the file when there is none.
  Status open();
  // Statements of this connection must be gone.
  void close();
  bool is_open() const { return db_ != nullptr; }
  // Settings::cache_bytes, from now on. Not within a transaction.
  void set_cache(int64_t bytes);

  Status execute(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);
  // Runs a statement that returns no rows, and makes it ready to be run again.
  Status run(sqlite3_stmt* statement);
  // The same of one that stores a record. `by_its_code`: it failed in what the table's triggers,
  // checks, indices or generated columns do ("malformed JSON"), which is kData: of this record, or
  // of every one.
  Status store(sqlite3_stmt* statement, bool& by_its_code);
  // Whether there is a row to look at.
  Result<bool> next_row(sqlite3_stmt* statement);

  Status begin();
  Status commit();
  // Ends the transaction, whatever has happened. True when the connection is to be closed, too.
  [[nodiscard]] bool roll_back();
  // Of a table.
  size_t most_columns() const {
    return static_cast<size_t>(sqlite3_limit(db_, SQLITE_LIMIT_COLUMN, -1));
  }
  // What lies in the write-ahead log and cannot go into the database, since another program reads
  // what was there before it; known after a commit.
  int64_t held_in_log() const { return held_in_log_; }
  bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

  // Stops waiting for locks from now on. Any thread.
  void cancel() { cancelled_ = true; }
  bool cancelled() const { return cancelled_; }

 private:
  Status restart_log();
  tl::unexpected<Error> failure(int code);
  static int committed_to_log(void* self, sqlite3* db, const char* name, int pages);

  Settings settings_;
  sqlite3* db_ = nullptr;
  int64_t held_in_log_ = 0;
  bool file_in_doubt_ = false;  // a failure was about the file, and it has not been opened since
  std::atomic<bool> cancelled_{false};
};

}  // namespace leat::sqlite
