// RFC 8259 statement by statement, in the manner of JSONTestSuite (N. Seriot, "Parsing JSON is a
// Minefield"): y_ must be taken, n_ must be refused, i_ is left open by the RFC, and the case says
// what is done here.
#include <cmath>

#include "codec/json/decoder.h"
#include "codec/json/encoder.h"
#include "codec/json/line_framing.h"
#include "codec/text/json_scanner.h"
#include "codec_fixture.h"
#include "specification.h"

namespace leat {
namespace {

using namespace std::string_view_literals;

constexpr Statement kStatements[] = {
    {"2-1", "a text is one value, with space around it"},
    {"2-2", "six structural characters, with space around them"},
    {"2-3", "space is blank, tab, line feed, carriage return, and nothing else"},
    {"3-1", "a value is an object, array, number, string, or one of three names"},
    {"3-2", "the names are lower case, and there are no others"},
    {"4-1", "an object is members in braces, with commas between, of a name, a colon, a value"},
    {"4-2", "a name is a string"},
    {"4-3", "names SHOULD be unique: here the last value counts, in the place of the first"},
    {"4-4", "whether the order of members is seen is left open: here it is kept"},
    {"5-1", "an array is values in brackets, with commas between"},
    {"5-2", "values of one array may be of different types"},
    {"6-1", "a number is in base 10: a minus, digits, a fraction, an exponent"},
    {"6-2", "leading zeros are not allowed"},
    {"6-3", "a fraction is a point and one digit or more"},
    {"6-4", "an exponent is an e of either case, a sign or none, and one digit or more"},
    {"6-5", "Infinity and NaN are not permitted"},
    {"6-6", "range and precision may be limited: here every number keeps its text"},
    {"7-1", "a string begins and ends with a quotation mark"},
    {"7-2",
     "all characters may stand in it but the quotation mark, the backslash and U+0000 to 1F"},
    {"7-3", "any may be written as \\u and four hexadecimal digits of either case"},
    {"7-4", "eight have an escape of two characters"},
    {"7-5", "one beyond U+FFFF is escaped as a surrogate pair"},
    {"7-6", "there are no other escapes"},
    {"8.1-1", "text between systems MUST be UTF-8"},
    {"8.1-2",
     "a byte order mark MUST NOT be added, and may be ignored: a source of files drops it"},
    {"8.2-1", "what a lone surrogate means is left open: here U+FFFD, written as it came"},
    {"8.3-1", "names are compared as what they mean, however they are escaped"},
    {"9-1", "a parser MUST take all that conforms",
     "every y_ case of the other statements is one of this"},
    {"9-2", "it MAY take more: here it does not"},
    {"9-3", "it may limit size, depth, range: here 64 levels, 16384 fields, a source's maxRecord"},
    {"10-1", "what a generator makes MUST conform"},
};

struct Case {
  std::string_view statement;
  std::string_view name;
  std::string_view value;
  // y_, i_: type and text of the value; n_: why it is refused, where it is the value of a field
  // with another behind it.
  std::string_view expected;
};

const std::string kDeepestText = std::string(63, '[') + std::string(63, ']');
const std::string kDeepText = std::string(64, '[') + std::string(64, ']');
const std::string_view kDeepest = kDeepestText;  // with the record's own object 64 levels
const std::string_view kDeep = kDeepText;

// Each is tried as a field in front of another, as the last field, inside an array and inside an
// object, both unpredicted and predicted.
const Case kValues[] = {
    {"2-1", "n_nothing", "", "expected a value"},
    {"2-2", "y_number_zero_then_space", "0 ", "integer 0"},
    {"2-2", "y_array_space_around", " [ 1 ,\t2 ] ", "json [ 1 ,\t2 ]"},
    {"2-2", "n_structural_fullwidth_colon",
     "{\"a\"\xEF\xBC\x9A"
     "1}",
     "expected ':'"},
    {"2-2", "n_structural_parentheses", "(1)", "expected a value"},
    {"2-3", "n_space_form_feed", "\f1", "expected a value"},
    {"2-3", "n_space_no_break",
     "\xC2\xA0"
     "1",
     "expected a value"},
    {"2-3", "n_space_vertical_tab", "\v1", "expected a value"},
    {"2-3", "n_space_next_line",
     "\xC2\x85"
     "1",
     "expected a value"},
    {"2-3", "n_space_word_joiner",
     "\xE2\x81\xA0"
     "1",
     "expected a value"},
    {"2-3", "n_space_escaped", R"(\n1)", "expected a value"},
    {"3-1", "y_object_nested", R"({"a":[{"b":{"c":[1]}}]})", R"(json {"a":[{"b":{"c":[1]}}]})"},
    {"3-1", "y_value_string", R"("s")", "string s"},
    {"3-1", "y_value_number", "42", "integer 42"},
    {"3-1", "y_value_literal", "null", "null "},
    {"3-1", "n_value_nul_before",
     "\0"
     "1"sv,
     "expected a value"},
    {"3-1", "n_value_star", "*", "expected a value"},
    {"3-1", "n_value_undefined", "function(){}", "expected a value"},
    {"3-1", "n_value_date", "2026-01-02", "expected ',' or '}'"},
    {"3-1", "n_value_xml", "<null>", "expected a value"},
    {"3-2", "y_literal_true", "true", "bool true"},
    {"3-2", "y_literal_false", "false", "bool false"},
    {"3-2", "y_literal_null", "null", "null "},
    {"3-2", "n_literal_capitals", "True", "expected a value"},
    {"3-2", "n_literal_cut", "tru", "expected a value"},
    {"3-2", "n_literal_long", "nulll", "expected ',' or '}'"},
    {"3-2", "n_literal_undefined", "undefined", "expected a value"},
    {"3-2", "n_literal_nan", "nan", "expected a value"},
    {"3-2", "n_literal_none", "None", "expected a value"},
    {"3-2", "n_literal_true_cut_by_nul", "tru\0"sv, "expected a value"},
    {"3-2", "n_literal_two", "true false", "expected ',' or '}'"},
    {"4-1", "y_object_empty", "{}", "json {}"},
    {"4-1", "y_object_space", "{\t}", "json {\t}"},
    {"4-1", "n_object_unclosed", R"({"a":1)", "expected ',' or '}'"},
    {"4-1", "n_object_no_value", R"({"a":})", "expected a value"},
    {"4-1", "n_object_no_colon", R"({"a" 1})", "expected ':'"},
    {"4-1", "n_object_double_colon", R"({"a"::1})", "expected a value"},
    {"4-1", "n_object_comma_for_colon", R"({"a",1})", "expected ':'"},
    {"4-1", "n_object_name_only", R"({"a"})", "expected ':'"},
    {"4-1", "n_object_trailing_comma", R"({"a":1,})", "expected a name in quotes"},
    {"4-1", "n_object_comma", "{,}", "expected a name in quotes"},
    {"4-1", "n_object_wrong_close", R"({"a":1])", "expected ',' or '}'"},
    {"4-1", "n_object_two_commas", R"({"a":1,,"b":2})", "expected a name in quotes"},
    {"4-1", "n_object_garbage_behind", R"({"a":true} x)", "expected ',' or '}'"},
    {"4-1", "n_object_missing_comma", R"({"a":1 "b":2})", "expected ',' or '}'"},
    {"4-1", "n_object_equals", R"({"a"=1})", "expected ':'"},
    {"4-2", "y_object_empty_name", R"({"":0})", R"(json {"":0})"},
    {"4-2", "y_object_escaped_name", R"({"\u0000 \"":0})", R"(json {"\u0000 \"":0})"},
    {"4-2", "y_object_long_names",
     R"({"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx":1,"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy":2})",
     R"(json {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx":1,"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy":2})"},
    {"4-2", "n_object_unquoted_name", "{a:1}", "expected a name in quotes"},
    {"4-2", "n_object_number_name", "{1:1}", "expected a name in quotes"},
    {"4-2", "n_object_single_quoted_name", "{'a':1}", "expected a name in quotes"},
    {"4-2", "n_object_key_with_no_quotes_and_brackets", "{[1]:1}", "expected a name in quotes"},
    {"4-2", "n_object_null_name", "{null:1}", "expected a name in quotes"},
    {"4-2", "n_object_name_without_end", R"({"a:1})", "expected ':'"},
    {"4-3", "y_object_duplicate", R"({"a":1,"a":2})", R"(json {"a":1,"a":2})"},
    {"4-3", "y_object_names_that_differ", R"({"a":1,"A":2})", R"(json {"a":1,"A":2})"},
    {"4-3", "i_object_same_name_and_value", R"({"a":1,"b":0,"a":1})",
     R"(json {"a":1,"b":0,"a":1})"},
    {"4-4", "y_object_order", R"({"z":1,"a":2,"m":3})", R"(json {"z":1,"a":2,"m":3})"},
    {"5-1", "y_array_empty", "[]", "json []"},
    {"5-1", "y_array_space", "[ ]", "json [ ]"},
    {"5-1", "y_array_in_arrays", "[[[[]]],[[]]]", "json [[[[]]],[[]]]"},
    {"5-1", "y_array_of_null", "[null]", "json [null]"},
    {"5-1", "y_array_nulls", "[1,null,null,null,2]", "json [1,null,null,null,2]"},
    {"5-1", "n_array_unclosed", "[1", "expected ',' or ']'"},
    {"5-1", "n_array_comma", "[,]", "expected a value"},
    {"5-1", "n_array_trailing_comma", "[1,]", "expected a value"},
    {"5-1", "n_array_leading_comma", "[,1]", "expected a value"},
    {"5-1", "n_array_double_comma", "[1,,2]", "expected a value"},
    {"5-1", "n_array_no_comma", "[1 2]", "expected ',' or ']'"},
    {"5-1", "n_array_colon", "[1:2]", "expected ',' or ']'"},
    {"5-1", "n_array_wrong_close", "[1}", "expected ',' or ']'"},
    {"5-1", "n_array_inner_unclosed", "[[1]", "expected ',' or ']'"},
    {"5-1", "n_array_closed_twice", "[1]]", "expected ',' or '}'"},
    {"5-1", "n_array_unclosed_comma", "[1,", "expected a value"},
    {"5-1", "n_array_star", "[*]", "expected a value"},
    {"5-1", "n_array_unclosed_nested", "[[[[", "expected a value"},
    {"5-1", "n_array_extra_close", "[]]", "expected ',' or '}'"},
    {"5-1", "n_array_semicolon", "[1;2]", "expected ',' or ']'"},
    {"5-2", "y_array_mixed", R"([null, 1, "1", {}, [ ], -0.5e-2 , true,false])",
     R"(json [null, 1, "1", {}, [ ], -0.5e-2 , true,false])"},
    {"6-1", "y_number_zero", "0", "integer 0"},
    {"6-1", "y_number_minus_zero", "-0", "integer -0"},
    {"6-1", "y_number_negative_int", "-123", "integer -123"},
    {"6-1", "n_number_plus", "+1", "expected a value"},
    {"6-1", "n_number_minus_only", "-", "expected a digit after '-'"},
    {"6-1", "n_number_minus_space", "- 1", "expected a digit after '-'"},
    {"6-1", "n_number_minus_minus", "--1", "expected a digit after '-'"},
    {"6-1", "n_number_no_whole", ".5", "expected a value"},
    {"6-1", "n_number_minus_no_whole", "-.5", "expected a digit after '-'"},
    {"6-1", "n_number_hex", "0x1F", "expected ',' or '}'"},
    {"6-1", "n_number_letter", "1a", "expected ',' or '}'"},
    {"6-1", "n_number_fullwidth_digit", "\xEF\xBC\x91", "expected a value"},
    {"6-1", "n_number_space_inside", "1 000", "expected ',' or '}'"},
    {"6-1", "n_number_underscore", "1_000", "expected ',' or '}'"},
    {"6-1", "n_number_minus_letter", "-x", "expected a digit after '-'"},
    {"6-1", "n_number_plus_fraction", "+0.5", "expected a value"},
    {"6-1", "n_number_leading_exponent", "e5", "expected a value"},
    {"6-1", "n_number_invalid_utf8_behind", "1\xE5", "expected ',' or '}'"},
    {"6-1", "n_number_hash", "#1", "expected a value"},
    {"6-2", "n_number_leading_zero", "012", "a number cannot start with 0"},
    {"6-2", "n_number_minus_leading_zero", "-01", "a number cannot start with 0"},
    {"6-2", "n_number_double_zero", "00", "a number cannot start with 0"},
    {"6-2", "n_number_zero_fraction_leading_zero", "00.5", "a number cannot start with 0"},
    {"6-3", "y_number_fraction", "-0.10", "float -0.10"},
    {"6-3", "y_number_negative_zero_fraction", "-0.0", "float -0.0"},
    {"6-3", "n_number_no_fraction", "1.", "expected a digit after '.'"},
    {"6-3", "n_number_no_fraction_exponent", "1.e5", "expected a digit after '.'"},
    {"6-3", "n_number_two_points", "1.2.3", "expected ',' or '}'"},
    {"6-3", "n_number_minus_fraction_only", "-1.", "expected a digit after '.'"},
    {"6-4", "y_number_exponent", "1e1", "float 1e1"},
    {"6-4", "y_number_exponent_plus", "1E+01", "float 1E+01"},
    {"6-4", "y_number_exponent_zeros", "0e0000", "float 0e0000"},
    {"6-4", "y_number_fraction_exponent", "123.456e-78", "float 123.456e-78"},
    {"6-4", "y_number_capital_exponent_minus", "1E-2", "float 1E-2"},
    {"6-4", "n_number_no_exponent", "1e", "expected a digit in the exponent"},
    {"6-4", "n_number_no_exponent_sign", "1e+", "expected a digit in the exponent"},
    {"6-4", "n_number_fraction_no_exponent", "1.5E-", "expected a digit in the exponent"},
    {"6-4", "n_number_two_exponents", "1e2e3", "expected ',' or '}'"},
    {"6-4", "n_number_exponent_fraction", "1e2.5", "expected ',' or '}'"},
    {"6-4", "n_number_exponent_letter", "1ea", "expected a digit in the exponent"},
    {"6-4", "n_number_negative_fraction_exponent", "0.3e", "expected a digit in the exponent"},
    {"6-5", "n_number_infinity", "Infinity", "expected a value"},
    {"6-5", "n_number_minus_infinity", "-Infinity", "expected a digit after '-'"},
    {"6-5", "n_number_nan", "NaN", "expected a value"},
    {"6-5", "n_number_inf", "Inf", "expected a value"},
    {"6-5", "n_number_minus_nan", "-NaN", "expected a digit after '-'"},
    {"6-6", "y_number_huge_exponent", "0.4e006699999999999999999999999999999999999999999999999999",
     "decimal 0.4e006699999999999999999999999999999999999999999999999999"},
    {"6-6", "y_number_very_long", "123456789012345678901234567890123456789012345678901234567890.5",
     "decimal 123456789012345678901234567890123456789012345678901234567890.5"},
    {"6-6", "y_number_close_to_zero",
     "-0.000000000000000000000000000000000000000000000000000000000000000000000000000001",
     "float -0.000000000000000000000000000000000000000000000000000000000000000000000000000001"},
    {"6-6", "i_number_double_huge_negative_exponent", "123.456e-789", "decimal 123.456e-789"},
    {"6-6", "i_number_huge_exponent",
     "0."
     "4e0066999999999999999999999999999999999999999999999999999999999999999999999999999999999999996"
     "9999999006",
     "decimal "
     "0."
     "4e0066999999999999999999999999999999999999999999999999999999999999999999999999999999999999996"
     "9999999006"},
    {"6-6", "i_number_negative_overflow", "-123123e100000", "decimal -123123e100000"},
    {"6-6", "i_number_positive_overflow", "123123e100000", "decimal 123123e100000"},
    {"6-6", "i_number_underflow", "123e-10000000", "decimal 123e-10000000"},
    {"6-6", "i_number_too_big_negative_int", "-123123123123123123123123123123",
     "decimal -123123123123123123123123123123"},
    {"6-6", "i_number_too_big_positive_int", "100000000000000000000",
     "decimal 100000000000000000000"},
    {"6-6", "i_number_very_big_negative_int", "-237462374673276894279832749832423479823246327846",
     "decimal -237462374673276894279832749832423479823246327846"},
    {"6-6", "i_number_just_above_int64", "9223372036854775808", "decimal 9223372036854775808"},
    {"6-6", "i_number_beyond_a_double", "0.1234567890123456789012345",
     "decimal 0.1234567890123456789012345"},
    {"7-1", "y_string_empty", R"("")", "string "},
    {"7-1", "y_string_ascii", R"(" asd ")", "string  asd "},
    {"7-1", "y_string_long",
     R"("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")",
     "string aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    {"7-1", "n_string_no_quotes", "abc", "expected a value"},
    {"7-1", "n_string_single_quotes", "'abc'", "expected a value"},
    {"7-1", "n_string_unclosed", "\"abc", "expected ',' or '}'"},
    {"7-1", "n_string_unclosed_escape", "\"abc\\\"", "expected ',' or '}'"},
    {"7-1", "n_string_unclosed_unicode", R"("\u00A)", R"(expected four hex digits after \u)"},
    {"7-1", "n_string_two_strings", R"("a""b")", "expected ',' or '}'"},
    {"7-2", "y_string_del", "\"\x7F\"", "string \x7F"},
    {"7-2", "y_string_line_separator", "\"\xE2\x80\xA8\xE2\x80\xA9\"",
     "string \xE2\x80\xA8\xE2\x80\xA9"},
    {"7-2", "y_string_comment_in_it", R"("a/*b*/c/*d//e")", "string a/*b*/c/*d//e"},
    {"7-2", "y_string_slash", R"("a/b")", "string a/b"},
    {"7-2", "y_string_zero_width", "\"\xE2\x80\x8B\xE2\x81\xA0\"",
     "string \xE2\x80\x8B\xE2\x81\xA0"},
    {"7-2", "n_string_tab", "\"\t\"", "control character in a string"},
    {"7-2", "n_string_control", "\"a\x1F\"", "control character in a string"},
    {"7-2", "n_string_control_late", "\"aaaaaaaaaaaaaaaaaaa\x01\"",
     "control character in a string"},
    {"7-2", "n_string_nul", "\"a\0\""sv, "NUL byte in a string"},
    {"7-2", "n_string_newline", "\"a\rb\"", "control character in a string"},
    {"7-3", "y_string_unicode_escape", R"("\u0060\u012a\u12AB")", "string `\xC4\xAA\xE1\x8A\xAB"},
    {"7-3", "y_string_escaped_nul", R"("\u0000")", "string \0"sv},
    {"7-3", "y_string_escaped_non_character", R"("\uFFFF\uDBFF\uDFFE")",
     "string \xEF\xBF\xBF\xF4\x8F\xBF\xBE"},
    {"7-3", "y_string_capital_hex", R"("\uABCD\uabcd")", "string \xEA\xAF\x8D\xEA\xAF\x8D"},
    {"7-3", "n_string_unicode_no_digits", R"("\u")", R"(expected four hex digits after \u)"},
    {"7-3", "n_string_unicode_three_digits", R"("\u00A")", R"(expected four hex digits after \u)"},
    {"7-3", "n_string_unicode_bad_digit", R"("\u00AG")", R"(expected four hex digits after \u)"},
    {"7-3", "n_string_unicode_uppercase_u", R"("\U0041")", "unknown escape in a string"},
    {"7-3", "n_string_surrogate_escape_cut", R"("\uD834\uDd")",
     R"(expected four hex digits after \u)"},
    {"7-3", "n_string_surrogate_escape_bad_hex", R"("\uD800\uD800\x")",
     "unknown escape in a string"},
    {"7-4", "y_string_simple_escapes", R"("\"\\\/\b\f\n\r\t")", "string \"\\/\b\f\n\r\t"},
    {"7-4", "y_string_escape_only", R"("\\")", R"(string \)"},
    {"7-4", "y_string_double_escape", R"("\\n")", R"(string \n)"},
    {"7-4", "y_string_escape_of_a_quote", R"("\"")", R"(string ")"},
    {"7-5", "y_string_surrogate_pair", R"("\uD801\udc37")", "string \xF0\x90\x90\xB7"},
    {"7-5", "y_string_two_pairs", R"("\uD83D\uDE39\uD83d\uDC8D")",
     "string \xF0\x9F\x98\xB9\xF0\x9F\x92\x8D"},
    {"7-6", "n_string_backslash_x", R"("\x00")", "unknown escape in a string"},
    {"7-6", "n_string_escape_emoji", "\"\\\xF0\x9F\x8C\x80\"", "unknown escape in a string"},
    {"7-6", "n_string_escape_uppercase", R"("\N")", "unknown escape in a string"},
    {"7-6", "n_string_escaped_control", "\"\\\x01\"", "unknown escape in a string"},
    {"7-6", "n_string_octal_escape", R"("\101")", "unknown escape in a string"},
    {"8.1-1", "y_string_utf8_2", "\"\xC2\x80 \xDF\xBF\"", "string \xC2\x80 \xDF\xBF"},
    {"8.1-1", "y_string_utf8_3", "\"\xE0\xA0\x80 \xED\x9F\xBF \xEF\xBF\xBF\"",
     "string \xE0\xA0\x80 \xED\x9F\xBF \xEF\xBF\xBF"},
    {"8.1-1", "y_string_utf8_4", "\"\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF\"",
     "string \xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"},
    {"8.1-1", "y_string_non_character", "\"\xEF\xBF\xBF \xF4\x8F\xBF\xBF\"",
     "string \xEF\xBF\xBF \xF4\x8F\xBF\xBF"},
    {"8.1-1", "y_string_private_use", "\"\xEF\xA3\xBF\"", "string \xEF\xA3\xBF"},
    {"8.1-1", "n_string_utf8_lone_continuation", "\"\x80\"", "invalid UTF-8 in a string"},
    {"8.1-1", "n_string_utf8_truncated", "\"\xE2\x82\"", "invalid UTF-8 in a string"},
    {"8.1-1", "n_string_utf8_overlong_2", "\"\xC0\xAF\"", "invalid UTF-8 in a string"},
    {"8.1-1", "n_string_utf8_overlong_3", "\"\xE0\x80\xAF\"", "invalid UTF-8 in a string"},
    {"8.1-1", "n_string_utf8_surrogate", "\"\xED\xA0\x80\"", "invalid UTF-8 in a string"},
    {"8.1-1", "n_string_utf8_too_large", "\"\xF4\x90\x80\x80\"", "invalid UTF-8 in a string"},
    {"8.1-1", "n_string_latin1", "\"caf\xE9\"", "invalid UTF-8 in a string"},
    {"8.1-1", "n_string_utf8_bad_after_escape", "\"\\n\xFF\"", "invalid UTF-8 in a string"},
    {"8.1-1", "n_object_bad_utf8_name", "{\"\xFF\":1}", "invalid UTF-8 in a string"},
    {"8.1-1", "n_string_byte_fe", "\"\xFE\xFF\"", "invalid UTF-8 in a string"},
    {"8.1-1", "n_string_five_bytes", "\"\xF8\x88\x80\x80\x80\"", "invalid UTF-8 in a string"},
    {"8.1-1", "n_string_six_bytes_null", "\"\xFC\x80\x80\x80\x80\x80\"",
     "invalid UTF-8 in a string"},
    {"8.1-1", "n_string_utf16", "\xFE\xFF\x00\"\x00\xE9\x00\""sv, "expected a value"},
    {"8.1-2", "n_space_byte_order_mark",
     "\xEF\xBB\xBF"
     "1",
     "expected a value"},
    {"8.2-1", "i_string_lone_surrogate_escape", R"("\uD800")", "string \xEF\xBF\xBD"},
    {"8.2-1", "i_string_first_surrogate_second_missing", R"("\uDADA")", "string \xEF\xBF\xBD"},
    {"8.2-1", "i_string_first_valid_second_invalid", R"("\uD888\u1234")",
     "string \xEF\xBF\xBD\xE1\x88\xB4"},
    {"8.2-1", "i_string_incomplete_surrogate_and_escape", R"("\uD800\n")", "string \xEF\xBF\xBD\n"},
    {"8.2-1", "i_string_incomplete_pair", R"("\uDd1ea")",
     "string \xEF\xBF\xBD"
     "a"},
    {"8.2-1", "i_string_two_first_surrogates", R"("\uD800\uD800\n")",
     "string \xEF\xBF\xBD\xEF\xBF\xBD\n"},
    {"8.2-1", "i_string_inverted_surrogates", R"("\uDd1e\uD834")",
     "string \xEF\xBF\xBD\xEF\xBF\xBD"},
    {"8.2-1", "i_string_lone_second_surrogate", R"("\uDFAA")", "string \xEF\xBF\xBD"},
    {"8.3-1", "y_string_equal_when_unescaped", R"({"a\\b":1,"a\u005Cc":2})",
     R"(json {"a\\b":1,"a\u005Cc":2})"},
    {"8.3-1", "i_object_escaped_duplicate", R"({"a":1,"\u0061":2})", R"(json {"a":1,"\u0061":2})"},
    {"9-2", "n_array_nul", "[\0]"sv, "expected a value"},
    {"9-2", "n_object_comment", R"({"a":/*b*/1})", "expected a value"},
    {"9-2", "n_object_line_comment", R"({"a":1//b})", "expected ',' or '}'"},
    {"9-2", "n_number_expression", "1+2", "expected ',' or '}'"},
    {"9-2", "n_number_octal", "0o17", "expected ',' or '}'"},
    {"9-2", "n_trailing_hash_comment", "1 # one", "expected ',' or '}'"},
    {"9-3", "i_depth_63", kDeepest,
     "json "
     "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
     "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"},
    {"9-3", "n_depth_64", kDeep, "nested more than 64 levels deep"},
};

