// How long a record may be is the user's to say: in every format, and in whatever reads it comes.
#include "stage/record_limit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "codec/csv/rows.h"
#include "codec/json/documents.h"
#include "codec/json/line_framing.h"
#include "codec/raw/decoder.h"

namespace leat {
namespace {

struct Read {
  std::string records;
  std::vector<size_t> given_up;  // where they begin
  bool operator==(const Read&) const = default;
};

// As a source does that sees `chunk` more bytes at a time.
Read read(const Framing& framing, std::string_view text, size_t most, size_t chunk) {
  Read out;
  GivenUp place;
  size_t at = 0;
  for (size_t seen = 0; seen < text.size();) {
    seen = std::min(seen + chunk, text.size());
    for (bool more = true; more;) {
      if (place.going_on) at += framing.behind_given_up(text.substr(at, seen - at), 0, place);
      const std::string_view kept = text.substr(at, seen - at);
      size_t whole = framing.complete_prefix(kept);
      const TooLong too_long = find_too_long(kept, whole, framing, most, place);
      more = too_long.size > 0 && at + too_long.begin + too_long.size < seen;
      if (too_long.size > 0) {
        out.given_up.push_back(at + too_long.begin);
        whole = too_long.begin;
      } else if (seen == text.size() && !place.going_on) {
        whole = kept.size();
      }
      out.records += kept.substr(0, whole);
      at += whole + too_long.size;
    }
  }
  return out;
}

// The same however the bytes come.
Read read(const Framing& framing, std::string_view text, size_t most = 20) {
  Read all = read(framing, text, most, text.size());
  for (size_t chunk = 1; chunk < text.size(); ++chunk) {
    Read pieces = read(framing, text, most, chunk);
    EXPECT_EQ(pieces.records, all.records) << text << "\n" << chunk << " bytes at a time";
    EXPECT_EQ(pieces.given_up, all.given_up) << text << "\n" << chunk << " bytes at a time";
  }
  return all;
}

TEST(RecordLimit, is_that_of_a_line_without_its_end) {
  const std::string exact(20, 'y');
  const std::string longer(21, 'x');
  JsonLineFraming lines;
  EXPECT_EQ(
      read(lines, "one\n" + longer + "\ntwo\n" + exact + "\n" + longer + "\n" + longer + "\nthree"),
      (Read{"one\ntwo\n" + exact + "\nthree", {4, 51, 73}}));
  EXPECT_EQ(read(lines, "one\n" + longer), (Read{"one\n", {4}}));
  EXPECT_EQ(read(lines, "one\n" + exact), (Read{"one\n" + exact, {}}));
}

TEST(RecordLimit, is_that_of_a_row_of_csv_over_any_number_of_lines) {
  CsvFraming rows{CsvDialect()};
  EXPECT_EQ(read(rows, "a,b\n1,\"x\nyyyyyyyyyyyy\"\n2,\"xxxxxxxxxxxxxxxxxxxx\"\n3,z\n"),
            (Read{"a,b\n1,\"x\nyyyyyyyyyyyy\"\n3,z\n", {23}}));
  // A quote that is never closed must not cost the rest of the file: so the first line end counts.
  EXPECT_EQ(read(rows, "1,\"xxxxxxxx\nyyyyyyyyyyyyyyyyyy\nzz\"\n2,y\n"),
            (Read{"zz\"\n2,y\n", {0}}));
}

TEST(RecordLimit, costs_one_document_of_several_in_a_line) {
  JsonPieceFraming documents(JsonDocument::kConcatenated);
  EXPECT_EQ(read(documents, R"({"a":1}{"b":"xxxxxxx}}\"}xxxxxx"}{"c":[{"d":1}]})"),
            (Read{R"({"a":1}{"c":[{"d":1}]})", {7}}));
  EXPECT_EQ(read(documents, R"({"a":1} [{"b":1},{"b":2},{"b":3}] {"c":1})"),
            (Read{R"({"a":1}  {"c":1})", {8}}));
}

// The elements inside it became records of their own, or the rest of the line was lost.
TEST(RecordLimit, costs_one_element_of_an_array) {
  JsonPieceFraming elements(JsonDocument::kArray);
  EXPECT_EQ(read(elements, R"([{"a":1},{"b":[{"x":1},{"x":2},{"x":3}]},{"c":1}])"),
            (Read{R"([{"a":1},{"c":1}])", {8}}));
  EXPECT_EQ(read(elements, R"([{"b":[{"x":1},{"x":2}]},{"c":1}])"), (Read{R"(,{"c":1}])", {0}}));
  EXPECT_EQ(read(elements,
                 "[\n  {\"a\": 1},\n  {\n    \"b\": [\n      {\"x\": 1}\n    ]\n  },\n"
                 "  {\"c\": 1}\n]\n"),
            (Read{"[\n  {\"a\": 1},\n  {\"c\": 1}\n]\n", {12}}));
  EXPECT_EQ(read(elements, R"([{"a":1},"xxxxxxxxxx,]xxxxxxxxxx",{"c":1}])"),
            (Read{R"([{"a":1},{"c":1}])", {8}}));
  // The bracket waits for what follows it.
  EXPECT_EQ(read(elements, R"([{"a":1}])" + std::string(60, ' ')).records.substr(0, 8),
            R"([{"a":1})");
}

TEST(RecordLimit, of_a_document_that_was_torn_is_not_the_end_of_those_behind_it) {
  JsonPieceFraming documents(JsonDocument::kConcatenated);
  EXPECT_EQ(read(documents, "{\"a\":1}\n{\"b\":[1,2,\n{\"c\":1}\n{\"d\":1}\n{\"e\":1}\n"),
            (Read{"{\"a\":1}\n{\"e\":1}\n", {8}}));
}

TEST(RecordLimit, is_none_for_bytes) {
  GivenUp place;
  EXPECT_EQ(find_too_long(std::string(50, 'x'), 50, RawFraming(), 20, place).size, 0U);
}

}  // namespace
}  // namespace leat
