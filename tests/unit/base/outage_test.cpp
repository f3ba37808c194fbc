#include "base/outage.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

constexpr int64_t kSecond = 1'000'000;

TEST(Outage, begins_with_the_first_failure_and_lasts_until_it_is_over) {
  Outage outage(Milliseconds{1'000}, Milliseconds{60'000});
  EXPECT_FALSE(outage.lasts());
  outage.failed("refused", 100 * kSecond);
  outage.failed("refused", 103 * kSecond);
  EXPECT_TRUE(outage.lasts());
  EXPECT_EQ(outage.failures(), 2);
  EXPECT_EQ(outage.reason(), "refused");
  EXPECT_EQ(outage.lasted(104 * kSecond), Milliseconds{4'000});
  outage.over();
  EXPECT_FALSE(outage.lasts());
  EXPECT_EQ(outage.reason(), "");
  outage.failed("refused", 200 * kSecond);
  EXPECT_EQ(outage.failures(), 1);
  EXPECT_EQ(outage.lasted(201 * kSecond), Milliseconds{1'000});
}

TEST(Outage, says_when_a_failure_is_new) {
  Outage outage(Milliseconds{1'000}, Milliseconds{60'000});
  EXPECT_TRUE(outage.failed("refused", 0));
  EXPECT_FALSE(outage.failed("refused", kSecond));
  EXPECT_TRUE(outage.failed("no route", 2 * kSecond));
  outage.over();
  EXPECT_TRUE(outage.failed("no route", 3 * kSecond));
}

TEST(Outage, waits_longer_the_longer_it_lasts_and_anew_when_something_has_changed) {
  Outage outage(Milliseconds{1'000}, Milliseconds{60'000});
  outage.failed("refused", 0);
  EXPECT_EQ(outage.delay(0), Milliseconds{1'000});
  outage.failed("refused", 40 * kSecond);
  EXPECT_EQ(outage.delay(40 * kSecond), Milliseconds{20'000});
  outage.changed(40 * kSecond);
  EXPECT_EQ(outage.delay(40 * kSecond), Milliseconds{1'000});
  EXPECT_EQ(outage.lasted(40 * kSecond), Milliseconds{40'000}) << "which is no end of it";
}

}  // namespace
}  // namespace leat
