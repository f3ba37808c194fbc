#include "base/time_format.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

constexpr int64_t kMoment = 1'767'323'045'678'901;  // 2026-01-02T03:04:05.678901Z

TimeFormat format(const char* text) {
  return TimeFormat::parse(text).value();
}

TEST(Rfc3339, is_written_with_as_many_digits_as_it_needs) {
  EXPECT_EQ(rfc3339(kMoment), "2026-01-02T03:04:05.678901Z");
  EXPECT_EQ(rfc3339(kMoment / 1000 * 1000), "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59.999999Z");
}

TEST(Rfc3339, is_read_with_zones_and_fractions) {
  TimeFormat f = format("rfc3339");
  EXPECT_EQ(f.read("2026-01-02T03:04:05.678901Z"), kMoment);
  EXPECT_EQ(f.read("2026-01-02T05:34:05.678901+02:30"), kMoment);
  EXPECT_EQ(f.read("2026-01-02 03:04:05.678901999Z"), kMoment);
  EXPECT_EQ(f.read("2024-02-29T00:00:00Z"), 1'709'164'800'000'000);
}

TEST(Rfc3339, refuses_what_is_no_time) {
  TimeFormat f = format("rfc3339");
  for (const char* bad :
       {"", "2026-01-02", "2026-13-02T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-02T24:00:01Z",
        "2026-01-02T24:01:00Z", "2026-01-02T24:00:00.1Z", "2026-01-02T25:00:00Z",
        "2026-01-02T03:04:05", "2026-01-02T03:04:05Zx", "2026-01-02T03:04:05.Z"})
    EXPECT_FALSE(f.read(bad)) << bad;
}

TEST(Times, end_a_day_at_24_00_00) {
  EXPECT_EQ(format("rfc3339").read("2026-01-01T24:00:00Z"), 1'767'312'000'000'000);
  EXPECT_EQ(format("%d.%m.%Y %H:%M").read("31.12.2025 24:00"), 1'767'225'600'000'000);
  EXPECT_FALSE(format("%d.%m.%Y %H:%M").read("31.12.2025 24:01"));
}

TEST(Times, are_those_of_the_years_1_to_9999) {
  TimeFormat f = format("rfc3339");
  for (const char* good : {"0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"})
    EXPECT_EQ(rfc3339(f.read(good).value()), good);
  for (const char* bad : {"0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01",
                          "9999-12-31T23:59:59-00:01", "9999-12-31T24:00:00Z"})
    EXPECT_FALSE(f.read(bad)) << bad;
  EXPECT_FALSE(format("%Y").read("0000"));
  EXPECT_EQ(format("unix").read(int64_t{-62'135'596'800}), -62'135'596'800'000'000);
  EXPECT_FALSE(format("unix").read(int64_t{-62'135'596'801}));
  EXPECT_FALSE(format("unix").read(int64_t{253'402'300'800}));
  EXPECT_FALSE(format("unix").read(253'402'300'799.9999999));
}

TEST(Times, have_a_day_366_in_leap_years_only) {
  EXPECT_EQ(format("%Y-%j").read("2024-366"), 1'735'603'200'000'000);
  EXPECT_EQ(format("%Y-%j").read("2026-365"), 1'798'675'200'000'000);
  EXPECT_FALSE(format("%Y-%j").read("2026-366"));
  EXPECT_FALSE(format("%Y-%j").read("1900-366"));
}

TEST(UnixTimes, are_scaled_to_microseconds) {
  EXPECT_EQ(format("unix").read(int64_t{1'767'323'045}), 1'767'323'045'000'000);
  EXPECT_EQ(format("unixMs").read(int64_t{1'767'323'045'678}), 1'767'323'045'678'000);
  EXPECT_EQ(format("unixUs").read(kMoment), kMoment);
  EXPECT_EQ(format("unixNs").read(kMoment * 1000 + 999), kMoment);
  EXPECT_EQ(format("unix").read(1767323045.5), 1'767'323'045'500'000);
}

TEST(UnixTimes, outside_the_years_1_to_9999_are_refused) {
  EXPECT_FALSE(format("unix").read(INT64_MAX));
  EXPECT_FALSE(format("unixUs").read(INT64_MIN));
  EXPECT_FALSE(format("unix").read(1e300));
  EXPECT_FALSE(format("unix").read(0.0 / 0.0));
}

TEST(Patterns, name_the_parts_in_any_order) {
  EXPECT_EQ(format("%d.%m.%Y %H:%M:%S,%f").read("02.01.2026 03:04:05,678901"), kMoment);
  EXPECT_EQ(format("%b %e %Y %I:%M %p").read("Jan  2 2026 03:04 AM"), 1'767'323'040'000'000);
  EXPECT_EQ(format("%Y-%j").read("2026-002"), 1'767'312'000'000'000);
  EXPECT_EQ(format("%Y%%%m").read("2026%02"), 1'769'904'000'000'000);
  EXPECT_FALSE(format("%Y-%m").read("2026-13"));
  EXPECT_FALSE(format("%H:%M").read("10:11 "));
}

TEST(Patterns, that_cannot_work_are_refused_with_the_reason) {
  EXPECT_FALSE(TimeFormat::parse("iso"));
  EXPECT_FALSE(TimeFormat::parse("%Q"));
  EXPECT_FALSE(TimeFormat::parse("%Y-%"));
}

}  // namespace
}  // namespace leat