// Lines and messages, which here hold an object (a record) or an array of objects.
struct Document {
  std::string_view statement;
  std::string_view line;
  std::string_view expected;  // the records, or why it is refused
};

const Document kDocuments[] = {
    {"2-1", R"({"a":1})", R"({"a":1})"},
    {"2-1", " \t{ \"a\" : 1 } \r", R"({"a":1})"},
    {"2-1", R"([{"a":1},{"b":2}])", R"({"a":1}{"b":2})"},
    {"2-1", " [ {} ] ", "{}"},
    {"2-1", "[]", ""},
    {"2-1", "", ""},
    {"2-1", " ", ""},
    {"2-1", "{}{}", "expected nothing behind the record"},
    {"2-1", "{},", "expected nothing behind the record"},
    {"2-1", "{}]", "expected nothing behind the record"},
    {"2-1", "[{}],", "expected nothing behind the record"},
    {"2-1", "{} x", "expected nothing behind the record"},
    {"2-1", "{}\0"sv, "expected nothing behind the record"},
    // Every other value is JSON, but no record.
    {"3-1", "1", "expected an object"},
    {"3-1", "\"a\"", "expected an object"},
    {"3-1", "null", "expected an object"},
    {"3-1", "true", "expected an object"},
    {"3-1", "[1]", "expected an object"},
    {"3-1", "[[]]", "expected an object"},
    {"3-1", "[{},null]", "expected an object"},
    {"4-1", "{", "expected a name in quotes"},
    {"4-1", "}", "expected an object"},
    {"4-1", "{,}", "expected a name in quotes"},
    {"4-1", R"({"a":1,})", "expected a name in quotes"},
    {"4-1", R"({"a":1)", "expected ',' or '}'"},
    {"4-1", R"({"a")", "expected ':'"},
    {"4-1", R"({"a)", "string without closing quote"},
    {"4-1", "[{}}", "expected ',' or ']'"},
    {"4-3", R"({"a":1,"b":0,"a":2})", R"({"a":2,"b":0})"},
    {"4-3", R"({"a":1,"A":2})", R"({"a":1,"A":2})"},
    {"4-4", R"({"z":1,"a":2,"m":3})", R"({"z":1,"a":2,"m":3})"},
    {"5-1", "[",
     R"(expected an object (an array over several lines needs "json": {"document": "array"}))"},
    {"5-1", "]", "expected an object"},
    {"5-1", ",", "expected an object"},
    {"5-1", "[{},]", "expected an object"},
    {"5-1", "[,{}]", "expected an object"},
    {"5-1", "[{} {}]", "expected ',' or ']'"},
    {"6-3", R"({"a":1,5})", "expected a name in quotes"},
    {"8.1-2", "\xEF\xBB\xBF{}", "expected an object"},
    {"8.3-1", R"({"a":1,"\u0061":2})", R"({"a":2})"},
    {"8.3-1", R"({"a\\b":1,"a\u005Cb":2})", R"({"a\\b":2})"},
    {"9-2", "{'a':1}", "expected a name in quotes"},
    {"9-2", R"({"a":1}//)", "expected nothing behind the record"},
};

