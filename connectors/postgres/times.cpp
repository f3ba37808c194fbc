#include "connectors/postgres/times.h"

#include <cstdlib>

#include "base/time_format.h"

namespace leat::postgres {
namespace {

constexpr size_t kYear = 4;
constexpr size_t kDate = 10;  // "2026-01-02"

// From the year 1 to 9999, which RFC 3339 has digits for.
constexpr int64_t kFirst = -62'135'596'800'000'000;
constexpr int64_t kLast = 253'402'300'799'999'999;

void write_rfc3339(int64_t unix_us, std::string& out) {
  out.resize(kRfc3339Size);
  out.resize(leat::write_rfc3339(unix_us, out.data()));
}

// For all other years: the calendar is the same every 400 years.
void write_far(int64_t unix_us, std::string& out, size_t from, size_t to) {
  constexpr int64_t kUsPer400Years = 146'097LL * 86'400 * 1'000'000;
  constexpr int64_t k2000 = 946'684'800'000'000;
  int64_t cycles = unix_us / kUsPer400Years;
  int64_t inside = unix_us % kUsPer400Years;
  while (inside < k2000) {
    inside += kUsPer400Years;
    --cycles;
  }
  write_rfc3339(inside, out);
  int64_t year = std::strtol(out.c_str(), nullptr, 10) + 400 * cycles;  // 0 is 1 BC
  std::string digits = std::to_string(year > 0 ? year : 1 - year);
  if (digits.size() < kYear) digits.insert(0, kYear - digits.size(), '0');
  out = digits + out.substr(from, to - from) + (year > 0 ? "" : " BC");
}

}  // namespace

bool is_of_four_digits(int64_t unix_us) {
  return unix_us >= kFirst && unix_us <= kLast;
}

void write_timestamp(int64_t unix_us, std::string& out) {
  if (!is_of_four_digits(unix_us)) return write_far(unix_us, out, kYear, kRfc3339Size);
  write_rfc3339(unix_us, out);
}

void write_date(int64_t unix_us, std::string& out) {
  if (!is_of_four_digits(unix_us)) return write_far(unix_us, out, kYear, kDate);
  write_rfc3339(unix_us, out);
  out.resize(kDate);
}

void write_time_of_day(int64_t unix_us, std::string& out) {
  constexpr int64_t kUsPerDay = 86'400'000'000;
  write_rfc3339((unix_us % kUsPerDay + kUsPerDay) % kUsPerDay, out);
  out.erase(0, kDate + 1);
  out.pop_back();  // the Z
}

}  // namespace leat::postgres
