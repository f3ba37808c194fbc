// Whether the machine's clock is known to be right. Any thread.
#pragma once

namespace leat {

// Something (NTP, PTP, GPS) keeps the clock right, and tells the kernel so. False also where nobody
// tells: a clock that was set by hand may be right.
bool clock_is_synchronised();

}  // namespace leat
