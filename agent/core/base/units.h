// Sizes and durations as people write them ("8MiB", "200ms") and as they are shown.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat {

using Milliseconds = std::chrono::milliseconds;

// "4096", "64KiB", "8MiB", "1GiB", "10KB" (decimal). Whole numbers only, below 2^63.
Result<int64_t> parse_bytes(std::string_view text);

// "200ms", "30s", "5m", "12h", "7d". Whole numbers only; a bare number is refused, since its unit
// would be a guess.
Result<Milliseconds> parse_duration(std::string_view text);

std::string format_bytes(int64_t bytes);             // "1.4 MiB"
std::string format_duration(Milliseconds duration);  // "1m 20s"
std::string format_count(int64_t count);             // "1,234,567"
// "1 record", "1,234 records"
std::string format_count(uint64_t count, std::string_view noun);

}  // namespace leat
