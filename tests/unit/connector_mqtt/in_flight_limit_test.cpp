#include "connectors/mqtt/in_flight_limit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/hand_loop.h"

namespace leat::mqtt {
namespace {

class InFlightLimitTest : public ::testing::Test {
 protected:
  // Messages come until so many wait, in two reads; they are acknowledged soon after.
  void fill_and_acknowledge(size_t waiting) {
    guess_.arrived(waiting / 2, waiting / 2);
    guess_.arrived(waiting - waiting / 2, waiting);
    loop_.advance(Milliseconds{3});
    guess_.acknowledged();
  }
  // After a while without any, so many come, though no more than `window` at once.
  void burst(size_t messages, size_t window = 20) {
    loop_.advance(Milliseconds{1'000});
    for (size_t left = messages; left > 0;) {
      const size_t now = std::min(left, window);
      guess_.arrived(now, now);
      loop_.advance(Milliseconds{60});
      guess_.acknowledged();
      left -= now;
    }
  }

  testing::HandLoop loop_;
  size_t held_back_ = 0;
  InFlightLimit guess_{loop_, 10'000, [] {}, [this](size_t window) { held_back_ = window; }};
};

TEST_F(InFlightLimitTest, a_moment_without_messages_shows_the_window) {
  guess_.arrived(20, 20);
  EXPECT_FALSE(guess_.full(20));
  loop_.advance(Milliseconds{100});
  EXPECT_TRUE(guess_.full(20));
}

// A sink that is quick leaves no such moment.
TEST_F(InFlightLimitTest, so_does_stopping_at_the_same_number_again_and_again) {
  for (int i = 0; i < 5; ++i) fill_and_acknowledge(20);
  EXPECT_TRUE(guess_.full(20));
  EXPECT_FALSE(guess_.full(19));
}

TEST_F(InFlightLimitTest, a_stream_that_is_no_window_stops_at_different_numbers) {
  for (size_t waiting : {20, 21, 20, 22, 20, 19, 20, 21}) fill_and_acknowledge(waiting);
  EXPECT_FALSE(guess_.full(22));
}

TEST_F(InFlightLimitTest, a_thin_stream_shows_none) {
  for (int i = 0; i < 20; ++i) fill_and_acknowledge(4);
  EXPECT_FALSE(guess_.full(4));
}

TEST_F(InFlightLimitTest, more_than_the_window_shows_that_it_was_none) {
  for (int i = 0; i < 5; ++i) fill_and_acknowledge(20);
  guess_.arrived(1, 21);
  EXPECT_FALSE(guess_.full(21));
}

// --- how long it may be full --------------------------------------------------------------------

TEST_F(InFlightLimitTest, the_first_burst_waits_for_the_sink_no_longer_than_a_queue_can) {
  burst(20);
  EXPECT_EQ(guess_.patience(), Milliseconds{20});
}

TEST_F(InFlightLimitTest, after_bursts_that_were_small_there_is_no_haste) {
  for (int i = 0; i < 10; ++i) burst(30);
  EXPECT_EQ(guess_.patience(), Milliseconds{100});
}

TEST_F(InFlightLimitTest, a_large_burst_brings_the_haste_back) {
  for (int i = 0; i < 10; ++i) burst(30);
  burst(300);
  burst(1);
  EXPECT_EQ(guess_.patience(), Milliseconds{20});
}

TEST_F(InFlightLimitTest, bursts_that_fill_no_window_say_nothing) {
  for (int i = 0; i < 10; ++i) burst(5);
  EXPECT_EQ(guess_.patience(), Milliseconds{20});
}

// MQTT 5: thousands in one burst that were all there was.
TEST_F(InFlightLimitTest,
       a_broker_that_knows_the_limit_is_not_thought_to_have_a_large_one_of_its_own) {
  guess_.forget(true);
  burst(3'000, 3'000);
  EXPECT_TRUE(guess_.full(3'000));
  EXPECT_GT(guess_.patience(), Milliseconds{60'000});
  guess_.forget(true);
  burst(10'000, 10'000);
  EXPECT_LE(guess_.patience(), Milliseconds{100}) << "but that is its limit";
}

// --- what is held back --------------------------------------------------------------------------

// As mosquitto 2.0.11 does: with the first acknowledgement comes all that is queued.
TEST_F(InFlightLimitTest, a_flood_behind_the_acknowledgements_of_a_full_window_was_held_back) {
  burst(20);
  guess_.arrived(300, 300);
  EXPECT_EQ(held_back_, 20U);
}

TEST_F(InFlightLimitTest, what_comes_behind_acknowledgements_when_no_window_was_full_was_not) {
  guess_.arrived(15, 15);
  guess_.acknowledged();
  guess_.arrived(300, 300);
  EXPECT_EQ(held_back_, 0U);
}

}  // namespace
}  // namespace leat::mqtt
