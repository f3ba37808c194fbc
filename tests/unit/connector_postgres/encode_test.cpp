// What each type of column takes, and in which bytes. The whole way to a real server and back is
// tests/integration/test_postgres*.py's.
#include "connectors/postgres/encode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace leat::postgres {
namespace {

using namespace std::literals;

Column column(Kind kind) {
  Column out;
  out.name = "c";
  out.kind = kind;
  return out;
}

Value text(std::string_view s) {
  return Value::of_text(Type::kString, s);
}

Value number(std::string_view s) {
  return number_from_text(s);
}

// The field's bytes in hexadecimal, behind the length; or the misfit.
std::string binary(const Column& to, const Value& value) {
  FieldEncoder encoder;
  Buffer out;
  static constexpr const char* kNames[] = {"none", "type", "syntax", "range", "fraction",
                                           "nul",  "utf8", "long",   "null"};
  if (Misfit misfit = encoder.append_binary(out, to, value); misfit != Misfit::kNone)
    return kNames[static_cast<size_t>(misfit)];
  BodyReader body(out.view());
  int32_t size = body.int32();
  if (size == -1) return "null value";
  EXPECT_EQ(static_cast<size_t>(size), out.size() - 4);
  std::string hex;
  for (char c : body.rest()) {
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    hex += "0123456789abcdef"[c & 15];
  }
  return hex;
}

std::string binary(Kind kind, const Value& value) {
  return binary(column(kind), value);
}

std::string as_text(const Column& to, const Value& value) {
  FieldEncoder encoder;
  std::string_view out;
  bool null = false;
  if (encoder.text_form(to, value, out, null) != Misfit::kNone) return "misfit";
  return null ? "null value" : std::string(out);
}

TEST(PostgresEncode, integers_of_any_form_that_are_whole_and_in_range) {
  EXPECT_EQ(binary(Kind::kInt2, Value::of_integer(-2)), "fffe");
  EXPECT_EQ(binary(Kind::kInt4, number("66051")), "00010203");
  EXPECT_EQ(binary(Kind::kInt8, number("-9223372036854775808")), "8000000000000000");
  EXPECT_EQ(binary(Kind::kInt4, number("44.0")), "0000002c");
  EXPECT_EQ(binary(Kind::kInt4, Value::of_float(44)), "0000002c");
  EXPECT_EQ(binary(Kind::kInt4, text(" +44 ")), "0000002c");
  EXPECT_EQ(binary(Kind::kInt4, Value::boolean(true)), "00000001");
  EXPECT_EQ(binary(Kind::kInt2, number("32768")), "range");
  EXPECT_EQ(binary(Kind::kInt4, number("-2147483649")), "range");
  EXPECT_EQ(binary(Kind::kInt8, number("9223372036854775808")), "range");
  EXPECT_EQ(binary(Kind::kInt8, Value::of_float(9223372036854775808.0)), "range");
  EXPECT_EQ(binary(Kind::kInt8, Value::of_float(std::nan(""))), "range");
  EXPECT_EQ(binary(Kind::kInt8, number("1.5")), "fraction");
  EXPECT_EQ(binary(Kind::kInt8, text("12a")), "syntax");
  EXPECT_EQ(binary(Kind::kInt8, text("")), "syntax");
  EXPECT_EQ(binary(Kind::kInt8, Value::of_time(0)), "type");
  EXPECT_EQ(binary(Kind::kInt8, Value::null()), "null value");
  EXPECT_EQ(binary(Kind::kInt8, Value::absent()), "null value");
}

TEST(PostgresEncode, floats_with_their_ends_and_without_overflow) {
  EXPECT_EQ(binary(Kind::kFloat8, number("1.5")), "3ff8000000000000");
  EXPECT_EQ(binary(Kind::kFloat4, number("1.5")), "3fc00000");
  EXPECT_EQ(binary(Kind::kFloat8, text("-Infinity")), "fff0000000000000");
  EXPECT_EQ(binary(Kind::kFloat8, Value::of_float(HUGE_VAL)), "7ff0000000000000");
  EXPECT_EQ(binary(Kind::kFloat8, text("1e400")), "range");
  EXPECT_EQ(binary(Kind::kFloat8, number("1e400")), "range");
  EXPECT_EQ(binary(Kind::kFloat4, number("3.5e38")), "range");
  EXPECT_EQ(binary(Kind::kFloat8, text("1,5")), "syntax");
}

TEST(PostgresEncode, text_is_utf8_without_nul_and_not_too_long) {
  EXPECT_EQ(binary(Kind::kText, text("aé")), "61c3a9");
  EXPECT_EQ(binary(Kind::kText, text("")), "");
  EXPECT_EQ(binary(Kind::kText, Value::of_text(Type::kString, "a\\n\\u00e9", Form::kText)),
            "610ac3a9");
  EXPECT_EQ(binary(Kind::kText, number("44.50")), "34342e3530");
  EXPECT_EQ(binary(Kind::kText, text("a\0b"sv)), "nul");
  EXPECT_EQ(binary(Kind::kText, Value::of_text(Type::kString, "a\\u0000", Form::kText)), "nul");
  EXPECT_EQ(binary(Kind::kText, text("\xFF")), "utf8");
  Column three = column(Kind::kText);
  three.most_characters = 3;
  EXPECT_EQ(binary(three, text("äöü")), "c3a4c3b6c3bc");
  EXPECT_EQ(binary(three, text("äöüß")), "long");
  EXPECT_EQ(binary(three, text("ab     ")), "61622020202020");  // the server cuts blanks
}

TEST(PostgresEncode, text_is_checked_at_every_place) {
  for (size_t size = 1; size < 40; ++size) {
    for (size_t at = 0; at < size; ++at) {
      std::string s(size, 'x');
      EXPECT_EQ(check_text(s), Misfit::kNone);
      s[at] = '\0';
      EXPECT_EQ(check_text(s), Misfit::kNul) << at << " of " << size;
      s[at] = '\x80';
      EXPECT_EQ(check_text(s), Misfit::kUtf8) << at << " of " << size;
      if (at + 1 < size) {
        s.replace(at, 2, "é");
        EXPECT_EQ(check_text(s), Misfit::kNone) << at << " of " << size;
        if (at + 2 < size) {
          s[size - 1] = '\0';
          EXPECT_EQ(check_text(s), Misfit::kNul) << at << " of " << size;
        }
      }
    }
  }
}

TEST(PostgresEncode, times_count_from_2000) {
  constexpr int64_t k2000 = 946'684'800'000'000;
  EXPECT_EQ(binary(Kind::kTimestampTz, Value::of_time(k2000 + 1)), "0000000000000001");
  EXPECT_EQ(binary(Kind::kTimestamp, text("2000-01-01 00:00:00.000002")), "0000000000000002");
  EXPECT_EQ(binary(Kind::kTimestampTz, text("2000-01-01T01:00:00+01:00")), "0000000000000000");
  EXPECT_EQ(binary(Kind::kTimestampTz, text("infinity")), "7fffffffffffffff");
  EXPECT_EQ(binary(Kind::kDate, Value::of_time(k2000 - 1)), "ffffffff");
  EXPECT_EQ(binary(Kind::kDate, text("2000-01-02")), "00000001");
  EXPECT_EQ(binary(Kind::kDate, text("-infinity")), "80000000");
  EXPECT_EQ(binary(Kind::kTime, Value::of_time(k2000 - 1)), "000000141dd75fff");
  EXPECT_EQ(binary(Kind::kTime, text("00:01")), "0000000003938700");
  EXPECT_EQ(binary(Kind::kTime, text("24:00")), "syntax");
  EXPECT_EQ(binary(Kind::kTime, text("infinity")), "syntax");
  EXPECT_EQ(binary(Kind::kTimestampTz, text("yesterday")), "syntax");
  EXPECT_EQ(binary(Kind::kTimestampTz, text(std::string(200, '1'))), "syntax");
  EXPECT_EQ(binary(Kind::kTimestampTz, Value::of_integer(1760000000)), "type");
}

TEST(PostgresEncode, bytes_uuids_and_truth) {
  EXPECT_EQ(binary(Kind::kBytea, Value::of_text(Type::kBytes, "\0\xFF"sv)), "00ff");
  EXPECT_EQ(binary(Kind::kBytea, text("\\x0aFF")), "0aff");
  EXPECT_EQ(binary(Kind::kBytea, text("\\x0")), "syntax");
  EXPECT_EQ(binary(Kind::kBytea, number("1")), "type");
  EXPECT_EQ(binary(Kind::kUuid, text("{00112233-4455-6677-8899-AABBCCDDEEFF}")),
            "00112233445566778899aabbccddeeff");
  EXPECT_EQ(binary(Kind::kUuid, text("00112233445566778899aabbccddee")), "syntax");
  EXPECT_EQ(binary(Kind::kUuid, text(std::string(1000, '0'))), "syntax");
  EXPECT_EQ(binary(Kind::kBool, text("Yes")), "01");
  EXPECT_EQ(binary(Kind::kBool, text("maybe")), "syntax");
  EXPECT_EQ(binary(Kind::kBool, Value::of_integer(2)), "range");
  EXPECT_EQ(binary(Kind::kBool, Value::of_float(1)), "type");
}

TEST(PostgresEncode, json_of_strings_is_what_they_say_or_a_string) {
  EXPECT_EQ(as_text(column(Kind::kJsonb), text(" {\"a\": 1} ")), "{\"a\": 1}");
  EXPECT_EQ(as_text(column(Kind::kJsonb), text("{a}")), "\"{a}\"");
  EXPECT_EQ(as_text(column(Kind::kJson), text("say \"hi\"")), "\"say \\\"hi\\\"\"");
  EXPECT_EQ(as_text(column(Kind::kJson), text("1")), "\"1\"");
  EXPECT_EQ(as_text(column(Kind::kJson), Value::of_float(std::nan(""))), "null");
  EXPECT_EQ(as_text(column(Kind::kJson), text("\xFF")), "misfit");
  EXPECT_EQ(binary(Kind::kJsonb, number("1")), "0131");
}

TEST(PostgresEncode, json_is_told_from_what_looks_like_it) {
  for (const char* good : {"{}", "[]", "[1,2]", "{\"a\":[{},[[]],\"\\u00e9\\n\"],\"b\":-1e5}",
                           " [ true , null ] ", "{\"a\":{\"b\":{}}}"})
    EXPECT_TRUE(is_json(good)) << good;
  for (const char* bad : {"", "[", "{", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "[1 2]", "[1]]",
                          "{\"a\":1,}", "[\"\\x\"]", "[\"\\u12\"]", "[\"open]", "[01]", "{]", "[}"})
    EXPECT_FALSE(is_json(bad)) << bad;
  EXPECT_TRUE(is_json(std::string(400, '[') + std::string(400, ']')));
  EXPECT_FALSE(is_json(std::string(100'000, '[')));
}

TEST(PostgresEncode, arrays_become_array_literals) {
  auto literal = [](std::string_view json) {
    return as_text(column(Kind::kArray), Value::of_text(Type::kJson, json));
  };
  EXPECT_EQ(literal("[1, null ,true]"), "{1,NULL,true}");
  EXPECT_EQ(literal("[]"), "{}");
  EXPECT_EQ(literal("[[1,2],[3]]"), "{{1,2},{3}}");
  EXPECT_EQ(literal(R"(["a\"b\\", "\u00e9", {"k":"v"}])"), R"({"a\"b\\","é","{\"k\":\"v\"}"})");
  EXPECT_EQ(literal("{\"a\":1}"), "misfit");
  EXPECT_EQ(literal("[1,"), "misfit");
  EXPECT_EQ(literal("[1]x"), "misfit");
  EXPECT_EQ(literal("[\"\\u0000\"]"), "misfit");
  EXPECT_EQ(literal(std::string(100'000, '[')), "misfit");
}

TEST(PostgresEncode, text_and_binary_mean_the_same) {
  EXPECT_EQ(as_text(column(Kind::kInt4), number("44.0")), "44");
  EXPECT_EQ(as_text(column(Kind::kInt8), Value::of_integer(INT64_MIN)), "-9223372036854775808");
  EXPECT_EQ(as_text(column(Kind::kInt2), Value::of_integer(-1)), "-1");
  EXPECT_EQ(as_text(column(Kind::kFloat4), number("0.1")), "0.1");
  EXPECT_EQ(as_text(column(Kind::kNumeric), number("44.50")), "44.50");
  EXPECT_EQ(as_text(column(Kind::kBool), Value::of_integer(1)), "true");
  EXPECT_EQ(as_text(column(Kind::kBytea), text("a")), "\\x61");
  EXPECT_EQ(as_text(column(Kind::kDate), text("2026-01-02T03:04:05Z")), "2026-01-02");
  EXPECT_EQ(as_text(column(Kind::kTimestamp), text("2026-01-02T03:04:05+01:00")),
            "2026-01-02T02:04:05");
  EXPECT_EQ(as_text(column(Kind::kTimestampTz), text("2026-01-02")), "2026-01-02T00:00:00Z");
  EXPECT_EQ(as_text(column(Kind::kTime), text("03:04:05.5")), "03:04:05.500");
  EXPECT_EQ(as_text(column(Kind::kTimestamp), text("-infinity")), "-infinity");
  EXPECT_EQ(as_text(column(Kind::kOther), text("10.0.0.1/8")), "10.0.0.1/8");
  EXPECT_EQ(as_text(column(Kind::kOther), text("\0"sv)), "misfit");
}

}  // namespace
}  // namespace leat::postgres
