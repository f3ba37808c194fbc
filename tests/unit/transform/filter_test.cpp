#include <algorithm>

#include "transform/fixture.h"
#include "transform/number_comparisons.h"

namespace leat {
namespace {

class Filter : public TransformTest {
 protected:
  void where(const std::string& expression) { use("filter", {{"where", expression}}); }
  void where(const std::string& expression, const std::string& on_error) {
    use("filter", {{"where", expression}, {"onError", on_error}});
  }
  static TestRecord tags(const std::string& json, const std::string& id) {
    return {typed("tags", Type::kJson, json), number("id", id)};
  }
};

TEST_F(Filter, keeps_records_for_which_the_expression_is_true) {
  where("temp > 40 AND state <> 'idle'");
  Lines out = run(batch_of({{number("temp", "44.50"), text("state", "run")},
                            {number("temp", "44.50"), text("state", "idle")},
                            {number("temp", "39.9"), text("state", "run")},
                            {number("temp", "1e2"), text("state", "run")}}));
  EXPECT_EQ(out, (Lines{R"({"temp":44.50,"state":"run"})", R"({"temp":1e2,"state":"run"})"}));
  EXPECT_EQ(transform_->dropped(), 0U);
}

TEST_F(Filter, says_once_for_each_field_that_a_text_is_compared_with_a_number) {
  where("temp > 40 OR 3 <= level OR state <> 'idle'");
  ::testing::internal::CaptureStderr();
  run(batch_of({{number("temp", "41"), number("level", "3"), text("state", "run")}}));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i)
    run(batch_of({{text("temp", "hot"), number("level", "3"), text("state", "run")},
                  {number("temp", "41"), text("level", "3"), text("state", "run")},
                  {number("temp", "1"), text("level", "3"), text("state", "run")}}));
  const std::string said = ::testing::internal::GetCapturedStderr();
  for (const char* field : {"\"temp\" is compared", "\"level\" is compared"}) {
    size_t at = said.find(field);
    ASSERT_NE(at, std::string::npos) << said;
    EXPECT_EQ(said.find(field, at + 1), std::string::npos) << said;
  }
  EXPECT_EQ(said.find("state"), std::string::npos) << said;
}

// "name" where it is compared with a number, else "name~other".
std::vector<std::string> compared(std::string_view sql) {
  std::vector<std::string> out;
  for (const Comparison& one : comparisons_in(sql))
    out.push_back(one.name + (one.with.empty() ? "" : "~" + one.with));
  return out;
}

TEST_F(Filter, knows_which_fields_are_compared_with_numbers) {
  EXPECT_EQ(compared("temp > 40 AND state <> 'idle'"), Lines{"temp"});
  EXPECT_EQ(compared("-1.5e3 <= \"Öl druck\" or [b] = -2 and not `c` BETWEEN 1 AND d"),
            (Lines{"Öl druck", "b", "c", "c~d"}));
  EXPECT_EQ(compared("(a<1)or(2>b)"), (Lines{"a", "b"}));
  EXPECT_EQ(compared("a > 1 AND a < 2"), Lines{"a"});
  for (const char* none :
       {"temp * 2 > 40", "40 < temp + 1", "abs(temp) > 40", "40 > abs(temp)", "a > b + 1",
        "a = '40'", "'a > 40'", "cast(temp as real) > 40", "", "'", "\"",
        "typeof(temp) <> 'text' AND temp > 40", "1 -- temp > 40", "1 /* and temp > 40"})
    EXPECT_EQ(compared(none), Lines{}) << none;
}

TEST_F(Filter, knows_which_fields_are_compared_with_each_other_and_in_lists) {
  EXPECT_EQ(compared("temp > lim AND x = 1"), (Lines{"temp~lim", "x"}));
  EXPECT_EQ(compared("temp BETWEEN lo AND hi"), (Lines{"temp~lo", "temp~hi"}));
  EXPECT_EQ(compared("temp BETWEEN 1 AND hi OR a"), (Lines{"temp", "temp~hi"}));
  EXPECT_EQ(compared("temp IN (1, -2, lim) AND b NOT IN (3)"), (Lines{"temp", "temp~lim", "b"}));
  EXPECT_EQ(compared("temp IS 1 OR b IS NOT 2"), (Lines{"temp", "b"}));
  EXPECT_EQ(compared("max(temp, 40) > 1 OR min(a, b)"), (Lines{"temp", "a~b"}));
  EXPECT_EQ(compared("CASE temp WHEN 1 THEN 'a' END = 'a'"), Lines{"temp"});
  EXPECT_EQ(compared("SELECT max(temp) FROM input"), Lines{"temp~temp"});
  EXPECT_EQ(compared("NULLIF(temp, 0)"), Lines{"temp"});
  for (const char* none :
       {"temp IN ('a', 'b')", "temp IN (SELECT 1)", "temp IS NOT NULL", "max(abs(temp), 40)",
        "max(temp * 2, 40)", "temp IS NULL AND 1", "temp LIKE 'a'", "max(temp + 1)"})
    EXPECT_EQ(compared(none), Lines{}) << none;
}

TEST_F(Filter, says_that_a_text_is_compared_with_a_field_that_is_a_number) {
  auto said = [this](const char* sql, const TestRecord& fields) {
    where(sql);
    ::testing::internal::CaptureStderr();
    (void)run(batch_of({fields}));
    return ::testing::internal::GetCapturedStderr();
  };
  const std::string what = "\"temp\" is compared with a number, and is a text in some records";
  for (const char* sql : {"temp > lim", "lim < temp", "max(temp, lim) > 0", "temp IN (1, 2)",
                          "temp BETWEEN lim AND 50", "temp = lim"})
    EXPECT_NE(said(sql, {text("temp", "45"), number("lim", "40")}).find(what), std::string::npos)
        << sql;
  for (const char* sql : {"temp > lim", "max(temp, lim) > 0"}) {
    EXPECT_EQ(said(sql, {number("temp", "45"), number("lim", "40")}), "") << sql;
    EXPECT_EQ(said(sql, {text("temp", "45"), text("lim", "40")}), "") << sql;
  }
}

TEST_F(Filter, knows_it_of_queries_too_and_not_of_names_that_these_give_to_something_else) {
  EXPECT_EQ(compared("SELECT *, CASE WHEN temp > 40 THEN 'hot' WHEN 20 > \"temp\" THEN "
                     "'cold' END AS state FROM input WHERE level>=1 GROUP BY device"),
            (Lines{"temp", "level"}));
  EXPECT_EQ(compared("SELECT temp > 40 AS hot, a < 1 FROM input"), (Lines{"temp", "a"}));
  for (const char* none :
       {"SELECT device, avg(temp) AS temp FROM input GROUP BY device HAVING temp > 40",
        "SELECT device, avg(temp) Temp FROM input GROUP BY device HAVING temp > 40",
        "SELECT * FROM (SELECT v + 0 temp FROM input) WHERE temp > 40",
        "SELECT * FROM (SELECT 'x' temp FROM input) WHERE temp > 40",
        "WITH t(temp) AS (SELECT v + 0 FROM input) SELECT temp FROM t WHERE temp > 40",
        "SELECT CASE WHEN typeof(temp) = 'text' THEN NULL WHEN temp > 40 THEN 1 END AS a FROM "
        "input"})
    EXPECT_EQ(compared(none), Lines{}) << none;
}

TEST_F(Filter, keeps_positions_and_event_times_of_the_records_it_keeps) {
  where("n = 2");
  run(numbers("n", {"1", "2", "3"}));
  ASSERT_EQ(last_->records.size(), 1U);
  EXPECT_EQ(last_->records[0].end_offset, 200U);
  EXPECT_EQ(last_->records[0].end_line, 2U);
  EXPECT_EQ(last_->records[0].time_us, 1001);
  EXPECT_EQ(last_->end.offset, 5300U);
}

TEST_F(Filter, keeps_numbers_exact_that_no_type_can_hold) {
  where("n > 0");
  Lines out = run(numbers("n", {"12345678901234567890.10", "44.500", "9007199254740993"}));
  EXPECT_EQ(out, (Lines{R"({"n":12345678901234567890.10})", R"({"n":44.500})",
                        R"({"n":9007199254740993})"}));
}

TEST_F(Filter, compares_integers_exactly_beyond_what_a_double_holds) {
  where("n = 9007199254740993");
  EXPECT_EQ(run(numbers("n", {"9007199254740992", "9007199254740993"})).size(), 1U);
}

TEST_F(Filter, sees_absent_and_null_fields_as_null) {
  where("a IS NULL");
  Lines out = run(batch_of({{plain("a", Type::kNull), number("id", "1")},
                            {plain("a", Type::kAbsent), number("id", "2")},
                            {number("id", "3")},
                            {number("a", "0"), number("id", "4")}}));
  EXPECT_EQ(out, (Lines{R"({"a":null,"id":1})", R"({"id":2})", R"({"id":3})"}));
}

TEST_F(Filter, removes_records_for_which_the_expression_is_null) {
  where("missing > 3");
  EXPECT_EQ(run(numbers("n", {"1", "2"})), Lines{});
}

TEST_F(Filter, reads_booleans_times_bytes_and_escaped_strings) {
  where("ok AND at = 1700000000000000 AND hex(raw) = '00FF' AND note = 'a\"b'");
  TestRecord good = {boolean("ok", true), plain("at", Type::kTime, 1700000000000000),
                     typed("raw", Type::kBytes, std::string("\0\xff", 2)),
                     typed("note", Type::kString, R"(a\"b)", Form::kText)};
  TestRecord bad = good;
  bad[0] = boolean("ok", false);
  EXPECT_EQ(run(batch_of({good, bad})).size(), 1U);
}

TEST_F(Filter, tells_empty_text_and_empty_bytes_from_null) {
  where("t IS NOT NULL AND b IS NOT NULL AND t = ''");
  EXPECT_EQ(run(batch_of({{text("t", ""), typed("b", Type::kBytes, "")}})).size(), 1U);
}

TEST_F(Filter, follows_fields_when_the_shape_changes_within_a_batch) {
  where("temp > 40");
  Lines out = run(batch_of({{number("temp", "41"), number("id", "1")},
                            {number("id", "2"), number("temp", "42")},
                            {number("id", "3")},
                            {number("temp", "43"), number("id", "4")}}));
  EXPECT_EQ(out,
            (Lines{R"({"temp":41,"id":1})", R"({"id":2,"temp":42})", R"({"temp":43,"id":4})"}));
}

TEST_F(Filter, works_over_many_batches_with_ever_new_shapes) {
  where("keep = 1");
  for (int i = 0; i < 300; ++i) {
    std::string name = "f" + std::to_string(i);
    Lines out = run(batch_of(
        {{number(name, "1"), number("keep", "1")}, {number("keep", "0"), number(name, "2")}}));
    EXPECT_EQ(out, Lines{"{\"" + name + "\":1,\"keep\":1}"});
  }
}

TEST_F(Filter, takes_names_that_need_quotes) {
  where(R"("my field" = 1 AND "a.b" = 2 AND "say ""hi""" = 3 AND [x-y] = 4 AND "select" = 5)");
  TestRecord record = {number("my field", "1"), number("a.b", "2"), number("say \"hi\"", "3"),
                       number("x-y", "4"), number("select", "5")};
  EXPECT_EQ(run(batch_of({record})).size(), 1U);
}

TEST_F(Filter, takes_fields_with_the_table_name_before_them) {
  where(R"(input.temp > 1 AND input."a.b" = 2)");
  EXPECT_EQ(run(batch_of({{number("temp", "2"), number("a.b", "2")}})).size(), 1U);
}

TEST_F(Filter, takes_the_field_of_exactly_the_name_before_one_in_other_case) {
  where("temp = 1");
  EXPECT_EQ(run(batch_of({{number("Temp", "2"), number("temp", "1")}})).size(), 1U);
  EXPECT_EQ(run(batch_of({{number("Temp", "1")}})).size(), 1U);
}

TEST_F(Filter, takes_fields_that_sqlite_uses_for_row_numbers) {
  where("oid = '1.3.6.1' AND rowid = 9");
  EXPECT_EQ(
      run(batch_of({{text("oid", "1.3.6.1"), number("rowid", "9")}, {text("other", "x")}})).size(),
      1U);
}

TEST_F(Filter, gives_the_event_time_as_underscore_time) {
  where("_time >= 1001");
  EXPECT_EQ(run(numbers("n", {"0", "1", "2"})), (Lines{R"({"n":1})", R"({"n":2})"}));
}

TEST_F(Filter, reads_json_fields_with_json_functions) {
  where(
      "json_extract(tags, '$.a') = 1 AND tags ->> '$.b' = 'x'"
      " AND EXISTS (SELECT 1 FROM json_each(tags, '$.list') WHERE value = 7)");
  Lines out = run(batch_of(
      {tags(R"({"a":1,"b":"x","list":[5,7]})", "1"), tags(R"({"a":1,"b":"x","list":[5]})", "2")}));
  EXPECT_EQ(out, (Lines{R"({"tags":{"a":1,"b":"x","list":[5,7]},"id":1})"}));
}

TEST_F(Filter, leaves_an_empty_batch_alone) {
  where("n > 1");
  EXPECT_EQ(run(batch_of({})), Lines{});
}

TEST_F(Filter, allows_comments_and_line_breaks) {
  where("n > 1 -- only these\n AND n < 3 -- end");
  EXPECT_EQ(run(numbers("n", {"1", "2", "3"})), Lines{R"({"n":2})"});
}

TEST_F(Filter, makes_failing_records_dead_letters_and_goes_on_behind_them) {
  where("json_extract(tags, '$.a') = 1");
  Lines out = run(batch_of({tags("{", "1"), tags(R"({"a":1})", "2"), tags("[1", "3"),
                            tags("}", "4"), tags(R"({"a":1})", "5"), tags(R"({"a":2})", "6")}));
  EXPECT_EQ(out, (Lines{R"({"tags":{"a":1},"id":2})", R"({"tags":{"a":1},"id":5})"}));
  EXPECT_EQ(dead_.records,
            (Lines{R"({"tags":{,"id":1})", R"({"tags":[1,"id":3})", R"({"tags":},"id":4})"}));
  EXPECT_EQ(dead_.reasons, Lines(3, "malformed JSON"));
  EXPECT_EQ(transform_->dropped(), 0U);
}

TEST_F(Filter, drops_and_counts_failing_records_when_told_to) {
  where("abs(n) > 0", "drop");
  Lines out = run(numbers("n", {"1", "-9223372036854775808", "2"}));
  EXPECT_EQ(out, (Lines{R"({"n":1})", R"({"n":2})"}));
  EXPECT_EQ(transform_->dropped(), 1U);
  EXPECT_TRUE(dead_.records.empty());
}

TEST_F(Filter, fails_the_pipeline_when_told_to) {
  where("abs(n) > 0", "fail");
  run(numbers("n", {"1", "-9223372036854775808", "2"}));
  EXPECT_EQ(failure_, "filter: integer overflow (record 52)");
}

TEST_F(Filter, works_on_after_a_batch_in_which_every_record_failed) {
  where("abs(n) > 0");
  EXPECT_EQ(run(numbers("n", Lines(500, "-9223372036854775808"))), Lines{});
  EXPECT_EQ(dead_.records.size(), 500U);
  EXPECT_EQ(run(numbers("n", {"3"})), Lines{R"({"n":3})"});
}

TEST_F(Filter, refuses_wrong_expressions_and_says_where) {
  auto refused = [this](const std::string& text) { return refusal("filter", {{"where", text}}); };
  EXPECT_EQ(refused("temp >> > 4"), "t.where: near \">\": syntax error (at character 9)");
  EXPECT_EQ(refused("a = 1\n AND é = foo(2)"),
            "t.where: no such function: foo (at line 2, character 10)");
  EXPECT_EQ(refused("avg(temp) > 4"),
            "t.where: misuse of aggregate function avg() (at character 1)");
  EXPECT_EQ(refused(""), "t.where: incomplete input");
  EXPECT_EQ(refused("a) OR (b"), "t.where: near \")\": syntax error (at character 2)");
  EXPECT_EQ(refused("a = ?"), "t.where: there are no parameters (?, :name, @name)");
  EXPECT_EQ(refused("other.a = 1"), "t.where: no such column: other.a (at character 1)");
}

TEST_F(Filter, refuses_what_is_more_than_an_expression) {
  for (const char* text : {"a LIMIT 1", "a GROUP BY b", "a; SELECT 1", "a;", "1 UNION SELECT 2",
                           "a, b", "a ORDER BY b"})
    EXPECT_NE(refusal("filter", {{"where", text}}), "") << text;
}

TEST_F(Filter, refuses_to_look_at_other_records) {
  EXPECT_EQ(refusal("filter", {{"where", "temp > (SELECT avg(temp) FROM input)"}}),
            "t.where: no such table: input");
}

TEST(Transforms, are_found_by_their_names) {
  for (const TransformType* type : transform_types()) {
    EXPECT_EQ(find_transform(type->name), type);
    EXPECT_TRUE(type->help.ends_with('.'));
    for (const Option& option : type->options) EXPECT_TRUE(option.help.ends_with('.'));
  }
  EXPECT_GE(transform_types().size(), 4U);
  EXPECT_EQ(find_transform("window") != nullptr,  // both or neither, by LEAT_STREAMS
            std::ranges::any_of(transform_types(), [](auto* type) { return type->remembers; }));
  EXPECT_EQ(find_transform("fliter"), nullptr);
}

TEST_F(Filter, stops_when_no_more_dead_letters_may_wait) {
  use("filter", {{"where", std::string("json_extract(n, '$') > 0")}});
  dead_.most = 1;
  BatchRef texts =
      batch_of({{text("n", "{")}, {text("n", "1")}, {text("n", "{")}, {text("n", "0")}});
  EXPECT_EQ(run_in_turns(texts, 2000), (std::vector<size_t>{0, 1, 0}));
  EXPECT_EQ(dead_.records.size(), 2U);
}

}  // namespace
}  // namespace leat
