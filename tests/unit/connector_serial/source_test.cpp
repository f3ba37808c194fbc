#include "line_fixture.h"

namespace leat::testing {
namespace {

using namespace std::string_view_literals;
using Texts = std::vector<std::string>;

TEST_F(SerialSourceTest, each_line_is_a_message) {
  start();
  device_->write("one\r\ntwo\n\nthree\n");
  ASSERT_TRUE(wait_frames(3));
  EXPECT_EQ(frames_, (Texts{"one", "two", "three"}));
  EXPECT_EQ(places_[2], dir_ / "port" + ": frame 3");
}

TEST_F(SerialSourceTest, lines_that_come_in_pieces_are_whole) {
  start();
  device_->write("on");
  settle();
  device_->write("e\ntw");
  ASSERT_TRUE(wait_frames(1));
  device_->write("o\n");
  ASSERT_TRUE(wait_frames(2));
  EXPECT_EQ(frames_, (Texts{"one", "two"}));
}

TEST_F(SerialSourceTest, frames_of_a_moment_travel_together) {
  start();
  for (int i = 0; i < 20; ++i) device_->write("x\n");
  ASSERT_TRUE(wait_frames(20));
  EXPECT_EQ(batches_, 1u);
}

TEST_F(SerialSourceTest, all_256_bytes_pass) {
  options_.set("framing.type", std::string("length"));
  options_.set("framing.length", int64_t{256});
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  start();
  device_->write(all + all);
  ASSERT_TRUE(wait_frames(2));
  EXPECT_EQ(frames_, (Texts{all, all}));
}

TEST_F(SerialSourceTest, bad_frames_are_numbered_among_the_good_ones) {
  options_.set("checksum", std::string("nmea"));
  start();
  device_->write("$a*61\n$b*00\n$c*63\nd\n");
  ASSERT_TRUE(wait_frames(2));
  EXPECT_EQ(frames_, (Texts{"$a", "$c"}));
  EXPECT_EQ(places_[1], dir_ / "port" + ": frame 3");
  EXPECT_EQ(bad_, (Texts{"2 nmea: the frame says 0x00, its bytes give 0x62: $b*00",
                         "4 nmea: the frame does not end in '*' and two hex digits: d"}));
}

TEST_F(SerialSourceTest, silence_ends_a_frame) {
  options_.set("framing.type", std::string("gap"));
  options_.set("framing.gap", int64_t{5});
  start();
  device_->write("no end but\nsilence");
  ASSERT_TRUE(wait_frames(1));
  device_->write("next");
  ASSERT_TRUE(wait_frames(2));
  EXPECT_EQ(frames_, (Texts{"no end but\nsilence", "next"}));
}

TEST_F(SerialSourceTest, silence_gives_up_half_a_frame_where_a_gap_is_set) {
  options_.set("framing.type", std::string("length"));
  options_.set("framing.length", int64_t{4});
  options_.set("framing.gap", int64_t{5});
  start();
  device_->write("ab");
  ASSERT_TRUE(wait_bad(1));
  device_->write("wxyz");
  ASSERT_TRUE(wait_frames(1));
  EXPECT_EQ(frames_, Texts{"wxyz"});
  EXPECT_EQ(bad_, Texts{"1 the line fell silent inside it: ab"});
}

TEST_F(SerialSourceTest, without_credit_nothing_is_read_and_nothing_is_lost) {
  credit_ = 0;
  start();
  device_->write("one\n");
  settle();
  device_->write("two\n");
  settle();
  EXPECT_EQ(uv_loop_alive(loop_.uv()), 0) << "something keeps the loop awake without credit";
  EXPECT_EQ(frames_, Texts{});
  give_credit();
  source_->resume();
  ASSERT_TRUE(wait_frames(2));
  EXPECT_EQ(frames_, (Texts{"one", "two"}));
}

TEST_F(SerialSourceTest, silence_without_credit_is_not_forgotten) {
  options_.set("framing.type", std::string("gap"));
  options_.set("framing.gap", int64_t{5});
  credit_ = 1;
  start();
  device_->write("first");
  ASSERT_TRUE(wait_frames(1));
  device_->write("second");
  settle();
  give_credit();
  ASSERT_TRUE(wait_frames(2));
  EXPECT_EQ(frames_, (Texts{"first", "second"}));
}

TEST_F(SerialSourceTest, flood_takes_one_read_a_turn) {
  start();
  settle();
  std::string flood;
  while (flood.size() < 16'000) flood += "0123456789\n";
  size_t written = device_->flood(flood);
  ASSERT_GT(written, 2 * 4096u) << "the line takes too little for this test";
  ASSERT_TRUE(run_until(loop_, [this] { return budget_.used() > 0; }));  // the first turn of it
  stop();
  size_t bytes = 0;
  for (const std::string& frame : frames_) bytes += frame.size() + 1;
  EXPECT_LE(bytes, 2 * 4096u);  // a timer that was due, too, has looked once more
  EXPECT_GT(bytes, 0u);
}

TEST_F(SerialSourceTest, port_that_is_not_there_is_waited_for) {
  unplug();
  start();
  settle();
  plug_in();
  device_->write("one\n");
  ASSERT_TRUE(wait_frames(1));
  EXPECT_EQ(frames_, Texts{"one"});
}

TEST_F(SerialSourceTest, device_that_comes_back_is_read_again_and_half_a_frame_is_not_joined) {
  start();
  device_->write("one\nha");
  ASSERT_TRUE(wait_frames(1));
  unplug();
  settle();
  plug_in();
  device_->write("two\n");
  ASSERT_TRUE(wait_frames(2));
  EXPECT_EQ(frames_, (Texts{"one", "two"}));
  EXPECT_EQ(places_[1], dir_ / "port" + ": frame 2");
}

TEST_F(SerialSourceTest, port_that_hangs_up_at_once_is_not_opened_in_a_circle) {
  start();
  settle();
  std::string path = device_->path();
  device_.reset();  // the link stays, and leads nowhere
  settle();
  std::filesystem::remove(dir_ / "port");
  plug_in();
  device_->write("one\n");
  EXPECT_TRUE(wait_frames(1));
}

TEST_F(SerialSourceTest, what_is_no_port_is_waited_for_until_it_is_one) {
  unplug();
  write_file(dir_ / "port", "written there while the device was away");
  start();
  settle();
  std::filesystem::remove(dir_ / "port");
  plug_in();
  device_->write("one\n");
  EXPECT_TRUE(wait_frames(1));
}

TEST_F(SerialSourceTest, port_is_opened_by_one_pipeline_only) {
  start();
  options_.set("stopBits", int64_t{2});
  Result<std::unique_ptr<Source>> second = kSerialSource.make(options_);
  ASSERT_TRUE((*second)->open(*this));
  device_->write("one\n");
  ASSERT_TRUE(wait_frames(1));
  settle();
  EXPECT_EQ(frames_, Texts{"one"});
  EXPECT_TRUE(device_->exclusive());
  EXPECT_FALSE(device_->two_stop_bits()) << "the line of the first was set anew";
  stop();
  EXPECT_FALSE(device_->exclusive());
  adopt(std::move(*second));
  device_->write("two\n");
  ASSERT_TRUE(wait_frames(2)) << "it takes over when the first lets go";
}

TEST_F(SerialSourceTest, stopping_gives_what_was_gathered) {
  start();
  settle();
  device_->write("one\n");
  ASSERT_TRUE(run_until(loop_, [this] { return budget_.used() > 0; }));
  stop();
  EXPECT_EQ(frames_, Texts{"one"});
}

}  // namespace
}  // namespace leat::testing
