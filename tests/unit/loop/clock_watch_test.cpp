#include "loop/clock_watch.h"

#include <gtest/gtest.h>
#include <sys/timex.h>

#include "support/hand_loop.h"

namespace leat {
namespace {

// A nanosecond forward, or back: nobody else notices.
bool step(bool forward) {
  timex by{};
  by.modes = ADJ_SETOFFSET | ADJ_NANO;
  by.time.tv_sec = forward ? 0 : -1;
  by.time.tv_usec = forward ? 1 : 999'999'999;
  return adjtimex(&by) >= 0;
}

TEST(ClockWatch, tells_that_the_clock_was_put_forward_or_back_each_time) {
  testing::HandLoop loop;
  int told = 0;
  auto watch = ClockWatch::make(loop, [&told] { ++told; });
  ASSERT_TRUE(watch) << watch.error().message();
  for (int times = 1; times <= 2; ++times) {
    if (!step(times == 1)) GTEST_SKIP() << "the clock may not be put here";
    EXPECT_TRUE(testing::run_until(loop, [&] { return told == times; }));
  }
}

}  // namespace
}  // namespace leat
