#include "plan/cron.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/time_format.h"

namespace leat {
namespace {

using Times = std::vector<std::string>;

int64_t unix_of(const std::string& time) {
  return *TimeFormat::parse("rfc3339")->read(time) / 1'000'000;
}

// The next ones behind a moment.
Times next(const std::string& cron, const std::string& after, size_t count = 1,
           const std::string& zone = "UTC") {
  Result<Cron> read = Cron::parse(cron);
  if (!read) return {read.error().message()};
  const TimeZone place = *TimeZone::load(zone);
  Times out;
  for (std::optional<int64_t> at = unix_of(after); out.size() < count;) {
    at = read->next_after(*at, place);
    if (!at) return {"never"};
    out.push_back(rfc3339(*at * 1'000'000));
  }
  return out;
}

std::string error_of(const std::string& cron) {
  Result<Cron> read = Cron::parse(cron);
  return read ? "" : read.error().message();
}

TEST(Cron, each_field_takes_lists_ranges_steps_and_names) {
  const std::string now = "2026-11-26T12:00:30Z";  // a Thursday
  EXPECT_EQ(next("* * * * *", now, 2), (Times{"2026-11-26T12:01:00Z", "2026-11-26T12:02:00Z"}));
  EXPECT_EQ(next("15 2 * * *", now, 2), (Times{"2026-11-27T02:15:00Z", "2026-11-28T02:15:00Z"}));
  EXPECT_EQ(next("*/20 12 * * *", now, 3),
            (Times{"2026-11-26T12:20:00Z", "2026-11-26T12:40:00Z", "2026-11-27T12:00:00Z"}));
  EXPECT_EQ(next("5,50-52/2 * * * *", now, 4),
            (Times{"2026-11-26T12:05:00Z", "2026-11-26T12:50:00Z", "2026-11-26T12:52:00Z",
                   "2026-11-26T13:05:00Z"}));
  EXPECT_EQ(next("0 6 * Dec mon-FRI", now, 2),
            (Times{"2026-12-01T06:00:00Z", "2026-12-02T06:00:00Z"}));
  EXPECT_EQ(next("\t0  0 1 jan,jul *  ", now, 2),
            (Times{"2027-01-01T00:00:00Z", "2027-07-01T00:00:00Z"}));
  EXPECT_EQ(next("0 0 * * 7", now), next("0 0 * * sun", now));
  EXPECT_EQ(next("0 0 * * 0", now), (Times{"2026-11-29T00:00:00Z"}));
  EXPECT_EQ(next("0 0 29 2 *", now), (Times{"2028-02-29T00:00:00Z"}));
}

TEST(Cron, the_moment_itself_is_over) {
  EXPECT_EQ(next("15 2 * * *", "2026-11-26T02:15:00Z"), (Times{"2026-11-27T02:15:00Z"}));
  EXPECT_EQ(next("15 2 * * *", "2026-11-26T02:14:59Z"), (Times{"2026-11-26T02:15:00Z"}));
}

TEST(Cron, of_a_day_of_the_month_and_one_of_the_week_one_is_enough) {
  // Friday the 13th comes on each 13th, and each Friday; with a star both must be true.
  EXPECT_EQ(next("0 0 13 * fri", "2026-11-26T00:00:00Z", 4),
            (Times{"2026-11-27T00:00:00Z", "2026-12-04T00:00:00Z", "2026-12-11T00:00:00Z",
                   "2026-12-13T00:00:00Z"}));
  EXPECT_EQ(next("0 0 13 * *", "2026-11-26T00:00:00Z"), (Times{"2026-12-13T00:00:00Z"}));
  EXPECT_EQ(next("0 0 */2 * fri", "2026-11-26T00:00:00Z", 2),
            (Times{"2026-11-27T00:00:00Z", "2026-12-11T00:00:00Z"}));
}

TEST(Cron, what_cannot_be_read_is_named) {
  EXPECT_EQ(error_of("15 2 * *"),
            "must have five fields (minute, hour, day of the month, month, day of the week), such "
            "as \"15 2 * * *\"");
  EXPECT_EQ(error_of("* * * * * *"), error_of(""));
  EXPECT_EQ(error_of("60 * * * *"),
            "the minute \"60\" must be *, or numbers of 0 to 59, such as 1,5 or 1-5, with a step "
            "of 1 to 59: */2, 1-5/2");
  EXPECT_EQ(error_of("0 0 * * fri-sun"),
            "the day of the week \"fri-sun\" must be *, or numbers of 0 to 7 or names, such as 1,5 "
            "or 1-5, with a step of 1 to 7: */2, 1-5/2; ranges go upwards, and Sunday is 7, too: "
            "fri-7");
  EXPECT_NE(error_of("*/90 * * * *").find("a step of 1 to 59"), std::string::npos);
  for (const char* bad :
       {"@daily", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "* * * foo *",
        "5/2 * * * *", "*/0 * * * *", "0 */24 * * *", "5-1 * * * *", "1, * * * *", "-1 * * * *",
        "1-2-3 * * * *", "* * * * mon-", "1.5 * * * *", "+1 * * * *", "*/ * * * *", "** * * * *"})
    EXPECT_NE(error_of(bad), "") << bad;
  EXPECT_EQ(error_of("0 0 30 2 *"), "never comes: there is no such day");
}

// Europe/Berlin: 2026-03-29 from 02:00 to 03:00, 2026-10-25 from 03:00 to 02:00.
class CronAndSummerTime : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!TimeZone::load("Europe/Berlin")) GTEST_SKIP() << "no tz database on this machine";
  }
  static Times in_berlin(const std::string& cron, const std::string& after, size_t count) {
    return next(cron, after, count, "Europe/Berlin");
  }
};

