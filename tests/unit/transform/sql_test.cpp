#include <algorithm>
#include <numeric>

#include "transform/fixture.h"
#include "transform/sql_value.h"

namespace leat {
namespace {

class Sql : public TransformTest {
 protected:
  void query(const std::string& text) { use("sql", {{"query", text}}); }
  std::string query_refusal(const std::string& text) { return refusal("sql", {{"query", text}}); }
  BatchRef readings() {
    return batch_of({{text("device", "a"), number("temp", "10"), number("ts", "1")},
                     {text("device", "b"), number("temp", "30.5"), number("ts", "2")},
                     {text("device", "a"), number("temp", "20"), number("ts", "3")}});
  }
};

TEST_F(Sql, groups_and_aggregates_a_batch) {
  query("SELECT device, avg(temp) AS temp, max(ts) AS ts FROM input GROUP BY device ORDER BY 1");
  EXPECT_EQ(run(readings()),
            (Lines{R"({"device":"a","temp":15,"ts":3})", R"({"device":"b","temp":30.5,"ts":2})"}));
}

TEST_F(Sql, answers_ctes_windows_and_joins_of_the_batch_with_itself) {
  query(
      "WITH d AS (SELECT device, ts, temp - lag(temp) OVER (PARTITION BY device ORDER BY ts) AS "
      "delta FROM input) SELECT a.device, d.delta, a.temp FROM input a JOIN d ON d.ts = a.ts "
      "WHERE d.delta IS NOT NULL");
  EXPECT_EQ(run(readings()), Lines{R"({"device":"a","delta":10,"temp":20})"});
}

TEST_F(Sql, keeps_the_positions_and_ends_every_row_where_the_batch_ends) {
  query("SELECT device FROM input");
  run(readings());
  ASSERT_EQ(last_->records.size(), 3U);
  EXPECT_EQ(last_->begin.offset, 5000U);
  EXPECT_EQ(last_->end.offset, 5300U);
  EXPECT_EQ(last_->end.line, 53U);
  EXPECT_EQ(last_->begin.partition, 7U);
  EXPECT_EQ(last_->arrival_us, 77);
  EXPECT_TRUE(last_->end.last);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(last_->position_after(i).offset, 5300U);
    EXPECT_EQ(last_->position_after(i).line, 53U);
  }
}

TEST_F(Sql, keeps_the_positions_when_no_row_is_left) {
  query("SELECT device FROM input WHERE temp > 99");
  EXPECT_EQ(run(readings()), Lines{});
  EXPECT_EQ(last_->end.offset, 5300U);
  EXPECT_EQ(last_->content, Content::kRecords);
}

TEST_F(Sql, takes_the_latest_event_time_unless_the_query_says_one) {
  query("SELECT count(*) AS n FROM input");
  EXPECT_EQ(run(readings()), Lines{R"({"n":3})"});
  EXPECT_EQ(last_->records[0].time_us, 1002);
  query("SELECT device, avg(_time) AS _time FROM input GROUP BY device ORDER BY device");
  EXPECT_EQ(run(readings()), (Lines{R"({"device":"a"})", R"({"device":"b"})"}));
  EXPECT_EQ(last_->records[0].time_us, 1001);
  query("SELECT device, NULL AS _time FROM input LIMIT 1");
  run(readings());
  EXPECT_EQ(last_->records[0].time_us, 1002);
}

TEST_F(Sql, fails_a_batch_whose_event_time_is_no_number) {
  query("SELECT device, 'soon' AS _time FROM input");
  EXPECT_EQ(run(readings()), Lines{});
  EXPECT_EQ(dead_.reasons, Lines(3, std::string(kNoEventTime)));
}

TEST_F(Sql, star_is_all_fields_in_their_order_with_their_event_times) {
  query("SELECT *, temp * 2 AS twice FROM input WHERE temp > 15");
  EXPECT_EQ(run(readings()), (Lines{R"({"device":"b","temp":30.5,"ts":2,"twice":61})",
                                    R"({"device":"a","temp":20,"ts":3,"twice":40})"}));
  EXPECT_EQ(last_->records[0].time_us, 1001);
  EXPECT_EQ(last_->records[1].time_us, 1002);
}

TEST_F(Sql, star_follows_names_that_later_batches_bring) {
  query("SELECT * FROM input");
  EXPECT_EQ(run(batch_of({{number("a", "1")}, {number("b", "2"), number("oid", "3")}})),
            (Lines{R"({"a":1,"b":null,"oid":null})", R"({"a":null,"b":2,"oid":3})"}));
  EXPECT_EQ(run(batch_of({{number("my \"c\"", "4"), number("a", "5")}})),
            Lines{R"({"a":5,"b":null,"oid":null,"my \"c\"":4})"});
  EXPECT_EQ(run(batch_of({{number("a", "6")}})),
            Lines{R"({"a":6,"b":null,"oid":null,"my \"c\"":null})"});
}

TEST_F(Sql, star_inside_a_subquery_is_seen_too) {
  query("WITH hot AS (SELECT * FROM input WHERE temp > 15) SELECT * FROM hot ORDER BY ts DESC");
  EXPECT_EQ(run(readings()),
            (Lines{R"({"device":"a","temp":20,"ts":3})", R"({"device":"b","temp":30.5,"ts":2})"}));
}

TEST_F(Sql, star_spells_names_as_the_records_do) {
  query("SELECT * FROM input WHERE TEMP > 15");
  EXPECT_EQ(run(batch_of({{number("Temp", "16")}})), Lines{R"({"Temp":16})"});
}

TEST_F(Sql, star_over_too_many_names_fails_the_batch_and_not_the_agent) {
  query("SELECT * FROM input");
  TestRecord wide;
  for (int i = 0; i < 1200; ++i) wide.push_back(number("f" + std::to_string(i), "1"));
  EXPECT_EQ(run(batch_of({wide})), Lines{});
  EXPECT_EQ(dead_.reasons, Lines{"t.query: more than 1000 different field names"});
}

TEST_F(Sql, plain_columns_keep_booleans_times_and_json_even_behind_a_sort) {
  query("SELECT ok, at, tags, ok + 1 AS two, _time AS seen FROM input ORDER BY id DESC");
  TestRecord one = {number("id", "1"), boolean("ok", true), plain("at", Type::kTime, 1000000),
                    typed("tags", Type::kJson, "[1]")};
  TestRecord two = {number("id", "2"), plain("ok", Type::kNull), plain("at", Type::kAbsent),
                    typed("tags", Type::kJson, "{}")};
  EXPECT_EQ(run(batch_of({one, two})),
            (Lines{R"({"ok":null,"at":null,"tags":{},"two":null,)"
                   R"("seen":"1970-01-01T00:00:00.001001Z"})",
                   R"({"ok":true,"at":"1970-01-01T00:00:01Z","tags":[1],"two":2,)"
                   R"("seen":"1970-01-01T00:00:00.001Z"})"}));
}

// One number in a batch made 1 and 0 of all its booleans.
TEST_F(Sql, what_a_value_is_does_not_depend_on_the_others_of_its_batch) {
  query("SELECT v, v AS again FROM input WHERE v IS NOT NULL");
  const std::vector<TestRecord> records{{boolean("v", true)},
                                        {number("v", "7")},
                                        {plain("v", Type::kTime, 1000000)},
                                        {number("v", "1")},
                                        {text("v", "true")}};
  const Lines all{R"({"v":true,"again":true})", R"({"v":7,"again":7})",
                  R"({"v":"1970-01-01T00:00:01Z","again":"1970-01-01T00:00:01Z"})",
                  R"({"v":1,"again":1})", R"({"v":"true","again":"true"})"};
  EXPECT_EQ(run(batch_of(records)), all);
  Lines alone;
  for (const TestRecord& record : records)
    for (std::string& line : run(batch_of({record}))) alone.push_back(std::move(line));
  EXPECT_EQ(alone, all);
}

TEST_F(Sql, what_a_union_adds_to_a_column_stays_what_it_is) {
  query(
      "SELECT ok, at, tags FROM input UNION ALL SELECT 7, 1e18 + 0, 'not JSON' FROM input"
      " UNION ALL SELECT 0, 9000000000000000000, '[1' FROM input");
  EXPECT_EQ(run(batch_of({{boolean("ok", true), plain("at", Type::kTime, 1000000),
                           typed("tags", Type::kJson, "[1]")}})),
            (Lines{R"({"ok":true,"at":"1970-01-01T00:00:01Z","tags":[1]})",
                   R"({"ok":7,"at":1e+18,"tags":"not JSON"})",
                   R"({"ok":false,"at":9000000000000000000,"tags":"[1"})"}));
}

TEST_F(Sql, rows_that_no_value_can_hold_fail) {
  query("SELECT json_object('v', v) AS doc FROM input");
  EXPECT_EQ(run(numbers("v", {"1.5", "1e999", "2"})),
            (Lines{R"({"doc":{"v":1.5}})", R"({"doc":{"v":2}})"}));
  ASSERT_EQ(dead_.reasons.size(), 1U);
  EXPECT_TRUE(dead_.reasons[0].starts_with("a JSON function made invalid JSON at character 6: "))
      << dead_.reasons[0];
}

TEST_F(Sql, text_results_outlive_the_batch_they_came_from) {
  query("SELECT device || '!' AS d, device FROM input");
  EXPECT_EQ(run(readings())[1], R"({"d":"b!","device":"b"})");
  BatchRef rows = last_;
  run(readings());
  std::string json;
  append_json(json, rows->records[0]);
  EXPECT_EQ(json, R"({"d":"a!","device":"a"})");
}

TEST_F(Sql, gives_no_rows_for_an_empty_batch) {
  query("SELECT count(*) AS n FROM input");
  EXPECT_EQ(run(batch_of({})), Lines{});
}

TEST_F(Sql, a_record_that_fails_the_query_is_left_out_and_the_rest_answered) {
  query("SELECT sum(json_extract(tags, '$.a')) AS a, count(*) AS n FROM input");
  auto record = [](const std::string& json) {
    return TestRecord{typed("tags", Type::kJson, json)};
  };
  Lines out = run(batch_of({record(R"({"a":1})"), record("{"), record(R"({"a":2})"), record("[")}));
  EXPECT_EQ(out, Lines{R"({"a":3,"n":2})"});
  EXPECT_EQ(dead_.records, (Lines{R"({"tags":{})", R"({"tags":[})"}));
  EXPECT_EQ(dead_.reasons, Lines(2, "malformed JSON"));
  EXPECT_EQ(last_->end.offset, 5400U);
}

TEST_F(Sql, finds_the_failing_record_behind_a_sort_too) {
  query("SELECT device, max(abs(n)) AS n FROM input GROUP BY device ORDER BY device");
  Lines out = run(batch_of({{text("device", "b"), number("n", "-1")},
                            {text("device", "a"), number("n", "-9223372036854775808")},
                            {text("device", "a"), number("n", "-3")}}));
  EXPECT_EQ(out, (Lines{R"({"device":"a","n":3})", R"({"device":"b","n":1})"}));
  EXPECT_EQ(dead_.reasons, Lines{"integer overflow"});
}

TEST_F(Sql, a_failure_of_the_records_together_affects_the_whole_batch) {
  query("SELECT sum(n) AS n FROM input");
  EXPECT_EQ(run(numbers("n", {"9223372036854775807", "1"})), Lines{});
  EXPECT_EQ(dead_.reasons, Lines(2, "integer overflow"));
  EXPECT_EQ(run(numbers("n", {"2", "1"})), Lines{R"({"n":3})"});
}

TEST_F(Sql, a_batch_in_which_every_record_fails_leaves_nothing) {
  query("SELECT abs(n) AS n FROM input");
  EXPECT_EQ(run(numbers("n", Lines(300, "-9223372036854775808"))), Lines{});
  EXPECT_EQ(dead_.records.size(), 300U);
  EXPECT_EQ(last_->end.offset, 35000U);
}

TEST_F(Sql, drops_or_fails_when_told_to) {
  use("sql",
      {{"query", std::string("SELECT abs(n) AS n FROM input")}, {"onError", std::string("drop")}});
  EXPECT_EQ(run(numbers("n", {"1", "-9223372036854775808"})), Lines{R"({"n":1})"});
  EXPECT_EQ(transform_->dropped(), 1U);
  EXPECT_TRUE(dead_.records.empty());
  use("sql",
      {{"query", std::string("SELECT abs(n) AS n FROM input")}, {"onError", std::string("fail")}});
  run(numbers("n", {"1", "-9223372036854775808"}));
  EXPECT_EQ(failure_, "sql: integer overflow (record 52)");
}

TEST_F(Sql, refuses_wrong_queries_and_says_where) {
  EXPECT_EQ(query_refusal("SELECT temp FORM input"),
            "t.query: near \"input\": syntax error (at character 18)");
  EXPECT_EQ(query_refusal("SELECT temp FROM inptu"), "t.query: no such table: inptu");
  EXPECT_EQ(query_refusal("SELECT foo(temp) FROM input"),
            "t.query: no such function: foo (at character 8)");
  EXPECT_EQ(query_refusal("SELECT b.temp FROM input a"),
            "t.query: no such column: b.temp (at character 8)");
  EXPECT_EQ(query_refusal("SELECT 1 FROM input; SELECT 2 FROM input"),
            "t.query: more than one statement");
  EXPECT_EQ(query_refusal("SELECT a.x, b.x FROM input a, input b"),
            "t.query: two columns of the result are named \"x\"; rename one with AS");
  EXPECT_EQ(query_refusal("SELECT 1"), "t.query: the query does not read from input");
  EXPECT_EQ(query_refusal(" -- nothing"), "t.query: no SQL in it");
  EXPECT_NE(query_refusal("SELECT * FROM input a JOIN input b"), "");
}

// A column behind a + is an expression, which SQLite groups by itself.
TEST_F(Sql, groups_and_orders_rows_exactly_as_sqlite_does) {
  std::vector<TestField> values = {number("v", "1"),
                                   number("v", "1.0"),
                                   text("v", "1"),
                                   boolean("v", true),
                                   number("v", "9007199254740993"),
                                   number("v", "9007199254740992.0"),
                                   number("v", "9007199254740992"),
                                   number("v", "-0.0"),
                                   number("v", "0"),
                                   number("v", "1e400"),
                                   number("v", "-1e400"),
                                   number("v", "9223372036854775807"),
                                   number("v", "9223372036854775808"),
                                   number("v", "-9223372036854775808"),
                                   number("v", "0.5"),
                                   number("v", "-3"),
                                   plain("v", Type::kNull),
                                   plain("v", Type::kAbsent),
                                   text("v", ""),
                                   text("v", "abc"),
                                   typed("v", Type::kString, R"(a\u0062c)", Form::kText),
                                   text("v", "abcdefghij"),
                                   text("v", "abcdefghik"),
                                   typed("v", Type::kBytes, "abc"),
                                   typed("v", Type::kBytes, ""),
                                   typed("v", Type::kJson, "[1]"),
                                   text("v", "[1]"),
                                   plain("v", Type::kTime, 1),
                                   text("v", "\xc3\xa9")};
  std::vector<TestRecord> records;
  uint32_t random = 1;
  for (uint32_t i = 0; i < 2000; ++i) {
    random = random * 1103515245 + 12345;
    TestField v = values[(random >> 16) % values.size()];
    TestField w = values[(random >> 8) % 5];
    w.name = "w";
    TestField id = number("id", std::to_string(i));
    if (i % 3 == 0) {
      records.push_back({id, v, w});
    } else {
      records.push_back({w, v, id});
    }
  }
  for (const char* text :
       {"SELECT typeof(v) AS t, count(*) AS n, sum(id) AS s FROM input GROUP BY %",
        "SELECT quote(v) AS q, count(*) AS n FROM input GROUP BY % ORDER BY v",
        "SELECT quote(v) AS q, count(*) AS n FROM input GROUP BY % ORDER BY v DESC",
        "SELECT count(*) AS n, max(id) AS m FROM input GROUP BY w, % ORDER BY w DESC, v",
        "SELECT count(*) AS n FROM input WHERE id % 7 = 0 GROUP BY %, w HAVING n > 1",
        "SELECT count(*) AS n FROM (SELECT DISTINCT %, w FROM input)",
        "SELECT count(DISTINCT %) AS n FROM input",
        "SELECT a.id, (SELECT count(*) FROM (SELECT DISTINCT % FROM input b WHERE b.id < a.id)) "
        "AS n FROM input a WHERE a.id < 40",
        "SELECT a.w, count(*) AS n FROM input a JOIN input b ON a.id + 1 = b.id WHERE a.id < 90 "
        "GROUP BY a.w, b.w",
        "SELECT id FROM input ORDER BY %",
        "SELECT id FROM input ORDER BY w, % DESC LIMIT 50 OFFSET 3",
        "SELECT id FROM input WHERE id % 7 = 0 ORDER BY % NULLS LAST, w DESC",
        "SELECT id FROM input ORDER BY % COLLATE NOCASE",
        "SELECT quote(max(%)) AS most, id FROM input WHERE typeof(v) <> 'blob'",
        "SELECT quote(min(%)) AS least, id FROM input",
        "SELECT a.id, b.id AS other FROM input a JOIN input b ON a.id = b.id + 1 WHERE a.id < 40 "
        "ORDER BY a.%",
        "SELECT id, (SELECT quote(v) FROM input b WHERE b.id < a.id ORDER BY % DESC LIMIT 1) AS "
        "most "
        "FROM input a WHERE id < 40 ORDER BY id",
        "SELECT id, lag(id) OVER (PARTITION BY w ORDER BY %) AS last, row_number() OVER (ORDER BY "
        "%) "
        "AS number FROM input ORDER BY id"}) {
    auto answer = [&](const std::string& column) {
      std::string sql = text;
      for (size_t at = 0; (at = sql.find('%', at)) != std::string::npos; ++at)
        if (sql[at + 1] != ' ' || sql[at + 2] != '7') {
          sql.replace(at, 1, column);
          // `a.%` is asked for as `+a.v`.
          if (column[0] == '+' && sql[at - 1] == '.')
            sql.replace(at - 2, 3, "+" + sql.substr(at - 2, 2));
        }
      query(sql);
      Lines rows = run(batch_of(records));
      std::sort(rows.begin(),
                sql.find("ORDER BY") == std::string::npos ? rows.end() : rows.begin());
      return rows;
    };
    Lines rows = answer("v");
    EXPECT_FALSE(rows.empty());
    EXPECT_EQ(rows, answer("+v")) << text;
  }
}

TEST_F(Sql, groups_by_the_event_time_and_over_changing_batches) {
  query("SELECT _time, count(*) AS n, device FROM input GROUP BY device, _time ORDER BY device");
  EXPECT_EQ(run(readings()).size(), 3U);
  EXPECT_EQ(run(batch_of({{text("device", "z")}})), Lines{R"({"n":1,"device":"z"})"});
  EXPECT_EQ(run(readings()).size(), 3U);
}

TEST_F(Sql, allows_a_semicolon_and_comments_at_the_end) {
  query("SELECT n FROM input; -- that is all\n");
  EXPECT_EQ(run(numbers("n", {"1"})), Lines{R"({"n":1})"});
}

TEST_F(Sql, a_query_of_which_a_whole_batch_makes_too_much_gets_fewer_records_at_once) {
  use("sql", {{"query", std::string("SELECT n, printf('%0100000d', n) AS big FROM input")}});
  std::vector<std::string> values(40);
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::to_string(i);
  std::vector<size_t> turns = run_in_turns(numbers("n", values), 256 * 1024);
  EXPECT_GT(turns.size(), 3U);
  EXPECT_EQ(std::accumulate(turns.begin(), turns.end(), size_t{0}), values.size());
  EXPECT_TRUE(dead_.records.empty());
}

TEST_F(Sql, a_text_that_is_compared_with_a_number_is_said_once) {
  query("SELECT device, CASE WHEN temp > 25 THEN 'hot' ELSE 'cold' END AS state FROM input");
  ::testing::internal::CaptureStderr();
  run(readings());
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i)
    run(batch_of(
        {{text("device", "a"), number("temp", "10")}, {text("device", "b"), text("temp", "n/a")}}));
  const std::string said = ::testing::internal::GetCapturedStderr();
  const std::string words = "t.query: \"temp\" is compared with a number, and is a text";
  EXPECT_NE(said.find(words), std::string::npos) << said;
  EXPECT_EQ(said.find(words), said.rfind(words)) << said;
}

TEST_F(Sql, text_with_a_nul_costs_its_record_alone) {
  use("sql", {{"query", std::string("SELECT json_extract(a, '$.k') AS k, n FROM input")}});
  EXPECT_EQ(run(batch_of({{typed("a", Type::kJson, R"({"k":"x"})"), number("n", "1")},
                          {typed("a", Type::kJson, R"({"k":"x\u0000y"})"), number("n", "2")},
                          {typed("a", Type::kJson, R"({"k":"z"})"), number("n", "3")}})),
            (Lines{R"({"k":"x","n":1})", R"({"k":"z","n":3})"}));
  EXPECT_EQ(dead_.reasons,
            Lines{R"(field a: JSON with a NUL character (\u0000), at which text ends in SQL)"});
}

}  // namespace
}  // namespace leat
