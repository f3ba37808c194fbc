#include "connectors/serial/framer.h"
#include "framer_fixture.h"

namespace leat::serial {
namespace {

using namespace std::string_view_literals;

FrameRules escaped(FrameRules rules, char escape, EscapeStyle style = EscapeStyle::kLiteral) {
  rules.escape = escape;
  rules.escape_style = style;
  return rules;
}

TEST(FramerEscape, literal_makes_the_next_byte_mean_itself) {
  EXPECT_EQ(framed(escaped(delimited(";"), '\\'), "a\\;b;c\\\\;d;"), "a;b|c\\|d");
}

TEST(FramerEscape, markers_of_several_bytes_need_all_of_them_unescaped) {
  EXPECT_EQ(framed(escaped(delimited("\r\n"), '\\'), "a\\\r\nb\r\\\nc\r\n"), "a\r\nb\r\nc");
}

TEST(FramerEscape, escaped_start_and_end_are_data) {
  EXPECT_EQ(framed(escaped(between("<", ">"), '\\'), "<a\\<b\\>c><d>"), "a<b>c|d");
}

TEST(FramerEscape, escapes_outside_frames_mean_nothing) {
  EXPECT_EQ(framed(escaped(between("<", ">"), '\\'), "\\<a>"), "a");
}

TEST(FramerEscape, hdlc_inverts_bit_5) {
  // RFC 1662, section 4.2: 0x7E is sent as 0x7D 0x5E, 0x7D as 0x7D 0x5D.
  FrameRules rules = escaped(delimited("\x7E"), '\x7D', EscapeStyle::kHdlc);
  EXPECT_EQ(framed(rules,
                   "\x7E"
                   "a\x7D\x5E\x7D\x5D\x7D\x31\x7E\x7E"
                   "b\x7E"),
            "a\x7E\x7D\x11|b");
}

TEST(FramerEscape, hdlc_frame_given_up_by_its_sender_is_bad) {
  FrameRules rules = escaped(delimited("\x7E"), '\x7D', EscapeStyle::kHdlc);
  EXPECT_EQ(framed(rules,
                   "ab\x7D\x7E"
                   "cd\x7E"),
            "!its end came right behind an escape byte: the sender gave it up:ab|cd");
}

TEST(FramerEscape, slip_is_undone) {
  // RFC 1055: END 0xC0, ESC 0xDB, 0xDB 0xDC for END, 0xDB 0xDD for ESC.
  FrameRules rules = escaped(delimited("\xC0"), '\xDB', EscapeStyle::kSlip);
  EXPECT_EQ(framed(rules, "\xC0x\xDB\xDC\xDB\xDDy\xDC\xC0"), "x\xC0\xDBy\xDC");
}

TEST(FramerEscape, checksum_is_of_the_bytes_without_escapes) {
  FrameRules rules = escaped(delimited("\xC0"), '\xDB', EscapeStyle::kSlip);
  rules.checksum = Checksum::kXor;
  EXPECT_EQ(framed(rules, "\xDB\xDCz\xBA\xC0"), "\xC0z");  // 0xC0 ^ 'z' = 0xBA
}

TEST(FramerEscape, length_is_counted_without_escapes) {
  FrameRules rules = escaped(delimited(";"), '\\');
  rules.max_length = 2;
  EXPECT_EQ(framed(rules, "\\;\\;;"), ";;");
}

TEST(FramerEscape, byte_behind_a_damaged_escape_is_not_escaped) {
  Collected out;
  Framer framer(escaped(delimited(";"), '\\'));
  framer.feed("a", out);
  framer.feed_damaged('\\', out);
  framer.feed(";b;", out);
  EXPECT_EQ(out.text, "!a byte of it was received with a parity or framing error:a\\|b");
}

}  // namespace
}  // namespace leat::serial
