#include "base/hex.h"

#include <gtest/gtest.h>

#include "base/fnv.h"

namespace leat {
namespace {

TEST(Hex, a_byte_is_two_digits) {
  std::string out;
  for (uint8_t byte : {0x00, 0x0a, 0xc5, 0xff}) append_hex(out, byte);
  append_hex(out, 0xc5, kUpperHexDigits);
  append_hex(out, "\x01\xfe");
  EXPECT_EQ(out, "000ac5ffC501fe");
}

TEST(Hex, every_byte_is_read_back_in_either_case) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string text;
    append_hex(text, static_cast<uint8_t>(byte));
    append_hex(text, static_cast<uint8_t>(byte), kUpperHexDigits);
    EXPECT_EQ(hex_byte(text, 0), byte);
    EXPECT_EQ(hex_byte(text, 2), byte);
  }
}

TEST(Hex, what_is_no_digit_or_cut_short_is_no_byte) {
  for (const char* text : {"", "a", "g0", "0g", "/0", ":0", "@0", "`0", " 1", "1 ",
                           "\xff"
                           "0"})
    EXPECT_EQ(hex_byte(text, 0), -1) << text;
  EXPECT_EQ(hex_byte("12", 1), -1);
}

// Values of the authors' own test suite.
TEST(Fnv, is_what_its_authors_say) {
  EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325U);
  EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(fnv1a("foobar"), 0x85944171f73967e8U);
  EXPECT_EQ(fnv1a("bar", fnv1a("foo")), fnv1a("foobar"));
}

}  // namespace
}  // namespace leat
