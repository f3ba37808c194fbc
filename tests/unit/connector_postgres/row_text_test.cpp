#include "connectors/postgres/row_text.h"

#include <gtest/gtest.h>

#include <string>

namespace leat::postgres {
namespace {

using namespace std::literals;

std::string written(const RowFormat& format, std::string_view text) {
  Buffer out;
  format.append(out, text);
  return std::string(out.view());
}

TEST(PostgresRowText, a_line_of_copy_escapes_what_would_end_a_field_or_a_line) {
  EXPECT_EQ(written(kCopyRow, "a\tb\nc\rd\\e"), R"(a\tb\nc\rd\\e)");
  EXPECT_EQ(written(kCopyRow, "\\N"), R"(\\N)");
  EXPECT_EQ(written(kCopyRow, "\\."), R"(\\.)");
  EXPECT_EQ(written(kCopyRow, ""), "");
}

// Eight bytes are looked at together.
TEST(PostgresRowText, every_byte_at_every_place_is_escaped_or_left_as_it_is) {
  for (int byte = 1; byte < 256; ++byte) {
    for (size_t at = 0; at < 19; ++at) {
      std::string text(19, 'x');
      text[at] = static_cast<char>(byte);
      std::string expected;
      for (char c : text) {
        size_t special = "\\\t\n\r"sv.find(c);
        if (special != std::string_view::npos) expected += '\\';
        expected += special == std::string_view::npos ? c : "\\tnr"[special];
      }
      ASSERT_EQ(written(kCopyRow, text), expected) << byte << " at " << at;
    }
  }
}

TEST(PostgresRowText, a_literal_doubles_quotes_and_leaves_backslashes) {
  EXPECT_EQ(written(kInsertRow, "it's \\ "), R"('it''s \ ')");
  EXPECT_EQ(written(kInsertRow, ""), "''");
  EXPECT_EQ(written(kInsertRow, "'"), "''''");
}

}  // namespace
}  // namespace leat::postgres
