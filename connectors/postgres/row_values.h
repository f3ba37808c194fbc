// The server's text of a value, as leat's value: the other way round than field_text.h.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "connectors/postgres/column.h"
#include "record/value.h"

namespace leat::postgres {

// The fields of a DataRow message, which point into its body; without data where they are null.
// False: it is malformed.
bool split_row(std::string_view body, std::vector<std::string_view>& fields);

// `text` as the settings in kReadSettings make the server write it; of an array, its to_json(). It
// lies in memory that this may change, and that the value points to afterwards. Numbers stay the
// text that they are. Times that leat's type cannot hold (infinity,
// before the year 1, behind 9999) stay text, and so does what is no number ("NaN" of a numeric).
Value value_of(Kind kind, std::span<char> text);

// SQL for the session, to go behind other statements.
inline constexpr std::string_view kReadSettings =
    "; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET bytea_output = 'hex'"
    "; SET extra_float_digits = 3; SET standard_conforming_strings = on"
    "; SET default_transaction_read_only = on";

}  // namespace leat::postgres
