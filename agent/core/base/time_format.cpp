#include "base/time_format.h"

#include <chrono>
#include <cmath>
#include <cstdio>

namespace leat {
namespace {

constexpr int64_t kUsPerSecond = 1'000'000;
// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z: what RFC 3339 can write and every database
// reads alike (there is no year 0 for PostgreSQL).
constexpr int64_t kFirst = -62'135'596'800LL * kUsPerSecond;
constexpr int64_t kLast = 253'402'300'800LL * kUsPerSecond - 1;

using std::chrono::sys_days;
using std::chrono::year_month_day;

// A day of the proleptic Gregorian calendar; year 0 is 1 BC. ok() says whether there is such a day.
year_month_day date_of(int64_t year, int month, int day) {
  return {std::chrono::year(static_cast<int>(year)),
          std::chrono::month(static_cast<unsigned>(month)),
          std::chrono::day(static_cast<unsigned>(day))};
}

// What a textual time is made of; assembled at the end, since patterns name parts in any order.
struct Parts {
  int64_t year = 1970;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int64_t microseconds = 0;
  int day_of_year = 0;  // 0: not given
  bool afternoon = false;
  bool twelve_hour = false;
  int64_t offset_seconds = 0;

  std::optional<int64_t> unix_us() const {
    if (year < 0 || year > 10'000) return {};  // with an offset 9999 may be 10000 here
    if (month < 1 || month > 12 || day < 1 || day > 31) return {};
    const year_month_day date = date_of(year, month, day);
    if (!date.ok()) return {};
    int h = hour;
    if (twelve_hour) {
      if (h < 1 || h > 12) return {};
      h = h % 12 + (afternoon ? 12 : 0);
    }
    if (day_of_year > (date.year().is_leap() ? 366 : 365)) return {};
    // 24:00:00 is the end of the day (ISO 8601), and nothing else can be meant by it. 60: a leap
    // second counts as the first second of the next minute.
    bool end_of_day = h == 24 && minute == 0 && second == 0 && microseconds == 0;
    if ((h > 23 && !end_of_day) || minute > 59 || second > 60) return {};
    const sys_days of_year = sys_days(date_of(year, 1, 1)) + std::chrono::days(day_of_year - 1);
    int64_t days = (day_of_year > 0 ? of_year : sys_days(date)).time_since_epoch().count();
    int64_t seconds = days * 86'400 + h * 3600 + minute * 60 + second - offset_seconds;
    int64_t us = seconds * kUsPerSecond + microseconds;
    if (!can_be_written(us)) return {};
    return us;
  }
};

// Reads a text from left to right; every step says whether it fitted.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  bool literal(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool digits(size_t least, size_t most, int& out) {
    size_t n = 0;
    int value = 0;
    while (n < most && at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      value = value * 10 + (text_[at_++] - '0');
      ++n;
    }
    out = value;
    return n >= least;
  }

  // 1 to 9 digits; beyond microseconds they are cut off.
  bool fraction(int64_t& microseconds) {
    int64_t value = 0;
    size_t n = 0;
    while (n < 9 && at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      if (n < 6) value = value * 10 + (text_[at_] - '0');
      ++at_;
      ++n;
    }
    for (size_t i = n; i < 6; ++i) value *= 10;
    microseconds = value;
    return n > 0;
  }

  // "Z", "+02:00", "+0200", "-05".
  bool zone(int64_t& seconds) {
    if (literal('Z') || literal('z')) {
      seconds = 0;
      return true;
    }
    bool negative = !at_end() && text_[at_] == '-';
    if (!literal('+') && !literal('-')) return false;
    int hours = 0;
    int minutes = 0;
    if (!digits(2, 2, hours)) return false;
    bool colon = literal(':');
    if (!digits(2, 2, minutes) && colon) return false;
    if (hours > 23 || minutes > 59) return false;
    seconds = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
    return true;
  }

  bool month_name(int& month) {
    static constexpr std::string_view kNames[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                                  "jul", "aug", "sep", "oct", "nov", "dec"};
    for (int i = 0; i < 12; ++i) {
      if (word(kNames[i])) {
        month = i + 1;
        return true;
      }
    }
    return false;
  }

  bool word(std::string_view lower) {
    if (text_.size() - at_ < lower.size()) return false;
    for (size_t i = 0; i < lower.size(); ++i)
      if ((text_[at_ + i] | 0x20) != lower[i]) return false;
    at_ += lower.size();
    return true;
  }

