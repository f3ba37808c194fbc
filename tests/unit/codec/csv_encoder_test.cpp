#include "codec/csv/encoder.h"

#include "codec/json/decoder.h"
#include "csv_fixture.h"

namespace leat {
namespace {

class CsvEncoderTest : public CsvTest {
 protected:
  std::string write(CsvEncoder& encoder, std::string_view json) {
    JsonDecoder decoder;
    decode(decoder, json);
    return encode(encoder, *batch_);
  }
  static CsvEncoder encoder(std::vector<std::string> columns = {}, std::string null = "",
                            CsvDialect dialect = {}) {
    return {std::move(dialect), std::move(columns), std::move(null)};
  }
};

TEST_F(CsvEncoderTest, takes_the_columns_of_the_first_record) {
  CsvEncoder e = encoder();
  EXPECT_EQ(e.header(), "");
  EXPECT_EQ(write(e, "{\"a\":1,\"b\":\"x\"}\n{\"b\":\"y\",\"a\":2}\n{\"b\":\"z\"}\n"),
            "1,x\n2,y\n,z\n");
  EXPECT_EQ(e.header(), "a,b\n");
  EXPECT_EQ(write(e, "{\"b\":\"w\"}\n"), ",w\n") << "and keeps them";
}

TEST_F(CsvEncoderTest, takes_the_columns_it_was_given) {
  CsvEncoder e = encoder({"b", "c", "a"});
  EXPECT_EQ(e.header(), "b,c,a\n");
  EXPECT_EQ(write(e, "{\"a\":1,\"b\":\"x\"}\n"), "x,,1\n");
}

TEST_F(CsvEncoderTest, refuses_records_with_other_fields) {
  CsvEncoder e = encoder();
  EXPECT_EQ(write(e, "{\"a\":1}\n{\"a\":2,\"vib\":3}\n{\"a\":4}\n"), "1\n4\n");
  EXPECT_EQ(dead_.reasons(), Strings{"vib: not among the columns of this CSV"});
  EXPECT_EQ(dead_.texts(), Strings{R"({"a":2,"vib":3})"});
  ASSERT_EQ(encoded_->slices.size(), 2U);
  EXPECT_EQ(encoded_->slices[1].end_line, 3U);
}

TEST_F(CsvEncoderTest, takes_absent_fields_beyond_the_columns) {
  CsvEncoder e = encoder({"a"});
  EXPECT_EQ(encode(e, *record_of({{"a", Value::of_integer(1)}, {"b", Value::absent()}})), "1\n");
}

#ifdef LEAT_ENCODINGS
TEST_F(CsvEncoderTest, writes_another_encoding_and_refuses_what_that_has_not) {
  Options options(kCsvWriteOptions);
  options.set("encoding", "windows-1252");
  Result<CsvDialect> dialect = CsvDialect::for_writing(options);
  ASSERT_TRUE(dialect);
  CsvEncoder e = encoder({}, "", *dialect);
  EXPECT_EQ(write(e, "{\"größe\":1,\"t\":\"5 €\"}\n{\"t\":\"温\"}\n{\"t\":\"é,\"}\n"),
            "1,5 \x80\n,\"\xE9,\"\n");
  EXPECT_EQ(e.header(),
            "gr\xF6\xDF"
            "e,t\n");
  EXPECT_EQ(dead_.reasons(), Strings{"\"温\" is no character of windows-1252"});
  CsvEncoder names = encoder({}, "", *dialect);
  EXPECT_EQ(write(names, "{\"温\":1}\n{\"t\":2}\n"), "2\n");
  EXPECT_EQ(names.header(), "t\n") << "the first record that can be written says the columns";
  options.set("columns", std::vector<std::string>{"t", "温"});
  options.set("nullFormat", "无");
  EXPECT_EQ(CsvDialect::for_writing(options).error().message(),
            "options.nullFormat: \"无\" is no character of windows-1252\n"
            "options.columns[1]: \"温\" is no character of windows-1252");
  options.set("nullFormat", "");
  options.set("header", false);
  EXPECT_TRUE(CsvDialect::for_writing(options)) << "no name is written";
}
#endif

TEST_F(CsvEncoderTest, quotes_where_it_must) {
  CsvEncoder e = encoder({"a", "b"});
  EXPECT_EQ(write(e, R"({"a":"x,y","b":"say \"hi\""})"
                     "\n"
                     R"({"a":"two\nlines","b":"cr\r"})"
                     "\n"
                     R"({"a":"a long text without need","b":"a long text with, one comma"})"
                     "\n"),
            "\"x,y\",\"say \"\"hi\"\"\"\n\"two\nlines\",\"cr\r\"\n"
            "a long text without need,\"a long text with, one comma\"\n");
}

