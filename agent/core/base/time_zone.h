// What the clocks of a place show: its offset from UTC at any moment, out of the tz database that
// the C library has (files in the format of RFC 8536). They are read here and not by the C library,
// since that knows one zone at a time, for all threads of the process.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat {

inline constexpr const char* kZoneFolder = "/usr/share/zoneinfo";

class TimeZone {
 public:
  TimeZone() = default;  // UTC
  // "UTC" needs no file. Errors are kUsage, and say what to do.
  static Result<TimeZone> load(const std::string& name, const std::string& folder = kZoneFolder);
  // Of what is in such a file. Errors are kData.
  static Result<TimeZone> parse(std::string_view file);

  // Seconds that the place is ahead of UTC.
  int32_t offset_at(int64_t unix_s) const;

  bool operator==(const TimeZone&) const = default;

 private:
  // "M3.5.0/2", "J60", "59": when, in each year, by the clock of the time that ends then.
  struct Moment {
    char kind = 'M';  // M, J or n, as POSIX has them
    int month = 0, week = 0, day = 0;
    int32_t second = 7200;
    int64_t in(int64_t year) const;  // as if it were UTC
    bool operator==(const Moment&) const = default;
  };
  // What holds behind the last change that is listed (POSIX, the environment variable TZ).
  struct Rule {
    int32_t standard = 0;
    int32_t summer = 0;
    bool changes = false;  // else it is always `standard`
    Moment begin, end;     // of summer
    bool operator==(const Rule&) const = default;
  };
  struct Change {
    int64_t at = 0;  // unix, seconds
    int32_t offset = 0;
    bool operator==(const Change&) const = default;
  };

  static bool parse_rule(std::string_view text, Rule& out);
  static bool parse_moment(std::string_view& text, Moment& out);

  int32_t first_ = 0;  // before all changes
  std::vector<Change> changes_;
  Rule rule_;
};

}  // namespace leat
