#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string_view>

#include "sqlite_fixture.h"

namespace leat::testing {
namespace {

Row row(int64_t id, std::string_view name) {
  return {{"id", Value::of_integer(id)}, {"name", text(name)}};
}

TEST_F(SqliteSinkTest, creates_the_table_from_the_first_delivery) {
  expect_delivered({row(1, "a"), row(2, "b")});
  expect_delivered({row(3, "c")});
  close();
  EXPECT_EQ(query("SELECT * FROM t"), (Rows{"1|a", "2|b", "3|c"}));
  EXPECT_EQ(query("SELECT name, type FROM pragma_table_info('t')"), (Rows{"id|", "name|"}));
}

TEST_F(SqliteSinkTest, what_comes_first_does_not_decide_what_is_stored_later) {
  auto one = [](Value value) -> Row { return {{"v", value}}; };
  for (const Value& first : {Value::of_integer(21), text("n/a"), number_from_text("2.5"),
                             Value::of_text(Type::kBytes, "x")}) {
    execute("DROP TABLE IF EXISTS t");
    expect_delivered({one(first)});
    expect_delivered({one(number_from_text("21.5")), one(text("01234")), one(text("21")),
                      one(number_from_text("9007199254740993")),
                      one(number_from_text("18446744073709551615")), one(Value::boolean(true))});
    close();
    EXPECT_EQ(query("SELECT typeof(v), v FROM t WHERE rowid > 1"),
              (Rows{"real|21.5", "text|01234", "text|21", "integer|9007199254740993",
                    "text|18446744073709551615", "integer|1"}));
  }
}

TEST_F(SqliteSinkTest, a_key_is_kept_as_it_comes_too) {
  options_.set("key", std::vector<std::string>{"zip"});
  expect_delivered({{{"zip", Value::of_integer(1234)}, {"n", Value::of_integer(1)}}});
  expect_delivered({{{"zip", text("01234")}, {"n", Value::of_integer(2)}},
                    {{"zip", Value::of_integer(1234)}, {"n", Value::of_integer(3)}}});
  close();
  EXPECT_EQ(query("SELECT zip, n FROM t ORDER BY n"), (Rows{"01234|2", "1234|3"}));
}

TEST_F(SqliteSinkTest, new_database_uses_a_write_ahead_log_and_leaves_no_file_beside_it) {
  expect_delivered({row(1, "a")});
  EXPECT_EQ(query("PRAGMA journal_mode"), Rows{"wal"});
  close();
  EXPECT_EQ(dir_.list(), std::vector<std::string>{"out.db"});
}

TEST_F(SqliteSinkTest, keeps_the_journal_mode_of_a_database_that_exists) {
  execute("CREATE TABLE other (x)");
  expect_delivered({row(1, "a")});
  EXPECT_EQ(query("PRAGMA journal_mode"), Rows{"delete"});
  EXPECT_EQ(query("SELECT * FROM t"), Rows{"1|a"});
}

TEST_F(SqliteSinkTest, stores_every_type_of_value) {
  expect_delivered({{{"i", number_from_text("-9223372036854775808")},
                     {"b", Value::boolean(true)},
                     {"f", number_from_text("1.5e3")},
                     {"d", number_from_text("0.1234567890123456789")},
                     {"s", Value::of_text(Type::kString, "a\\n\\u00e9", Form::kText)},
                     {"p", text("")},
                     {"t", Value::of_time(1'760'000'000'500'000)},
                     {"j", Value::of_text(Type::kJson, "{\"a\":[1]}")},
                     {"x", Value::of_text(Type::kBytes, std::string_view("\0\1", 2))},
                     {"e", Value::of_text(Type::kBytes, "")},
                     {"n", Value::null()}}});
  EXPECT_EQ(query("SELECT i, b, f, d, s, p, t, j, hex(x), n FROM t"),
            Rows{"-9223372036854775808|1|1500.0|0.1234567890123456789|a\n\xc3\xa9||"
                 "2025-10-09T08:53:20.500Z|{\"a\":[1]}|0001|NULL"});
  EXPECT_EQ(query("SELECT typeof(i), typeof(b), typeof(f), typeof(d), typeof(s), typeof(p), "
                  "typeof(t), typeof(j), typeof(x), typeof(e), typeof(n) FROM t"),
            Rows{"integer|integer|real|text|text|text|text|text|blob|blob|null"});
}

TEST_F(SqliteSinkTest, absent_field_gets_the_default_and_null_is_null) {
  execute("CREATE TABLE t (id INTEGER, name TEXT DEFAULT 'nobody')");
  expect_delivered({{{"id", Value::of_integer(1)}, {"name", Value::absent()}},
                    {{"id", Value::of_integer(2)}, {"name", Value::null()}},
                    {{"id", Value::of_integer(3)}, {"name", text("c")}},
                    {{"id", Value::of_integer(4)}}});
  EXPECT_EQ(query("SELECT * FROM t"), (Rows{"1|nobody", "2|NULL", "3|c", "4|nobody"}));
}

TEST_F(SqliteSinkTest, field_that_appears_later_becomes_a_column) {
  expect_delivered({row(1, "a")});
  expect_delivered(
      {row(2, "b"),
       {{"id", Value::of_integer(3)}, {"temp", Value::of_float(1.5)}},
       {{"id", Value::of_integer(4)}, {"name", text("d")}, {"up", Value::boolean(1)}}});
  EXPECT_EQ(query("SELECT id, name, temp, up FROM t"),
            (Rows{"1|a|NULL|NULL", "2|b|NULL|NULL", "3|NULL|1.5|NULL", "4|d|NULL|1"}));
}

// One record of it stopped the pipeline at every start.
TEST_F(SqliteSinkTest, record_with_more_fields_than_a_table_can_have_is_rejected) {
  std::vector<std::string> names;
  Row wide;
  for (int i = 0; i < 2500; ++i) names.push_back("f" + std::to_string(i));
  for (const std::string& name : names) wide.emplace_back(name, Value::of_integer(1));
  for (bool exists : {false, true}) {
    Answer answer = deliver({wide, row(2, "b"), wide, row(4, "d")});
    EXPECT_EQ(answer.outcome, Outcome::kRejected);
    EXPECT_EQ(answer.reason,
              "the record has fields for which table \"t\" would need more than 2000 columns: "
              "SQLite has no more");
    EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{0, 2}));
    expect_delivered({row(2, "b"), row(4, "d")});
    EXPECT_EQ(query("SELECT count(*) FROM t"), Rows{exists ? "4" : "2"});
  }
}

TEST_F(SqliteSinkTest, fields_that_are_new_in_every_record_fill_the_table_and_are_then_rejected) {
  std::vector<std::string> names;
  std::vector<Row> rows;
  for (int i = 0; i < 2100; ++i) names.push_back("f" + std::to_string(i));
  for (const std::string& name : names)
    rows.push_back({{"id", Value::of_integer(1)}, {name, Value::of_integer(1)}});
  Answer answer = deliver(rows);
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  ASSERT_EQ(answer.bad_records.size(), 101u) << answer.reason;
  EXPECT_EQ(answer.bad_records.front(), 1999u);
  rows.resize(1999);
  expect_delivered(rows);
  EXPECT_EQ(query("SELECT count(*) FROM t"), Rows{"1999"});
}

// How often the columns of a table were read, by any connection opened since.
std::atomic<int> looks{0};
int count_looks(sqlite3* db, char** /*message*/, const sqlite3_api_routines* /*api*/) {
  auto count = [](unsigned, void*, void* /*statement*/, void* sql) {
    if (std::string_view(static_cast<const char*>(sql)).find("SELECT name, type") == 0) ++looks;
    return 0;
  };
  return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, count, nullptr);
}

// It was read again for each record of a delivery that had columns for more than there is room for.
TEST_F(SqliteSinkTest, columns_are_read_once_for_all_that_a_delivery_adds) {
  std::string columns = "c0";
  for (int i = 1; i < 1960; ++i) columns += ", c" + std::to_string(i);
  execute("CREATE TABLE t (" + columns + ")");
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(count_looks));
  std::vector<std::string> names;
  std::vector<Row> rows(6);
  for (size_t i = 0; i < 60; ++i) names.push_back("f" + std::to_string(i));
  for (size_t i = 0; i < 60; ++i) rows[i / 10].emplace_back(names[i], Value::of_integer(1));
  looks = 0;
  Answer answer = deliver(rows);
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{4, 5})) << answer.reason;
  EXPECT_EQ(looks, 2);  // before, and behind the new ones
  sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(count_looks));
}