  void skip_spaces() {
    while (!at_end() && text_[at_] == ' ') ++at_;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

std::optional<int64_t> read_rfc3339(std::string_view text) {
  Reader in(text);
  Parts parts;
  int year = 0;
  bool ok = in.digits(4, 4, year) && in.literal('-') && in.digits(2, 2, parts.month) &&
            in.literal('-') && in.digits(2, 2, parts.day);
  parts.year = year;
  // RFC 3339 section 5.6 lets the 'T' be lower case or, for readability, a space.
  ok = ok && (in.literal('T') || in.literal('t') || in.literal(' ')) &&
       in.digits(2, 2, parts.hour) && in.literal(':') && in.digits(2, 2, parts.minute) &&
       in.literal(':') && in.digits(2, 2, parts.second);
  if (!ok) return {};
  if (in.literal('.') && !in.fraction(parts.microseconds)) return {};
  if (!in.zone(parts.offset_seconds) || !in.at_end()) return {};
  return parts.unix_us();
}

bool read_conversion(char conversion, Reader& in, Parts& parts) {
  switch (conversion) {
    case 'Y': {
      int year = 0;
      bool ok = in.digits(4, 4, year);
      parts.year = year;
      return ok;
    }
    case 'y': {
      int year = 0;
      bool ok = in.digits(2, 2, year);
      parts.year = year + (year < 69 ? 2000 : 1900);  // as POSIX strptime
      return ok;
    }
    case 'm':
      return in.digits(1, 2, parts.month);
    case 'b':
      return in.month_name(parts.month);
    case 'd':
    case 'e':
      in.skip_spaces();
      return in.digits(1, 2, parts.day);
    case 'j':
      return in.digits(1, 3, parts.day_of_year) && parts.day_of_year >= 1 &&
             parts.day_of_year <= 366;
    case 'H':
      return in.digits(1, 2, parts.hour);
    case 'I':
      parts.twelve_hour = true;
      return in.digits(1, 2, parts.hour);
    case 'p':
      parts.afternoon = in.word("pm");
      return parts.afternoon || in.word("am");
    case 'M':
      return in.digits(1, 2, parts.minute);
    case 'S':
      return in.digits(1, 2, parts.second);
    case 'f':
      return in.fraction(parts.microseconds);
    case 'z':
      return in.zone(parts.offset_seconds);
    case '%':
      return in.literal('%');
    default:
      return false;
  }
}

constexpr std::string_view kConversions = "YymbdejHIpMSfz%";

}  // namespace

Result<TimeFormat> TimeFormat::parse(std::string_view format) {
  TimeFormat out;
  if (format == "rfc3339") return out;
  struct Numeric {
    std::string_view name;
    int64_t ticks;
  };
  static constexpr Numeric kNumeric[] = {
      {"unix", 1}, {"unixMs", 1000}, {"unixUs", 1'000'000}, {"unixNs", 1'000'000'000}};
  for (const Numeric& numeric : kNumeric) {
    if (format != numeric.name) continue;
    out.kind_ = Kind::kUnix;
    out.ticks_per_second_ = numeric.ticks;
    return out;
  }
  auto refuse = [&format](const std::string& why) {
    return fail(ErrorKind::kUsage,
                "\"" + std::string(format) + "\" is not a time format: " + why +
                    "; use rfc3339, unix, unixMs, unixUs, unixNs or a pattern such as "
                    "\"%Y-%m-%d %H:%M:%S\"");
  };
  if (format.find('%') == std::string_view::npos) return refuse("it has no %");
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    if (i + 1 == format.size()) return refuse("it ends with %");
    if (kConversions.find(format[++i]) == std::string_view::npos)
      return refuse(std::string("%") + format[i] + " is not known");
  }
  out.kind_ = Kind::kPattern;
  out.pattern_ = format;
  return out;
}

std::optional<int64_t> TimeFormat::read(std::string_view text) const {
  if (kind_ == Kind::kRfc3339) return read_rfc3339(text);
  if (kind_ == Kind::kUnix) return {};
  Reader in(text);
  Parts parts;
  for (size_t i = 0; i < pattern_.size(); ++i) {
    bool ok =
        pattern_[i] == '%' ? read_conversion(pattern_[++i], in, parts) : in.literal(pattern_[i]);
    if (!ok) return {};
  }
  if (!in.at_end()) return {};
  return parts.unix_us();
}

std::optional<int64_t> TimeFormat::read(int64_t number) const {
  if (kind_ != Kind::kUnix) return {};
  int64_t us = 0;
  if (ticks_per_second_ > kUsPerSecond) {
    us = number / (ticks_per_second_ / kUsPerSecond);
  } else if (__builtin_mul_overflow(number, kUsPerSecond / ticks_per_second_, &us)) {
    return {};
  }
  if (!can_be_written(us)) return {};
  return us;
}

std::optional<int64_t> TimeFormat::read(double number) const {
  if (kind_ != Kind::kUnix) return {};
  double us = number * (static_cast<double>(kUsPerSecond) / static_cast<double>(ticks_per_second_));
  constexpr double kFar = 1e18;  // far beyond what can be written, and within int64
  if (!(std::fabs(us) < kFar)) return {};
  int64_t rounded = std::llround(us);
  if (!can_be_written(rounded)) return {};
  return rounded;
}

bool can_be_written(int64_t unix_us) {
  return unix_us >= kFirst && unix_us <= kLast;
}

size_t write_rfc3339(int64_t unix_us, char* out) {
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(unix_us)};
  const sys_days day = std::chrono::floor<std::chrono::days>(time);
  const year_month_day date(day);
  const int64_t us_of_day = (time - day).count();
  // Of 32 bits: what is made small divides by instructions.
  const auto second_of_day = static_cast<uint32_t>(us_of_day / kUsPerSecond);
  const auto us = static_cast<uint32_t>(us_of_day % kUsPerSecond);
  auto put = [&out](uint32_t value, int width) {
    for (int i = width - 1; i >= 0; --i) {
      out[i] = static_cast<char>('0' + value % 10);
      value /= 10;
    }
    out += width;
  };
  char* start = out;
  put(static_cast<uint32_t>(static_cast<int>(date.year())), 4);
  *out++ = '-';
  put(static_cast<unsigned>(date.month()), 2);
  *out++ = '-';
  put(static_cast<unsigned>(date.day()), 2);
  *out++ = 'T';
  put(second_of_day / 3600, 2);
  *out++ = ':';
  put(second_of_day / 60 % 60, 2);
  *out++ = ':';
  put(second_of_day % 60, 2);
  if (us != 0) {
    *out++ = '.';
    if (us % 1000 == 0) {
      put(us / 1000, 3);
    } else {
      put(us, 6);
    }
  }
  *out++ = 'Z';
  return static_cast<size_t>(out - start);
}

std::string rfc3339(int64_t unix_us) {
  char buffer[kRfc3339Size];
  return {buffer, write_rfc3339(unix_us, buffer)};
}

}  // namespace leat
