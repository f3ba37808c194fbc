#include "protocols/http/retry_after.h"

#include <gtest/gtest.h>

namespace leat::http {
namespace {

constexpr int64_t kNow = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT, of RFC 9110

Milliseconds wait(std::string_view value, std::string_view date = "") {
  return parse_retry_after(value, date, kNow);
}

TEST(HttpDate, is_read_in_all_three_forms) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", kNow), kNow);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", kNow), kNow);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", kNow), kNow);
  EXPECT_EQ(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT", kNow), 0);
  EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 23:59:60 GMT", kNow), 1'709'251'200);
}

TEST(HttpDate, puts_a_two_digit_year_at_most_50_years_ahead) {
  constexpr int64_t k2026 = 1'770'000'000;
  EXPECT_EQ(parse_http_date("Thursday, 01-Jan-70 00:00:00 GMT", k2026), 3'155'760'000);  // 2070
  EXPECT_EQ(parse_http_date("Thursday, 01-Jan-99 00:00:00 GMT", k2026), 915'148'800);    // 1999
}

TEST(HttpDate, is_refused_when_it_is_none) {
  for (const char* text :
       {"", "soon", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nuv 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT", "Sun, x6 Nov 1994 08:49:37 GMT"})
    EXPECT_EQ(parse_http_date(text, kNow), std::nullopt) << text;
}

TEST(RetryAfter, is_a_number_of_seconds) {
  EXPECT_EQ(wait("120"), Milliseconds{120'000});
  EXPECT_EQ(wait("0"), Milliseconds{0});
}

TEST(RetryAfter, is_a_date_held_against_our_clock) {
  EXPECT_EQ(wait("Sun, 06 Nov 1994 08:49:47 GMT"), Milliseconds{10'000});
  EXPECT_EQ(wait("Sun, 06 Nov 1994 08:49:07 GMT"), Milliseconds{0});
}

TEST(RetryAfter, is_held_against_the_servers_clock_where_it_says_its_time) {
  EXPECT_EQ(wait("Thu, 01 Jan 2026 00:00:05 GMT", "Thu, 01 Jan 2026 00:00:00 GMT"),
            Milliseconds{5'000});
}

TEST(RetryAfter, is_cut_to_an_hour) {
  EXPECT_EQ(wait("3601"), kLongestRetryAfter);
  EXPECT_EQ(wait("99999999999999999999"), kLongestRetryAfter);
  EXPECT_EQ(wait("Sun, 06 Nov 2094 08:49:37 GMT"), kLongestRetryAfter);
}

TEST(RetryAfter, that_cannot_be_understood_asks_for_nothing) {
  for (const char* text : {"", "soon", "-1", "1.5", "1 2"}) EXPECT_EQ(wait(text), Milliseconds{0});
}

}  // namespace
}  // namespace leat::http