TEST_F(SqliteSinkTest, field_whose_name_no_column_can_have_is_rejected_with_its_record) {
  Answer answer = deliver({{{std::string_view("a\0b", 3), text("x")}}, row(2, "b")});
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, std::vector<uint32_t>{0});
  expect_delivered({row(2, "b")});
}

TEST_F(SqliteSinkTest, field_of_a_generated_column_is_left_to_the_database) {
  execute("CREATE TABLE t (id INTEGER, twice INTEGER AS (2 * id), half REAL AS (id / 2.0) STORED)");
  Row both = {
      {"id", Value::of_integer(4)}, {"twice", Value::of_integer(8)}, {"half", Value::of_float(2)}};
  expect_delivered({both, both});
  EXPECT_EQ(query("SELECT * FROM t"), (Rows{"4|8|2.0", "4|8|2.0"}));
  EXPECT_EQ(deliver({{{"twice", Value::of_integer(8)}}}).reason,
            "none of the record's fields can be stored");
}

TEST_F(SqliteSinkTest, foreign_keys_hold) {
  execute(
      "CREATE TABLE site (id INTEGER PRIMARY KEY); INSERT INTO site VALUES (1);"
      "CREATE TABLE t (id INTEGER REFERENCES site)");
  Answer answer = deliver({{{"id", Value::of_integer(1)}}, {{"id", Value::of_integer(7)}}});
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.reason, "FOREIGN KEY constraint failed");
  EXPECT_EQ(answer.bad_records, std::vector<uint32_t>{1});
  execute(
      "DROP TABLE t; CREATE TABLE t (id INTEGER REFERENCES site DEFERRABLE INITIALLY DEFERRED)");
  answer = deliver({{{"id", Value::of_integer(7)}}});
  EXPECT_EQ(answer.outcome, Outcome::kRejected) << answer.reason;
  expect_delivered({{{"id", Value::of_integer(1)}}});
}

