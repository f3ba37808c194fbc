#include "net/retry_timer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "support/hand_loop.h"

namespace leat {
namespace {

using testing::HandLoop;
using testing::run_until;

class RetryTimerTest : public ::testing::Test {
 protected:
  void change_network() {
    const int before = changes_;
    NetworkWatch::tell_all();
    EXPECT_TRUE(run_until(loop_, [&] { return changes_ > before; }));
  }
  void start(Milliseconds delay, Milliseconds at_least = Milliseconds{0}) {
    tries_ = 0;
    timer_.start(delay, at_least, [this] { ++tries_; });
  }

  HandLoop loop_;
  int changes_ = 0;
  int tries_ = 0;
  RetryTimer timer_{loop_, 1, [this] { ++changes_; }};
};

TEST_F(RetryTimerTest, waits_as_long_as_it_is_told) {
  start(Milliseconds{30'000});
  loop_.advance(Milliseconds{29'999});
  EXPECT_EQ(tries_, 0);
  loop_.advance(Milliseconds{1});
  EXPECT_EQ(tries_, 1);
}

TEST_F(RetryTimerTest, a_change_of_the_network_cuts_the_wait_short) {
  start(Milliseconds{30'000});
  loop_.advance(Milliseconds{1'000});
  change_network();
  loop_.advance(RetryTimer::kLatest);
  EXPECT_EQ(tries_, 1);
  loop_.advance(Milliseconds{30'000});
  EXPECT_EQ(tries_, 1);
}

TEST_F(RetryTimerTest, it_never_makes_the_wait_longer) {
  start(Milliseconds{100});
  change_network();
  loop_.advance(Milliseconds{100});
  EXPECT_EQ(tries_, 1);
}

TEST_F(RetryTimerTest, what_the_peer_asked_for_is_waited_all_the_same) {
  start(Milliseconds{30'000}, Milliseconds{10'000});
  change_network();
  loop_.advance(Milliseconds{9'999});
  EXPECT_EQ(tries_, 0);
  loop_.advance(Milliseconds{1});
  EXPECT_EQ(tries_, 1);
}

TEST_F(RetryTimerTest, a_change_during_an_attempt_shortens_the_wait_after_it) {
  start(Milliseconds{10});
  loop_.advance(Milliseconds{10});
  ASSERT_EQ(tries_, 1);
  change_network();
  start(Milliseconds{30'000});
  loop_.advance(RetryTimer::kLatest);
  EXPECT_EQ(tries_, 1);
}

// The switch of a plant comes back, and with it everything that hangs on it.
TEST_F(RetryTimerTest, five_hundred_that_see_the_same_change_do_not_try_within_one_second) {
  std::vector<Milliseconds> tried;
  std::deque<RetryTimer> timers;
  int changes = 0;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    timers.emplace_back(loop_, seed, [&] { ++changes; });
    timers.back().start(Milliseconds{30'000}, Milliseconds{0},
                        [&] { tried.push_back(loop_.now()); });
  }
  const Milliseconds begin = loop_.now();
  NetworkWatch::tell_all();
  EXPECT_TRUE(run_until(loop_, [&] { return changes == 500; }));
  loop_.advance(Milliseconds{3'000});
  ASSERT_EQ(tried.size(), 500U);
  EXPECT_GE(tried.front() - begin, RetryTimer::kSoonest);
  size_t most = 0;
  for (auto first = tried.begin(), last = first; last != tried.end(); ++last) {
    while (*last - *first >= Milliseconds{1'000}) ++first;
    most = std::max(most, static_cast<size_t>(last - first) + 1);
  }
  EXPECT_LT(most, 320U);
}

}  // namespace
}  // namespace leat
