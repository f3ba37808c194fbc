// What no PostgreSQL would read as a value of a type, seen without asking one: so that a field that
// is bad in many records ("N/A", "", "1,5") is found in one go, before anything is sent. It errs on
// one side only: what is plausible may still be refused by the server, and is rejected then.
#pragma once

#include <string_view>

#include "connectors/postgres/column.h"

namespace leat::postgres {

bool is_implausible(Kind kind, std::string_view text);

}  // namespace leat::postgres
