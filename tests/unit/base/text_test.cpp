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

// Written piece by piece into `room` bytes, behind which nothing may be touched.
std::string escaped_in(size_t room, std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::string buffer(room + 8, '#');
    char* at = buffer.data();
    size_t done = write_json_escaped(text, at, buffer.data() + room);
    EXPECT_GT(done, 0U) << "there is room for a part of it";
    if (done == 0) return "no end";
    auto written = static_cast<size_t>(at - buffer.data());
    EXPECT_LE(written, room);
    EXPECT_EQ(buffer.substr(room), "########");
    out.append(buffer, 0, written);
    text.remove_prefix(done);
  }
  return out;
}

TEST(JsonEscaping, is_the_same_wherever_the_piece_stands_and_however_little_room_there_is) {
  const std::pair<std::string_view, std::string_view> pieces[] = {
      {"\"", "\\\""},
      {"\\", "\\\\"},
      {"\x01", "\\u0001"},
      {"\x1f\"", "\\u001f\\\""},
      {"\xC3\xA4", "\xC3\xA4"},
      {"\xE2\x82\xAC\n", "\xE2\x82\xAC\\n"},
      {"\xFF", "\xEF\xBF\xBD"},
      {"\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
  };
  for (size_t before = 0; before < 18; ++before) {
    for (size_t behind : {0, 1, 7, 8, 20}) {
      for (const auto& [piece, escaped] : pieces) {
        std::string plain(before, 'a');
        std::string end(behind, 'z');
        std::string text = plain + std::string(piece) + end;
        std::string wanted = plain + std::string(escaped) + end;
        EXPECT_EQ(json_quoted(text), '"' + wanted + '"');
        for (size_t room :
             {kEscapeRoom, kEscapeRoom + 1, kEscapeRoom + 9, text.size() + kEscapeRoom})
          EXPECT_EQ(escaped_in(room, text), wanted) << room;
      }
    }
  }
}

TEST(JsonEscaping, of_text_that_needs_none_is_done_at_once_in_the_room_it_asks_for) {
  const std::string text = "plain text of some words";
  std::string buffer(text.size() + kEscapeRoom, '#');
  char* at = buffer.data();
  EXPECT_EQ(write_json_escaped(text, at, buffer.data() + buffer.size()), text.size());
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
  EXPECT_EQ(excerpt("a\nb\x1B[2J\x7F"), "a\u240Ab\u241B[2J\u2421");
  EXPECT_EQ(json_quoted(excerpt("a\t\"b\"")), R"("a)"
                                              "\u2409"
                                              R"(\"b\"")")
      << "escaped once";
  EXPECT_EQ(excerpt(R"({"path":"C:\temp"})"), R"({"path":"C:\temp"})")
      << "who keeps it as JSON escapes it";
  EXPECT_EQ(excerpt("\"\\\x01\xFF"), "\"\\\u2401\xEF\xBF\xBD");
}

}  // namespace
}  // namespace leat
