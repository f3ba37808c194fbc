// leat's times as text that PostgreSQL reads, in UTC, for all the years that either can hold.
#pragma once

#include <cstdint>
#include <string>

namespace leat::postgres {

// Its year has the four digits that RFC 3339 has room for.
bool is_of_four_digits(int64_t unix_us);
// "2026-01-02T03:04:05.678Z"; "12026-01-02T00:00:00Z"; "0044-03-15T00:00:00Z BC". Each replaces
// what is in `out`.
void write_timestamp(int64_t unix_us, std::string& out);
void write_date(int64_t unix_us, std::string& out);         // "2026-01-02", "0044-03-15 BC"
void write_time_of_day(int64_t unix_us, std::string& out);  // "03:04:05.678"

}  // namespace leat::postgres
