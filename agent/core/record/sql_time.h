// Times as databases write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace leat {

// "2026-01-02 03:04:05" or "2026-01-02 03:04:05.123456", in UTC, as microseconds since the Unix
// epoch. Nullopt for what has another form, and for days that are in no calendar:
// "0000-00-00 00:00:00", "2026-02-31 …".
std::optional<int64_t> read_sql_time(std::string_view text);

}  // namespace leat
