#include "protocols/mqtt/framer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace leat::mqtt {
namespace {

using namespace std::string_literals;

class FramerTest : public ::testing::Test {
 protected:
  std::vector<std::string> taken_;
  std::vector<Frame> frames_;  // without their bodies
  bool hold_ = false;
  Framer framer_{100, [this](const Frame& frame) -> Result<bool> {
                   if (hold_) return false;
                   taken_.emplace_back(frame.body);
                   frames_.push_back(frame);
                   return true;
                 }};
};

const std::string kPuback = "\x40\x02\x00\x05"s;

TEST_F(FramerTest, takes_packets_however_they_are_cut) {
  for (char c : kPuback + kPuback) ASSERT_TRUE(framer_.feed({&c, 1}));
  EXPECT_EQ(taken_, (std::vector<std::string>{"\x00\x05"s, "\x00\x05"s}));
  EXPECT_EQ(frames_[0].size, 4U);
  EXPECT_EQ(frames_[0].type, PacketType::kPuback);
}

TEST_F(FramerTest, offers_again_what_was_not_taken) {
  hold_ = true;
  ASSERT_TRUE(framer_.feed(kPuback));
  EXPECT_TRUE(framer_.holding());
  ASSERT_TRUE(framer_.feed("\x40\x02\x00\x06"s));
  EXPECT_TRUE(taken_.empty());
  hold_ = false;
  ASSERT_TRUE(framer_.go_on());
  EXPECT_FALSE(framer_.holding());
  EXPECT_EQ(taken_, (std::vector<std::string>{"\x00\x05"s, "\x00\x06"s}));
}

TEST_F(FramerTest, throws_the_rest_of_a_large_publish_away_and_goes_on) {
  std::string start = "\x32\x80\x80\x40"s + "\x00\x03p/1\x00\x07"s;  // 1 MiB
  ASSERT_TRUE(framer_.feed(start));
  std::string piece(4096, 'x');
  size_t left = (1 << 20) - 7;
  while (left > 0) {
    size_t now = std::min(left, piece.size());
    ASSERT_TRUE(framer_.feed(piece.substr(0, now)));
    left -= now;
    ASSERT_EQ(taken_.size(), left == 0 ? 1U : 0U);
  }
  ASSERT_TRUE(framer_.feed(kPuback));
  ASSERT_EQ(taken_.size(), 2U);
  EXPECT_TRUE(frames_[0].cut);
  EXPECT_EQ(frames_[0].size, (1U << 20) + 4);
  EXPECT_EQ(taken_[0].substr(0, 7), "\x00\x03p/1\x00\x07"s);
  EXPECT_LE(taken_[0].size(), 65'539U);
}

TEST_F(FramerTest, a_large_publish_can_be_held_too) {
  hold_ = true;
  ASSERT_TRUE(framer_.feed("\x30\x80\x01"s + std::string(128, 'x') + kPuback));
  EXPECT_TRUE(framer_.holding());
  hold_ = false;
  ASSERT_TRUE(framer_.go_on());
  ASSERT_EQ(frames_.size(), 2U);
  EXPECT_TRUE(frames_[0].cut);
  EXPECT_EQ(taken_[1], "\x00\x05"s);
}

TEST_F(FramerTest, refuses_what_is_not_mqtt) {
  EXPECT_FALSE(framer_.feed("\x00\x00"s)) << "type 0";
  framer_.reset();
  EXPECT_FALSE(framer_.feed("\x30\xFF\xFF\xFF\xFF\x01"s)) << "a length of five bytes";
  framer_.reset();
  EXPECT_FALSE(framer_.feed("\x90\xFF\xFF\x03"s)) << "a SUBACK that is too large";
}

}  // namespace
}  // namespace leat::mqtt