TEST_F(SqliteSinkTest, without_createTable_a_field_without_a_column_is_rejected_by_name) {
  options_.set("createTable", false);
  execute("CREATE TABLE t (id INTEGER, name TEXT)");
  Answer answer =
      deliver({row(1, "a"), {{"id", Value::of_integer(2)}, {"tmep", Value::null()}}, row(3, "c")});
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.reason, "field tmep has no column of table \"t\"");
  EXPECT_EQ(answer.bad_records, std::vector<uint32_t>{1});
  EXPECT_EQ(query("SELECT * FROM t"), Rows{}) << "a rejected delivery must store nothing";
  expect_delivered({row(1, "a"), row(3, "c")});
  EXPECT_EQ(query("SELECT * FROM t"), (Rows{"1|a", "3|c"}));
}

TEST_F(SqliteSinkTest, without_createTable_a_missing_table_fails_the_pipeline) {
  options_.set("createTable", false);
  Answer answer = deliver({row(1, "a")});
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_EQ(answer.reason, "sqlite: no table \"t\", and createTable is false");
}

// Each took another attempt at the whole delivery.
TEST_F(SqliteSinkTest, records_that_are_bad_are_named_together_each_with_its_reason) {
  execute("CREATE TABLE t (id INTEGER, name TEXT NOT NULL CHECK (name <> 'bad'))");
  Row no_name = {{"id", Value::of_integer(1)}, {"name", Value::null()}};
  Row odd = {{"id", number_from_text("1.0000000000000000000001")}, {"name", text("c")}};
  Answer answer = deliver({row(0, "a"), no_name, row(2, "bad"), no_name, odd, row(4, "b")});
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{1, 2, 3, 4}));
  EXPECT_EQ(answer.why(0).reason, "NOT NULL constraint failed: t.name");
  EXPECT_EQ(answer.why(1).reason, "CHECK constraint failed: name <> 'bad'");
  EXPECT_EQ(answer.why(2).reason, "NOT NULL constraint failed: t.name");
  EXPECT_NE(answer.why(3).reason.find("does not fit"), std::string::npos) << answer.why(3).reason;
  expect_delivered({row(0, "a"), row(4, "b")});
  EXPECT_EQ(query("SELECT * FROM t"), (Rows{"0|a", "4|b"}));
}

