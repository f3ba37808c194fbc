#include "connectors/mqtt/in_flight_limit.h"

#include <gtest/gtest.h>

#include "support/hand_loop.h"

namespace leat::mqtt {
namespace {

class InFlightLimitTest : public ::testing::Test {
 protected:
  // Messages come until so many wait, in two reads; they are acknowledged soon after.
  void fill_and_acknowledge(size_t waiting) {
    guess_.arrived(waiting / 2);
    guess_.arrived(waiting);
    loop_.advance(Milliseconds{5});
    guess_.acknowledged();
  }

  testing::HandLoop loop_;
  InFlightLimit guess_{loop_, 1000, [] {}, [](size_t) {}};
};

TEST_F(InFlightLimitTest, a_moment_without_messages_shows_the_window) {
  guess_.arrived(20);
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
  guess_.arrived(21);
  EXPECT_FALSE(guess_.full(21));
}

}  // namespace
}  // namespace leat::mqtt