// What comes out for values that JSON has no form for, or that need one.
struct Written {
  std::string_view statement;
  Value value;
  std::string_view expected;
};

Value number(std::string_view text) {
  return number_from_text(text);
}
Value string(std::string_view text, Form form = Form::kPlain) {
  return Value::of_text(Type::kString, text, form);
}

const Written kWritten[] = {
    {"10-1", Value::null(), "null"},
    {"10-1", Value::boolean(true), "true"},
    {"10-1", Value::of_integer(INT64_MIN), "-9223372036854775808"},
    {"10-1", Value::of_float(0.1), "0.1"},
    {"10-1", Value::of_float(1e300), "1e+300"},
    {"10-1", Value::of_float(-0.0), "-0"},
    {"10-1", Value::of_float(HUGE_VAL), R"("Infinity")"},
    {"10-1", Value::of_float(-HUGE_VAL), R"("-Infinity")"},
    {"10-1", Value::of_float(std::nan("")), R"("NaN")"},
    {"10-1", number("1e999"), "1e999"},
    {"10-1", number("0.10000000000000000000000001"), "0.10000000000000000000000001"},
    {"10-1", string("\"\\/\b\f\n\r\t\x01\x1F\x7F"),
     R"("\"\\/\u0008\u000c\n\r\t\u0001\u001f)"
     "\x7F\""},
    {"10-1", string("a\0b"sv), R"("a\u0000b")"},
    {"10-1", string("caf\xC3\xA9 \xF0\x9F\x98\x80"), "\"caf\xC3\xA9 \xF0\x9F\x98\x80\""},
    {"10-1", string("\xE2\x80\xA8"), "\"\xE2\x80\xA8\""},
    // No text is made of it elsewhere; here is the last place to see it.
    {"10-1", string("a\xFF\xC3"), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"10-1", string(R"(\u00e9\uD800)", Form::kText), R"("\u00e9\uD800")"},
    {"10-1", Value::of_text(Type::kBytes, "\xFF\x01"), "\"/wE=\""},
    {"10-1", Value::of_time(0), "\"1970-01-01T00:00:00Z\""},
    {"10-1", Value::of_text(Type::kJson, "[1,\n{}]"), "[1, {}]"},
};