TEST_F(SqliteSinkTest, table_made_by_a_rejected_delivery_is_made_again_by_the_next) {
  options_.set("key", std::vector<std::string>{"id"});
  Answer answer = deliver({row(1, "a"), {{"name", text("no id")}}});
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.reason, "key field id is absent");
  EXPECT_EQ(answer.bad_records, std::vector<uint32_t>{1});
  expect_delivered({row(1, "a")});
  EXPECT_EQ(query("SELECT * FROM t"), Rows{"1|a"});
}

TEST_F(SqliteSinkTest, upsert_updates_the_row_with_the_same_key) {
  options_.set("key", std::vector<std::string>{"id"});
  expect_delivered({row(1, "a"), row(2, "b"), row(1, "c")});
  expect_delivered({row(2, "d"), row(3, "e")});
  expect_delivered({{{"id", Value::of_integer(3)}, {"temp", Value::of_integer(9)}}});
  EXPECT_EQ(query("SELECT id, name, temp FROM t ORDER BY id"),
            (Rows{"1|c|NULL", "2|d|NULL", "3|e|9"}));
}

TEST_F(SqliteSinkTest, upsert_rejects_a_null_key) {
  options_.set("key", std::vector<std::string>{"id"});
  Answer answer = deliver({{{"id", Value::null()}, {"name", text("a")}}, row(1, "b")});
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.reason, "key field id is null");
  EXPECT_EQ(answer.bad_records, std::vector<uint32_t>{0});
}

TEST_F(SqliteSinkTest, upsert_into_a_table_without_a_unique_key_fails_and_says_so) {
  options_.set("key", std::vector<std::string>{"id"});
  execute("CREATE TABLE t (id INTEGER, name TEXT)");
  Answer answer = deliver({row(1, "a")});
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_EQ(answer.reason,
            "sqlite: table \"t\" has no PRIMARY KEY or UNIQUE index over the key (id)");
}

