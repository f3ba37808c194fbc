// What libmariadb and the server say, turned into our errors.
#pragma once

#include <string_view>

#include "base/result.h"

namespace leat::mysql {

// What trying again can do. Numbers of the server
// (https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html,
// https://mariadb.com/kb/en/mariadb-error-code-reference/), and from 2000 to 2999 of the library
// (https://dev.mysql.com/doc/mysql-errors/8.0/en/client-error-reference.html).
ErrorKind kind_of(unsigned number);

// The connection is of no use any more.
bool is_lost(unsigned number);

// It is for what the row holds: of a type, a range, a key, a check, a trigger. Where the number
// does not say so, the SQLSTATE does: a SIGNAL may have any number.
bool is_of_row(unsigned number, std::string_view state);

}  // namespace leat::mysql
