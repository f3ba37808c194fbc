// Times as text: microseconds since the Unix epoch, UTC, to and from what people write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat {

// A parsed `format` option: "rfc3339", "unix", "unixMs", "unixUs", "unixNs", or a strptime-like
// pattern of %Y %m %d %H %M %S %f (fraction, 1 to 9 digits) %z (Z, +hh:mm, +hhmm) %j %b %y %e %p %I
// %% and literal text. Without %z the time is read as UTC. 24:00:00 is the end of the day.
class TimeFormat {
 public:
  static Result<TimeFormat> parse(std::string_view format);

  // Microseconds since the epoch; nullopt when `text` is not in this format.
  std::optional<int64_t> read(std::string_view text) const;

  // For numeric formats (unix…): the same from an integer or a float; nullopt for textual formats
  // and for times that cannot be written.
  std::optional<int64_t> read(int64_t number) const;
  std::optional<int64_t> read(double number) const;

  bool operator==(const TimeFormat&) const = default;

 private:
  enum class Kind { kRfc3339, kUnix, kPattern };
  Kind kind_ = Kind::kRfc3339;
  int64_t ticks_per_second_ = 1;  // kUnix: 1, 1e3, 1e6 or 1e9
  std::string pattern_;           // kPattern
};

// A time of the years 0001 to 9999, which is what the rest of this file reads and writes.
bool can_be_written(int64_t unix_us);

// "2026-01-02T03:04:05.678901Z"; the fraction is left out when it is zero, and has 3 or 6 digits
// otherwise. `out` must have room for kRfc3339Size bytes; returns the length written.
inline constexpr size_t kRfc3339Size = 32;
size_t write_rfc3339(int64_t unix_us, char* out);
std::string rfc3339(int64_t unix_us);

}  // namespace leat
