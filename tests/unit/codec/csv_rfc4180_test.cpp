// RFC 4180 statement by statement, with the dialects here (D-…), read and written. Each input is
// read at once, in pieces of one byte and as a message, with the same outcome.
#include "codec/csv/encoder.h"
#include "csv_fixture.h"
#include "specification.h"

namespace leat {
namespace {

using namespace std::string_literals;

constexpr Statement kStatements[] = {
    {"2-1", "each record is on a line of its own, which CRLF ends; here LF does, too"},
    {"2-2", "the last record may have no line end"},
    {"2-3", "the first line may be a header, of the same format"},
    {"2-4a", "a record is one field or more, with commas between"},
    {"2-4b", "each line should have as many fields throughout the file"},
    {"2-4c", "spaces are part of a field"},
    {"2-4d", "nothing follows the last field: a comma there means one more, which is empty"},
    {"2-5a", "a field may be in quotes or not"},
    {"2-5b", "without quotes around it, none may be in a field; here it is taken as it is"},
    {"2-6", "line breaks, quotes and commas stand in a field with quotes around it"},
    {"2-7", "a quote in such a field is doubled"},
    {"2-8", "the grammar has printable ASCII; here all of UTF-8 but U+0000"},
    {"3-1", "the charset parameter of text/csv", "there is one charset, UTF-8"},
    {"3-2", "the header parameter of text/csv", "what takes a request knows its sender"},
    {"3-3", "line breaks are CRLF where MIME asks for it", "rows are written with LF, as all do"},
    {"D-delimiter", "another character between fields"},
    {"D-quote", "another quote, or none"},
    {"D-comment", "lines that are left out"},
    {"D-startRow", "lines before the header"},
    {"D-nullFormat", "a text that means null where it is not in quotes"},
    {"D-types", "what fields without a declared type are"},
    {"D-missingFields", "what a row with too few fields is"},
    {"D-names", "columns without a name, or with one that is taken"},
    {"D-blank", "a blank line is no record"},
    {"D-mistake", "a quote that is not closed as it must be costs its line"},
};

using Set = std::vector<std::pair<std::string_view, Options::Item>>;

struct Case {
  std::string_view statement;
  Set options;
  std::string input;
  std::string expected;  // the records, then "!" and the reason of each dead letter
};

const Set kNone;
const Set kText = {{"types", "string"s}};
const Set kNoHeader = {{"header", false}};

const Case kRead[] = {
    {"2-1", kNone, "a,b\r\n1,2\r\n3,4\r\n", R"({"a":1,"b":2}{"a":3,"b":4})"},
    {"2-1", kNone, "a,b\n1,2\n3,4\n", R"({"a":1,"b":2}{"a":3,"b":4})"},
    {"2-1", kNone, "a,b\r\n1,2\n3,4\r\n", R"({"a":1,"b":2}{"a":3,"b":4})"},
    {"2-1", kText, "a,b\nx,y\r\r\n", R"({"a":"x","b":"y\r"})"},
    {"2-2", kNone, "a,b\r\n1,2", R"({"a":1,"b":2})"},
    {"2-2", kNone, "a,b\r\n1,", R"({"a":1,"b":null})"},
    {"2-2", kNone, "a,b\n1,\"x\"", R"({"a":1,"b":"x"})"},
    {"2-2", kNone, "a,b", ""},
    {"2-3", kNone, "\"a\",\"b,\"\"c\"\"\"\n1,2\n", R"({"a":1,"b,\"c\"":2})"},
    {"2-3", kNoHeader, "a,b\n1,2\n", R"({"column0":"a","column1":"b"}{"column0":1,"column1":2})"},
    {"2-3", kNone, "a, b ,\" c \"\n1,2,3\n", R"({"a":1,"b":2," c ":3})"},
    {"2-3", kNone, "\"a\nb\",c\n1,2\n", R"({"a\nb":1,"c":2})"},
    {"2-3", kNone, "a,\xFF\n1,2\n", "!header: invalid UTF-8!the header is not readable"},
    {"2-4a", kNone, "a\n1\n2\n", R"({"a":1}{"a":2})"},
    {"2-4a", kNone, "a,b,c\n,,\n", R"({"a":null,"b":null,"c":null})"},
    {"2-4b", kNone, "a,b\n1\n1,2,3\n1,2\n",
     R"({"a":1,"b":2}!the row has 1 field, not 2!the row has 3 fields, not 2)"},
    {"2-4b", kNoHeader, "1,2\n3\n", R"({"column0":1,"column1":2}{"column0":3})"},
    {"2-4c", kText, "a,b\n x , y\n", R"({"a":" x ","b":" y"})"},
    {"2-4c", kNone, "a,b\n 1,2 \n", R"({"a":" 1","b":"2 "})"},
    {"2-4c", kText, "a,b\n \"x\",y\n", R"({"a":" \"x\"","b":"y"})"},
    {"2-4d", kNone, "a,b\n1,2,\n", "!the row has 3 fields, not 2"},
    {"2-4d", kNone, "a,b\n1,\n", R"({"a":1,"b":null})"},
    {"2-5a", kNone, "a,b\n\"aaa\",bbb\n", R"({"a":"aaa","b":"bbb"})"},
    {"2-5a", kNone, "a,b\n\"1\",1\n", R"({"a":"1","b":1})"},
    {"2-5a", kNone, "a,b\n\"\",\n", R"({"a":"","b":null})"},
    {"2-5b", kNone, "a,b\n5\" pipe,x\"y\"\n", R"({"a":"5\" pipe","b":"x\"y\""})"},
    {"2-6", kNone, "a,b\n\"x\r\ny\",\"1,2\"\n", R"({"a":"x\r\ny","b":"1,2"})"},
    {"2-6", kNone, "a,b\n\"\n\n\",\"\"\"\"\n", R"({"a":"\n\n","b":"\""})"},
    {"2-6", kNone, "a,b\n\"\r\",\",\"\r\n", R"({"a":"\r","b":","})"},
    {"2-7", kNone, "a,b\n\"b\"\"bb\",\"\"\"\"\"\"\n", R"({"a":"b\"bb","b":"\"\""})"},
    {"2-7", kNone, "a\n\"\"\"x\"\"\"\n", R"({"a":"\"x\""})"},
    {"2-8", kNone, "\xC3\xA9,b\n\xF0\x9F\x98\x80,x\ty\n",
     "{\"\xC3\xA9\":\"\xF0\x9F\x98\x80\",\"b\":\"x\\ty\"}"},
    {"2-8", kNone, "a,b\ncaf\xE9,1\n", "!column a: invalid UTF-8"},
    {"2-8", kNone, "a,b\nx\0y,1\n"s, "!column a: NUL byte"},
    {"D-delimiter", {{"delimiter", ";"s}}, "a;b\n1,5;\"x;y\"\n", R"({"a":"1,5","b":"x;y"})"},
    {"D-delimiter", {{"delimiter", "\\t"s}}, "a\tb\n1\t\n", R"({"a":1,"b":null})"},
    {"D-delimiter", {{"delimiter", "|"s}}, "a|b\n\"|\"|2\n", R"({"a":"|","b":2})"},
    {"D-quote", {{"quote", "'"s}}, "a,b\n'x,''y''',\"\n", R"({"a":"x,'y'","b":"\""})"},
    {"D-quote", {{"quote", ""s}}, "a,b\n\"x,y\"\n", R"({"a":"\"x","b":"y\""})"},
    {"D-comment", {{"comment", "#"s}}, "#,\"\na,b\n#1,2\n3,#4\n", R"({"a":3,"b":"#4"})"},
    {"D-comment", {{"comment", "//"s}}, "a\n/x\n//y\n", R"({"a":"/x"})"},
    {"D-startRow", {{"startRow", int64_t{3}}}, "report \"7\n\na,b\n1,2\n", R"({"a":1,"b":2})"},
    {"D-nullFormat", {{"nullFormat", "NA"s}}, "a,b\nNA,\"NA\"\n", R"({"a":null,"b":"NA"})"},
    {"D-nullFormat",
     {{"nullFormat", ""s}, {"types", "string"s}},
     "a,b\n,\"\"\n",
     R"({"a":null,"b":""})"},
    {"D-types", kNone, "a,b,c,d,e\n1.50,-0,1e5,true,False\n",
     R"({"a":1.50,"b":-0,"c":1e5,"d":true,"e":"False"})"},
    {"D-types", kNone, "a,b,c,d,e\n007,+1,.5,1.,0x1\n",
     R"({"a":"007","b":"+1","c":".5","d":"1.","e":"0x1"})"},
    {"D-types", kText, "a,b,c\n1,,true\n", R"({"a":"1","b":"","c":"true"})"},
    {"D-missingFields",
     {{"missingFields", "null"s}},
     "a,b,c\n1\n1,2,3,4\n",
     R"({"a":1,"b":null,"c":null}!the row has 4 fields, not 3)"},
    {"D-missingFields",
     {{"missingFields", "deadLetter"s}},
     "a,b\n1\n",
     "!the row has 1 field, not 2"},
    {"D-names", kNone, "c,,c,c_2\n1,2,3,4\n", R"({"c":1,"column1":2,"c_3":3,"c_2":4})"},
    {"D-names", kNone, ",\n1,2\n", R"({"column0":1,"column1":2})"},
    {"D-blank", kNone, "\na,b\n\n1,2\n\r\n", R"({"a":1,"b":2})"},
    {"D-blank", kNone, "a\n\"\"\n\n \n", R"({"a":""}{"a":" "})"},
    {"D-mistake", kNone, "a,b\n1,\"x\"y\n2,z\n", R"({"a":2,"b":"z"}!text behind a closing quote)"},
    {"D-mistake", kNone, "a,b\n1,\"x\n2,z\n", R"({"a":2,"b":"z"}!a quote is never closed)"},
    {"D-mistake", kNone, "a,b\n1,\"x\" \n2,z\n", R"({"a":2,"b":"z"}!text behind a closing quote)"},
    {"D-mistake", kNone, "a,b\n\"1\"\r,2\n3,4\n", R"({"a":3,"b":4}!text behind a closing quote)"},
    {"D-mistake", kNone, "a,b\n1,\"x\"\"\n2,z\n", R"({"a":2,"b":"z"}!a quote is never closed)"},
};

