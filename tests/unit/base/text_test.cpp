#include "base/text.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(Utf8, is_what_rfc_3629_says) {
  for (const char* good : {"", "plain", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "eight by",
                           "12345678\xC3\xA4"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad : {"\xC3", "\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xFF", "12345678\xC3"})
    EXPECT_FALSE(is_utf8(bad));
}

TEST(JsonEscaping, always_gives_valid_json) {
  EXPECT_EQ(json_quoted("a\"b\\c\n\t\x01"), R"("a\"b\\c\n\t\u0001")");
  EXPECT_EQ(json_quoted("\xC3\xA4"), "\"\xC3\xA4\"");
  EXPECT_EQ(json_quoted("x\xFFy"), "\"x\xEF\xBF\xBDy\"");
  EXPECT_EQ(json_quoted(std::string_view("a\0b", 3)), R"("a\u0000b")");
}

TEST(Base64, matches_the_vectors_of_rfc_4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Nearest, finds_what_was_meant_and_nothing_else) {
  std::vector<std::string> keys{"url", "method", "headers", "timeout"};
  EXPECT_EQ(nearest("ulr", keys), "url");
  EXPECT_EQ(nearest("timout", keys), "timeout");
  EXPECT_EQ(nearest("Headers", keys), "headers");
  EXPECT_EQ(nearest("colour", keys), "");
}

TEST(Excerpt, is_bounded_and_never_cuts_a_character) {
  EXPECT_EQ(excerpt("short"), "short");
  EXPECT_EQ(excerpt("abcdef", 3), "abc…");
  EXPECT_EQ(excerpt("ab\xC3\xA4", 3), "ab…");
  EXPECT_EQ(excerpt("a\nb"), "a\\nb");
}

}  // namespace
}  // namespace leat