TEST_F(SqliteSinkTest, numbers_are_stored_exactly_in_columns_of_every_type_or_rejected) {
  execute("CREATE TABLE t (i BIGINT, n DECIMAL(10,2), r REAL, t TEXT, b)");
  struct Case {
    const char* number;
    const char* integer;  // what is stored, with its type; "": rejected
    const char* numeric;
    const char* real;
    const char* none;
  };
  const Case cases[] = {
      {"44", "integer 44", "integer 44", "real 44.0", "integer 44"},
      {"44.0", "integer 44", "integer 44", "real 44.0", "real 44.0"},
      {"21.5", "real 21.5", "real 21.5", "real 21.5", "real 21.5"},
      {"9007199254740993.0", "integer 9007199254740993", "integer 9007199254740993",
       "real 9.00719925474099e+15", "integer 9007199254740993"},
      {"900719925474099.30e1", "integer 9007199254740993", "integer 9007199254740993",
       "real 9.00719925474099e+15", "integer 9007199254740993"},
      {"-9223372036854775808.00", "integer -9223372036854775808", "integer -9223372036854775808",
       "real -9.22337203685478e+18", "text -9223372036854775808.00"},
      {"1.0000000000000000000001", "", "", "real 1.0", "text 1.0000000000000000000001"},
      {"18446744073709551615", "", "", "real 1.84467440737096e+19", "text 18446744073709551615"},
      {"9223372036854775808", "", "", "real 9.22337203685478e+18", "text 9223372036854775808"},
      {"1e20", "", "real 1.0e+20", "real 1.0e+20", "real 1.0e+20"},
      {"1e999", "", "", "", "text 1e999"},
      {"1e-400", "", "", "", "text 1e-400"},
      {"0e999", "integer 0", "integer 0", "real 0.0", "real 0.0"},
  };
  auto stored = [this](const char* column, const Value& value) -> std::string {
    Answer answer = deliver({{{column, value}}});
    if (answer.outcome == Outcome::kRejected) return "";
    const std::string name(column);
    Rows rows = query("SELECT typeof(" + name + ") || ' ' || " + name + " FROM t");
    execute("DELETE FROM t");
    return rows.size() == 1 ? rows[0] : "?";
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.number);
    const Value value = number_from_text(c.number);
    EXPECT_EQ(stored("i", value), c.integer);
    EXPECT_EQ(stored("n", value), c.numeric);
    EXPECT_EQ(stored("r", value), c.real);
    EXPECT_EQ(stored("t", value), std::string("text ") + c.number);
    EXPECT_EQ(stored("b", value), c.none);
  }
  EXPECT_EQ(stored("i", Value::of_float(1e20)), "");
  EXPECT_EQ(stored("i", Value::of_float(44)), "integer 44");
  EXPECT_EQ(stored("t", Value::of_float(0.1234567890123456)), "text 0.1234567890123456");
}

// It was stored as the number 1, or as the text '1', whatever the column was for.
TEST_F(SqliteSinkTest, bool_is_stored_as_one_where_a_column_may_be_meant_for_it) {
  const char* strict = "CREATE TABLE t (i INTEGER, r REAL, t TEXT, a ANY) STRICT";
  const char* plain =
      "CREATE TABLE t (i INTEGER, b BOOLEAN, x, bit BIT, r REAL, n NUMERIC, d DECIMAL(5,2), t "
      "TEXT)";
  auto stored = [this](const char* column) -> std::string {
    Answer answer = deliver({{{column, Value::boolean(true)}}});
    if (answer.outcome == Outcome::kRejected) return answer.reason;
    const std::string name(column);
    Rows rows = query("SELECT typeof(" + name + ") || ' ' || " + name + " FROM t");
    execute("DELETE FROM t");
    return rows.size() == 1 ? rows[0] : "?";
  };
  auto refused = [](const char* column, const char* type) {
    return std::string("field ") + column + ": true does not fit " + type +
           " column: it is a bool, and no number";
  };
  execute(strict);
  for (const char* column : {"i", "a"}) EXPECT_EQ(stored(column), "integer 1") << column;
  EXPECT_EQ(stored("r"), refused("r", "a REAL"));
  EXPECT_EQ(stored("t"), "text true");
  execute(std::string("DROP TABLE t; ") + plain);
  for (const char* column : {"i", "b", "x", "bit"})
    EXPECT_EQ(stored(column), "integer 1") << column;
  EXPECT_EQ(stored("r"), refused("r", "a REAL"));
  for (const char* column : {"n", "d"}) EXPECT_EQ(stored(column), refused(column, "a NUMERIC"));
  EXPECT_EQ(stored("t"), "text true");
}

TEST_F(SqliteSinkTest, any_is_without_a_type_in_a_strict_table_alone) {
  execute("CREATE TABLE t (v ANY) STRICT");
  expect_delivered({{{"v", number_from_text("18446744073709551615")}}});
  EXPECT_EQ(query("SELECT typeof(v), v FROM t"), Rows{"text|18446744073709551615"});
  execute("DROP TABLE t; CREATE TABLE t (v ANY)");
  EXPECT_EQ(deliver({{{"v", number_from_text("18446744073709551615")}}}).outcome,
            Outcome::kRejected);
}