struct Written {
  std::string_view statement;
  Set options;
  std::vector<std::pair<std::string_view, Value>> record;
  std::string expected;  // the document, or "!" and the reason
};

Value string(std::string_view text) {
  return Value::of_text(Type::kString, text);
}
const Value kOne = Value::of_integer(1);

const Written kWritten[] = {
    {"2-1", kNone, {{"a", kOne}, {"b", string("x")}}, "a,b\n1,x\n"},
    {"2-3", kNoHeader, {{"a", kOne}}, "1\n"},
    {"2-3", kNone, {{"a,b", kOne}, {"c\"d", kOne}}, "\"a,b\",\"c\"\"d\"\n1,1\n"},
    {"2-4a", kNone, {{"a", Value::null()}, {"b", Value::null()}}, "a,b\n,\n"},
    {"2-4c", kNone, {{"a", string(" x ")}}, "a\n x \n"},
    {"2-6", kNone, {{"a", string("1,2")}, {"b", string("x\ny\r")}}, "a,b\n\"1,2\",\"x\ny\r\"\n"},
    {"2-7", kNone, {{"a", string("say \"hi\"")}}, "a\n\"say \"\"hi\"\"\"\n"},
    {"2-7", kNone, {{"a", Value::of_text(Type::kJson, R"({"a":1})")}}, "a\n\"{\"\"a\"\":1}\"\n"},
    {"2-8", kNone, {{"a", string("caf\xC3\xA9")}}, "a\ncaf\xC3\xA9\n"},
    {"D-delimiter",
     {{"delimiter", ";"s}},
     {{"a", string("1;2")}, {"b", string("1,2")}},
     "a;b\n\"1;2\";1,2\n"},
    {"D-quote",
     {{"quote", "'"s}},
     {{"a", string("it's")}, {"b", string("\"")}},
     "a,b\n'it''s',\"\n"},
    {"D-quote", {{"quote", ""s}}, {{"a", string("x")}, {"b", string("\"")}}, "a,b\nx,\"\n"},
    {"D-quote",
     {{"quote", ""s}},
     {{"a", string("x,y")}},
     "!a: has a delimiter or line break in it, and quotes are off"},
    {"D-quote",
     {{"quote", ""s}},
     {{"a\nb", kOne}},
     "!a\u240Ab: the name has a delimiter or line break in it, and quotes are off"},
    {"D-nullFormat",
     {{"nullFormat", "NA"s}},
     {{"a", Value::null()}, {"b", string("NA")}},
     "a,b\nNA,\"NA\"\n"},
    {"D-nullFormat", {{"nullFormat", "1"s}}, {{"a", Value::null()}, {"b", kOne}}, "a,b\n1,\"1\"\n"},
    {"D-nullFormat", kNone, {{"a", Value::null()}, {"b", string("")}}, "a,b\n,\"\"\n"},
    {"D-blank", kNone, {{"a", Value::null()}}, "a\n\"\"\n"},
    {"D-blank", kNone, {{"", string("x")}}, "\"\"\nx\n"},
    {"D-blank",
     {{"quote", ""s}},
     {{"a", Value::null()}},
     "!a row of one empty field is a blank line, and quotes are off"},
};

