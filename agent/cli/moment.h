// A time on the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/time_format.h"
#include "base/units.h"

namespace leat {

// "2026-01-02T03:04:05Z", or how long ago ("12h"): microseconds of Unix time.
inline std::optional<int64_t> parse_moment(const std::string& text, const Clock& clock) {
  if (Result<Milliseconds> ago = parse_duration(text); ago)
    return clock.unix_us() - ago->count() * 1000;
  return TimeFormat::parse("rfc3339")->read(text);
}

}  // namespace leat