TEST_F(SqliteSinkTest, text_of_a_number_is_not_rounded_by_its_column) {
  execute("CREATE TABLE t (i INTEGER, r REAL, t TEXT)");
  auto outcome = [this](const char* column, const char* text) {
    return deliver({{{column, Value::of_text(Type::kString, text)}}}).outcome;
  };
  for (const char* good : {"007", "9223372036854775807", "-000000000000000000000044", "n/a",
                           "0000000000000000 1", "1e3", "0.1234567890123456", ""})
    EXPECT_EQ(outcome("i", good), Outcome::kDelivered) << good;
  for (const char* bad :
       {"9007199254740993.0", "18446744073709551615", " +18446744073709551615 ",
        "1.0000000000000000000001", "1e999", "00000000000000009223372036854775808"})
    EXPECT_EQ(outcome("i", bad), Outcome::kRejected) << bad;
  EXPECT_EQ(outcome("r", "1e999"), Outcome::kRejected);
  EXPECT_EQ(outcome("r", "9007199254740993"), Outcome::kDelivered);
  EXPECT_EQ(outcome("t", "1e999"), Outcome::kDelivered);
}

// They ended the pipeline.
TEST_F(SqliteSinkTest, record_at_which_code_of_the_table_fails_is_rejected) {
  const char* const kTables[] = {
      "CREATE TABLE t (id INTEGER, name TEXT, CHECK (json_extract(name, '$') > 0))",
      "CREATE TABLE t (id INTEGER, name TEXT); CREATE INDEX i ON t (json_extract(name, '$'))",
      "CREATE TABLE t (id INTEGER, name TEXT, a AS (json_extract(name, '$')) STORED)",
      "CREATE TABLE t (id INTEGER, name TEXT); CREATE TRIGGER g BEFORE INSERT ON t "
      "WHEN NEW.name = 'x' BEGIN SELECT abs(-9223372036854775808); END",
  };
  for (const char* table : kTables) {
    execute("DROP TABLE IF EXISTS t");
    execute(table);
    Answer answer = deliver({row(1, "1"), row(2, "x"), row(3, "3"), row(4, "x")});
    EXPECT_EQ(answer.outcome, Outcome::kRejected) << answer.reason;
    EXPECT_FALSE(answer.in_doubt) << "others get through";
    EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{1, 3}));
    EXPECT_TRUE(answer.reason == "malformed JSON" || answer.reason == "integer overflow")
        << answer.reason;
    answer = deliver({row(2, "x"), row(4, "x")});
    EXPECT_EQ(answer.outcome, Outcome::kRejected);
    EXPECT_TRUE(answer.in_doubt) << "it may be so with every record";
    expect_delivered({row(1, "1"), row(3, "3")});
    EXPECT_EQ(query("SELECT id FROM t ORDER BY id"), (Rows{"1", "3"}));
    close();
  }
}

TEST_F(SqliteSinkTest, number_that_does_not_fit_is_rejected_with_the_reason) {
  execute("CREATE TABLE t (i INTEGER, n NUMERIC, r REAL)");
  auto reason = [this](const char* column, const char* number) {
    return deliver({{{column, number_from_text(number)}}}).reason;
  };
  EXPECT_EQ(reason("i", "18446744073709551615"),
            "field i: 18446744073709551615 does not fit an INTEGER column: it is beyond 64 bits");
  EXPECT_EQ(reason("n", "1.0000000000000000000001"),
            "field n: 1.0000000000000000000001 does not fit a NUMERIC column: it would be rounded");
  EXPECT_EQ(reason("r", "1e999"),
            "field r: 1e999 does not fit a REAL column: it is beyond what a REAL can be");
}

