// Thread: that which runs the statement.
#pragma once

#include <sqlite3.h>

#include <string>

namespace leat {

// The parameter `index` (from 1) of a statement; the text is not copied, and lives until the
// statement has run.
inline void bind_text(sqlite3_stmt* statement, int index, const std::string& text) {
  sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

}  // namespace leat
