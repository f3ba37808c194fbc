// What each type of column takes, and the text that is made of it. What a real server makes of that
// is tests/integration/test_postgres_types.py's.
#include "connectors/postgres/field_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "connectors/postgres/implausible.h"
#include "record/json_walker.h"

namespace leat::postgres {
namespace {

using namespace std::literals;

Column column(Kind kind) {
  Column out;
  out.name = "c";
  out.kind = kind;
  return out;
}

Column array_of(Kind element, char delimiter = ',') {
  Column out = column(Kind::kArray);
  out.element = element;
  out.delimiter = delimiter;
  return out;
}

Value text(std::string_view s) {
  return Value::of_text(Type::kString, s);
}

Value number(std::string_view s) {
  return number_from_text(s);
}

Value json(std::string_view s) {
  return Value::of_text(Type::kJson, s);
}

// The text, or the error in angle brackets.
std::string sent(const Column& to, const Value& value) {
  FieldText field;
  std::string_view out;
  static constexpr const char* kNames[] = {"none", "type", "syntax", "range",   "fraction", "nul",
                                           "utf8", "long", "zeros",  "rounded", "null"};
  ConversionError error = field.of(to, value, out);
  return error == ConversionError::kNone
             ? std::string(out)
             : "<" + std::string(kNames[static_cast<size_t>(error)]) + ">";
}

std::string sent(Kind kind, const Value& value) {
  return sent(column(kind), value);
}

TEST(PostgresFieldText, whole_numbers_keep_every_digit) {
  EXPECT_EQ(sent(Kind::kInt2, Value::of_integer(-2)), "-2");
  EXPECT_EQ(sent(Kind::kInt4, number("66051")), "66051");
  EXPECT_EQ(sent(Kind::kInt8, number("-9223372036854775808")), "-9223372036854775808");
  EXPECT_EQ(sent(Kind::kInt8, number("9007199254740993.0")), "9007199254740993");
  EXPECT_EQ(sent(Kind::kInt8, number("900719925474099.30e1")), "9007199254740993");
  EXPECT_EQ(sent(Kind::kInt8, number("-9223372036854775808.00")), "-9223372036854775808");
  EXPECT_EQ(sent(Kind::kInt4, number("44.0")), "44");
  EXPECT_EQ(sent(Kind::kInt4, number("1e3")), "1000");
  EXPECT_EQ(sent(Kind::kInt4, number("-0.0")), "0");
  EXPECT_EQ(sent(Kind::kInt4, number("0e999999999999999999999")), "0");
  EXPECT_EQ(sent(Kind::kInt4, Value::of_float(44)), "44");
  EXPECT_EQ(sent(Kind::kInt8, Value::of_float(1e18)), "1000000000000000000");
}

TEST(PostgresFieldText, what_is_not_whole_or_too_large_for_an_integer_is_no_integer) {
  for (const char* fraction :
       {"1.5", "1.0000000000000000000001", "1e-400", "15e-1", "0.1", "1e-99999999999999999999999"})
    EXPECT_EQ(sent(Kind::kInt8, number(fraction)), "<fraction>") << fraction;
  EXPECT_EQ(sent(Kind::kInt2, number("32768")), "<range>");
  EXPECT_EQ(sent(Kind::kInt2, number("-32768")), "-32768");
  EXPECT_EQ(sent(Kind::kInt4, number("-2147483649")), "<range>");
  EXPECT_EQ(sent(Kind::kInt8, number("9223372036854775808")), "<range>");
  EXPECT_EQ(sent(Kind::kInt8, number("1e400")), "<range>");
  EXPECT_EQ(sent(Kind::kInt8, Value::of_float(9223372036854775808.0)), "<range>");
  EXPECT_EQ(sent(Kind::kInt8, Value::of_float(std::nan(""))), "<range>");
  EXPECT_EQ(sent(Kind::kInt8, Value::of_float(HUGE_VAL)), "<range>");
  EXPECT_EQ(sent(Kind::kInt8, Value::of_time(0)), "<type>");
}

TEST(PostgresFieldText, strings_are_left_to_the_server) {
  EXPECT_EQ(sent(Kind::kInt4, text(" +007 ")), " +007 ");
  EXPECT_EQ(sent(Kind::kFloat, text("3.4028235e38")), "3.4028235e38");
  EXPECT_EQ(sent(Kind::kFloat, text(".5")), ".5");
  EXPECT_EQ(sent(Kind::kNumeric, text("+Infinity")), "+Infinity");
  EXPECT_EQ(sent(Kind::kTimestamp, text("2026-01-02 03:04")), "2026-01-02 03:04");
  EXPECT_EQ(sent(Kind::kTime, text("24:00:00")), "24:00:00");
  EXPECT_EQ(sent(Kind::kDate, text("0044-03-15 BC")), "0044-03-15 BC");
  EXPECT_EQ(sent(Kind::kBool, text("Yes")), "Yes");
  EXPECT_EQ(sent(Kind::kBytea, text("\\x0aFF")), "\\x0aFF");
  EXPECT_EQ(sent(Kind::kOther, text("10.0.0.1/8")), "10.0.0.1/8");
}

TEST(PostgresFieldText, what_no_server_reads_is_found_before_it_is_sent) {
  for (Kind kind : {Kind::kInt2, Kind::kInt4, Kind::kInt8, Kind::kFloat, Kind::kNumeric,
                    Kind::kBool, Kind::kDate, Kind::kTime, Kind::kTimestamp, Kind::kUuid})
    for (const char* bad : {"", "  ", "-", "null", "N/A", "?"}) {
      if (kind == Kind::kBool && (bad[0] | 0x20) == 'n') continue;  // as "no" begins
      EXPECT_EQ(sent(kind, text(bad)), "<syntax>") << int(kind) << " " << bad;
    }
  EXPECT_EQ(sent(Kind::kNumeric, text("1,5")), "<syntax>");
  EXPECT_EQ(sent(Kind::kInt4, text("44.0")), "<syntax>");
  EXPECT_EQ(sent(Kind::kUuid, text("00112233-4455-6677-8899-AABBCCDDEEF")), "<syntax>");
}

// Each was read by a PostgreSQL: 15, and for the last of the integers 16.
TEST(PostgresFieldText, what_a_server_reads_is_never_implausible) {
  auto plausible = [](Kind kind, std::initializer_list<const char*> texts) {
    for (const char* one : texts) EXPECT_FALSE(is_implausible(kind, one)) << one;
  };
  plausible(Kind::kInt4, {"7", "+7", "-007", "\t7\n", "\v7\f", "0x1F", "0b10", "0o17", "1_000"});
  plausible(Kind::kFloat,
            {"1", ".5", "-.5e-3", "nan", "NaN", "Inf", "-Infinity", "+inf", "0x1p-3"});
  plausible(Kind::kNumeric, {"1.", ".1", "NaN", "-inf", " 1e5 ", "0x1F"});
  plausible(Kind::kBool, {"t", "TRUE", " yes ", "of", "on", "1", "0", "No"});
  plausible(Kind::kTimestamp, {"now", "TODAY", "epoch", "infinity", "-Infinity", "today allballs",
                               "Jan 2 2026", "20260102T030405", "2026-01-02 03:04:05.6789999 +1"});
  plausible(Kind::kTime, {"allballs", "24:00", "030405", "3:04 PM"});
  plausible(Kind::kUuid,
            {"{00112233-4455-6677-8899-AABBCCDDEEFF}", "0011-2233-4455-6677-8899-aabb-ccdd-eeff"});
}

TEST(PostgresFieldText, numbers_of_the_other_types_go_as_they_are) {
  EXPECT_EQ(sent(Kind::kFloat, number("1e-400")), "1e-400");
  EXPECT_EQ(sent(Kind::kFloat, Value::of_float(0.1)), "0.1");
  EXPECT_EQ(sent(Kind::kFloat, Value::of_float(-HUGE_VAL)), "-inf");
  EXPECT_EQ(sent(Kind::kNumeric, number("44.50")), "44.50");
  EXPECT_EQ(sent(Kind::kText, number("44.50")), "44.50");
  EXPECT_EQ(sent(Kind::kText, Value::boolean(true)), "true");
  EXPECT_EQ(sent(Kind::kBool, Value::of_integer(1)), "1");
  EXPECT_EQ(sent(Kind::kBool, Value::of_integer(2)), "<range>");
  EXPECT_EQ(sent(Kind::kBool, Value::of_float(1)), "<type>");
  EXPECT_EQ(sent(Kind::kTimestamp, Value::of_integer(1760000000)), "<type>");
  EXPECT_EQ(sent(Kind::kBytea, number("1")), "<type>");
  EXPECT_EQ(sent(Kind::kUuid, number("1")), "<type>");
}

// It was stored as 1, where the server refuses the same text.
TEST(PostgresFieldText, a_bool_is_no_number_and_no_time) {
  for (Kind kind : {Kind::kInt2, Kind::kInt4, Kind::kInt8, Kind::kFloat, Kind::kNumeric,
                    Kind::kDate, Kind::kTime, Kind::kTimestamp, Kind::kUuid, Kind::kBytea})
    EXPECT_EQ(sent(kind, Value::boolean(true)), "<type>") << int(kind);
  EXPECT_EQ(sent(array_of(Kind::kInt4), json("[1,true]")), "<type>");
  EXPECT_EQ(sent(Kind::kBool, Value::boolean(false)), "false");
  EXPECT_EQ(reason_of(ConversionError::kType, Value::boolean(true), "ok", column(Kind::kInt8)),
            "field ok: a value of type bool does not go into  (column c)");
}

TEST(PostgresFieldText, a_guessed_type_costs_no_digit) {
  Column guess = column(Kind::kFloat);
  EXPECT_EQ(sent(guess, Value::of_integer(9007199254740993)), "9007199254740993");
  guess.guessed = true;
  EXPECT_EQ(sent(guess, Value::of_integer(9007199254740993)), "<rounded>");
  EXPECT_EQ(sent(guess, number("18446744073709551615")), "<rounded>");
  EXPECT_EQ(sent(guess, number("0.10000000000000000555")), "0.10000000000000000555");
  EXPECT_EQ(sent(guess, text("-01")), "<zeros>");
  EXPECT_EQ(sent(guess, text("0.5")), "0.5");
  EXPECT_EQ(sent(guess, text("00:1A")), "00:1A") << "no number, and the server will say so";
}

TEST(PostgresFieldText, text_is_utf8_without_nul_and_not_too_long) {
  EXPECT_EQ(sent(Kind::kText, text("aé")), "aé");
  EXPECT_EQ(sent(Kind::kText, text("")), "");
  EXPECT_EQ(sent(Kind::kText, Value::of_text(Type::kString, "a\\n\\u00e9", Form::kText)), "a\né");
  EXPECT_EQ(sent(Kind::kText, text("a\0b"sv)), "<nul>");
  EXPECT_EQ(sent(Kind::kText, Value::of_text(Type::kString, "a\\u0000", Form::kText)), "<nul>");
  EXPECT_EQ(sent(Kind::kText, text("\xFF")), "<utf8>");
  EXPECT_EQ(sent(Kind::kOther, text("\0"sv)), "<nul>");
  Column three = column(Kind::kText);
  three.most_characters = 3;
  EXPECT_EQ(sent(three, text("äöü")), "äöü");
  EXPECT_EQ(sent(three, text("äöüß")), "<long>");
  EXPECT_EQ(sent(three, text("ab     ")), "ab     ");  // the server cuts blanks
}

TEST(PostgresFieldText, text_is_checked_at_every_place) {
  for (size_t size = 1; size < 40; ++size) {
    for (size_t at = 0; at < size; ++at) {
      std::string s(size, 'x');
      EXPECT_EQ(check_text(s), ConversionError::kNone);
      s[at] = '\0';
      EXPECT_EQ(check_text(s), ConversionError::kNul) << at << " of " << size;
      s[at] = '\x80';
      EXPECT_EQ(check_text(s), ConversionError::kUtf8) << at << " of " << size;
      if (at + 1 < size) {
        s.replace(at, 2, "é");
        EXPECT_EQ(check_text(s), ConversionError::kNone) << at << " of " << size;
        if (at + 2 < size) {
          s[size - 1] = '\0';
          EXPECT_EQ(check_text(s), ConversionError::kNul) << at << " of " << size;
        }
      }
    }
  }
}

TEST(PostgresFieldText, times_of_all_years_that_both_can_hold) {
  constexpr int64_t k2000 = 946'684'800'000'000;
  constexpr int64_t kDay = 86'400'000'000;
  auto at = Value::of_time;
  EXPECT_EQ(sent(Kind::kTimestamp, at(k2000 + 1)), "2000-01-01T00:00:00.000001Z");
  EXPECT_EQ(sent(Kind::kDate, at(-1)), "1969-12-31");
  EXPECT_EQ(sent(Kind::kTime, at(k2000 - 1)), "23:59:59.999999");
  EXPECT_EQ(sent(Kind::kTime, at(-1000)), "23:59:59.999");
  EXPECT_EQ(sent(Kind::kTimestamp, at(-62'135'596'800'000'000)), "0001-01-01T00:00:00Z");
  EXPECT_EQ(sent(Kind::kTimestamp, at(-62'135'596'800'000'001)), "0001-12-31T23:59:59.999999Z BC");
  EXPECT_EQ(sent(Kind::kDate, at(-62'135'596'800'000'000 - 366 * kDay)), "0001-01-01 BC");
  EXPECT_EQ(sent(Kind::kDate, at(253'402'300'800'000'000)), "10000-01-01");
  EXPECT_EQ(sent(Kind::kTimestamp, at(253'402'300'800'000'000)), "10000-01-01T00:00:00Z");
  EXPECT_EQ(sent(Kind::kTime, at(253'402'300'800'000'000)), "00:00:00");
  EXPECT_EQ(sent(Kind::kJson, at(k2000)), "\"2000-01-01T00:00:00Z\"");
  EXPECT_EQ(sent(Kind::kText, at(k2000)), "2000-01-01T00:00:00Z");
  EXPECT_EQ(sent(Kind::kInt8, at(k2000)), "<type>");
  EXPECT_EQ(sent(Kind::kUuid, at(k2000)), "<type>");
}

TEST(PostgresFieldText, bytes_are_hexadecimal_for_bytea_and_base64_elsewhere) {
  Value bytes = Value::of_text(Type::kBytes, "\0\xFF"sv);
  EXPECT_EQ(sent(Kind::kBytea, bytes), "\\x00ff");
  EXPECT_EQ(sent(Kind::kText, bytes), "AP8=");
  EXPECT_EQ(sent(Kind::kJson, bytes), "\"AP8=\"");
  EXPECT_EQ(sent(Kind::kInt4, bytes), "<type>");
}

TEST(PostgresFieldText, json_of_strings_is_what_they_say_or_a_string) {
  EXPECT_EQ(sent(Kind::kJson, text(" {\"a\": 1} ")), " {\"a\": 1} ");
  EXPECT_EQ(sent(Kind::kJson, text("{a}")), "\"{a}\"");
  EXPECT_EQ(sent(Kind::kJson, text("say \"hi\"")), "\"say \\\"hi\\\"\"");
  EXPECT_EQ(sent(Kind::kJson, text("1")), "\"1\"");
  EXPECT_EQ(sent(Kind::kJson, Value::of_float(std::nan(""))), "\"NaN\"");
  EXPECT_EQ(sent(Kind::kJson, Value::of_float(0.5)), "0.5");
  EXPECT_EQ(sent(Kind::kJson, text("\xFF")), "<utf8>");
  EXPECT_EQ(sent(Kind::kJson, text("\0"sv)), "<nul>");
  EXPECT_EQ(sent(Kind::kJson, number("1.50")), "1.50");
  EXPECT_EQ(sent(Kind::kJson, json("[1]")), "[1]");
  EXPECT_EQ(sent(Kind::kInt4, json("[1]")), "<type>");
}

TEST(PostgresFieldText, json_is_told_from_what_looks_like_it) {
  for (const char* good : {"{}", "[]", "[1,2]", "{\"a\":[{},[[]],\"\\u00e9\\n\"],\"b\":-1e5}",
                           " [ true , null ] ", "{\"a\":{\"b\":{}}}"})
    EXPECT_TRUE(is_json(good)) << good;
  for (const char* bad : {"", "[", "{", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "[1 2]", "[1]]",
                          "{\"a\":1,}", "[\"\\x\"]", "[\"\\u12\"]", "[\"open]", "[01]", "{]", "[}"})
    EXPECT_FALSE(is_json(bad)) << bad;
  EXPECT_TRUE(is_json(std::string(400, '[') + std::string(400, ']')));
  EXPECT_FALSE(is_json(std::string(100'000, '[')));
}

TEST(PostgresFieldText, json_arrays_become_arrays) {
  auto literal = [](std::string_view s) { return sent(array_of(Kind::kText), json(s)); };
  EXPECT_EQ(literal("[1, null ,true]"), R"({"1",NULL,"true"})");
  EXPECT_EQ(literal("[]"), "{}");
  EXPECT_EQ(literal(" [[1,2],[ ]] "), R"({{"1","2"},{}})");
  EXPECT_EQ(literal(R"(["a\"b\\", "\u00e9", {"k":"v"}])"), R"({"a\"b\\","é","{\"k\":\"v\"}"})");
  for (const char* bad :
       {"{\"a\":1}", "[1,", "[1]x", "[1,]", "[,1]", "[", "", "[1 2]", "[[1]", "1"})
    EXPECT_EQ(literal(bad), "<syntax>") << bad;
  EXPECT_EQ(literal("[\"\\u0000\"]"), "<nul>");
  EXPECT_EQ(literal(std::string(100'000, '[')), "<syntax>");
}

TEST(PostgresFieldText, elements_are_what_a_column_of_their_type_would_get) {
  EXPECT_EQ(sent(array_of(Kind::kJson), json(R"(["12","true",12,{"a":"b"}])")),
            R"({"\"12\"","\"true\"","12","{\"a\":\"b\"}"})");
  EXPECT_EQ(sent(array_of(Kind::kInt8), json("[9007199254740993.0,7]")),
            R"({"9007199254740993","7"})");
  EXPECT_EQ(sent(array_of(Kind::kInt4), json("[1.5]")), "<fraction>");
  EXPECT_EQ(sent(array_of(Kind::kInt4), json("[\"N/A\"]")), "<syntax>");
  EXPECT_EQ(sent(array_of(Kind::kOther, ';'), json(R"x(["(1,1),(0,0)","(2,2),(1,1)"])x")),
            R"x({"(1,1),(0,0)";"(2,2),(1,1)"})x");
  EXPECT_EQ(sent(array_of(Kind::kInt4), text("{1,2}")), "{1,2}");
  EXPECT_EQ(sent(array_of(Kind::kInt4), number("1")), "<type>");
}

}  // namespace
}  // namespace leat::postgres
