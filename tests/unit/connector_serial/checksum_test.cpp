#include "connectors/serial/checksum.h"

#include <gtest/gtest.h>

namespace leat::serial {
namespace {

using namespace std::string_view_literals;

TEST(Checksum, crc16modbus_has_the_published_check_value) {
  EXPECT_EQ(crc16_modbus("123456789"), 0x4B37);  // the catalogue's "CRC-16/MODBUS"
}

TEST(Checksum, crc16modbus_stands_low_byte_first) {
  // Read holding register 0 of unit 1: the request of the textbooks.
  std::string_view frame = "\x01\x03\x00\x00\x00\x01\x84\x0A"sv;
  EXPECT_EQ(take_checksum(Checksum::kCrc16Modbus, frame), "");
  EXPECT_EQ(frame, "\x01\x03\x00\x00\x00\x01"sv);
  std::string_view swapped = "\x01\x03\x00\x00\x00\x01\x0A\x84"sv;
  EXPECT_EQ(take_checksum(Checksum::kCrc16Modbus, swapped),
            "crc16modbus: the frame says 0x840A, its bytes give 0x0A84");
  EXPECT_EQ(swapped.size(), 8u) << "a bad frame stays whole, for the dead letter";
}

TEST(Checksum, xor_is_one_raw_byte) {
  std::string_view frame = "AB\x03";
  EXPECT_EQ(take_checksum(Checksum::kXor, frame), "");
  EXPECT_EQ(frame, "AB");
  std::string_view bad = "AB\x04";
  EXPECT_EQ(take_checksum(Checksum::kXor, bad), "xor: the frame says 0x04, its bytes give 0x03");
}

TEST(Checksum, nmea_leaves_the_dollar_out_and_takes_either_case) {
  // The sentence of the GPGLL description that every manual quotes.
  for (std::string_view frame : {"$GPGLL,5300.97914,N,00259.98174,E,125926,A*28"sv,
                                 "GPGLL,5300.97914,N,00259.98174,E,125926,A*28"sv}) {
    EXPECT_EQ(take_checksum(Checksum::kNmea, frame), "");
    EXPECT_TRUE(frame.ends_with(",A"));
  }
  std::string_view lower = "!a*61";
  EXPECT_EQ(take_checksum(Checksum::kNmea, lower), "");
  std::string_view letters = "\x4A*4a";
  EXPECT_EQ(take_checksum(Checksum::kNmea, letters), "");
}

TEST(Checksum, nmea_without_its_star_says_so) {
  for (std::string_view frame : {"$GPGLL"sv, "*2"sv, "$a*6"sv, "$a*6g"sv, "$a*+1"sv, ""sv})
    EXPECT_EQ(take_checksum(Checksum::kNmea, frame),
              "nmea: the frame does not end in '*' and two hex digits")
        << frame;
}

TEST(Checksum, frames_too_short_for_one_are_bad) {
  std::string_view one = "x";
  EXPECT_NE(take_checksum(Checksum::kCrc16Modbus, one), "");
  std::string_view none;
  EXPECT_NE(take_checksum(Checksum::kXor, none), "");
  EXPECT_EQ(take_checksum(Checksum::kNone, none), "");
}

}  // namespace
}  // namespace leat::serial
