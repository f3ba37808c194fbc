#include <random>

#include "csv_fixture.h"

namespace leat {
namespace {

class CsvFramingTest : public CsvTest {
 protected:
  std::string_view prefix(std::string_view bytes) {
    return bytes.substr(0, CsvFraming(dialect()).complete_prefix(bytes));
  }
};

TEST_F(CsvFramingTest, ends_at_the_last_newline_outside_quotes) {
  EXPECT_EQ(prefix(""), "");
  EXPECT_EQ(prefix("a,b"), "");
  EXPECT_EQ(prefix("a,b\nc"), "a,b\n");
  EXPECT_EQ(prefix("a,\"x\ny\"\nc,d"), "a,\"x\ny\"\n");
  EXPECT_EQ(prefix("a,b\nc,\"x\ny"), "a,b\n");
  EXPECT_EQ(prefix("\"x\ny"), "");
  EXPECT_EQ(prefix("\"x\"\"\ny\"\n"), "\"x\"\"\ny\"\n");
  EXPECT_EQ(prefix("\"x\"\r"), "");
  EXPECT_EQ(prefix("\"x\"\r\n"), "\"x\"\r\n");
}

TEST_F(CsvFramingTest, takes_quotes_inside_fields_as_text) {
  EXPECT_EQ(prefix("5\" pipe\n6\" pi"), "5\" pipe\n");
}

TEST_F(CsvFramingTest, looks_at_no_quotes_in_comments) {
  options_.set("comment", "#");
  EXPECT_EQ(prefix("#,\"\na,b\n\"x"), "#,\"\na,b\n");
}

TEST_F(CsvFramingTest, waits_for_the_end_of_a_quoted_field_however_long_it_is) {
  std::string row = "1,\"open\n";
  while (row.size() < 3'000'000) row += "2,x\n";
  EXPECT_EQ(prefix("0,y\n" + row), "0,y\n") << "it may still be closed";
  row += "\"\n";
  EXPECT_EQ(prefix(row + "3,z").size(), row.size());
}

TEST_F(CsvFramingTest, splits_into_rows) {
  options_.set("comment", "#");
  BatchRef batch = bytes_of("a,b\n\n#c\n\"x\ny\",1\r\n2,\"z\n3,4");
  ASSERT_TRUE(CsvFraming(dialect()).split(*batch, dead_));
  ASSERT_EQ(batch->slices.size(), 4U);
  EXPECT_EQ(batch->slices[1].view(), "\"x\ny\",1\r\n");
  EXPECT_EQ(batch->slices[1].end_line, 5U);
  EXPECT_EQ(batch->slices[2].view(), "2,\"z\n");
  EXPECT_EQ(batch->slices[3].view(), "3,4");
  EXPECT_EQ(batch->end.line, 7U);
}

// Whatever the bytes, the framing and the decoder agree on where rows end, so that it does not
// matter in what pieces a file is read.
TEST_F(CsvFramingTest, agrees_with_the_decoder_on_any_input) {
  constexpr std::string_view kBytes = "\"\"\"\"\n\n,,,ab1#\r ";
  std::mt19937 random(11);
  options_.set("header", false);
  options_.set("comment", "#");
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (size_t n = random() % 120; n > 0; --n) text += kBytes[random() % kBytes.size()];
    dead_.letters.clear();
    Strings at_once = in_pieces(text, text.size() + 1);
    Strings texts = dead_.texts();
    auto lines = batch_ ? batch_->end.line : 0;
    for (size_t step : {1U, 7U, 40U}) {
      dead_.letters.clear();
      ASSERT_EQ(in_pieces(text, step), at_once) << "in steps of " << step << ":\n" << text;
      ASSERT_EQ(dead_.texts(), texts) << "in steps of " << step << ":\n" << text;
      if (!text.empty()) {
        ASSERT_EQ(batch_->end.line, lines) << text;
      }
    }
  }
}

TEST_F(CsvFramingTest, agrees_with_the_decoder_on_a_quoted_field_that_comes_in_many_pieces) {
  std::string field;
  for (int i = 0; field.size() < 600'000; ++i) field += std::to_string(i) + ",x\n";
  std::string text = "a,b\n1,\"" + field + "\"\n2,y\n";
  Strings at_once = in_pieces(text, text.size());
  EXPECT_EQ(at_once.size(), 2U);
  EXPECT_TRUE(in_pieces(text, 65'536) == at_once);
  EXPECT_EQ(dead_.texts(), Strings{});
}

}  // namespace
}  // namespace leat