TEST_F(CronAndSummerTime, a_time_is_that_of_the_place) {
  EXPECT_EQ(in_berlin("15 2 * * *", "2026-01-10T12:00:00Z", 1), (Times{"2026-01-11T01:15:00Z"}));
  EXPECT_EQ(in_berlin("15 2 * * *", "2026-07-10T12:00:00Z", 1), (Times{"2026-07-11T00:15:00Z"}));
}

TEST_F(CronAndSummerTime, a_time_that_does_not_exist_comes_when_the_clock_is_put_forward) {
  EXPECT_EQ(in_berlin("15 2 * * *", "2026-03-28T12:00:00Z", 2),
            (Times{"2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z"}));
  EXPECT_EQ(in_berlin("15,45 2 * * *", "2026-03-28T12:00:00Z", 2),
            (Times{"2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z"}))
      << "both, once";
  EXPECT_EQ(in_berlin("0 3 * * *", "2026-03-28T12:00:00Z", 1), (Times{"2026-03-29T01:00:00Z"}));
}

TEST_F(CronAndSummerTime, a_time_that_comes_twice_counts_the_first_time) {
  EXPECT_EQ(in_berlin("30 2 * * *", "2026-10-24T12:00:00Z", 2),
            (Times{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}));
  EXPECT_EQ(in_berlin("30 2 * * *", "2026-10-25T01:00:00Z", 1), (Times{"2026-10-26T01:30:00Z"}));
}

TEST_F(CronAndSummerTime, each_half_hour_goes_by_the_time_that_passes) {
  EXPECT_EQ(in_berlin("*/30 * * * *", "2026-03-29T00:15:00Z", 4),
            (Times{"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z",
                   "2026-03-29T02:00:00Z"}));
  EXPECT_EQ(in_berlin("*/30 * * * *", "2026-10-25T00:15:00Z", 4),
            (Times{"2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z",
                   "2026-10-25T02:00:00Z"}));
  // What is earlier by the clock, and comes once more.
  EXPECT_EQ(in_berlin("10,50 * * * *", "2026-10-25T00:20:00Z", 3),
            (Times{"2026-10-25T00:50:00Z", "2026-10-25T01:10:00Z", "2026-10-25T01:50:00Z"}));
}

}  // namespace
}  // namespace leat