TEST_F(SqliteSinkTest, fields_that_differ_in_case_only_are_rejected) {
  Answer answer = deliver({{{"temp", Value::of_integer(1)}, {"Temp", Value::of_integer(2)}}});
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_NE(answer.reason.find("field Temp comes twice"), std::string::npos) << answer.reason;
}

TEST_F(SqliteSinkTest, names_that_look_like_sql_are_names) {
  options_.set("table", std::string("a\"; DROP TABLE x; --"));
  expect_delivered({{{"select \"x\"", Value::of_integer(1)}, {"", text("empty")}}});
  EXPECT_EQ(query("SELECT * FROM \"a\"\"; DROP TABLE x; --\""), Rows{"1|empty"});
}

TEST_F(SqliteSinkTest, locked_database_puts_the_delivery_off) {
  options_.set("busyTimeout", int64_t{20});
  expect_delivered({row(1, "a")});
  Database other(path_);
  other.execute("BEGIN IMMEDIATE");
  Answer answer = deliver({row(2, "b")});
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_EQ(answer.reason, "sqlite " + path_ + ": database is locked");
  other.execute("COMMIT");
  expect_delivered({row(2, "b")});
  EXPECT_EQ(other.query("SELECT * FROM t"), (Rows{"1|a", "2|b"}));
}

TEST_F(SqliteSinkTest, reader_of_a_rollback_journal_database_puts_the_commit_off) {
  options_.set("busyTimeout", int64_t{20});
  execute("CREATE TABLE t (id INTEGER, name TEXT); INSERT INTO t VALUES (0, 'z')");
  Database other(path_);
  other.execute("BEGIN");
  EXPECT_EQ(other.query("SELECT count(*) FROM t"), Rows{"1"});
  EXPECT_EQ(deliver({row(1, "a")}).outcome, Outcome::kRetry);
  other.execute("COMMIT");
  expect_delivered({row(1, "a")});
  EXPECT_EQ(other.query("SELECT * FROM t"), (Rows{"0|z", "1|a"}));
}

