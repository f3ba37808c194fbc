#include "connectors/serial/framer.h"

#include "framer_fixture.h"

namespace leat::serial {
namespace {

using namespace std::string_view_literals;

TEST(Framer, lines_end_with_newline_or_carriage_return_newline) {
  EXPECT_EQ(framed(lines(), "a\nb\r\nc\rd\n"), "a|b|c\rd");
}

TEST(Framer, empty_frames_are_skipped) {
  EXPECT_EQ(framed(lines(), "\n\r\n\na\n\n"), "a");
  EXPECT_EQ(framed(delimited(";"), ";;a;;"), "a");
}

TEST(Framer, delimiter_may_have_several_bytes) {
  EXPECT_EQ(framed(delimited("\r\n"), "a\nb\r\n\r\rc\r\r\n"), "a\nb|\r\rc\r");
  EXPECT_EQ(framed(delimited("aab"), "xaaab"), "xa");
}

TEST(Framer, zero_bytes_are_bytes) {
  EXPECT_EQ(framed(lines(), "a\0b\n"sv), "a\0b"sv);
  EXPECT_EQ(framed(delimited(std::string(1, '\0')), "a\0b\0"sv), "a|b");
}

TEST(Framer, fixed_length_counts) {
  EXPECT_EQ(framed(of_length(3), "abcdefgh"), "abc|def");
  EXPECT_EQ(framed(of_length(1), "\n\n"), "\n|\n");
}

TEST(Framer, fixed_length_behind_a_start_finds_its_place_again) {
  EXPECT_EQ(framed(of_length(2, "BM"), "xxBMabzzBMcdBBMef"), "ab|cd|ef");
}

TEST(Framer, start_and_end_leave_out_what_is_between_frames) {
  EXPECT_EQ(framed(between("\x02", "\x03"), "zz\x02one\x03\r\n\x02two\x03"), "one|two");
  EXPECT_EQ(framed(between("<<", ">>"), "<<<a>>>>b<<c>>"), "<a|c");
}

TEST(Framer, new_start_before_the_end_makes_the_half_frame_a_bad_one) {
  EXPECT_EQ(framed(between("\x02", "\x03"), "\x02ha\x02whole\x03"),
            "!a new start came before its end:ha|whole");
  EXPECT_EQ(framed(between("\x02", "\x03"), "\x02\x02\x02whole\x03"), "whole");
}

TEST(Framer, silence_ends_frames_with_gap) {
  Collected out;
  Framer framer(with_gap());
  framer.feed("ab", out);
  framer.feed("c\n", out);
  EXPECT_EQ(out.text, "");
  framer.silence(out);
  framer.silence(out);
  framer.feed("d", out);
  framer.silence(out);
  EXPECT_EQ(out.text, "abc\n|d");
}

TEST(Framer, silence_gives_up_half_frames_of_the_other_types) {
  Collected out;
  Framer framer(of_length(4));
  framer.feed("ab", out);
  framer.silence(out);
  framer.feed("wxyz", out);
  EXPECT_EQ(out.text, "!the line fell silent inside it:ab|wxyz");
}

TEST(Framer, checksum_is_taken_off_before_the_end_marker) {
  FrameRules rules = between("$", "\r\n");
  rules.checksum = Checksum::kNmea;
  EXPECT_EQ(framed(rules, "$a*61\r\n$a*62\r\n$b*62\r\n"),
            "a|!nmea: the frame says 0x62, its bytes give 0x61:a*62|b");
  rules = lines();
  rules.checksum = Checksum::kXor;
  EXPECT_EQ(framed(rules, "AB\x03\r\n"), "AB");
  rules = of_length(8);
  rules.checksum = Checksum::kCrc16Modbus;
  EXPECT_EQ(framed(rules, "\x01\x03\x00\x00\x00\x01\x84\x0A"sv), "\x01\x03\x00\x00\x00\x01"sv);
}

TEST(Framer, frame_as_long_as_allowed_is_good_and_one_byte_more_is_not) {
  for (FrameRules rules : {lines(), delimited("--"), between("<", ">")}) {
    rules.max_length = 4;
    EXPECT_EQ(framed(rules, rules.start + "abcd" + rules.end), "abcd");
    EXPECT_EQ(framed(rules, rules.start + "abcde" + rules.end + rules.start + "next" + rules.end),
              "!the frame is longer than maxLength (4 B); only the start is kept here:" +
                  ("abcde" + rules.end).substr(0, 4 + rules.end.size()) + "|next");
  }
}

TEST(Framer, long_gap_frame_is_bad_until_silence) {
  FrameRules rules = with_gap();
  rules.max_length = 4;
  Collected out;
  Framer framer(rules);
  framer.feed("abcdefghijkl", out);
  framer.silence(out);
  framer.feed("next", out);
  framer.silence(out);
  EXPECT_EQ(out.text,
            "!the frame is longer than maxLength (4 B); only the start is kept here:abcde|next");
}

TEST(Framer, flood_without_an_end_is_one_bad_frame_of_which_the_start_is_kept) {
  FrameRules rules = lines();
  rules.max_length = 10'000;
  Collected out;
  Framer framer(rules);
  std::string flood(1'000'000, 'x');
  framer.feed(flood, out);
  framer.feed("\nnext\n", out);
  EXPECT_EQ(out.text,
            "!the frame is longer than maxLength (9.8 KiB); only the start is kept here:" +
                std::string(1024, 'x') + "|next");
}

TEST(Framer, flood_without_a_start_is_told_once_per_maxLength) {
  FrameRules rules = between("<start>", "<end>");
  rules.max_length = 1000;
  Collected out;
  Framer framer(rules);
  for (int i = 0; i < 300; ++i) framer.feed("0123456789", out);
  framer.feed("<start>a<end>", out);
  size_t told = 0;
  for (size_t at = 0; (at = out.text.find("!no start marker", at)) != std::string::npos; ++at)
    ++told;
  EXPECT_EQ(told, 2u);
  EXPECT_TRUE(out.text.ends_with("|a"));
  EXPECT_EQ(framer.stray_bytes(), 3000u);
}

TEST(Framer, start_marker_may_stand_across_the_place_where_a_flood_was_told) {
  FrameRules rules = between("<start>", "<end>");
  rules.max_length = 100;
  for (size_t strays = 90; strays < 120; ++strays)
    EXPECT_TRUE(framed(rules, std::string(strays, '<') + "start>a<end>").ends_with("a")) << strays;
}

TEST(Framer, line_ends_between_frames_are_no_stray_bytes) {
  Collected out;
  Framer framer(between("\x02", "\x03"));
  framer.feed("\x02one\x03\r\n \x02two\x03x", out);
  EXPECT_EQ(out.text, "one|two");
  EXPECT_EQ(framer.stray_bytes(), 1u);
}

TEST(Framer, byte_received_with_an_error_makes_its_frame_bad) {
  Collected out;
  Framer framer(lines());
  framer.feed("one\ntw", out);
  framer.feed_damaged('o', out);
  framer.feed("\nthree\n", out);
  EXPECT_EQ(out.text, "one|!a byte of it was received with a parity or framing error:two|three");
}

TEST(Framer, damaged_first_byte_counts_too) {
  Collected out;
  Framer framer(lines());
  framer.feed_damaged('1', out);
  framer.feed("00\n200\n", out);
  EXPECT_EQ(out.text, "!a byte of it was received with a parity or framing error:100|200");
}

TEST(Framer, damaged_end_marker_ends_nothing) {
  Collected out;
  Framer framer(lines());
  framer.feed("one", out);
  framer.feed_damaged('\n', out);
  framer.feed("two\nthree\n", out);
  EXPECT_EQ(out.text, "!a byte of it was received with a parity or framing error:one\ntwo|three");
}

TEST(Framer, break_inside_a_frame_spoils_it_and_between_frames_means_nothing) {
  Collected out;
  Framer framer(lines());
  framer.feed_break(out);
  framer.feed("one\n", out);
  framer.feed_break(out);
  framer.feed("tw", out);
  framer.feed_break(out);
  framer.feed("o\nthree\n", out);
  EXPECT_EQ(out.text, "one|!the line had a break inside it:two|three");
}

TEST(Framer, break_begins_a_fixed_length_anew) {
  Collected out;
  Framer framer(of_length(3));
  framer.feed("ab", out);
  framer.feed_break(out);
  framer.feed("xyz", out);
  EXPECT_EQ(out.text, "!the line had a break inside it:ab|xyz");
}

TEST(Framer, half_a_frame_that_is_dropped_does_not_begin_the_next) {
  Collected out;
  Framer framer(lines());
  framer.feed("half", out);
  EXPECT_EQ(framer.drop(), 4u);
  framer.feed("next\n", out);
  EXPECT_EQ(out.text, "next");
  EXPECT_EQ(framer.drop(), 0u);
}

TEST(Framer, skipFirst_drops_the_first_frame_after_each_opening) {
  FrameRules rules = lines();
  rules.skip_first = true;
  Collected out;
  Framer framer(rules);
  framer.feed("5.0\n25.0\n", out);
  framer.drop();
  framer.feed("6.0\n26.0\n", out);
  EXPECT_EQ(out.text, "25.0|26.0");
}

}  // namespace
}  // namespace leat::serial
