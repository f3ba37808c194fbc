// Times as people write them, in what PostgreSQL counts: microseconds and days since 2000-01-01.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace leat::postgres {

// From the Unix epoch to PostgreSQL's.
inline constexpr int64_t kEpochUs = 946'684'800'000'000;
inline constexpr int64_t kUsPerDay = 86'400'000'000;

// RFC 3339; the zone (then: UTC), and all of the time of day, may be left out. Microseconds since
// the Unix epoch.
std::optional<int64_t> read_timestamp(std::string_view text);
// "03:04", "03:04:05.678": microseconds since midnight.
std::optional<int64_t> read_time_of_day(std::string_view text);
// Days since the Unix epoch, rounded down.
int64_t day_of(int64_t unix_us);

}  // namespace leat::postgres
