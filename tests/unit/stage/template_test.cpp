#include "record/template.h"

#include <gtest/gtest.h>

#include "support/sink_harness.h"

namespace leat {
namespace {

using leat::testing::Row;
using leat::testing::SinkHarness;
using leat::testing::text;

std::string filled(const char* pattern, const Row& row) {
  SinkHarness harness;
  Delivery delivery = harness.records({row});
  Result<Template> made = Template::parse(pattern);
  EXPECT_TRUE(made) << pattern;
  std::string out;
  Status status = made->append(out, delivery.parts[0].batch->records[0]);
  return status ? out : "error: " + status.error().message();
}

TEST(Template, fields_are_filled_in) {
  EXPECT_EQ(filled("plant/{site}/{n}", {{"site", text("north")}, {"n", Value::of_integer(7)}}),
            "plant/north/7");
  EXPECT_EQ(filled("{{{n}}}", {{"n", Value::of_integer(7)}}), "{7}");
  EXPECT_EQ(filled("{data}", {{"data", Value::of_text(Type::kBytes, "\xFF\x01")}}), "\xFF\x01");
  EXPECT_EQ(filled("{a}", {{"a", Value::boolean(true)}}), "true");
}

TEST(Template, a_missing_field_is_named) {
  EXPECT_EQ(filled("{a}", {{"b", text("x")}}), "error: the record has no field \"a\"");
  EXPECT_EQ(filled("{a\\b\"}", {{"b", text("x")}}), "error: the record has no field \"a\\b\"\"")
      << "who writes it as JSON escapes it";
  EXPECT_EQ(filled("{a}", {{"a", Value::null()}}), "error: the field \"a\" is null");
}

TEST(Template, nonsense_is_refused) {
  for (const char* bad : {"{", "}", "{}", "a{b", "{a{b}"})
    EXPECT_FALSE(Template::parse(bad)) << bad;
  EXPECT_FALSE(Template::parse("{a:}", /*formats=*/true));
}

TEST(Template, what_stands_behind_a_colon_is_a_format_where_there_are_formats) {
  Result<Template> made = Template::parse("dt={day:%Y:%m}/{a}", /*formats=*/true);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->pieces().size(), 4U);
  EXPECT_EQ(made->pieces()[1].text, "day");
  EXPECT_EQ(made->pieces()[1].format, "%Y:%m");
  EXPECT_EQ(made->pieces()[3].format, "");
  EXPECT_EQ(filled("{a:b}", {{"a:b", text("x")}}), "x") << "elsewhere it is part of the name";
}

TEST(Template, a_field_is_found_wherever_it_stands) {
  SinkHarness harness;
  Delivery delivery = harness.records({{{"a", text("1")}, {"b", text("2")}},
                                       {{"b", text("4")}, {"a", text("3")}},
                                       {{"c", text("5")}}});
  Result<Template> made = Template::parse("{a}");
  std::string out;
  for (int i : {0, 1})
    EXPECT_TRUE(made->append(out, delivery.parts[0].batch->records[static_cast<size_t>(i)]));
  EXPECT_EQ(out, "13");
  EXPECT_FALSE(made->append(out, delivery.parts[0].batch->records[2]));
}

}  // namespace
}  // namespace leat
