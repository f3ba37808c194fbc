#include "net/reconnect.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "support/hand_loop.h"

namespace leat {
namespace {

using testing::HandLoop;

// Clients that lose their broker at the same moment, and get it back when it is there again.
class ReconnectTest : public ::testing::Test {
 protected:
  // How long after the end of the outage each is connected.
  std::vector<Milliseconds> outage(Milliseconds lasts, uint64_t clients) {
    std::vector<Milliseconds> back;
    std::deque<Reconnect> all;
    const Milliseconds end = loop_.now() + lasts;
    for (uint64_t seed = 1; seed <= clients; ++seed) {
      Reconnect*& one = of_.emplace_back(nullptr);
      one = &all.emplace_back(
          loop_, "test",
          [this, end, &one, &back] {
            if (loop_.now() < end) return one->failed("connection refused");
            back.push_back(loop_.now() - end);
            one->connected("connected");
          },
          seed);
    }
    ::testing::internal::CaptureStderr();
    for (Reconnect& one : all) one.failed("connection lost");
    loop_.advance(2 * lasts + Milliseconds{10'000});
    ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(back.size(), clients);
    return back;
  }

  static size_t most_within_a_second(const std::vector<Milliseconds>& times) {
    size_t most = 0;
    for (auto first = times.begin(), last = first; last != times.end(); ++last) {
      while (*last - *first >= Milliseconds{1'000}) ++first;
      most = std::max(most, static_cast<size_t>(last - first) + 1);
    }
    return most;
  }

  HandLoop loop_;
  std::deque<Reconnect*> of_;
};

TEST_F(ReconnectTest, a_short_outage_is_over_soon_after_it_is_over) {
  for (Milliseconds back : outage(Milliseconds{5'000}, 50)) EXPECT_LE(back, Reconnect::kShortest);
}

TEST_F(ReconnectTest, five_hundred_clients_do_not_come_back_within_one_second) {
  for (Milliseconds lasts : {Milliseconds{1'000}, Milliseconds{5'000}, Milliseconds{60'000}})
    EXPECT_LT(most_within_a_second(outage(lasts, 500)), 350U) << lasts.count();
}

TEST_F(ReconnectTest, a_change_of_the_network_has_the_connection_tried_soon) {
  int tries = 0;
  std::optional<Reconnect> reconnect;
  reconnect.emplace(
      loop_, "test",
      [&] {
        reconnect->failed("network is unreachable");
        ++tries;
      },
      7);
  reconnect->failed("network is unreachable");
  loop_.advance(Milliseconds{600'000});  // waits are up to a minute by now
  const int before = tries;
  NetworkWatch::tell_all();
  bool told = false;
  loop_.post([&] { told = true; });
  EXPECT_TRUE(testing::run_until(loop_, [&] { return told; }));
  loop_.advance(RetryTimer::kLatest);
  EXPECT_GT(tries, before);
  // And where it was too early, again soon.
  const int after = tries;
  loop_.advance(Reconnect::kShortest);
  EXPECT_GT(tries, after);
}

TEST_F(ReconnectTest, the_log_says_when_it_works_again_and_after_how_long) {
  Reconnect reconnect(
      loop_, "test", [] {}, 7);
  ::testing::internal::CaptureStderr();
  reconnect.connected("connected to mqtt://x");
  loop_.advance(Milliseconds{60'000});
  reconnect.failed("connection lost");
  loop_.advance(Milliseconds{5'000});
  reconnect.failed("connection refused");
  loop_.advance(Milliseconds{1'000});
  reconnect.connected("connected to mqtt://x");
  reconnect.stop();
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("info test: connected to mqtt://x\n"), std::string::npos) << log;
  EXPECT_NE(log.find("connected to mqtt://x, after 6.0s and 2 failed attempts\n"),
            std::string::npos)
      << log;
}

// While connections come and go it is silent, but not when one holds.
TEST_F(ReconnectTest, a_connection_that_holds_after_some_that_did_not_is_told) {
  Reconnect reconnect(
      loop_, "test", [] {}, 7);
  for (int i = 0; i < 6; ++i) {
    reconnect.connected("connected to mqtt://x");
    loop_.advance(Milliseconds{100});
    reconnect.failed("connection lost");
  }
  ::testing::internal::CaptureStderr();
  reconnect.connected("connected to mqtt://x");
  loop_.advance(Milliseconds{29'999});
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  ::testing::internal::CaptureStderr();
  loop_.advance(Milliseconds{1});
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("; it holds"), std::string::npos);
}

}  // namespace
}  // namespace leat
