// What a configuration must not be able to do with SQL.
#include <sqlite3.h>

#include "transform/fixture.h"

namespace leat {
namespace {

class SqlSandbox : public TransformTest {
 protected:
  std::string query_refusal(const std::string& text) { return refusal("sql", {{"query", text}}); }
};

TEST_F(SqlSandbox, allows_nothing_but_select) {
  for (const char* text : {"ATTACH '/tmp/leat-test.db' AS x",
                           "DETACH main",
                           "PRAGMA table_list",
                           "PRAGMA temp_store = FILE",
                           "CREATE TABLE t(a)",
                           "CREATE TEMP TABLE t(a)",
                           "INSERT INTO input VALUES (1)",
                           "DELETE FROM input",
                           "UPDATE input SET a = 1",
                           "DROP TABLE input",
                           "BEGIN",
                           "COMMIT",
                           "SAVEPOINT a",
                           "VACUUM INTO '/tmp/leat-test.db'",
                           "ANALYZE",
                           "REINDEX",
                           "EXPLAIN SELECT * FROM input",
                           "CREATE VIRTUAL TABLE t USING fts5(a)",
                           "ALTER TABLE input RENAME TO x",
                           "WITH x AS (SELECT 1) INSERT INTO input SELECT * FROM x"})
    EXPECT_NE(query_refusal(text), "") << text;
  EXPECT_EQ(query_refusal("PRAGMA table_list"), "t.query: only SELECT is allowed in a transform");
  EXPECT_EQ(query_refusal("ATTACH '/tmp/leat-test.db' AS x"),
            "t.query: only SELECT is allowed in a transform");
}

TEST_F(SqlSandbox, reads_no_table_but_its_own) {
  EXPECT_EQ(query_refusal("SELECT name FROM sqlite_master, input"),
            "t.query: reading from sqlite_master is not allowed in a transform");
  for (const char* text :
       {"SELECT count(*) FROM sqlite_master, input", "SELECT * FROM sqlite_schema, input",
        "SELECT * FROM sqlite_temp_schema, input", "SELECT * FROM pragma_table_list, input",
        "SELECT count(*) FROM pragma_database_list, input", "SELECT * FROM dbstat, input",
        "SELECT * FROM sqlite_stmt, input", "SELECT * FROM sqlite_dbpage, input",
        "SELECT count(*) AS n FROM dbstat, input", "SELECT * FROM bytecode('SELECT 1'), input"})
    EXPECT_NE(query_refusal(text), "") << text;
}

TEST_F(SqlSandbox, calls_no_function_that_reaches_outside) {
  // The static builds have no such function to begin with.
  EXPECT_EQ(
      query_refusal("SELECT load_extension('/tmp/x.so') FROM input"),
      sqlite3_compileoption_used("OMIT_LOAD_EXTENSION") != 0
          ? "t.query: no such function: load_extension (at character 8)"
          : "t.query: function load_extension() is not allowed in a transform (at character 8)");
  for (const char* text :
       {"SELECT readfile('/etc/passwd') FROM input",
        "SELECT writefile('/tmp/leat-test', 'x') FROM input",
        "SELECT fts3_tokenizer('simple') FROM input", "SELECT edit('x') FROM input"})
    EXPECT_NE(query_refusal(text), "") << text;
  EXPECT_NE(refusal("filter", {{"where", std::string("load_extension(path)")}}), "");
}

TEST_F(SqlSandbox, ends_an_endless_query_when_it_is_made) {
  EXPECT_EQ(refusal("sql", {{"query", std::string("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL "
                                                  "SELECT x + 1 FROM c) SELECT count(*) AS n, "
                                                  "(SELECT count(*) FROM input) AS m FROM c")},
                            {"maxSteps", int64_t{100000}}}),
            "t.query: step limit of 100000 reached (maxSteps)");
}

TEST_F(SqlSandbox, ends_an_endless_query_that_a_batch_sets_off) {
  use("sql", {{"query", std::string("WITH RECURSIVE c(x) AS (SELECT n FROM input UNION ALL SELECT "
                                    "x + 1 FROM c) SELECT count(*) AS n FROM c")},
              {"maxSteps", int64_t{100000}}});
  EXPECT_EQ(run(numbers("n", {"1", "2"})), Lines{});
  EXPECT_EQ(dead_.reasons, Lines(2, "step limit of 100000 reached (maxSteps)"));
}

TEST_F(SqlSandbox, fails_the_rest_of_a_batch_whose_filter_runs_away) {
  use("filter", {{"where", std::string("CASE WHEN n = 2 THEN (WITH RECURSIVE c(x) AS (SELECT n "
                                       "UNION ALL SELECT x FROM c) SELECT count(*) FROM c) ELSE "
                                       "1 END")},
                 {"maxSteps", int64_t{100000}}});
  EXPECT_EQ(run(numbers("n", {"1", "2", "3", "4"})), Lines{R"({"n":1})"});
  EXPECT_EQ(dead_.reasons, Lines(3, "step limit of 100000 reached (maxSteps)"));
  EXPECT_EQ(run(numbers("n", {"1", "3"})).size(), 2U);
}

TEST_F(SqlSandbox, refuses_huge_texts_and_blobs) {
  for (const char* text :
       {"length(zeroblob(n))", "length(hex(zeroblob(n)))", "length(randomblob(n))",
        "length(replace(hex(zeroblob(n / 8)), '0', '0123456789'))"}) {
    use("filter", {{"where", std::string(text)}});
    dead_ = {};
    Lines out = run(numbers("n", {"2000000", "1000"}));
    EXPECT_EQ(out, Lines{R"({"n":1000})"}) << text;
    EXPECT_EQ(dead_.reasons, Lines{"string or blob too big"}) << text;
  }
}

TEST_F(SqlSandbox, gives_null_for_a_text_that_printf_cannot_hold) {
  use("map", {{"set", Options::Map{{"size", "length(printf('%*s', n, 'x'))"}}}});
  EXPECT_EQ(run(numbers("n", {"2000000000", "1000"})),
            (Lines{R"({"n":2000000000,"size":null})", R"({"n":1000,"size":1000})"}));
}

TEST_F(SqlSandbox, does_not_touch_a_huge_field_that_it_is_not_asked_about) {
  use("filter", {{"where", std::string("n = 1")}});
  EXPECT_EQ(run(batch_of({{number("n", "1"), text("big", std::string(3 << 20, 'x'))}})).size(), 1U);
  use("filter", {{"where", std::string("big <> ''")}});
  run(batch_of({{number("n", "1"), text("big", std::string(3 << 20, 'x'))}}));
  EXPECT_EQ(dead_.reasons, Lines{"string or blob too big"});
}

TEST_F(SqlSandbox, ends_a_query_that_eats_memory) {
  use("sql", {{"query", std::string("WITH RECURSIVE c(x, b) AS (SELECT n, zeroblob(500000) FROM "
                                    "input UNION ALL SELECT x + 1, randomblob(500000) FROM c WHERE "
                                    "x < 100000) SELECT x, b FROM c ORDER BY b")}});
  EXPECT_EQ(run(numbers("n", {"1"})), Lines{});
  ASSERT_EQ(dead_.reasons.size(), 1U);
  EXPECT_EQ(dead_.reasons[0], "more than 16.0 MiB of memory needed");
}

TEST_F(SqlSandbox, ends_a_query_whose_result_is_huge) {
  use("sql", {{"query", std::string("SELECT a.n, b.n AS m, hex(zeroblob(1000)) AS pad FROM input "
                                    "a, input b")}});
  EXPECT_EQ(run(numbers("n", Lines(200, "1"))), Lines{});
  ASSERT_EQ(dead_.reasons.size(), 200U);
  EXPECT_EQ(dead_.reasons[0], "the result is larger than 8.0 MiB");
}

TEST_F(SqlSandbox, gives_back_all_memory_of_failed_batches) {
  use("sql", {{"query", std::string("SELECT abs(n) AS n FROM input")}});
  run(numbers("n", {"-9223372036854775808"}));
  last_.reset();
  EXPECT_EQ(budget_.used(), 0U);
}

}  // namespace
}  // namespace leat