class JsonRfc8259 : public CodecTest {
 protected:
  static std::vector<std::string> wrapped(std::string_view value) {
    std::string v(value);
    return {"{\"v\":" + v + ",\"w\":1}", "{\"v\":" + v + "}",         "{\"l\":[" + v + ",0]}",
            "{\"m\":{\"x\":" + v + "}}", "{\"v\":" + v + ",\"w\":1}", "[{\"v\":" + v + "}]"};
  }
  // How many of the ways to wrap the value are taken.
  size_t taken(JsonDecoder& decoder, std::string_view value) {
    size_t records = 0;
    for (const std::string& line : wrapped(value)) records += decode(decoder, line + "\n").size();
    for (const std::string& line : wrapped(value))
      records += decode(decoder, slices_of({line})).size();
    return records;
  }
  // Type and text of the value, or why it was refused.
  std::string outcome(std::string_view value) {
    JsonDecoder decoder;
    dead_.letters.clear();
    if (decode(decoder, wrapped(value)[0] + "\n").empty()) return reason();
    const Value& v = this->value(0, "v");
    std::string out = std::string(type_name(v.type)) + " ";
    append_text(out, v);
    return out;
  }
  // Without the place, which the decoder's own tests ask for.
  std::string reason() const {
    if (dead_.letters.empty()) return "";
    const std::string& text = dead_.letters.back().reason;
    return text.substr(text.find(": ") + 2);
  }
  // What a line becomes where bytes pass through: what is written, or why it is refused.
  std::string passed(const Framing& framing, const std::string& line) {
    dead_.letters.clear();
    BatchRef batch = bytes_of(line);
    EXPECT_TRUE(framing.split(*batch, dead_));
    JsonDecoder decoder;  // so that what was not written anew can be compared, too
    std::string out;
    for (const std::string& record : decode(decoder, joined(*batch))) out += record;
    return out + reason();
  }
  // The same where it is decoded.
  std::string decoded(JsonDecoder& decoder, const std::string& line) {
    dead_.letters.clear();
    std::string out;
    for (const std::string& record : decode(decoder, line)) out += record;
    return out + reason();
  }
  static constexpr size_t kAll = 12;
};

