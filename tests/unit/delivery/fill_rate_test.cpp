#include "spool/fill_rate.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(FillRate, says_when_a_spool_that_fills_is_full) {
  FillRate rate;
  EXPECT_FALSE(rate.full_in(Milliseconds{0}, 0, 1000));
  rate.note(Milliseconds{0}, 100);
  EXPECT_FALSE(rate.full_in(Milliseconds{500}, 200, 1000)) << "too early to tell";
  rate.note(Milliseconds{10'000}, 200);
  EXPECT_EQ(rate.full_in(Milliseconds{10'000}, 200, 1000), Milliseconds{80'000});
  EXPECT_EQ(rate.full_in(Milliseconds{10'000}, 1000, 1000), Milliseconds{0});
}

TEST(FillRate, says_nothing_of_one_that_does_not_fill) {
  FillRate rate;
  rate.note(Milliseconds{0}, 500);
  EXPECT_FALSE(rate.full_in(Milliseconds{10'000}, 500, 1000));
  EXPECT_FALSE(rate.full_in(Milliseconds{10'000}, 100, 1000)) << "it is being emptied";
  rate.note(Milliseconds{20'000}, 600);
  rate.clear();
  EXPECT_FALSE(rate.full_in(Milliseconds{20'000}, 600, 1000));
}

TEST(FillRate, forgets_what_was_before_the_last_minutes) {
  FillRate rate;
  uint64_t bytes = 0;
  for (int second = 0; second <= 600; ++second)
    rate.note(Milliseconds{second * 1'000}, bytes += second < 300 ? 1'000 : 10);
  const std::optional<Milliseconds> left =
      rate.full_in(Milliseconds{600'000}, bytes, bytes + 10'000);
  ASSERT_TRUE(left);
  EXPECT_EQ(left->count(), 1'000'000);
}

}  // namespace
}  // namespace leat
