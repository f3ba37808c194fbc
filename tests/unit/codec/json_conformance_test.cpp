// RFC 8259 in the manner of JSONTestSuite (N. Seriot, "Parsing JSON is a Minefield"): y_ must be
// accepted, n_ must be refused. Each case is a value; it is tried as a field in front of another,
// as the last field, inside an array and inside an object, both unpredicted and predicted.
#include "codec/json/decoder.h"
#include "codec_fixture.h"

namespace leat {
namespace {

struct Case {
  const char* name;
  std::string_view value;
};

using namespace std::string_view_literals;

constexpr Case kAccepted[] = {
    {"y_number_zero", "0"},
    {"y_number_minus_zero", "-0"},
    {"y_number_fraction", "-0.10"},
    {"y_number_exponent", "1e1"},
    {"y_number_exponent_plus", "1E+01"},
    {"y_number_exponent_zeros", "0e0000"},
    {"y_number_fraction_exponent", "123.456e-78"},
    {"y_number_huge_exponent", "0.4e006699999999999999999999999999999999999999999999999999"},
    {"y_number_very_long", "123456789012345678901234567890123456789012345678901234567890.5"},
    {"y_string_empty", R"("")"},
    {"y_string_ascii", R"(" asd ")"},
    {"y_string_simple_escapes", R"("\"\\\/\b\f\n\r\t")"},
    {"y_string_escape_only", R"("\\")"},
    {"y_string_unicode_escape", R"("\u0060\u012a\u12AB")"},
    {"y_string_surrogate_pair", R"("\uD801\udc37")"},
    {"y_string_lone_surrogate_escape", R"("\uD800")"},
    {"y_string_escaped_nul", R"("\u0000")"},
    {"y_string_del", "\"\x7F\""},
    {"y_string_utf8_2", "\"\xC2\x80 \xDF\xBF\""},
    {"y_string_utf8_3", "\"\xE0\xA0\x80 \xED\x9F\xBF \xEF\xBF\xBF\""},
    {"y_string_utf8_4", "\"\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF\""},
    {"y_string_line_separator", "\"\xE2\x80\xA8\xE2\x80\xA9\""},
    {"y_string_long", R"("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")"},
    {"y_literal_true", "true"},
    {"y_literal_false", "false"},
    {"y_literal_null", "null"},
    {"y_array_empty", "[]"},
    {"y_array_space", "[ ]"},
    {"y_array_mixed", R"([null, 1, "1", {}, [ ], -0.5e-2 , true,false])"},
    {"y_array_in_arrays", "[[[[]]],[[]]]"},
    {"y_object_empty", "{}"},
    {"y_object_space", "{\t}"},
    {"y_object_duplicate", R"({"a":1,"a":2})"},
    {"y_object_empty_name", R"({"":0})"},
    {"y_object_escaped_name", R"({"\u0000 \"":0})"},
    {"y_object_space_everywhere", R"( { "a" : [ 1 , 2 ] , "b" : { } } )"},
};

constexpr Case kRefused[] = {
    {"n_nothing", ""},
    {"n_number_plus", "+1"},
    {"n_number_minus_only", "-"},
    {"n_number_minus_space", "- 1"},
    {"n_number_minus_minus", "--1"},
    {"n_number_leading_zero", "012"},
    {"n_number_minus_leading_zero", "-01"},
    {"n_number_double_zero", "00"},
    {"n_number_zero_fraction_leading_zero", "00.5"},
    {"n_number_no_whole", ".5"},
    {"n_number_minus_no_whole", "-.5"},
    {"n_number_no_fraction", "1."},
    {"n_number_no_fraction_exponent", "1.e5"},
    {"n_number_two_points", "1.2.3"},
    {"n_number_no_exponent", "1e"},
    {"n_number_no_exponent_sign", "1e+"},
    {"n_number_fraction_no_exponent", "1.5E-"},
    {"n_number_two_exponents", "1e2e3"},
    {"n_number_exponent_fraction", "1e2.5"},
    {"n_number_hex", "0x1F"},
    {"n_number_letter", "1a"},
    {"n_number_infinity", "Infinity"},
    {"n_number_minus_infinity", "-Infinity"},
    {"n_number_nan", "NaN"},
    {"n_number_fullwidth_digit", "\xEF\xBC\x91"},
    {"n_number_space_inside", "1 000"},
    {"n_number_underscore", "1_000"},
    {"n_string_no_quotes", "abc"},
    {"n_string_single_quotes", "'abc'"},
    {"n_string_unclosed", "\"abc"},
    {"n_string_unclosed_escape", "\"abc\\\""},
    {"n_string_backslash_x", R"("\x00")"},
    {"n_string_escape_emoji", "\"\\\xF0\x9F\x8C\x80\""},
    {"n_string_escape_uppercase", R"("\N")"},
    {"n_string_unicode_no_digits", R"("\u")"},
    {"n_string_unicode_three_digits", R"("\u00A")"},
    {"n_string_unicode_bad_digit", R"("\u00AG")"},
    {"n_string_unicode_uppercase_u", R"("\U0041")"},
    {"n_string_tab", "\"\t\""},
    {"n_string_control", "\"a\x1F\""},
    {"n_string_control_late", "\"aaaaaaaaaaaaaaaaaaa\x01\""},
    {"n_string_nul", "\"a\0\""sv},
    {"n_string_escaped_control", "\"\\\x01\""},
    {"n_string_utf8_lone_continuation", "\"\x80\""},
    {"n_string_utf8_truncated", "\"\xE2\x82\""},
    {"n_string_utf8_overlong_2", "\"\xC0\xAF\""},
    {"n_string_utf8_overlong_3", "\"\xE0\x80\xAF\""},
    {"n_string_utf8_surrogate", "\"\xED\xA0\x80\""},
    {"n_string_utf8_too_large", "\"\xF4\x90\x80\x80\""},
    {"n_string_latin1", "\"caf\xE9\""},
    {"n_string_utf8_bad_after_escape", "\"\\n\xFF\""},
    {"n_literal_capitals", "True"},
    {"n_literal_cut", "tru"},
    {"n_literal_long", "nulll"},
    {"n_literal_undefined", "undefined"},
    {"n_array_unclosed", "[1"},
    {"n_array_comma", "[,]"},
    {"n_array_trailing_comma", "[1,]"},
    {"n_array_leading_comma", "[,1]"},
    {"n_array_double_comma", "[1,,2]"},
    {"n_array_no_comma", "[1 2]"},
    {"n_array_colon", "[1:2]"},
    {"n_array_wrong_close", "[1}"},
    {"n_array_inner_unclosed", "[[1]"},
    {"n_array_closed_twice", "[1]]"},
    {"n_array_nul", "[\0]"sv},
    {"n_object_unclosed", R"({"a":1)"},
    {"n_object_no_value", R"({"a":})"},
    {"n_object_no_colon", R"({"a" 1})"},
    {"n_object_double_colon", R"({"a"::1})"},
    {"n_object_comma_for_colon", R"({"a",1})"},
    {"n_object_name_only", R"({"a"})"},
    {"n_object_trailing_comma", R"({"a":1,})"},
    {"n_object_comma", "{,}"},
    {"n_object_unquoted_name", "{a:1}"},
    {"n_object_number_name", "{1:1}"},
    {"n_object_single_quoted_name", "{'a':1}"},
    {"n_object_bad_utf8_name", "{\"\xFF\":1}"},
    {"n_object_wrong_close", R"({"a":1])"},
    {"n_object_comment", R"({"a":/*b*/1})"},
    {"n_object_line_comment", R"({"a":1//b})"},
    {"n_space_form_feed", "\f1"},
    {"n_space_no_break",
     "\xC2\xA0"
     "1"},
    {"n_space_byte_order_mark",
     "\xEF\xBB\xBF"
     "1"},
    {"n_value_nul_before",
     "\0"
     "1"sv},
    {"n_value_star", "*"},
    {"n_value_close", "}"},
};

class JsonConformance : public CodecTest {
 protected:
  // How many of the ways to wrap the value are accepted.
  size_t accepted(JsonDecoder& decoder, std::string_view value) {
    std::string v(value);
    const std::string lines[] = {"{\"v\":" + v + ",\"w\":1}", "{\"v\":" + v + "}",
                                 "{\"l\":[" + v + ",0]}",     "{\"m\":{\"x\":" + v + "}}",
                                 "{\"v\":" + v + ",\"w\":1}", "[{\"v\":" + v + "}]"};
    size_t records = 0;
    for (const std::string& line : lines) records += decode(decoder, line + "\n").size();
    for (const std::string& line : lines) records += decode(decoder, slices_of({line})).size();
    return records;
  }
  static constexpr size_t kAll = 12;
};

TEST_F(JsonConformance, accepts_what_the_rfc_allows) {
  for (const Case& c : kAccepted) {
    JsonDecoder fresh;
    EXPECT_EQ(accepted(fresh, c.value), kAll) << c.name;
    JsonDecoder trained;
    decode(trained, "{\"v\":0,\"w\":1}\n");
    EXPECT_EQ(accepted(trained, c.value), kAll) << c.name << ", predicted";
  }
  EXPECT_EQ(dead_.reasons(), Strings{});
}

TEST_F(JsonConformance, refuses_what_the_rfc_forbids) {
  for (const Case& c : kRefused) {
    JsonDecoder fresh;
    // Nothing at all is an empty array where an array is around it, but not before its comma.
    EXPECT_EQ(accepted(fresh, c.value), 0U) << c.name;
    JsonDecoder trained;
    decode(trained, "{\"v\":0,\"w\":1}\n");
    EXPECT_EQ(accepted(trained, c.value), 0U) << c.name << ", predicted";
  }
}

TEST_F(JsonConformance, refuses_lines_that_are_no_records) {
  JsonDecoder decoder;
  for (std::string_view line : {"1"sv,         "\"a\""sv,      "null"sv,
                                "true"sv,      "[1]"sv,        "[[]]"sv,
                                "[null]"sv,    "{"sv,          "}"sv,
                                "["sv,         "]"sv,          ","sv,
                                "{}{}"sv,      "{},"sv,        "[{}],"sv,
                                "{}]"sv,       "[{}}"sv,       "\0"sv,
                                "{}\0"sv,      "a"sv,          "\xEF\xBB\xBF{}"sv,
                                "{\"a\":1"sv,  "{\"a\""sv,     "{\"a"sv,
                                "{\"a\":1,"sv, "{\"a\":1,}"sv, "{,}"sv,
                                "[{},]"sv,     "[,{}]"sv,      "[{} {}]"sv}) {
    EXPECT_TRUE(decode(decoder, line).empty()) << line;
  }
}

// Every prefix of a good line is bad, and must neither crash nor read beyond its end.
TEST_F(JsonConformance, refuses_every_truncation) {
  const std::string line = R"({"ts":1760000000005,"s":"a\u00e9\n)"
                           "\xC3\xA9"
                           R"(","f":-1.5e+3,"t":true,"l":[1,{"x":null}],"e":{}})";
  for (size_t cut = 1; cut < line.size(); ++cut) {
    JsonDecoder decoder;
    decode(decoder, line + "\n");
    EXPECT_TRUE(decode(decoder, std::string_view(line).substr(0, cut)).empty()) << cut;
    EXPECT_TRUE(decode(decoder, slices_of({line.substr(0, cut)})).empty()) << cut;
  }
}

}  // namespace
}  // namespace leat