TEST_F(JsonRfc8259, has_no_gap) {
  expect_no_gap(kStatements, kValues, kDocuments, kWritten);
}

TEST_F(JsonRfc8259, is_held_for_each_value) {
  for (const Case& c : kValues) {
    SCOPED_TRACE(std::string(c.statement) + " " + std::string(c.name));
    EXPECT_EQ(outcome(c.value), c.expected);
    const size_t wanted = c.name.starts_with('n') ? 0U : kAll - (c.value == kDeepest ? 4U : 0U);
    JsonDecoder fresh;
    EXPECT_EQ(taken(fresh, c.value), wanted);
    JsonDecoder trained;
    decode(trained, "{\"v\":0,\"w\":1}\n");
    EXPECT_EQ(taken(trained, c.value), wanted) << "predicted";
  }
}

// What is made by others (SQLite's JSON functions) is asked by the same rules.
TEST_F(JsonRfc8259, is_held_for_text_that_is_no_field) {
  for (const Case& c : kValues) {
    if (c.value == kDeep) continue;  // without an object around it, it is not too deep
    SCOPED_TRACE(std::string(c.statement) + " " + std::string(c.name));
    Result<Value> value = value_of_json(c.value);
    EXPECT_EQ(value.has_value(), !c.name.starts_with('n'));
  }
}

