// The five fields of a crontab (POSIX crontab, and cron(5) for what it adds: steps, names, 7 for
// Sunday), and when they come next. They are read here since what there is of libraries brings a
// C++ regular expression or its own idea of time zones, and this is two hundred lines.
//
// As in cron(5): where both the day of the month and the day of the week are restricted (do not
// begin with "*"), one of the two is enough. And as in cron(8), where the clock is put forward or
// back for summer time:
//   - what has minutes and hours that do not begin with "*" comes once: when its time does not
//     exist, at the moment the clock is put forward; when it comes twice, the first time;
//   - what has a "*" there (each hour, each ten minutes) goes by the time that really passes.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time_zone.h"

namespace leat {

class Cron {
 public:
  // Errors are kUsage and name the field.
  static Result<Cron> parse(std::string_view text);

  // The first time behind `unix_s`; none when none comes (the 30th of February).
  std::optional<int64_t> next_after(int64_t unix_s, const TimeZone& zone) const;

  bool operator==(const Cron&) const = default;

 private:
  // A time by the clock, in seconds as if it were UTC, a whole minute; from this one on.
  std::optional<int64_t> by_the_clock(int64_t from, int64_t to) const;
  bool on_day(int64_t day) const;

  uint64_t minutes_ = 0;  // a bit for each
  uint32_t hours_ = 0;
  uint32_t days_ = 0;
  uint32_t months_ = 0;
  uint32_t weekdays_ = 0;
  bool any_day_ = false;  // begins with "*", as the next
  bool any_weekday_ = false;
  bool goes_by_time_ = false;
};

}  // namespace leat
