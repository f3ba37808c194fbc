#include "connectors/serial/bytes_text.h"

#include <gtest/gtest.h>

namespace leat::serial {
namespace {

std::string parsed(std::string_view text) {
  Result<std::string> bytes = parse_byte_text(text);
  return bytes ? *bytes : "error: " + bytes.error().message();
}

TEST(BytesText, plain_text_stands_for_itself) {
  EXPECT_EQ(parsed("W;"), "W;");
}

TEST(BytesText, escapes_stand_for_their_bytes) {
  EXPECT_EQ(parsed(R"(a\r\n\t\\b)"), "a\r\n\t\\b");
  EXPECT_EQ(parsed(R"(\0\x02\xfF)"), std::string("\0\x02\xFF", 3));
}

TEST(BytesText, hex_is_two_digits_a_byte) {
  EXPECT_EQ(parsed("0x0D0a"), "\r\n");
  EXPECT_EQ(parsed("0X00FF"), std::string("\0\xFF", 2));
}

TEST(BytesText, hex_that_is_not_says_how_to_write_it) {
  for (const char* text : {"0x1", "0xGG", "0x0D 0A", "0x-1", "0x+1"})
    EXPECT_TRUE(parsed(text).starts_with("error: must have two hex digits")) << text;
}

TEST(BytesText, unknown_escapes_are_named) {
  // As the known ones beside it: in JSON each backslash is written twice.
  EXPECT_TRUE(parsed(R"(a\q)").starts_with(R"(error: unknown escape "\q")")) << parsed(R"(a\q)");
  for (const char* text : {R"(\)", R"(a\)", R"(\x)", R"(\x1)", R"(\xg1)"})
    EXPECT_TRUE(parsed(text).starts_with("error: unknown escape")) << text;
}

}  // namespace
}  // namespace leat::serial
