#include "task/field_types.h"

#include <gtest/gtest.h>

#include <limits>

namespace leat {
namespace {

class FieldTypesTest : public ::testing::Test {
 protected:
  // The value made of `value`, as "type text", or what is wrong with it.
  std::string made(Type type, Value value) {
    FieldTypes types({{"v", type}});
    ShapeRef shape = std::make_shared<const Shape>(std::vector<std::string_view>{"other", "v"});
    Value values[] = {Value::of_integer(1), value};
    Record record{shape.get(), values};
    types.begin();
    if (!types.apply(record, arena_)) {
      EXPECT_EQ(values[1].type, value.type) << "a dead letter shows it as it was";
      return "! " + types.problem();
    }
    EXPECT_EQ(values[0].type, Type::kInteger) << "which is not declared";
    std::string text = std::string(type_name(values[1].type)) + " ";
    append_text(text, values[1]);
    return text;
  }
  static Value text(std::string_view text) { return Value::of_text(Type::kString, text); }
  static Value number(std::string_view text) { return number_from_text(text); }

  Budget budget_{1U << 20};
  BlockPool pool_{budget_};
  Arena arena_{pool_};
};

TEST_F(FieldTypesTest, numbers_become_what_they_are_declared_as) {
  EXPECT_EQ(made(Type::kFloat, number("21")), "float 21");
  EXPECT_EQ(made(Type::kFloat, number("21.50")), "float 21.50") << "as it was written";
  EXPECT_EQ(made(Type::kFloat, Value::of_integer(21)), "float 21");
  EXPECT_EQ(made(Type::kInteger, number("21.0")), "integer 21");
  EXPECT_EQ(made(Type::kInteger, number("1e3")), "integer 1000");
  EXPECT_EQ(made(Type::kInteger, number("9007199254740993.0")), "integer 9007199254740993")
      << "not by way of a double";
  EXPECT_EQ(made(Type::kInteger, number("-9223372036854775808.0")), "integer -9223372036854775808");
  EXPECT_EQ(made(Type::kInteger, Value::of_float(-3)), "integer -3");
  EXPECT_EQ(made(Type::kDecimal, number("44.50")), "decimal 44.50");
  EXPECT_EQ(made(Type::kDecimal, Value::of_integer(7)), "decimal 7");
  EXPECT_EQ(made(Type::kBool, number("1")), "bool true");
}

TEST_F(FieldTypesTest, texts_that_say_a_value_become_it) {
  EXPECT_EQ(made(Type::kFloat, text("21.5")), "float 21.5");
  EXPECT_EQ(made(Type::kFloat, text("NaN")), "float nan");
  EXPECT_EQ(made(Type::kFloat, text("-Infinity")), "float -inf");
  EXPECT_EQ(made(Type::kDecimal, text("NaN")), "! v: 'NaN' is no decimal");
  EXPECT_EQ(made(Type::kInteger, text("-7")), "integer -7");
  EXPECT_EQ(made(Type::kBool, text("false")), "bool false");
  EXPECT_EQ(made(Type::kTime, text("2026-01-02T03:04:05Z")), "time 2026-01-02T03:04:05Z");
}

TEST_F(FieldTypesTest, what_is_declared_as_text_becomes_it) {
  EXPECT_EQ(made(Type::kString, number("10.50")), "string 10.50");
  EXPECT_EQ(made(Type::kString, Value::boolean(true)), "string true");
  EXPECT_EQ(made(Type::kString, text("01234")), "string 01234");
}

TEST_F(FieldTypesTest, null_and_absent_are_of_any_type) {
  EXPECT_EQ(made(Type::kFloat, Value::null()), "null ");
  EXPECT_EQ(made(Type::kTime, Value::absent()), "absent ");
}

TEST_F(FieldTypesTest, what_would_lose_something_is_a_mismatch) {
  EXPECT_EQ(made(Type::kFloat, text("hot")), "! v: 'hot' is no float");
  for (const char* none : {"", " 21", "21 C", "0x15", "nan", "-NaN", "1,5", "1e999"})
    EXPECT_EQ(made(Type::kFloat, text(none)), std::string("! v: '") + none + "' is no float");
  EXPECT_EQ(made(Type::kInteger, number("21.5")), "! v: '21.5' is no integer");
  EXPECT_EQ(made(Type::kInteger, number("1.0000000000000000000001"))[0], '!');
  EXPECT_EQ(made(Type::kInteger, number("18446744073709551615"))[0], '!');
  EXPECT_EQ(made(Type::kInteger, Value::of_float(std::numeric_limits<double>::quiet_NaN()))[0],
            '!');
  EXPECT_EQ(made(Type::kBool, number("2")), "! v: '2' is no bool");
  EXPECT_EQ(made(Type::kFloat, Value::boolean(true)), "! v: 'true' is no float");
  EXPECT_EQ(made(Type::kTime, number("1700000000")), "! v: '1700000000' is no time");
  EXPECT_EQ(made(Type::kString, Value::of_text(Type::kBytes, "\xFF")), "! v: '/w==' is no string");
  EXPECT_EQ(made(Type::kInteger, Value::of_text(Type::kJson, "[1]")), "! v: '[1]' is no integer");
}

TEST_F(FieldTypesTest, each_shape_has_its_own_places) {
  FieldTypes types({{"v", Type::kFloat}});
  ShapeRef first = std::make_shared<const Shape>(std::vector<std::string_view>{"v", "w"});
  ShapeRef second = std::make_shared<const Shape>(std::vector<std::string_view>{"w", "v"});
  ShapeRef none = std::make_shared<const Shape>(std::vector<std::string_view>{"w"});
  Value values[] = {text("1"), text("2")};
  types.begin();
  EXPECT_TRUE(types.apply({first.get(), values}, arena_));
  EXPECT_EQ(values[0].type, Type::kFloat);
  EXPECT_EQ(values[1].type, Type::kString);
  EXPECT_TRUE(types.apply({none.get(), &values[1]}, arena_));
  EXPECT_EQ(values[1].type, Type::kString);
  EXPECT_TRUE(types.apply({second.get(), values}, arena_));
  EXPECT_EQ(values[1].type, Type::kFloat);
}

}  // namespace
}  // namespace leat