TEST_F(JsonRfc8259, is_held_for_each_document) {
  for (const Document& document : kDocuments) {
    SCOPED_TRACE(std::string(document.statement) + " " + std::string(document.line));
    for (bool message : {false, true}) {
      dead_.letters.clear();
      JsonDecoder decoder;
      std::string line(document.line);
      std::string out;
      for (const std::string& record :
           message ? decode(decoder, slices_of({line})) : decode(decoder, line + "\n"))
        out += record;
      EXPECT_EQ(out + reason(), document.expected);
    }
  }
}

TEST_F(JsonRfc8259, is_held_for_what_passes_through_as_for_what_is_decoded) {
  JsonLineFraming trained;
  std::vector<std::string> lines;
  for (const Case& c : kValues)
    for (const std::string& line : wrapped(c.value)) lines.push_back(line + "\n");
  for (const Document& document : kDocuments) lines.push_back(std::string(document.line) + "\n");
  for (const std::string& line : lines) {
    JsonDecoder decoder;
    const std::string expected = decoded(decoder, line);
    EXPECT_EQ(passed(JsonLineFraming(), line), expected) << line;
    EXPECT_EQ(passed(trained, line), expected) << "predicted: " << line;
  }
}

TEST_F(JsonRfc8259, is_held_for_what_is_written) {
  for (const Written& written : kWritten) {
    JsonEncoder encoder('\n');
    std::string line = encode(encoder, *record_of({{"v", written.value}}));
    EXPECT_EQ(line, "{\"v\":" + std::string(written.expected) + "}\n");
    JsonDecoder decoder;
    EXPECT_EQ(decode(decoder, line).size(), 1U) << line;
  }
}

// Every prefix of a good line is bad, and must neither crash nor read beyond its end.
TEST_F(JsonRfc8259, refuses_every_truncation) {
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

TEST_F(JsonRfc8259, refuses_more_fields_than_memory_should_hold) {  // 9-3
  std::string line = "{";
  for (int i = 0; i < 16'385; ++i) line += (i == 0 ? "\"f" : ",\"f") + std::to_string(i) + "\":0";
  JsonDecoder decoder;
  EXPECT_TRUE(decode(decoder, line + "}\n").empty());
  EXPECT_EQ(reason(), "more than 16384 fields");
  EXPECT_EQ(passed(JsonLineFraming(), line + "}\n"), "more than 16384 fields");
}

}  // namespace
}  // namespace leat
