// Values to SQLite and back. The table is in README.md.
#pragma once

#include <sqlite3.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "memory/arena.h"
#include "record/value.h"

namespace leat {

// Hands `value` to SQLite. Text is not copied: it must outlive the statement's run. `scratch` is
// room for text that has to be unescaped first (SQLite copies that).
//
// Text with a NUL is refused, for most of SQLite's functions and LIKE take it to end there, and its
// JSON functions do so with a string that has a \u0000: what they made of it would be wrong, and
// nobody would know. Returns why, or null.
const char* set_result(sqlite3_context* context, const Value& value, std::string& scratch);

// A result of SQLite as a value; text is copied to `arena`. Error: kData, what no value can be
// (JSON that is none, a text that is not UTF-8), so that whoever writes a value need not ask.
Result<Value> read_result(sqlite3_value* result, Arena& arena);

// What set_result() gave it as, where SQL has no such type: kBool, kTime; else kAbsent. Only what
// comes unchanged from there is sure to know.
Type type_given(sqlite3_value* result);

// Event time of a `_time` that an expression gave: nullopt when it is no number of microseconds, or
// no time that can be written.
std::optional<int64_t> event_time_of(const Value& value);
inline constexpr std::string_view kNoEventTime =
    "_time is not an integer of microseconds within the years 1 to 9999";

}  // namespace leat
