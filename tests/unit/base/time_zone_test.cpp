#include "base/time_zone.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <limits>

#include "support/temp_dir.h"

namespace leat {
namespace {

constexpr int64_t kDay = 86'400;

bool there() {
  return TimeZone::load("Europe/Berlin").has_value();
}

int32_t offset_by_the_c_library(int64_t unix_s) {
  const auto at = static_cast<time_t>(unix_s);
  tm local{};
  localtime_r(&at, &local);
  return static_cast<int32_t>(local.tm_gmtoff);
}

// Of a file as `zic -b slim` makes it: no changes, and a rule.
std::string slim(const std::string& rule, char offset_hours) {
  std::string head = "TZif2" + std::string(15, '\0');
  auto count = [](char n) { return std::string(3, '\0') + n; };
  const std::string counts =
      count(0) + count(0) + count(0) + count(0) + count(1) + count(4);  // one type, four letters
  const int seconds = offset_hours * 3600;
  std::string type;
  for (int shift : {24, 16, 8, 0}) type += static_cast<char>(seconds >> shift & 0xFF);
  const std::string body = type + std::string(2, '\0') + std::string("LMT\0", 4);
  return head + counts + body + head + counts + body + "\n" + rule + "\n";
}

TEST(TimeZone, agrees_with_the_c_library_before_and_behind_what_its_file_lists) {
  if (!there()) GTEST_SKIP() << "no tz database on this machine";
  for (const char* name :
       {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo",
        "Africa/Casablanca", "America/Santiago", "Asia/Kathmandu", "Etc/GMT+5"}) {
    Result<TimeZone> zone = TimeZone::load(name);
    ASSERT_TRUE(zone) << zone.error().message();
    ASSERT_EQ(setenv("TZ", name, 1), 0);
    tzset();
    // The C library of a 32-bit system knows nothing behind 2038.
    const int64_t end = std::min<int64_t>(100 * 365 * kDay, std::numeric_limits<time_t>::max());
    for (int64_t at = 0; at < end; at += 37 * 3600 + 1)
      ASSERT_EQ(zone->offset_at(at), offset_by_the_c_library(at)) << name << " at " << at;
  }
  unsetenv("TZ");
  tzset();
}

TEST(TimeZone, rules_of_posix_are_kept) {
  const int64_t january = 1'767'225'600;  // 2026-01-01T00:00:00Z
  const int64_t july = 1'782'864'000;
  Result<TimeZone> berlin = TimeZone::parse(slim("CET-1CEST,M3.5.0,M10.5.0/3", 1));
  ASSERT_TRUE(berlin);
  EXPECT_EQ(berlin->offset_at(january), 3600);
  EXPECT_EQ(berlin->offset_at(july), 7200);
  EXPECT_EQ(berlin->offset_at(1'774'745'999), 3600) << "2026-03-29T00:59:59Z";
  EXPECT_EQ(berlin->offset_at(1'774'746'000), 7200);
  Result<TimeZone> south = TimeZone::parse(slim("<-04>4<-03>,M9.1.6/24,M4.1.6/24", -4));
  ASSERT_TRUE(south);
  EXPECT_EQ(south->offset_at(january), -3 * 3600);
  EXPECT_EQ(south->offset_at(july), -4 * 3600);
  Result<TimeZone> half = TimeZone::parse(slim("<+0545>-5:45", 5));
  ASSERT_TRUE(half);
  EXPECT_EQ(half->offset_at(july), 5 * 3600 + 45 * 60);
  Result<TimeZone> days = TimeZone::parse(slim("AAA0BBB-2,J60/0,300", 0));
  ASSERT_TRUE(days);
  EXPECT_EQ(days->offset_at(1'772'323'200), 7200) << "2026-03-01, which is J60";
  EXPECT_EQ(days->offset_at(1'772'323'199), 0);
}

TEST(TimeZone, what_makes_no_sense_is_refused) {
  const std::string good = slim("CET-1CEST,M3.5.0,M10.5.0/3", 1);
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(TimeZone::parse(good.substr(0, size))) << size;
  for (const char* rule :
       {"C", "CET", "CET-1CEST", "CET-1CEST,", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.0.0,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x", "CET-999", "<+03-3"})
    EXPECT_FALSE(TimeZone::parse(slim(rule, 1))) << rule;
  std::string many = good;
  many[20 + 15] = '\xff';  // changes that are not there
  EXPECT_FALSE(TimeZone::parse(many));
}

TEST(TimeZone, the_error_says_what_to_do) {
  EXPECT_EQ(TimeZone::load("UTC", "/nowhere"), TimeZone());
  EXPECT_EQ(TimeZone::load("Europe/Berlin", "/nowhere").error().message(),
            "\"Europe/Berlin\" is not known on this machine, which has no /nowhere: install the tz "
            "database (Debian: tzdata, OpenWrt: zoneinfo-…), or give the time in \"UTC\"");
  testing::TempDir folder;
  const std::string place = folder / "";
  EXPECT_NE(TimeZone::load("Europe/Berln", place)
                .error()
                .message()
                .find("there is no time zone \"Europe/Berln\""),
            std::string::npos);
  for (const char* name : {"", "/etc/passwd", "../passwd", "Europe/../../passwd"})
    EXPECT_EQ(TimeZone::load(name, place).error().message(),
              "must be a name such as \"Europe/Berlin\", or \"UTC\"");
}

TEST(TimeZonesWithLeapSeconds, are_refused_with_the_zone_to_write) {
  const Result<TimeZone> zone = TimeZone::load("right/Europe/Berlin");
  ASSERT_FALSE(zone);
  EXPECT_NE(zone.error().message().find("write \"Europe/Berlin\""), std::string::npos);
}

}  // namespace
}  // namespace leat
