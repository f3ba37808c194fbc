#include "protocols/amqp/incoming.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "frames.h"
#include "protocols/amqp/framer.h"

namespace leat::amqp {
namespace {

using testing::content;

class AmqpIncomingTest : public ::testing::Test {
 protected:
  struct Got {
    std::string key;
    std::string body;
    uint64_t size;
    bool cut;
  };

  Status feed(const std::string& bytes) {
    Framer framer(kLargestFrame, [this](const Frame& frame) -> Result<bool> {
      if (frame.type != AMQP_FRAME_METHOD) return incoming_.add(frame);
      Result<Method> method = decode_method(frame.payload, pool_);
      if (!method) return fail(method.error());
      incoming_.begin(method->as<amqp_basic_deliver_t>());
      return true;
    });
    Status status = framer.feed(bytes);
    if (status && framer.holding()) {
      takes_ = true;
      status = framer.go_on();
    }
    return status;
  }

  bool takes_ = true;
  std::vector<Got> got_;
  Pool pool_;
  Incoming incoming_{10'000, [this](const Message& message) -> Result<bool> {
                       if (takes_)
                         got_.push_back({std::string(message.routing_key),
                                         std::string(message.body), message.size, message.cut});
                       return takes_;
                     }};
};

TEST_F(AmqpIncomingTest, a_message_is_put_together_from_its_frames) {
  for (size_t size : {0, 1, 4088, 4089, 9'999}) {
    got_.clear();
    ASSERT_TRUE(feed(testing::deliver_method({}) + content(std::string(size, 'x'))));
    ASSERT_EQ(got_.size(), 1u);
    EXPECT_EQ(got_[0].body, std::string(size, 'x'));
    EXPECT_EQ(got_[0].key, "key");
    EXPECT_FALSE(got_[0].cut);
    EXPECT_FALSE(incoming_.open());
  }
}

TEST_F(AmqpIncomingTest, a_message_that_was_not_taken_comes_again_whole) {
  for (size_t size : {0, 10, 9'000}) {
    got_.clear();
    takes_ = false;
    ASSERT_TRUE(feed(testing::deliver_method({}) + content(std::string(size, 'x'))));
    ASSERT_EQ(got_.size(), 1u);
    EXPECT_EQ(got_[0].body, std::string(size, 'x'));
  }
}

TEST_F(AmqpIncomingTest, of_a_message_that_is_too_large_only_the_size_is_kept) {
  ASSERT_TRUE(feed(testing::deliver_method({}) + content(std::string(100'000, 'x')) +
                   testing::deliver_method({}) + content("next")));
  ASSERT_EQ(got_.size(), 2u);
  EXPECT_TRUE(got_[0].cut);
  EXPECT_EQ(got_[0].size, 100'000u);
  EXPECT_EQ(got_[0].body, "");
  EXPECT_EQ(got_[1].body, "next");
  EXPECT_LT(incoming_.footprint(), 10'000u);
}

TEST_F(AmqpIncomingTest, more_than_the_header_says_is_an_error) {
  std::string bytes = testing::deliver_method({}) + content("abc");
  // A second piece where the message is complete already.
  const std::string piece = content("abc").substr(content("").size());
  EXPECT_FALSE(feed(bytes + piece));
}

}  // namespace
}  // namespace leat::amqp
