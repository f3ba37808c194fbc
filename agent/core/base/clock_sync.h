// Whether the machine's clock is known to be right. Any thread.
#pragma once

#include <cstdint>

namespace leat {

// Something (NTP, PTP, GPS) keeps the clock right, and tells the kernel so. False also where nobody
// tells: a clock that was set by hand may be right.
bool clock_is_synchronised();

// Before this no clock is right: 2023-11-14, unix, microseconds.
constexpr int64_t kEarliestClockUs = 1'700'000'000'000'000;

}  // namespace leat
