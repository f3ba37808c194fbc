#include "record/value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>

namespace leat {
namespace {

Value text_number(std::string_view text) {
  return number_from_text(text);
}

TEST(Numbers, are_classified_by_what_can_hold_them) {
  EXPECT_EQ(text_number("0").type, Type::kInteger);
  EXPECT_EQ(text_number("-9223372036854775808").type, Type::kInteger);
  EXPECT_EQ(text_number("9223372036854775808").type, Type::kDecimal);
  EXPECT_EQ(text_number("1.5").type, Type::kFloat);
  EXPECT_EQ(text_number("1e308").type, Type::kFloat);
  EXPECT_EQ(text_number("1e309").type, Type::kDecimal);
  EXPECT_EQ(text_number("1e-400").type, Type::kDecimal);
  EXPECT_EQ(text_number("0.1234567890123456789").type, Type::kDecimal);
  EXPECT_EQ(text_number("0.00000000000000000001").type, Type::kFloat);
}

TEST(Numbers, keep_their_text_and_are_converted_when_asked) {
  Value v = text_number("44.50");
  std::string out;
  append_json(out, v);
  EXPECT_EQ(out, "44.50");
  EXPECT_EQ(real_of(v), 44.5);
  EXPECT_EQ(integer_of(text_number("-42")), -42);
  EXPECT_EQ(integer_of(text_number("-9223372036854775808")), INT64_MIN);
}

TEST(Numbers, become_the_same_doubles_as_strtod_makes) {
  std::minstd_rand random(7);
  for (int i = 0; i < 200'000; ++i) {
    std::string text = std::to_string(random() % 100'000) + "." + std::to_string(random());
    if (i % 3 == 0) text += "e" + std::to_string(static_cast<int>(random() % 60) - 30);
    if (i % 2 == 0) text.insert(0, "-");
    ASSERT_EQ(real_of(text_number(text)), std::strtod(text.c_str(), nullptr)) << text;
  }
  EXPECT_EQ(real_of(text_number("1e999")), HUGE_VAL);
  EXPECT_EQ(real_of(text_number("-1e999")), -HUGE_VAL);
  EXPECT_EQ(real_of(text_number("1e-999")), 0.0);
}

TEST(Numbers, follow_the_grammar_of_rfc_8259) {
  EXPECT_EQ(json_number_length("12,"), 2U);
  EXPECT_EQ(json_number_length("-0.5e+10]"), 8U);
  for (const char* bad : {"", "-", "01", "1.", ".5", "1e", "+1", "abc", "1.e5"})
    EXPECT_EQ(json_number_length(bad), 0U) << bad;
}

TEST(Strings, with_escapes_mean_what_rfc_8259_says) {
  auto unescaped = [](std::string_view inside) {
    std::string out;
    append_unescaped(out, inside);
    return out;
  };
  EXPECT_EQ(unescaped(R"(a\"b\\c\/d\b\f\n\r\t)"), "a\"b\\c/d\b\f\n\r\t");
  EXPECT_EQ(unescaped(R"(\u00e4)"), "\xC3\xA4");
  EXPECT_EQ(unescaped(R"(\ud83d\ude00)"), "\xF0\x9F\x98\x80");
  EXPECT_EQ(unescaped(R"(\ud83d!)"), "\xEF\xBF\xBD!");
  EXPECT_EQ(unescaped(R"(\u0000)"), std::string("\0", 1));
}

TEST(Json, is_valid_for_every_type) {
  auto json = [](const Value& value) {
    std::string out;
    append_json(out, value);
    return out;
  };
  EXPECT_EQ(json(Value::null()), "null");
  EXPECT_EQ(json(Value::boolean(true)), "true");
  EXPECT_EQ(json(Value::of_integer(-5)), "-5");
  EXPECT_EQ(json(Value::of_float(0.1)), "0.1");
  EXPECT_EQ(json(Value::of_float(NAN)), R"("NaN")");
  EXPECT_EQ(json(Value::of_float(INFINITY)), R"("Infinity")");
  EXPECT_EQ(json(Value::of_float(-INFINITY)), R"("-Infinity")");
  EXPECT_EQ(json(Value::of_text(Type::kString, "a\"b")), R"("a\"b")");
  EXPECT_EQ(json(Value::of_text(Type::kString, R"(a\"b)", Form::kText)), R"("a\"b")");
  EXPECT_EQ(json(Value::of_text(Type::kJson, "[1,2]")), "[1,2]");
  EXPECT_EQ(json(Value::of_text(Type::kBytes, "foo")), R"("Zm9v")");
  EXPECT_EQ(json(Value::of_time(0)), R"("1970-01-01T00:00:00Z")");
}

}  // namespace
}  // namespace leat
