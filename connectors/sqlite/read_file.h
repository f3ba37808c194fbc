// Another program's database, opened to be read.
//
// Thread: one at a time (the source's job thread); cancel() from any.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "connectors/sqlite/client.h"

namespace leat::sqlite {

class ReadFile {
 public:
  // `longest`: bytes of a value; a longer one is never read into memory (SQLITE_TOOBIG).
  ReadFile(std::string path, Milliseconds busy_timeout, size_t longest)
      : path_(std::move(path)), busy_timeout_(busy_timeout), longest_(longest) {}
  ~ReadFile() { close(); }
  ReadFile(const ReadFile&) = delete;
  ReadFile& operator=(const ReadFile&) = delete;

  // Does nothing when it is open.
  Status open();
  // Statements must be gone.
  void close();
  // What runs now, and all behind it, fails soon.
  void cancel() { cancelled_ = true; }

  const std::string& path() const { return path_; }
  sqlite3* handle() { return db_; }
  // One SELECT.
  Result<Statement> prepare(const std::string& sql);
  // All rows, as text; NULL is "".
  Result<std::vector<std::vector<std::string>>> rows_of(const std::string& sql);
  // Of the last call: kUnavailable where it may pass.
  tl::unexpected<Error> failure();

 private:
  const std::string path_;
  const Milliseconds busy_timeout_;
  const size_t longest_;
  std::atomic<bool> cancelled_{false};
  sqlite3* db_ = nullptr;
};

}  // namespace leat::sqlite
