#include "loop/signals.h"

#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <vector>

#include "support/hand_loop.h"

namespace leat {
namespace {

class SignalsTest : public ::testing::Test {
 protected:
  SignalsTest() { hold_signals(); }
  ~SignalsTest() override {
    EXPECT_TRUE(loop_.close());
    release_signals();
  }
  std::unique_ptr<Signals> listen() {
    return std::make_unique<Signals>(loop_, [this](int number) { seen_.push_back(number); });
  }
  bool seen(const std::vector<int>& expected) {
    bool late = false;
    Timer deadline(loop_);
    deadline.start(Milliseconds{20'000}, [&late] { late = true; });
    while (seen_ != expected && !late) uv_run(loop_.uv(), UV_RUN_ONCE);
    return seen_ == expected;
  }

  testing::FakeClock clock_;
  Loop loop_{clock_};
  std::vector<int> seen_;
};

TEST_F(SignalsTest, each_calls_back) {
  auto signals = listen();
  raise(SIGHUP);
  EXPECT_TRUE(seen({SIGHUP}));
  raise(SIGHUP);
  EXPECT_TRUE(seen({SIGHUP, SIGHUP}));
  raise(SIGTERM);
  EXPECT_TRUE(seen({SIGHUP, SIGHUP, SIGTERM}));
}

TEST_F(SignalsTest, what_came_before_anybody_listened_is_not_lost) {
  raise(SIGUSR1);
  auto signals = listen();
  EXPECT_TRUE(seen({SIGUSR1}));
}

TEST_F(SignalsTest, what_comes_when_nobody_listens_any_more_does_not_kill) {
  listen();
  for (int number : {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) raise(number);
  auto signals = listen();  // as the next agent of this process would
  EXPECT_TRUE(seen({SIGHUP, SIGINT, SIGUSR1, SIGTERM}));
}

TEST_F(SignalsTest, those_that_are_released_kill) {
  EXPECT_EXIT(
      {
        raise(SIGTERM);
        release_signals();
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace leat
