#include "codec/text/charset.h"

#include "codec_fixture.h"

namespace leat {
namespace {

class CharsetTest : public CodecTest {
 protected:
  // The text, or why there is none.
  std::string read(const char* encoding, const char* invalid_text, std::string_view bytes) {
    TextReader reader = text_reader(encoding, invalid_text);
    Value value;
    bool is_text = reader.read(bytes, arena_, value);
    std::optional<std::string> name = reader.name(bytes);
    EXPECT_EQ(name.has_value() || reader.as_bytes(), is_text);
    if (!is_text) return std::string("! ") + reader.problem();
    EXPECT_EQ(value.type, reader.as_bytes() ? Type::kBytes : Type::kString);
    EXPECT_EQ(name && !reader.as_bytes() ? std::string_view(*name) : value.view(), value.view());
    return std::string(value.view());
  }

  Arena arena_{pool_};
};

TEST_F(CharsetTest, utf8_stays_as_it_is) {
  for (const char* invalid : {"deadLetter", "replace", "bytes"})
    EXPECT_EQ(read("utf-8", invalid, "a \xC3\xA9 \xF0\x9F\x8C\x8A"), "a \xC3\xA9 \xF0\x9F\x8C\x8A");
  EXPECT_EQ(read("utf-8", "deadLetter", ""), "");
}

TEST_F(CharsetTest, what_is_no_utf8_is_rejected_or_replaced_or_bytes) {
  using namespace std::string_view_literals;
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a\xE9", "a\xEF\xBF\xBD"},
      {"\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xED\xA0\x80!", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD!"},
      {"\xF5\xC3\xA9", "\xEF\xBF\xBD\xC3\xA9"},
  };
  for (const auto& [bytes, replaced] : cases) {
    EXPECT_EQ(read("utf-8", "deadLetter", bytes), "! invalid UTF-8");
    EXPECT_EQ(read("utf-8", "replace", bytes), replaced);
    EXPECT_EQ(read("utf-8", "bytes", bytes), bytes);
  }
  EXPECT_EQ(read("utf-8", "deadLetter", "a\0b"sv), "! NUL byte");
  EXPECT_EQ(read("utf-8", "replace", "a\0b"sv),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(read("latin1", "deadLetter", "a\0b"sv), "! NUL byte");
}

TEST_F(CharsetTest, each_byte_of_latin1_is_the_character_of_its_number) {
  EXPECT_EQ(read("latin1", "deadLetter",
                 "21.5\xB0"
                 "C \xFF"),
            "21.5\xC2\xB0"
            "C \xC3\xBF");
  EXPECT_EQ(read("latin1", "deadLetter", "\xC3\xA9"), "\xC3\x83\xC2\xA9") << "not taken for UTF-8";
  for (int byte = 1; byte < 256; ++byte) {
    char c = static_cast<char>(byte);
    std::string text = read("latin1", "deadLetter", {&c, 1});
    std::string want = byte < 0x80 ? std::string(1, c)
                                   : std::string{static_cast<char>(0xC0 | byte >> 6),
                                                 static_cast<char>(0x80 | (byte & 0x3F))};
    EXPECT_EQ(text, want) << byte;
  }
}

TEST_F(CharsetTest, windows_1252_has_its_own_signs_where_latin1_has_controls) {
  EXPECT_EQ(read("windows-1252", "deadLetter", "\x80 \x93x\x94 \xE4"),
            "\xE2\x82\xAC \xE2\x80\x9Cx\xE2\x80\x9D \xC3\xA4");
  for (const char* none : {"\x81", "\x8D", "\x8F", "\x90", "\x9D"}) {
    EXPECT_EQ(read("windows-1252", "deadLetter", none), "! a byte that windows-1252 does not have");
    EXPECT_EQ(read("windows-1252", "replace", none), "\xEF\xBF\xBD");
  }
}

TEST_F(CharsetTest, names_what_is_no_text_at_all) {
  using namespace std::string_view_literals;
  constexpr std::string_view kConvert =
      ": it begins like UTF-16 text (convert it first: iconv -f UTF-16 -t UTF-8)";
  for (std::string_view utf16 : {"\xFF\xFE{\0"sv, "\xFE\xFF\0{"sv, "{\0\"\0"sv, "\0{\0\""sv}) {
    EXPECT_EQ(known_content(utf16, true), ": it begins like UTF-16 text (encoding utf-16)");
    EXPECT_EQ(known_content(utf16, false), kConvert) << "where there is no such option";
  }
  EXPECT_EQ(known_content("PK\x03\x04", true), ": it begins like a zip archive");
  EXPECT_EQ(known_content("BZh91AY", true), ": it begins like a bzip2 file");
  EXPECT_EQ(known_content("\xFD"
                          "7zXZ",
                          true),
            ": it begins like an xz file");
  EXPECT_EQ(known_content("\0\0\0\0{}"sv, true), ": it begins like a hole in a file (NUL bytes)");
  EXPECT_EQ(known_content("a,b", true), "");
  EXPECT_EQ(known_content("a\0b\0\0"sv, true), ": it begins like UTF-16 text (encoding utf-16)");
  EXPECT_EQ(known_content("a\0bc"sv, true), "");
  EXPECT_EQ(known_content("", true), "");
}

}  // namespace
}  // namespace leat
