#include "codec/text/charset.h"

#include "codec/text/gbk.h"
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

TEST_F(CharsetTest, gbk_is_read_by_the_c_librarys_table) {
  if (Gbk::get() == nullptr) GTEST_SKIP() << "no gbk here";
  EXPECT_EQ(read("gbk", "deadLetter", "\xCE\xC2\xB6\xC8 21"), "温度 21");
  EXPECT_EQ(read("gbk", "deadLetter", "\x81\x5C"), "乗") << "its second byte is a backslash";
  for (const char* bad : {"a\xFF", "\xCE", "\xCE\x20", "\x80"})
    EXPECT_EQ(read("gbk", "deadLetter", bad), "! bytes that are no character of gbk") << bad;
  EXPECT_EQ(read("gbk", "replace", "\xCE\x20\xCE\xC2"), "\xEF\xBF\xBD 温");
}

#ifdef LEAT_ENCODINGS
TEST_F(CharsetTest, what_is_written_is_read_again) {
  for (const char* encoding : {"latin1", "windows-1252", "gbk"}) {
    if (encoding == std::string_view("gbk") && Gbk::get() == nullptr) continue;
    static constexpr Option kOptions[] = {kWrittenEncodingOption};
    Options options(kOptions);
    options.set("encoding", encoding);
    TextWriter writer(options);
    for (int byte = 1; byte < 0x10000; ++byte) {
      const char both[] = {static_cast<char>(byte >> 8), static_cast<char>(byte & 0xFF)};
      const std::string_view bytes(both + (byte < 0x100 ? 1 : 0), byte < 0x100 ? 1 : 2);
      std::string text = read(encoding, "deadLetter", bytes);
      if (text.starts_with("! ") || bytes[0] == '\0') continue;
      const std::string said = text;
      const Result<size_t> size = writer.write(text.data(), text.size());
      ASSERT_TRUE(size) << size.error().message();
      ASSERT_EQ(text.substr(0, *size), bytes) << encoding << ": " << said;
    }
    std::string other = "a🌊";
    const Result<size_t> none = writer.write(other.data(), other.size());
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().message(), std::string("\"🌊\" is no character of ") + encoding);
  }
}
#endif

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
