#include "codec/csv/decoder.h"

#include <cmath>

#include "codec/text/gbk.h"
#include "csv_fixture.h"

namespace leat {
namespace {

class CsvDecoderTest : public CsvTest {
 protected:
  // The value of a row's only typed column "v".
  Value typed(const std::string& type, std::string_view field,
              const std::string& format = "rfc3339") {
    options_.set("header", false);
    columns({{std::nullopt, "v", type, format}, {std::nullopt, "rest"}});
    std::string row(field);
    return read(row + ",x\n").empty() ? Value::absent() : value(0, "v");
  }
  std::string typed_json(const std::string& type, std::string_view field,
                         const std::string& format = "rfc3339") {
    Value v = typed(type, field, format);
    if (v.type == Type::kAbsent) return dead_.letters.back().reason;
    std::string out;
    append_json(out, v);
    return out;
  }
};

TEST_F(CsvDecoderTest, names_fields_by_the_header) {
  EXPECT_EQ(
      read("ts,device,temp\n1,a,44.50\n2,b,-3\n"),
      (Strings{R"({"ts":1,"device":"a","temp":44.50})", R"({"ts":2,"device":"b","temp":-3})"}));
}

TEST_F(CsvDecoderTest, infers_numbers_bools_and_nulls_of_unquoted_fields) {
  EXPECT_EQ(read("a,b,c,d,e,f,g\n44.50,007,true,,\"12\",1e5,-\n"),
            Strings{R"({"a":44.50,"b":"007","c":true,"d":null,"e":"12","f":1e5,"g":"-"})"});
  EXPECT_EQ(value(0, "a").type, Type::kFloat);
  EXPECT_EQ(read("a,b\n1.2.3,1-2\n"), Strings{R"({"a":"1.2.3","b":"1-2"})"});
  EXPECT_EQ(read("a\n123456789012345678901234567890\n"),
            Strings{R"({"a":123456789012345678901234567890})"});
  EXPECT_EQ(value(0, "a").type, Type::kDecimal);
}

TEST_F(CsvDecoderTest, takes_everything_as_text_when_told_to) {
  options_.set("types", "string");
  EXPECT_EQ(read("a,b,c\n1,,true\n"), Strings{R"({"a":"1","b":"","c":"true"})"});
}

TEST_F(CsvDecoderTest, reads_quotes_delimiters_and_newlines_in_quotes) {
  EXPECT_EQ(read("a,b\n\"x, y\",\"say \"\"hi\"\"\"\n\"two\nlines\",\"\"\n\"\"\"\",1\r\n"),
            (Strings{R"({"a":"x, y","b":"say \"hi\""})", R"({"a":"two\nlines","b":""})",
                     R"({"a":"\"","b":1})"}));
  EXPECT_EQ(batch_->records[0].end_line, 2U);
  EXPECT_EQ(batch_->records[1].end_line, 4U) << "lines inside quotes count";
  EXPECT_EQ(batch_->end.line, 5U);
}

TEST_F(CsvDecoderTest, takes_quotes_inside_unquoted_fields_as_they_are) {
  EXPECT_EQ(read("a,b\n5\" pipe,x\"y\"\n"), Strings{R"({"a":"5\" pipe","b":"x\"y\""})"});
}

TEST_F(CsvDecoderTest, takes_either_line_end) {
  EXPECT_EQ(read("a,b\r\n1,2\r\n\"x\",\"y\"\r\n3,\n4,5"),
            (Strings{R"({"a":1,"b":2})", R"({"a":"x","b":"y"})", R"({"a":3,"b":null})",
                     R"({"a":4,"b":5})"}));
}

TEST_F(CsvDecoderTest, takes_other_delimiters_and_quotes) {
  options_.set("delimiter", "\\t");
  options_.set("quote", "'");
  EXPECT_EQ(read("a\tb\n'x\ty'\t1,5\n"), Strings{R"({"a":"x\ty","b":"1,5"})"});
  options_.set("delimiter", ";");
  options_.set("quote", "");
  EXPECT_EQ(read("a;b\n\"x;'y'\n"), Strings{R"({"a":"\"x","b":"'y'"})"});
}

TEST_F(CsvDecoderTest, skips_comments_and_blank_lines) {
  options_.set("comment", "#");
  EXPECT_EQ(read("# it's \"quoted\na,b\n\n#1,2\n3,4\n\r\n5,#6\n"),
            (Strings{R"({"a":3,"b":4})", R"({"a":5,"b":"#6"})"}));
  EXPECT_EQ(batch_->records[1].end_line, 7U);
}

TEST_F(CsvDecoderTest, starts_at_the_given_line) {
  options_.set("startRow", int64_t{4});
  EXPECT_EQ(read("Report of \"plant 7\n\n\"x\na,b\n1,2\n"), Strings{R"({"a":1,"b":2})"});
  EXPECT_EQ(batch_->records[0].end_line, 5U);
  options_.set("header", false);
  EXPECT_EQ(read("x\nx\nx\n1,2\n"), Strings{R"({"column0":1,"column1":2})"});
}

TEST_F(CsvDecoderTest, takes_null_only_where_it_is_unquoted) {
  options_.set("nullFormat", "NA");
  EXPECT_EQ(read("a,b,c\nNA,\"NA\",NAN\n"), Strings{R"({"a":null,"b":"NA","c":"NAN"})"});
}

TEST_F(CsvDecoderTest, takes_empty_text_as_null_when_null_is_written_as_nothing) {
  options_.set("types", "string");
  EXPECT_EQ(read("a,b\n,\"\"\n"), Strings{R"({"a":"","b":""})"});
  options_.set("nullFormat", "");
  EXPECT_EQ(read("a,b\n,\"\"\n"), Strings{R"({"a":null,"b":""})"});
}

TEST_F(CsvDecoderTest, refuses_rows_with_too_few_or_too_many_fields) {
  EXPECT_EQ(read("a,b,c\n1\n1,2,3,4\n1,2,3\n4,5\n"), Strings{R"({"a":1,"b":2,"c":3})"});
  EXPECT_EQ(dead_.reasons(), (Strings{"the row has 1 field, not 3", "the row has 4 fields, not 3",
                                      "the row has 2 fields, not 3"}));
  EXPECT_EQ(dead_.texts(), (Strings{"1", "1,2,3,4", "4,5"}));
  EXPECT_EQ(dead_.letters[1].line, 3U);
}

TEST_F(CsvDecoderTest, takes_missing_fields_as_null_when_told_to) {
  options_.set("missingFields", "null");
  options_.set("types", "string");
  EXPECT_EQ(read("a,b,c\n1\n1,2,3,4\n"), Strings{R"({"a":"1","b":null,"c":null})"});
  EXPECT_EQ(value(0, "c").type, Type::kNull);
  EXPECT_EQ(dead_.reasons(), Strings{"the row has 4 fields, not 3"});
}

TEST_F(CsvDecoderTest, finds_typed_columns_by_header_name) {
  columns({{std::nullopt, "temp", "float"}, {std::nullopt, "id", "string"}});
  EXPECT_EQ(read("id,temp,n\n007,44.50,1\n8,,2\n9,warm,3\n"),
            (Strings{R"({"id":"007","temp":44.50,"n":1})", R"({"id":"8","temp":null,"n":2})"}));
  EXPECT_EQ(dead_.reasons(), Strings{"column temp: 'warm' is not a float"});
  EXPECT_EQ(dead_.texts(), Strings{"9,warm,3"});
}

TEST_F(CsvDecoderTest, renames_header_columns_by_index) {
  columns({{1, "temperature", "decimal"}});
  EXPECT_EQ(read("id,temp\nx,1.50\n"), Strings{R"({"id":"x","temperature":1.50})"});
}

TEST_F(CsvDecoderTest, says_when_the_header_lacks_a_column) {
  columns({{std::nullopt, "tmep", "float"}, {7, "late", "string"}});
  EXPECT_EQ(read("id,temp\nx,1\n"), Strings{R"({"id":"x","temp":1})"});
  EXPECT_EQ(dead_.reasons(), Strings{"column tmep, late: not in the header"});
  EXPECT_EQ(dead_.texts(), Strings{"id,temp"});
}

TEST_F(CsvDecoderTest, picks_columns_by_index_without_header) {
  options_.set("header", false);
  columns({{3, "temp", "float"}, {0, "id", "integer"}});
  EXPECT_EQ(read("1,x,y,2.5,z\n2,x\n3,x,y,4\n"),
            (Strings{R"({"temp":2.5,"id":1})", R"({"temp":4,"id":3})"}))
      << "other fields are left out on purpose";
  EXPECT_EQ(dead_.reasons(), Strings{"the row has 2 fields, not at least 4"});
  options_.set("missingFields", "null");
  EXPECT_EQ(read("2,x\n"), Strings{R"({"temp":null,"id":2})"});
}

TEST_F(CsvDecoderTest, takes_columns_in_order_without_header_and_index) {
  options_.set("header", false);
  columns({{std::nullopt, "id", "integer"}, {std::nullopt, "temp", "float"}});
  EXPECT_EQ(read("1,2.5\n2,3.5,extra\n"), Strings{R"({"id":1,"temp":2.5})"});
  EXPECT_EQ(dead_.reasons(), Strings{"the row has 3 fields, not 2"});
}

TEST_F(CsvDecoderTest, keeps_other_columns_without_header_beside_those_with_a_type) {
  options_.set("header", false);
  options_.set("types", std::string("string"));
  options_.set("otherColumns", true);
  columns({{1, "day", "time", "%d.%m.%Y"}, {7, "never", "integer"}});
  EXPECT_EQ(read("1,24.12.2026,x\n2,25.12.2026\n"),
            (Strings{R"({"column0":"1","day":"2026-12-24T00:00:00Z","column2":"x"})",
                     R"({"column0":"2","day":"2026-12-25T00:00:00Z"})"}));
}

TEST_F(CsvDecoderTest, numbers_columns_without_header_and_names) {
  options_.set("header", false);
  EXPECT_EQ(read("1,x\n2\n3,y\n"), (Strings{R"({"column0":1,"column1":"x"})", R"({"column0":2})",
                                            R"({"column0":3,"column1":"y"})"}));
  EXPECT_EQ(batch_->records[0].shape, batch_->records[2].shape);
  EXPECT_EQ(batch_->shapes().size(), 2U);
}

TEST_F(CsvDecoderTest, gives_every_header_column_a_name_of_its_own) {
  EXPECT_EQ(read("a,,a, a_2 ,a\n1,2,3,4,5\n"),
            Strings{R"({"a":1,"column1":2,"a_3":3,"a_2":4,"a_4":5})"});
}

TEST_F(CsvDecoderTest, gives_no_column_the_name_of_another_one) {
  EXPECT_EQ(read("c,c,c,c_2\n1,2,3,4\n"), Strings{R"({"c":1,"c_3":2,"c_4":3,"c_2":4})"});
  EXPECT_EQ(read(",column0\n1,2\n"), Strings{R"({"column0_2":1,"column0":2})"});
  columns({{1, "c"}});
  EXPECT_EQ(read("c,temp,c_2\n1,2,3\n"), Strings{R"({"c_3":1,"c":"2","c_2":3})"});
}

TEST_F(CsvDecoderTest, reads_each_type) {
  EXPECT_EQ(typed_json("bool", "TRUE"), "true");
  EXPECT_EQ(typed_json("bool", "0"), "false");
  EXPECT_EQ(typed_json("integer", "42"), "42");
  EXPECT_EQ(typed_json("integer", "+007"), "7");
  EXPECT_EQ(typed_json("integer", " -5 "), "-5");
  EXPECT_EQ(typed_json("integer", "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(typed_json("float", "44.50"), "44.50");
  EXPECT_EQ(typed_json("float", ".5"), "0.5");
  EXPECT_EQ(typed_json("float", "+5."), "5");
  EXPECT_EQ(typed_json("decimal", "0.10000000000000000000000000000000000001"),
            "0.10000000000000000000000000000000000001");
  EXPECT_EQ(typed_json("decimal", "-.50"), "-0.50");
  EXPECT_EQ(typed_json("decimal", "+0012."), "12");
  EXPECT_EQ(typed_json("string", " 007"), "\" 007\"");
  EXPECT_EQ(typed_json("time", "2026-01-02T03:04:05Z"), "\"2026-01-02T03:04:05Z\"");
  EXPECT_EQ(typed_json("time", "1767323045", "unix"), "\"2026-01-02T03:04:05Z\"");
  EXPECT_EQ(typed_json("time", "02.01.2026 03:04", "%d.%m.%Y %H:%M"), "\"2026-01-02T03:04:00Z\"");
  EXPECT_EQ(typed_json("bytes", "\xFF\x01"), "\"/wE=\"");
  EXPECT_EQ(typed("integer", "42").type, Type::kInteger);
  EXPECT_EQ(typed("float", "42").type, Type::kFloat);
  EXPECT_EQ(typed("decimal", "42").type, Type::kDecimal);
  EXPECT_TRUE(std::isnan(real_of(typed("float", "nan"))));
  for (const char* type : {"bool", "integer", "float", "decimal", "time"})
    EXPECT_EQ(typed_json(type, ""), "null") << type;
  EXPECT_EQ(typed_json("string", ""), "\"\"");
  EXPECT_TRUE(dead_.letters.empty());
}

TEST_F(CsvDecoderTest, refuses_fields_of_another_type) {
  EXPECT_EQ(typed_json("bool", "yes"), "column v: 'yes' is not a bool");
  EXPECT_EQ(typed_json("integer", "4.0"), "column v: '4.0' is not an integer");
  EXPECT_EQ(typed_json("integer", "12abc"), "column v: '12abc' is not an integer");
  EXPECT_EQ(typed_json("integer", "+-5"), "column v: '+-5' is not an integer");
  EXPECT_EQ(typed_json("integer", "9223372036854775808"),
            "column v: '9223372036854775808' does not fit a 64-bit integer");
  EXPECT_EQ(typed_json("float", "1.2.3"), "column v: '1.2.3' is not a float");
  EXPECT_EQ(typed_json("float", "\"\""), "column v: '' is not a float");
  EXPECT_EQ(typed_json("decimal", "."), "column v: '.' is not a decimal number");
  EXPECT_EQ(typed_json("decimal", "1,5"), "the row has 3 fields, not 2");
  EXPECT_EQ(typed_json("time", "yesterday"),
            "column v: 'yesterday' is not a time in the column's format");
}

TEST_F(CsvDecoderTest, reads_gbk_between_separators_that_are_no_half_of_a_character) {
  if (Gbk::get() == nullptr) GTEST_SKIP() << "no gbk here";
  options_.set("encoding", "gbk");
  EXPECT_EQ(read("id,\xC3\xFB\n1,\"\x81\x5C,\xCE\xC2\"\n"), Strings{R"({"id":1,"名":"乗,温"})"});
  options_.set("delimiter", "|");
  EXPECT_EQ(dialect_error(), "csv.delimiter: may be half of a character of gbk");
}

TEST_F(CsvDecoderTest, gbk_is_refused_before_the_first_row_where_there_is_no_table_of_it) {
  if (Gbk::get() != nullptr) GTEST_SKIP() << "gbk is here";
  options_.set("encoding", "gbk");
  EXPECT_EQ(dialect_error(),
            "csv.encoding: \"gbk\" is not known to this binary or its C library: convert by iconv");
}

TEST_F(CsvDecoderTest, refuses_marks_that_the_bytes_of_another_encoding_would_not_have) {
  options_.set("nullFormat", "—");
  options_.set("comment", "§");
  EXPECT_EQ(dialect_error(), "accepted");
  options_.set("encoding", "latin1");
  EXPECT_EQ(dialect_error(),
            "csv.comment: must be ASCII with encoding latin1\n"
            "csv.nullFormat: must be ASCII with encoding latin1");
}

TEST_F(CsvDecoderTest, names_and_texts_of_another_encoding_become_utf8) {
  options_.set("encoding", "windows-1252");
  EXPECT_EQ(read("gr\xF6\xDF"
                 "e,t,n\nM\xFCller,\"21 \xB0\"\"C\"\"\",7\n"),
            Strings{"{\"gr\xC3\xB6\xC3\x9F"
                    "e\":\"M\xC3\xBCller\","
                    "\"t\":\"21 \xC2\xB0\\\"C\\\"\",\"n\":7}"});
  EXPECT_EQ(dead_.reasons(), Strings{});
}

TEST_F(CsvDecoderTest, text_that_is_none_may_be_replaced_or_all_of_it_be_bytes) {
  options_.set("invalidText", "replace");
  EXPECT_EQ(read("a\ncaf\xE9\n"), Strings{"{\"a\":\"caf\xEF\xBF\xBD\"}"});
  options_.set("invalidText", "bytes");
  EXPECT_EQ(read("a,n\n\xFF\x01,1\nok,2\n"),
            (Strings{R"({"a":"/wE=","n":1})", R"({"a":"b2s=","n":2})"}));
  EXPECT_EQ(dead_.reasons(), Strings{});
}

TEST_F(CsvDecoderTest, says_what_an_input_is_that_is_no_text) {
  read(
      std::string_view("\xFF\xFE"
                       "a\0,\0b\0\n\0",
                       10));
  ASSERT_FALSE(dead_.letters.empty());
  EXPECT_EQ(dead_.letters[0].reason,
            "header: invalid UTF-8: it begins like UTF-16 text (encoding utf-16)");
}

TEST_F(CsvDecoderTest, refuses_text_that_is_not_utf8_and_nul_bytes) {
  using namespace std::string_view_literals;
  EXPECT_EQ(read("a,b\ncaf\xE9,1\ncaf\xC3\xA9,2\nx\0y,3\n"sv),
            Strings{"{\"a\":\"caf\xC3\xA9\",\"b\":2}"});
  EXPECT_EQ(dead_.reasons(), (Strings{"column a: invalid UTF-8", "column a: NUL byte"}));
}

TEST_F(CsvDecoderTest, loses_only_the_line_of_a_quote_that_is_never_closed) {
  EXPECT_EQ(read("a,b\n1,\"open\n2,x\n3,\"y\"\n4,z\n"),
            (Strings{R"({"a":2,"b":"x"})", R"({"a":3,"b":"y"})", R"({"a":4,"b":"z"})"}));
  EXPECT_EQ(dead_.texts(), Strings{"1,\"open"});
  EXPECT_EQ(dead_.reasons(), Strings{"text behind a closing quote"});
  EXPECT_EQ(dead_.letters[0].line, 2U);
  dead_.letters.clear();
  EXPECT_EQ(read("a,b\n1,x\n\"2,y\n3,z\n"), (Strings{R"({"a":1,"b":"x"})", R"({"a":3,"b":"z"})"}));
  EXPECT_EQ(dead_.reasons(), Strings{"a quote is never closed"});
}

TEST_F(CsvDecoderTest, takes_quoted_fields_of_any_length) {
  std::string lines;
  while (lines.size() < 3'000'000) lines += "a line of a text, with a comma\n";
  EXPECT_EQ(read("a,b\n\"" + lines + "\",1\n2,3\n").size(), 2U);
  EXPECT_EQ(value(0, "a").size, lines.size());
  EXPECT_EQ(dead_.reasons(), Strings{});
}

TEST_F(CsvDecoderTest, refuses_rows_with_more_fields_than_memory_should_hold) {
  options_.set("header", false);
  EXPECT_EQ(read(std::string(1'000'000, ',') + "\n1\n"), Strings{R"({"column0":1})"});
  EXPECT_EQ(dead_.reasons(), Strings{"more than 16384 fields"});
}

TEST_F(CsvDecoderTest, gives_reasons_of_one_line_even_when_names_have_more) {
  EXPECT_TRUE(read("\"two\nlines\"\n\xFF\n").empty());
  EXPECT_EQ(dead_.reasons(), Strings{"column two\u240Alines: invalid UTF-8"});
}

TEST_F(CsvDecoderTest, shows_dead_rows_as_they_came) {
  columns({{std::nullopt, "b", "integer"}});
  EXPECT_TRUE(read("a,b\n\"say \"\"hi\"\"\",x\n").empty());
  EXPECT_EQ(dead_.texts(), Strings{"\"say \"\"hi\"\"\",x"});
}

TEST_F(CsvDecoderTest, remembers_the_header_of_each_partition) {
  CsvDecoder decoder(dialect());
  auto part = [this](uint32_t partition, std::string_view text, bool last = false) {
    BatchRef batch = bytes_of(text);
    batch->begin.partition = batch->end.partition = partition;
    batch->end.last = last;
    return batch;
  };
  EXPECT_EQ(decode(decoder, part(1, "a,b\n1,2\n")), Strings{R"({"a":1,"b":2})"});
  EXPECT_EQ(decode(decoder, part(2, "x\n1\n")), Strings{R"({"x":1})"});
  EXPECT_EQ(decode(decoder, part(1, "3,4\n", true)), Strings{R"({"a":3,"b":4})"});
  EXPECT_EQ(decode(decoder, part(2, "2\n")), Strings{R"({"x":2})"});
  EXPECT_EQ(decode(decoder, part(1, "c,d\n5,6\n")), Strings{R"({"c":5,"d":6})"})
      << "the number of a finished partition may come again";
}

TEST_F(CsvDecoderTest, keeps_the_shape_over_files_with_the_same_header) {
  CsvDecoder decoder(dialect());
  BatchRef first = bytes_of("a,b\n1,2\n");
  first->end.last = true;
  decode(decoder, first);
  const Shape* shape = batch_->records[0].shape;
  BatchRef second = bytes_of("a,b\n3,4\n");
  second->begin.partition = 1;
  decode(decoder, second);
  EXPECT_EQ(batch_->records[0].shape, shape);
}

TEST_F(CsvDecoderTest, learns_the_header_from_a_preamble) {
  options_.set("startRow", int64_t{2});
  CsvDecoder decoder(dialect());
  BatchRef preamble = bytes_of("junk\na,b\n1,2\nbad,\"x\"y\n");
  preamble->preamble = true;
  EXPECT_TRUE(decode(decoder, preamble).empty());
  BatchRef middle = bytes_of("3,4\n");
  middle->begin = {0, 5000, 100};
  EXPECT_EQ(decode(decoder, middle), Strings{R"({"a":3,"b":4})"});
  EXPECT_EQ(batch_->records[0].end_line, 1U);
  EXPECT_EQ(batch_->end.line, 101U);
  EXPECT_TRUE(dead_.letters.empty());
}

TEST_F(CsvDecoderTest, takes_no_header_for_data_when_it_resumes_before_it) {
  options_.set("startRow", int64_t{2});
  CsvDecoder decoder(dialect());
  BatchRef preamble = bytes_of("junk\na,b\n1,2\n");
  preamble->preamble = true;
  decode(decoder, preamble);
  BatchRef rest = bytes_of("a,b\n1,2\n");
  rest->begin = {0, 5, 1};
  EXPECT_EQ(decode(decoder, rest), Strings{R"({"a":1,"b":2})"});
}

TEST_F(CsvDecoderTest, stops_rather_than_guess_when_the_preamble_lacks_the_header) {
  options_.set("startRow", int64_t{100});
  CsvDecoder decoder(dialect());
  BatchRef preamble = bytes_of("1\n2\n3\n");
  preamble->preamble = true;
  decode(decoder, preamble);
  BatchRef middle = bytes_of("3,4\n");
  middle->begin = {0, 5000, 100};
  Result<Turn> status = decoder.decode(*middle, dead_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::kUsage);
}

TEST_F(CsvDecoderTest, refuses_all_rows_under_a_header_that_cannot_be_read) {
  EXPECT_TRUE(read("a,\"b\n1,2\n3,4\n").empty());
  EXPECT_EQ(dead_.reasons(), (Strings{"header: a quote is never closed",
                                      "the header is not readable", "the header is not readable"}));
}

TEST_F(CsvDecoderTest, takes_each_message_as_a_document) {
  CsvDecoder decoder(dialect());
  EXPECT_EQ(decode(decoder, slices_of({"a,b\n1,2\n3,4", "c\n5\n", "", "a,b"})),
            (Strings{R"({"a":1,"b":2})", R"({"a":3,"b":4})", R"({"c":5})"}));
  EXPECT_EQ(batch_->records[1].end_offset, 100U);
  EXPECT_EQ(batch_->records[2].end_offset, 200U);
}

TEST_F(CsvDecoderTest, takes_empty_input) {
  EXPECT_TRUE(read("").empty());
  EXPECT_TRUE(read("a,b\n").empty());
  EXPECT_TRUE(dead_.letters.empty());
}

TEST_F(CsvDecoderTest, says_which_option_is_wrong) {
  options_.set("quote", ",");
  EXPECT_EQ(dialect_error(),
            "csv.quote: must be one character other than the delimiter and those of numbers, or "
            "empty, found \",\"");
  options_.set("quote", "\"");
  options_.set("delimiter", "\n");
  EXPECT_TRUE(dialect_error().starts_with("csv.delimiter: "));
  options_.set("delimiter", ",");
  columns({{std::nullopt, "t", "time", "%Q"}});
  EXPECT_TRUE(dialect_error().starts_with("csv.columns[0].format: ")) << dialect_error();
  columns({{std::nullopt, "t"}, {std::nullopt, "t"}});
  EXPECT_EQ(dialect_error(), "csv.columns[1].name: two columns are named 't'");
  columns({{1, "t"}, {1, "u"}});
  EXPECT_EQ(dialect_error(), "csv.columns: two columns have index 1");
  options_.set("header", false);
  columns({{1, "t"}, {std::nullopt, "u"}});
  EXPECT_EQ(dialect_error(), "csv.columns: without header, give `index` to all columns or to none");
}

TEST_F(CsvDecoderTest, leaves_the_rows_behind_a_dead_letter_when_no_more_may_wait) {
  dead_.most = 1;
  CsvDecoder decoder(dialect());
  BatchRef batch = bytes_of("a,b\n1,2\n1,2,3\n4,5,6\n7,8\n");
  batch->quantum = 1 << 20;
  batch->end.offset = batch->bytes.size();
  EXPECT_EQ(decode(decoder, std::move(batch)), Strings{R"({"a":1,"b":2})"});
  EXPECT_EQ(batch_->end.line, 3U);
  BatchRef rest = std::exchange(batch_->rest, {});
  ASSERT_TRUE(rest);
  dead_.most = 100;
  EXPECT_EQ(decode(decoder, std::move(rest)), Strings{R"({"a":7,"b":8})"});
  EXPECT_EQ(dead_.texts(), (Strings{"1,2,3", "4,5,6"}));
  EXPECT_EQ(dead_.letters[1].line, 4U);
  EXPECT_EQ(batch_->end.line, 5U);
}

}  // namespace
}  // namespace leat
