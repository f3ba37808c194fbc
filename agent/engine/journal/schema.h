// The journal's tables and the settings of its connection (FORMAT.md). Thread: the connection's.
#pragma once

#include <string>

#include "base/result.h"

struct sqlite3;

namespace leat {

// Locks `db`, just opened, and reads it for the first time, with its WAL. Nothing is written. What
// is not a journal that this leat understands is refused (kUsage).
Status look_at_journal(sqlite3* db, const std::string& path);

// Makes `db`, just opened and perhaps empty, a journal of the present version. What is not one that
// this leat understands is refused (kUsage) before anything is written to it; one that lacks a
// table is damaged (kData). `path` is for messages.
Status make_journal(sqlite3* db, const std::string& path, bool is_new);

// One or several statements without results.
Status execute(sqlite3* db, const char* sql, const std::string& what);

inline constexpr const char* kSyncNormal = "PRAGMA synchronous=NORMAL";
inline constexpr const char* kSyncFull = "PRAGMA synchronous=FULL";
inline constexpr int kPageSize = 1024;

}  // namespace leat
