// Values of SQLite as SQL, and the bytes of a column.
#pragma once

#include <sqlite3.h>

#include <string>
#include <string_view>

namespace leat::sqlite {

std::string quoted_text(std::string_view text);

// Of the row at which the statement stands; valid until its next step.
std::string_view blob_in(sqlite3_stmt* statement, int column);
// As UTF-8, whatever the database's encoding is.
std::string_view text_in(sqlite3_stmt* statement, int column);

// A value of a row as SQL, and what a person writes as a value of a cursor.
std::string literal_of(sqlite3_stmt* statement, int column);
std::string literal_of(std::string_view written);
// What literal_of() gives, and nothing else: so a position, wherever it was kept, cannot say
// anything else.
bool is_literal(std::string_view text);

}  // namespace leat::sqlite
