// Values to SQLite and back. The table is in README.md.
#pragma once

#include <sqlite3.h>

#include <optional>
#include <string>

#include "memory/arena.h"
#include "record/value.h"

namespace leat {

// Hands `value` to SQLite. Text is not copied: it must outlive the statement's run. `scratch` is
// room for text that has to be unescaped first (SQLite copies that).
void set_result(sqlite3_context* context, const Value& value, std::string& scratch);

// A result of SQLite as a value; text is copied to `arena`.
Value read_result(sqlite3_value* result, Arena& arena);

// Event time of a `_time` that an expression gave: nullopt when it is no number of microseconds.
std::optional<int64_t> event_time_of(const Value& value);

}  // namespace leat
