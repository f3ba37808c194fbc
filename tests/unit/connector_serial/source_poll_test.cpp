#include "line_fixture.h"

namespace leat::testing {
namespace {

using Texts = std::vector<std::string>;

class SerialPollTest : public SerialSourceTest {
 protected:
  SerialPollTest() {
    options_.set("poll.request", std::string("R?\\r\\n"));
    options_.set("poll.every", int64_t{1});
    options_.set("poll.timeout", int64_t{60'000});
  }
  bool wait_requests(size_t count) {
    std::string all;
    for (size_t i = 0; i < count; ++i) all += "R?\r\n";
    return wait_received(all);
  }
  size_t requests() { return device_->received().size() / 4; }
};

TEST_F(SerialPollTest, answer_is_a_message_and_the_next_request_follows_it) {
  start();
  ASSERT_TRUE(wait_requests(1));
  device_->write("first\r\n");
  ASSERT_TRUE(wait_requests(2));
  device_->write("second\r\n");
  ASSERT_TRUE(wait_requests(3));
  ASSERT_TRUE(wait_frames(2));
  EXPECT_EQ(frames_, (Texts{"first", "second"}));
}

TEST_F(SerialPollTest, no_request_while_an_answer_is_awaited) {
  start();
  ASSERT_TRUE(wait_requests(1));
  loop_.advance(std::chrono::seconds(10));
  settle();
  device_->write("half an answer");
  settle();
  EXPECT_EQ(requests(), 1u);
}

TEST_F(SerialPollTest, next_request_is_not_due_before_its_time) {
  options_.set("poll.every", int64_t{60'000});
  start();
  ASSERT_TRUE(wait_requests(1));
  device_->write("first\r\n");
  ASSERT_TRUE(wait_frames(1));
  settle();
  EXPECT_EQ(requests(), 1u);
}

TEST_F(SerialPollTest, silence_of_the_device_leads_to_the_next_request) {
  options_.set("poll.timeout", int64_t{5});
  start();
  ASSERT_TRUE(wait_requests(3));
  EXPECT_EQ(frames_, Texts{});
}

TEST_F(SerialPollTest, half_an_answer_is_no_part_of_the_next_one) {
  options_.set("poll.timeout", int64_t{20});
  start();
  ASSERT_TRUE(wait_requests(1));
  device_->write("ha");
  ASSERT_TRUE(wait_bad(1));
  device_->write("whole\r\n");
  ASSERT_TRUE(wait_frames(1));
  EXPECT_EQ(frames_, Texts{"whole"});
  EXPECT_EQ(bad_[0], "1 the answer was not complete within poll.timeout: ha");
}

TEST_F(SerialPollTest, bad_answer_is_an_answer) {
  options_.set("checksum", std::string("nmea"));
  start();
  ASSERT_TRUE(wait_requests(1));
  device_->write("garbage\r\n");
  ASSERT_TRUE(wait_requests(2));
  ASSERT_TRUE(wait_bad(1));
}

TEST_F(SerialPollTest, without_credit_nothing_is_asked) {
  credit_ = 0;
  start();
  settle();
  EXPECT_EQ(requests(), 0u);
  give_credit();
  EXPECT_TRUE(wait_requests(1));
}

TEST_F(SerialPollTest, device_that_comes_back_is_asked_again) {
  start();
  ASSERT_TRUE(wait_requests(1));
  unplug();
  settle();
  plug_in();
  EXPECT_TRUE(wait_requests(1));
  device_->write("one\r\n");
  EXPECT_TRUE(wait_frames(1));
}

TEST_F(SerialPollTest, device_that_takes_nothing_does_not_stop_the_source) {
  options_.set("poll.request", std::string(4096, 'x'));
  options_.set("poll.timeout", int64_t{5});
  start();
  // Nobody reads at the far end; its answers are taken all the same.
  for (size_t i = 1; i <= 20; ++i) {
    device_->write("still here\n");
    ASSERT_TRUE(wait_frames(i));
  }
}

}  // namespace
}  // namespace leat::testing