// As litestream 1536 and syncthing 10559 have it: gigabytes, and nobody knows why.
TEST_F(SqliteSinkTest, reader_that_never_ends_is_told_when_the_log_grows_and_once) {
  options_.set("synchronous", std::string("normal"));
  expect_delivered({row(1, "a")});
  const std::string large(5 << 20, 'x');
  auto deliver_much = [&, this] {
    ::testing::internal::CaptureStderr();
    for (int i = 0; i < 5; ++i) expect_delivered({row(2, large)});
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(deliver_much(), "");
  {
    Database other(path_);
    other.execute("BEGIN; SELECT count(*) FROM t");
    const std::string said = deliver_much();
    EXPECT_NE(said.find("another program has been reading for so long"), std::string::npos) << said;
    EXPECT_EQ(deliver_much(), "");
  }
  EXPECT_EQ(deliver_much(), "");
}

TEST_F(SqliteSinkTest, close_does_not_wait_for_a_lock) {
  options_.set("busyTimeout", int64_t{3'600'000});
  expect_delivered({row(1, "a")});
  Database other(path_);
  other.execute("BEGIN IMMEDIATE");
  Delivery delivery = harness_->records({row(2, "b")});
  harness_->begin(delivery);
  harness_->close();
  EXPECT_FALSE(harness_->answer()) << "a dropped delivery is not answered";
  other.execute("COMMIT");
  EXPECT_EQ(other.query("SELECT * FROM t"), Rows{"1|a"});
}

TEST_F(SqliteSinkTest, missing_folder_puts_the_delivery_off_and_says_why) {
  options_.set("path", dir_ / "later/out.db");
  Answer answer = deliver({row(1, "a")});
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_NE(answer.reason.find("unable to open database file: no such file or directory"),
            std::string::npos)
      << answer.reason;
  mkdir((dir_ / "later").c_str(), 0755);
  expect_delivered({row(1, "a")});
}

TEST_F(SqliteSinkTest, file_that_is_no_database_fails_the_pipeline) {
  write_file(path_, std::string(4096, 'x'));
  Answer answer = deliver({row(1, "a")});
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_EQ(answer.reason, "sqlite " + path_ + ": file is not a database");
}

// Root may write what is read-only, so the database is made read-only from inside.
TEST_F(SqliteSinkTest, read_only_database_fails_the_pipeline) {
  execute("CREATE TABLE t (id INTEGER, name TEXT); PRAGMA journal_mode=DELETE");
  // The file format's write version (offset 18) 3: readers only; https://sqlite.org/fileformat.html
  std::string bytes = read_file(path_);
  bytes[18] = 3;
  write_file(path_, bytes);
  Answer answer = deliver({row(1, "a")});
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_EQ(answer.reason, "sqlite " + path_ + ": attempt to write a readonly database");
}

TEST_F(SqliteSinkTest, database_deleted_under_the_sink_is_made_anew) {
  expect_delivered({row(1, "a")});
  for (const char* suffix : {"", "-wal", "-shm"}) unlink((path_ + suffix).c_str());
  Answer answer = deliver({row(2, "b")});
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_EQ(answer.reason, "sqlite " + path_ + ": the file was moved or deleted, opening it anew");
  expect_delivered({row(2, "b")});
  EXPECT_EQ(query("SELECT * FROM t"), Rows{"2|b"});
}

TEST_F(SqliteSinkTest, table_changed_by_another_program_is_looked_at_again) {
  expect_delivered({row(1, "a")});
  execute("ALTER TABLE t DROP COLUMN name; ALTER TABLE t ADD COLUMN place TEXT DEFAULT 'here'");
  expect_delivered({row(2, "b")});
  EXPECT_EQ(query("SELECT id, place, name FROM t"), (Rows{"1|here|NULL", "2|here|b"}));
}

TEST_F(SqliteSinkTest, many_shapes_in_one_delivery_are_all_stored) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("f" + std::to_string(i));
  std::vector<Row> rows;
  for (int i = 0; i < 300; ++i)
    rows.push_back({{"id", Value::of_integer(i)}, {names[i % 100], Value::of_integer(i)}});
  expect_delivered(rows);
  EXPECT_EQ(query("SELECT count(*), sum(id), sum(f0), count(f99) FROM t"), Rows{"300|44850|300|3"});
}

TEST_F(SqliteSinkTest, cached_pages_count_against_the_budget_while_it_is_open) {
  open();
  EXPECT_GT(harness_->budget().used(), 0u);
  harness_->close();
  EXPECT_EQ(harness_->budget().used(), 0u);
}

TEST_F(SqliteSinkTest, cached_pages_follow_a_limit_that_changes_while_it_is_open) {
  expect_delivered({row(1, "a")});
  size_t before = harness_->budget().used();
  harness_->budget().set_limit(1 << 20);
  expect_delivered({row(2, "b")});
  EXPECT_EQ(before - harness_->budget().used(), (1u << 20) - (1u << 20) / 8);
  harness_->close();
  EXPECT_EQ(harness_->budget().used(), 0u);
}

TEST_F(SqliteSinkTest, options_that_cannot_work_are_refused_with_their_path) {
  options_.set("table", std::string("leat_positions"));
  Result<std::unique_ptr<Sink>> made = kSqliteSink.make(options_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::kUsage);
  EXPECT_EQ(made.error().message(),
            "pipelines[0].sink.table: leat_positions is where exactlyOnce keeps positions");
  options_.set("table", std::string("t"));
  options_.set("key", std::vector<std::string>{"id", "ID"});
  EXPECT_EQ(kSqliteSink.make(options_).error().message(),
            "pipelines[0].sink.key[1]: \"ID\" is named twice");
  options_.set("path", std::string(":memory:"));
  EXPECT_EQ(kSqliteSink.make(options_).error().message(),
            "pipelines[0].sink.path: must name a file\n"
            "pipelines[0].sink.key[1]: \"ID\" is named twice");
}

}  // namespace
}  // namespace leat::testing