TEST_F(CsvEncoderTest, tells_null_from_text_that_looks_like_it) {
  CsvEncoder e = encoder({"a", "b"}, "NA");
  EXPECT_EQ(write(e, "{\"a\":null,\"b\":\"NA\"}\n{\"b\":\"\"}\n"), "NA,\"NA\"\nNA,\n");
  CsvEncoder f = encoder({"a", "b"});
  EXPECT_EQ(write(f, "{\"a\":null,\"b\":\"\"}\n"), ",\"\"\n");
}

TEST_F(CsvEncoderTest, writes_no_blank_line_for_a_record) {
  CsvEncoder e = encoder({"a"});
  EXPECT_EQ(write(e, "{\"a\":null}\n"), "\"\"\n");
}

TEST_F(CsvEncoderTest, writes_all_types) {
  CsvEncoder e = encoder();
  EXPECT_EQ(encode(e, *record_of({{"b", Value::boolean(true)},
                                  {"i", Value::of_integer(-7)},
                                  {"f", Value::of_float(0.5)},
                                  {"t", Value::of_time(1'767'323'045'000'000)},
                                  {"x", Value::of_text(Type::kBytes, "\xFF\x01")},
                                  {"j", Value::of_text(Type::kJson, R"({"a":[1,2]})")},
                                  {"n", Value::of_text(Type::kFloat, "44.50", Form::kText)}})),
            "true,-7,0.5,2026-01-02T03:04:05Z,/wE=,\"{\"\"a\"\":[1,2]}\",44.50\n");
}

TEST_F(CsvEncoderTest, uses_its_delimiter_and_quote) {
  CsvDialect dialect;
  dialect.delimiter = ';';
  dialect.quote = '\'';
  CsvEncoder e = encoder({"a", "b;c"}, "", dialect);
  EXPECT_EQ(e.header(), "a;'b;c'\n");
  EXPECT_EQ(write(e, R"({"a":"x;y","b;c":"it's, \"so\""})"
                     "\n"),
            "'x;y';'it''s, \"so\"'\n");
}

TEST_F(CsvEncoderTest, refuses_what_needs_quotes_when_there_are_none) {
  CsvDialect dialect;
  dialect.quoting = false;
  CsvEncoder e = encoder({"a", "b"}, "", dialect);
  EXPECT_EQ(write(e, R"({"a":"x,y"})"
                     "\n"
                     R"({"a":"say \"hi\"","b":""})"
                     "\n"),
            "say \"hi\",\n");
  EXPECT_EQ(dead_.reasons(), Strings{"a: has a delimiter or line break in it, and quotes are off"});
}

TEST_F(CsvEncoderTest, writes_no_header_when_told_not_to) {
  CsvDialect dialect;
  dialect.header = false;
  CsvEncoder e = encoder({"a"}, "", dialect);
  EXPECT_EQ(write(e, "{\"a\":1}\n"), "1\n");
  EXPECT_EQ(e.header(), "");
}

TEST_F(CsvEncoderTest, is_read_back_as_it_was) {
  CsvEncoder e = encoder();
  std::string json = R"({"n":44.50,"s":"x, \"y\"\n","e":"","z":null,"b":true})"
                     "\n"
                     R"({"n":-1,"s":" spaced ","e":"\"","z":null,"b":false})"
                     "\n";
  std::string rows = write(e, json);
  Strings expected = shown(*batch_);
  EXPECT_EQ(read(e.header() + rows), expected);
}

}  // namespace
}  // namespace leat
