#include "transform/fixture.h"
#include "transform/sql_value.h"

namespace leat {
namespace {

class Map : public TransformTest {
 protected:
  using Pairs = Options::Map;
  void set(const Pairs& pairs) { use("map", {{"set", pairs}}); }
  std::string set_refusal(const Pairs& pairs) { return refusal("map", {{"set", pairs}}); }
};

TEST_F(Map, sets_new_fields_behind_the_others_and_replaces_in_place) {
  set({{"twice", "temp * 2"}, {"id", "id + 1"}});
  EXPECT_EQ(run(batch_of({{number("id", "1"), number("temp", "44.50")}})),
            Lines{R"({"id":2,"temp":44.50,"twice":89})"});
}

TEST_F(Map, set_sees_the_original_fields_only) {
  set({{"a", "b"}, {"b", "a"}, {"sum", "a + 10 * b"}});
  EXPECT_EQ(run(batch_of({{number("a", "1"), number("b", "2")}})),
            Lines{R"({"a":2,"b":1,"sum":21})"});
}

TEST_F(Map, copies_a_plain_field_exactly_with_its_type) {
  set({{"n2", "n"}, {"ok2", "OK"}, {"tags2", "(tags)"}, {"none", "missing"}});
  Lines out = run(batch_of({{number("n", "12345678901234567890.10"), boolean("ok", true),
                             typed("tags", Type::kJson, "[1, 2]")}}));
  EXPECT_EQ(out, Lines{R"({"n":12345678901234567890.10,"ok":true,"tags":[1, 2],)"
                       R"("n2":12345678901234567890.10,"ok2":true,"tags2":[1, 2]})"});
}

TEST_F(Map, sets_constants_of_every_type) {
  set({{"i", "1 + 1"},
       {"f", "2.5"},
       {"s", "'it''s'"},
       {"t", "TRUE"},
       {"n", "NULL"},
       {"b", "x'00ff'"}});
  EXPECT_EQ(run(numbers("x", {"1", "2"})),
            (Lines{R"({"x":1,"i":2,"f":2.5,"s":"it's","t":true,"n":null,"b":"AP8="})",
                   R"({"x":2,"i":2,"f":2.5,"s":"it's","t":true,"n":null,"b":"AP8="})"}));
}

TEST_F(Map, gives_null_for_expressions_over_absent_fields) {
  set({{"y", "x + 1"}});
  EXPECT_EQ(run(batch_of({{plain("x", Type::kAbsent), number("id", "1")}})),
            Lines{R"({"id":1,"y":null})"});
}

TEST_F(Map, keeps_what_json_functions_make_as_json) {
  set({{"tags", "json_set(tags, '$.b', 2)"},
       {"list", "json_array(n, tags)"},
       {"hot", "json(iif(n > 40, 'true', 'false'))"},
       {"a", "tags -> '$.a'"},
       {"q", "json_quote(json_extract(tags, '$.a'))"}});
  EXPECT_EQ(run(batch_of({{number("n", "41"), typed("tags", Type::kJson, R"({"a":"x\ny"})")}})),
            Lines{R"({"n":41,"tags":{"a":"x\ny","b":2},"list":[41,{"a":"x\ny"}],"hot":true,)"
                  R"("a":"x\ny","q":"x\ny"})"});
}

// SQLite checks neither what its JSON functions make nor what it calls a text.
TEST_F(Map, a_record_of_which_an_expression_makes_no_value_fails) {
  set({{"doc", "json_array(v)"}});
  EXPECT_EQ(run(numbers("v", {"1.5", "-1e999"})), Lines{R"({"v":1.5,"doc":[1.5]})"});
  ASSERT_EQ(dead_.reasons.size(), 1U);
  EXPECT_TRUE(dead_.reasons[0].starts_with("a JSON function made invalid JSON at character "))
      << dead_.reasons[0];
  set({{"doc", "json_object('v', v)"}});
  EXPECT_EQ(run(numbers("v", {"1e999"})), Lines{});
  // Whatever SQLite writes for an infinite number: Inf (3.40), or this (3.46).
  set({{"doc", "json(v)"}});
  EXPECT_EQ(run(batch_of({{text("v", R"({"v":9.0e+999})")}})), Lines{});
  EXPECT_EQ(dead_.reasons.back(),
            "a JSON function made invalid JSON at character 6: a number beyond those of a double"
            R"(: {"v":9.0e+999})")
      << "it is escaped where it is kept";
  EXPECT_EQ(run(batch_of({{text("v", R"({"v":1e308,"w":-1e-999})")}})),
            Lines{R"({"v":"{\"v\":1e308,\"w\":-1e-999}","doc":{"v":1e308,"w":-1e-999}})"});
  set({{"text", "CAST(v AS TEXT)"}});
  EXPECT_EQ(run(batch_of({{typed("v", Type::kBytes, "\xFF")}})), Lines{});
  EXPECT_EQ(dead_.reasons.back(), "a text that is not UTF-8");
  set({{"doc", "json_object('v', CAST(v AS TEXT))"}});
  EXPECT_EQ(run(batch_of({{typed("v", Type::kBytes, "\xFF")}})), Lines{});
  EXPECT_NE(dead_.reasons.back().find("invalid UTF-8 in a string"), std::string::npos);
  set({{"doc", "json(v)"}});
  std::string deep = std::string(70, '[') + std::string(70, ']');
  EXPECT_EQ(run(batch_of({{text("v", deep)}})), Lines{});
  EXPECT_NE(dead_.reasons.back().find("nested more than 64 levels deep"), std::string::npos);
}

TEST_F(Map, a_constant_that_is_no_value_is_refused_at_the_start) {
  Pairs bad = {{"name", "CAST(x'FF' AS TEXT)"}};
  EXPECT_EQ(refusal("map", {{"set", bad}}), "t.set.name: a text that is not UTF-8");
}

TEST_F(Map, renames_without_touching_values) {
  use("map", {{"rename", Pairs{{"temp", "temperature"}}}});
  BatchRef batch = batch_of({{number("temp", "44.50"), number("id", "1")}});
  const Value* values = batch->records[0].values;
  EXPECT_EQ(run(batch), Lines{R"({"temperature":44.50,"id":1})"});
  EXPECT_EQ(last_->records[0].values, values);
}

TEST_F(Map, renames_all_at_once_so_that_names_can_be_swapped) {
  use("map", {{"rename", Pairs{{"a", "b"}, {"b", "a"}}}});
  EXPECT_EQ(run(batch_of({{number("a", "1"), number("b", "2")}})), Lines{R"({"b":1,"a":2})"});
}

TEST_F(Map, a_renamed_field_replaces_the_one_that_had_its_name) {
  use("map", {{"rename", Pairs{{"tmp", "temp"}}}});
  EXPECT_EQ(
      run(batch_of({{number("temp", "1"), number("x", "2"), number("tmp", "3")},
                    {number("tmp", "4"), number("temp", "5")},
                    {number("temp", "6")},
                    // The field is in the shape but not in this record: nothing is renamed.
                    {number("temp", "7"), number("x", "8"), plain("tmp", Type::kAbsent)}})),
      (Lines{R"({"x":2,"temp":3})", R"({"temp":4})", R"({"temp":6})", R"({"x":8,"temp":7})"}));
}

TEST_F(Map, values_that_others_see_too_are_not_moved) {
  BatchRef batch = batch_of({{number("a", "1"), number("b", "2")}});
  batch->borrow(std::make_shared<int>(), 0);
  const Record other = batch->records[0];
  use("map", {{"drop", std::vector<std::string>{"a"}}});
  EXPECT_EQ(run(batch), (Lines{R"({"b":2})"}));
  std::string json;
  append_json(json, other);
  EXPECT_EQ(json, R"({"a":1,"b":2})");
}

TEST_F(Map, drops_after_renaming_after_setting) {
  use("map", {{"set", Pairs{{"c", "'new'"}}},
              {"rename", Pairs{{"a", "x"}, {"c", "d"}}},
              {"drop", std::vector<std::string>{"x", "a", "nothing"}}});
  EXPECT_EQ(run(batch_of({{number("a", "1"), number("b", "2.0")}})),
            Lines{R"({"b":2.0,"d":"new"})"});
}

TEST_F(Map, may_leave_a_record_without_fields) {
  use("map", {{"drop", std::vector<std::string>{"n"}}});
  EXPECT_EQ(run(numbers("n", {"1"})), Lines{"{}"});
}

TEST_F(Map, keeps_positions_and_event_times) {
  set({{"x", "n + 1"}});
  run(numbers("n", {"1", "2"}));
  EXPECT_EQ(last_->records[1].end_offset, 200U);
  EXPECT_EQ(last_->records[1].time_us, 1001);
}

TEST_F(Map, sets_and_reads_the_event_time) {
  set({{"_time", "ts * 1000"}, {"was", "_time + 0"}, {"at", "_time"}});
  Lines out = run(numbers("ts", {"1700000000000"}));
  EXPECT_EQ(last_->records[0].time_us, 1700000000000000);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_NE(out[0].find(R"("was":1000,)"), std::string::npos) << out[0];
}

TEST_F(Map, gives_a_plain_event_time_as_a_time) {
  set({{"at", "_time"}});
  EXPECT_EQ(run(numbers("n", {"1"})), Lines{R"({"n":1,"at":"1970-01-01T00:00:00.001Z"})"});
}

TEST_F(Map, fails_records_whose_event_time_is_no_number_and_keeps_it_for_null) {
  set({{"_time", "ts"}});
  Lines out =
      run(batch_of({{text("ts", "soon")}, {plain("ts", Type::kNull)}, {number("ts", "5")}}));
  EXPECT_EQ(out, (Lines{R"({"ts":null})", R"({"ts":5})"}));
  EXPECT_EQ(dead_.reasons, Lines{std::string(kNoEventTime)});
  EXPECT_EQ(last_->records[0].time_us, 1001);
  EXPECT_EQ(last_->records[1].time_us, 5);
}

TEST_F(Map, follows_shapes_that_alternate_within_a_batch) {
  set({{"n", "n + 1"}, {"c", "'x'"}});
  std::vector<TestRecord> records;
  for (int i = 0; i < 200; ++i) {
    if (i % 2 == 0) {
      records.push_back({number("n", "1")});
    } else {
      records.push_back({number("id", "7"), number("n", "2")});
    }
  }
  Lines out = run(batch_of(records));
  ASSERT_EQ(out.size(), 200U);
  for (size_t i = 0; i < out.size(); ++i)
    EXPECT_EQ(out[i], i % 2 == 0 ? R"({"n":2,"c":"x"})" : R"({"id":7,"n":3,"c":"x"})");
  EXPECT_LE(last_->shapes().size(), 4U);
}

TEST_F(Map, works_over_many_batches_with_ever_new_shapes) {
  set({{"y", "x * 2"}});
  for (int i = 0; i < 300; ++i) {
    std::string name = "f" + std::to_string(i);
    EXPECT_EQ(run(batch_of({{number(name, "1"), number("x", "2")}})),
              Lines{"{\"" + name + "\":1,\"x\":2,\"y\":4}"});
  }
}

TEST_F(Map, makes_failing_records_dead_letters_as_they_were) {
  set({{"m", "abs(n)"}, {"n", "0"}});
  Lines out = run(numbers("n", {"-1", "-9223372036854775808", "-2"}));
  EXPECT_EQ(out, (Lines{R"({"n":0,"m":1})", R"({"n":0,"m":2})"}));
  EXPECT_EQ(dead_.records, Lines{R"({"n":-9223372036854775808})"});
  EXPECT_EQ(dead_.reasons, Lines{"integer overflow"});
}

TEST_F(Map, drops_or_fails_when_told_to) {
  use("map", {{"set", Pairs{{"m", "abs(n)"}}}, {"onError", std::string("drop")}});
  EXPECT_EQ(run(numbers("n", {"-9223372036854775808", "-2"})), Lines{R"({"n":-2,"m":2})"});
  EXPECT_EQ(transform_->dropped(), 1U);
  use("map", {{"set", Pairs{{"m", "abs(n)"}}}, {"onError", std::string("fail")}});
  run(numbers("n", {"-9223372036854775808", "-2"}));
  EXPECT_EQ(failure_, "map: integer overflow (record 51)");
}

TEST_F(Map, leaves_an_empty_batch_alone) {
  set({{"x", "1"}});
  EXPECT_EQ(run(batch_of({})), Lines{});
}

TEST_F(Map, refuses_rules_that_contradict_each_other) {
  EXPECT_EQ(set_refusal({{"x", "1"}, {"x", "2"}}), "t.set.x: set twice");
  EXPECT_EQ(refusal("map", {{"rename", Pairs{{"a", "b"}, {"a", "c"}}}}),
            "t.rename.a: renamed twice");
  EXPECT_EQ(refusal("map", {{"rename", Pairs{{"a", "c"}, {"b", "c"}}}}),
            "t.rename.b: \"a\" is renamed to the same name; set with coalesce() can join two "
            "fields");
  EXPECT_EQ(refusal("map", {}), "t: give one of set, rename and drop");
  EXPECT_NE(refusal("map", {{"rename", Pairs{{"ts", "_time"}}}}), "");
}

TEST_F(Map, refuses_wrong_expressions_and_says_where) {
  EXPECT_EQ(set_refusal({{"ok", "1"}, {"x", "foo(a)"}}),
            "t.set.x: no such function: foo (at character 1)");
  EXPECT_EQ(set_refusal({{"x", "max(a)"}}),
            "t.set.x: misuse of aggregate function max() (at character 1)");
  EXPECT_NE(set_refusal({{"x", "row_number() OVER ()"}}), "");
  EXPECT_NE(set_refusal({{"x", "1 AS y"}}), "");
  EXPECT_NE(set_refusal({{"x", "a, b"}}), "");
  EXPECT_EQ(set_refusal({{"_time", "'now'"}}), "t.set._time: not an integer of microseconds");
}

TEST_F(Map, stops_when_it_has_made_much_and_goes_on_with_the_next_turn) {
  using Turns = std::vector<size_t>;
  Pairs grow = {{"big", "printf('%01000d', n)"}};
  use("map", {{"set", grow}});
  EXPECT_EQ(run_in_turns(numbers("n", {"1", "2", "3", "4", "5"}), 2000), (Turns{2, 2, 1}));
  // One text that all records share is as much when it is written.
  Pairs same = {{"big", "'" + std::string(1000, 'x') + "'"}};
  use("map", {{"set", same}});
  EXPECT_EQ(run_in_turns(numbers("n", {"1", "2", "3"}), 2000), (Turns{2, 1}));
  // Ordinary work is not cut.
  Pairs little = {{"m", "n * 2"}};
  use("map", {{"set", little}, {"drop", std::vector<std::string>{"n"}}});
  EXPECT_EQ(run_in_turns(numbers("n", {"1", "2", "3"}), 2000), Turns{3});
}

TEST_F(Map, stops_when_no_more_dead_letters_may_wait) {
  Pairs bad = {{"m", "json_extract(n, '$')"}};
  use("map", {{"set", bad}});
  dead_.most = 1;
  EXPECT_EQ(run_in_turns(numbers("n", {"1", "2"}), 2000).size(), 1U);
  BatchRef texts = batch_of({{text("n", "{")}, {text("n", "1")}, {text("n", "{")}});
  EXPECT_EQ(run_in_turns(texts, 2000), (std::vector<size_t>{0, 1}));
  EXPECT_EQ(dead_.records.size(), 2U);
}

TEST_F(Map, a_text_that_is_compared_with_a_number_is_said_with_its_place) {
  set({{"state", "CASE WHEN temp > 25 THEN 'hot' END"}, {"level", "level > 1"}});
  ::testing::internal::CaptureStderr();
  run(batch_of({{text("temp", "n/a"), number("level", "3")}}));
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("t.set.state: \"temp\" is compared with a number"), std::string::npos)
      << said;
  EXPECT_EQ(said.find("level"), std::string::npos) << said;
}

// SQLite takes text to end at a NUL in LIKE, length() and many more, and strings of JSON in its
// JSON functions.
TEST_F(Map, text_with_a_nul_that_sql_would_read_is_a_dead_letter) {
  const std::string nul("x\0y", 3);
  use("map", {{"set", Options::Map{{"n", "length(a)"}}}});
  const std::vector<TestField> bad = {
      text("a", nul),
      typed("a", Type::kString, R"(x\u0000y)", Form::kText),
      typed("a", Type::kJson, R"({"k":"x\u0000y"})"),
      typed("a", Type::kJson, R"(["\\\u0000"])"),
      text("a", R"( {"k":"x\u0000y"})"),
  };
  for (const TestField& field : bad) EXPECT_EQ(run(batch_of({{field}})), Lines{}) << field.text;
  ASSERT_EQ(dead_.reasons.size(), bad.size());
  EXPECT_EQ(dead_.reasons[0], "field a: a NUL character, at which text ends in SQL");
  EXPECT_EQ(dead_.reasons[1], dead_.reasons[0]);
  EXPECT_EQ(dead_.reasons[2],
            R"(field a: JSON with a NUL character (\u0000), at which text ends in SQL)");
  EXPECT_EQ(run(batch_of({{text("a", R"(a path \u0000)")}})),
            Lines{R"({"a":"a path \\u0000","n":13})"})
      << "no JSON";
  EXPECT_EQ(run(batch_of({{typed("a", Type::kJson, R"(["\\u0000"])")}})),
            Lines{R"({"a":["\\u0000"],"n":11})"})
      << "a backslash, and no NUL";
}

TEST_F(Map, text_with_a_nul_that_no_expression_reads_stays_as_it_is) {
  use("map", {{"set", Options::Map{{"b", "n + 1"}, {"c", "a"}}}});
  EXPECT_EQ(run(batch_of({{text("a", std::string("x\0y", 3)), number("n", "1")}})),
            Lines{R"({"a":"x\u0000y","n":1,"b":2,"c":"x\u0000y"})"});
}

}  // namespace
}  // namespace leat
