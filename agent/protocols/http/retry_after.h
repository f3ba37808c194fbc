// When a server wants to be asked again (RFC 9110 section 10.2.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/units.h"

namespace leat::http {

// Longer waits are cut to this, so that a server's mistake does not stop the delivery for days.
inline constexpr Milliseconds kLongestRetryAfter{3'600'000};

// An HTTP-date in any of the three forms that must be understood (RFC 9110 section 5.6.7), as
// seconds since the Unix epoch. `now_s` settles the century of the two-digit year.
std::optional<int64_t> parse_http_date(std::string_view text, int64_t now_s);

// The wait that a Retry-After asks for, 0 when there is none that can be understood. A date is held
// against `date`, the answer's Date header: the clock of a gateway may be wrong. Without it,
// against `now_s`.
Milliseconds parse_retry_after(std::string_view value, std::string_view date, int64_t now_s);

}  // namespace leat::http
