// What SQLite said, as an Error. The one place where its codes become kinds. Any thread.
#pragma once

#include <string>

#include "base/result.h"

struct sqlite3;

namespace leat {

// Of the last call on `db`, which failed. `what` names the operation and its object; the words are
// errno's where the system has refused something: "open /data/journal.db: read-only file system".
// kData: what is in the file is damaged. kUsage: a person must change something. kUnavailable: the
// same call may succeed later.
Error sqlite_error(sqlite3* db, const std::string& what);

// That the disk of `folder` is full, in words that is_no_room() knows again; more may follow them.
Error no_room(const std::string& folder, const std::string& more = "");
bool is_no_room(const Error& error);

// Whether the last call on `db`, which failed, failed for want of room on the disk.
bool is_out_of_room(sqlite3* db);

}  // namespace leat