class CsvRfc4180 : public CsvTest {
 protected:
  void use(const Set& options) {
    options_ = Options(kCsvReadOptions, "csv");
    for (const auto& [name, item] : options) options_.set(name, item);
    dead_.letters.clear();
  }
  std::string outcome(const Strings& records) const {
    std::string out;
    for (const std::string& record : records) out += record;
    for (const std::string& reason : dead_.reasons()) out += "!" + reason;
    return out;
  }
};

TEST_F(CsvRfc4180, has_no_gap) {
  expect_no_gap(kStatements, kRead, kWritten);
}

TEST_F(CsvRfc4180, is_held_for_what_is_read) {
  for (const Case& c : kRead) {
    SCOPED_TRACE(std::string(c.statement) + ": " + c.input);
    use(c.options);
    EXPECT_EQ(outcome(in_pieces(c.input, c.input.size())), c.expected);
    use(c.options);
    EXPECT_EQ(outcome(in_pieces(c.input, 1)), c.expected) << "byte by byte";
    use(c.options);
    CsvDecoder decoder(dialect());
    EXPECT_EQ(outcome(decode(decoder, slices_of({c.input}))), c.expected) << "as a message";
  }
}

TEST_F(CsvRfc4180, is_held_for_what_is_written) {
  for (const Written& written : kWritten) {
    SCOPED_TRACE(std::string(written.statement) + ": " + written.expected);
    dead_.letters.clear();
    Options options(kCsvWriteOptions, "csv");
    for (const auto& [name, item] : written.options) options.set(name, item);
    Result<CsvDialect> dialect = CsvDialect::for_writing(options);
    ASSERT_TRUE(dialect);
    CsvEncoder encoder(*dialect, {}, options.string("nullFormat"));
    std::string rows = encode(encoder, *record_of(written.record));
    std::string reason = outcome({});
    EXPECT_EQ(reason.empty() ? encoder.header() + rows : reason, written.expected);
    if (!reason.empty()) continue;
    // What was written is read again with as many fields.
    use(written.options);
    EXPECT_EQ(read(encoder.header() + rows).size(), 1U);
  }
}

TEST_F(CsvRfc4180, is_held_for_the_names_that_are_configured) {  // D-quote
  Options options(kCsvWriteOptions, "csv");
  options.set("columns", std::vector<std::string>{"a", "b,c"});
  EXPECT_TRUE(CsvDialect::for_writing(options));
  options.set("quote", ""s);
  Result<CsvDialect> dialect = CsvDialect::for_writing(options);
  ASSERT_FALSE(dialect);
  EXPECT_EQ(dialect.error().message(),
            "csv.columns[1]: 'b,c' cannot be written in a header without quotes");
}

}  // namespace
}  // namespace leat
