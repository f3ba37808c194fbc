#include "journal/sqlite_error.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>

#include "base/folder.h"

namespace leat {
namespace {

ErrorKind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorKind::kData;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return ErrorKind::kUsage;
    default:
      return ErrorKind::kUnavailable;
  }
}

// The system's own word on it; 0 when it has none.
int errno_of(sqlite3* db, int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return ENOSPC;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return sqlite3_system_errno(db);
    default:
      return 0;
  }
}

std::string place_of(sqlite3* db, const std::string& what) {
  const char* file = db == nullptr ? nullptr : sqlite3_db_filename(db, "main");
  return file == nullptr || *file == '\0' ? what : folder_of(file);
}

// SQLite tries again to read only, and tells how that ended.
bool is_read_only(sqlite3* db, int code) {
  const char* file = db == nullptr ? nullptr : sqlite3_db_filename(db, "main");
  bool reads = code == SQLITE_IOERR_READ || code == SQLITE_IOERR_SHORT_READ;
  return file != nullptr && *file != '\0' && !reads &&
         ::access(folder_of(file).c_str(), W_OK) != 0 && errno == EROFS;
}

}  // namespace

namespace {
constexpr const char* kNoRoom = "no space left on ";
}

Error no_room(const std::string& folder, const std::string& more) {
  return {ErrorKind::kUnavailable, kNoRoom + folder + more};
}

bool is_no_room(const Error& error) {
  return error.message().starts_with(kNoRoom);
}

bool is_out_of_room(sqlite3* db) {
  int code = sqlite3_extended_errcode(db);
  return code != SQLITE_OK && means_full(errno_of(db, code));
}

Error sqlite_error(sqlite3* db, const std::string& what) {
  int code = sqlite3_extended_errcode(db);
  if ((code & 0xff) == SQLITE_BUSY)
    return {ErrorKind::kUnavailable, what + ": another agent is using this journal"};
  int number = errno_of(db, code);
  if (means_full(number)) return no_room(place_of(db, what));
  if (number == 0) return {kind_of(code), what + ": " + sqlite3_errmsg(db)};
  if (is_read_only(db, code)) number = EROFS;
  return {kind_of(code), fail_errno(what, number).value().message()};
}

}  // namespace leat
