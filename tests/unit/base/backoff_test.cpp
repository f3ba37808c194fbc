#include "base/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace leat {
namespace {

constexpr Milliseconds kShortest{100};
constexpr Milliseconds kLongest{1'000};

// The longest of many.
Milliseconds longest_after(int failures) {
  Milliseconds longest{0};
  for (uint64_t seed = 1; seed <= 500; ++seed)
    longest = std::max(longest, Backoff(seed).after(failures, kShortest, kLongest));
  return longest;
}

TEST(Backoff, its_ceiling_doubles_with_each_failure_up_to_the_longest) {
  for (auto [failures, ceiling] : {std::pair{1, 100}, {2, 200}, {4, 800}, {5, 1000}, {60, 1000}}) {
    EXPECT_LE(longest_after(failures), Milliseconds{ceiling}) << failures;
    EXPECT_GT(longest_after(failures), Milliseconds{ceiling * 9 / 10}) << failures;
  }
}

TEST(Backoff, those_that_fail_at_once_come_back_at_different_times) {
  std::set<Milliseconds> delays;
  for (uint64_t seed = 1; seed <= 100; ++seed)
    delays.insert(Backoff(seed).after(5, kShortest, kLongest));
  EXPECT_GT(delays.size(), 80U);
}

TEST(Backoff, between_is_uniform_and_reaches_both_ends) {
  Backoff backoff(7);
  std::set<Milliseconds> delays;
  for (int i = 0; i < 200; ++i) delays.insert(backoff.between(Milliseconds{3}, Milliseconds{6}));
  EXPECT_EQ(delays.size(), 4U);
  EXPECT_EQ(*delays.begin(), Milliseconds{3});
  EXPECT_EQ(*delays.rbegin(), Milliseconds{6});
}

TEST(Backoff, about_is_at_least_the_time_and_at_most_a_tenth_more) {
  Backoff backoff(7);
  std::set<Milliseconds> delays;
  for (int i = 0; i < 200; ++i) delays.insert(backoff.about(Milliseconds{1'000}));
  EXPECT_GE(*delays.begin(), Milliseconds{1'000});
  EXPECT_LE(*delays.rbegin(), Milliseconds{1'100});
  EXPECT_GT(delays.size(), 20U);
}

TEST(DoublingDelay, doubles_up_to_the_longest_and_begins_anew_when_told) {
  DoublingDelay delay(Milliseconds{300}, Milliseconds{1'000});
  EXPECT_EQ(delay.next(), Milliseconds{300});
  EXPECT_EQ(delay.next(), Milliseconds{600});
  EXPECT_EQ(delay.next(), Milliseconds{1'000});
  EXPECT_EQ(delay.next(), Milliseconds{1'000});
  delay.reset();
  EXPECT_EQ(delay.next(), Milliseconds{300});
}

TEST(GrowingDelay, is_half_as_long_as_it_has_lasted_between_its_bounds) {
  GrowingDelay delay(Milliseconds{500}, Milliseconds{30'000});
  delay.begin(7'000'000);
  EXPECT_EQ(delay.at(7'000'000), Milliseconds{500});
  EXPECT_EQ(delay.at(11'000'000), Milliseconds{2'000});
  EXPECT_EQ(delay.at(3'607'000'000), Milliseconds{30'000});
  delay.begin(3'607'000'000);
  EXPECT_EQ(delay.at(3'609'000'000), Milliseconds{1'000});
}

TEST(GrowingDelay, never_exceeds_a_longest_that_is_below_the_shortest) {
  GrowingDelay delay(Milliseconds{1'000}, Milliseconds{200});
  EXPECT_EQ(delay.at(0), Milliseconds{200});
}

}  // namespace
}  // namespace leat
