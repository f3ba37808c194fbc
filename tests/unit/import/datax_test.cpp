#include "cli/import/datax.h"

#include <cjson/cJSON.h>
#include <gtest/gtest.h>

#include "options/problem_words.h"

namespace leat {
namespace {

constexpr char kFiles[] = R"("name": "csvreader", "parameter": {"path": ["a.csv"], %s})";
constexpr char kTable[] =
    R"("name": "postgresreader", "parameter": {"username": "u", "password": "p", %s,
       "connection": {"url": "postgres://db/x?sslmode=disable", "table": {"schema": "s", "name": "T"}}})";
constexpr char kToTable[] =
    R"("name": "postgreswriter", "parameter": {"username": "u", %s,
       "connection": {"url": "postgres://db/y?sslmode=disable", "table": {"name": "t"}}})";
constexpr char kToSqlite[] =
    R"("name": "sqlite3writer", "parameter": {%s, "connection": {"url": "b.db", "table": {"name": "t"}}})";

constexpr char kMysqlTable[] =
    R"("name": "mysqlreader", "parameter": {"username": "u", "password": "p", %s,
       "connection": [{"jdbcUrl": ["jdbc:mysql://db/x?useSSL=false"], "table": ["orders"]}]})";
constexpr char kToMysql[] =
    R"("name": "mysqlwriter", "parameter": {"username": "u", "password": "p", %s,
       "connection": [{"jdbcUrl": "jdbc:mysql://db/y?useSSL=false", "table": ["copy"]}]})";

std::string with(std::string text, const std::string& rest) {
  return text.replace(text.find("%s"), 2, rest);
}

class Datax : public ::testing::Test {
 protected:
  // The pipeline that comes of such a job, without its name; null where none does.
  const cJSON* job(const std::string& reader, const std::string& writer,
                   const std::string& setting = "{}", const std::string& core = "{}") {
    problems_ = {};
    text_ = "{\"core\": " + core + ", \"job\": {\"content\": [{\"reader\": {" + reader +
            "},\n\"writer\": {" + writer + "}}],\n\"setting\": " + setting + "}}";
    std::optional<std::string> config = import_datax(text_, "job.json", "/data", problems_);
    tree_.reset(config ? cJSON_Parse(config->c_str()) : nullptr);
    const cJSON* pipelines = cJSON_GetObjectItemCaseSensitive(tree_.get(), "pipelines");
    return cJSON_GetArrayItem(pipelines, 0);
  }
  // A part of it as JSON: "source.csv".
  std::string part(const cJSON* node, std::string_view path) {
    while (!path.empty()) {
      const std::string key(path.substr(0, path.find('.')));
      path.remove_prefix(std::min(key.size() + 1, path.size()));
      node = cJSON_GetObjectItemCaseSensitive(node, key.c_str());
    }
    if (node == nullptr) return "";
    std::unique_ptr<char, void (*)(void*)> text(cJSON_PrintUnformatted(node), cJSON_free);
    return text.get();
  }
  std::string said() const {
    std::string out;
    for (const Problem& problem : problems_.all()) out += line_of(problem) + "\n";
    return out;
  }

  struct Delete {
    void operator()(cJSON* node) const { cJSON_Delete(node); }
  };
  Problems problems_;
  std::string text_;
  std::unique_ptr<cJSON, Delete> tree_;
};

TEST_F(Datax, columns_of_a_csv_file_are_counted_from_one_and_all_are_read) {
  const cJSON* made =
      job(with(kFiles, R"("column": [{"index": "2", "type": "time", "format": "dd.MM.yyyy"}])"),
          with(kToTable, R"("column": ["*"], "writeMode": "copyIn")"));
  EXPECT_EQ(part(made, "source.csv"),
            R"({"header":false,"nullFormat":"","types":"string","columns":[{"index":1,)"
            R"("name":"column1","type":"time","format":"%d.%m.%Y"}],"otherColumns":true})");
  EXPECT_EQ(part(made, "sink.writeMode") + part(made, "sink.match"), R"("copy""position")");
  EXPECT_EQ(said(), "");
}

TEST_F(Datax, places_become_names_where_the_writer_names_its_columns) {
  const cJSON* made = job(with(kFiles, R"("delimiter": ";")"),
                          with(kToTable, R"("column": ["Id", "\"Name\""], "batchSize": 10)"));
  EXPECT_EQ(part(made, "sink.columns"), R"({"column0":"id","column1":"Name"})");
  EXPECT_EQ(part(made, "sink.batch"), R"({"records":10})");
  made = job(with(kFiles, R"("delimiter": ";")"), with(kToSqlite, R"("column": ["id", "name"])"));
  EXPECT_EQ(part(made, "transforms"),
            R"([{"type":"map","rename":{"column0":"id","column1":"name"}}])");
  EXPECT_EQ(part(made, "sink.createTable"), "false");
}

TEST_F(Datax, a_table_is_read_by_its_columns_and_expressions_by_a_query) {
  const cJSON* made = job(with(kTable, R"("column": ["id", "Name"], "where": "id > 3")"),
                          with(kToTable, R"("column": ["a", "b"])"));
  EXPECT_EQ(part(made, "source"),
            R"({"type":"postgres","url":"postgresql://u:p@db/x?sslmode=disable",)"
            R"("table":"s.\"T\"","columns":["id","name"],"where":"id > 3"})");
  EXPECT_EQ(part(made, "sink.columns"), R"({"id":"a","name":"b"})");
  made = job(with(kTable, R"x("column": ["id", "power(2,3)", "true"], "where": "id > 3")x"),
             with(kToTable, R"("column": ["a", "b", "c"])"));
  EXPECT_EQ(part(made, "source.query"),
            R"("SELECT id, power(2,3) AS column1, true AS column2 FROM s.\"T\" WHERE id > 3")");
  EXPECT_EQ(part(made, "sink.columns"), R"({"id":"a","column1":"b","column2":"c"})");
}

TEST_F(Datax, the_columns_of_a_query_get_the_names_of_those_that_they_go_to) {
  const cJSON* made = job(with(kTable, R"("querySql": ["select a, b from t where x = 1 ; "])"),
                          with(kToTable, R"("column": ["c", "d"])"));
  EXPECT_EQ(part(made, "source.query"),
            R"x("SELECT * FROM (select a, b from t where x = 1) AS source (c, d)")x");
  made =
      job(with(kTable, R"("querySql": ["select a from t"])"), with(kToTable, R"("column": ["*"])"));
  EXPECT_EQ(part(made, "source.query"), R"("select a from t")");
  EXPECT_EQ(part(made, "sink.match"), R"("position")");
}

TEST_F(Datax, channels_become_ranges_where_there_is_a_key) {
  const cJSON* made = job(with(kTable, R"("column": ["*"], "split": {"key": "id"})"),
                          with(kToTable, R"("column": ["*"])"),
                          R"({"speed": {"channel": 4, "record": 400, "byte": 3000}})");
  EXPECT_EQ(part(made, "source.split"), R"({"by":"id","tasks":4})");
  EXPECT_EQ(part(made, "source.concurrency"), "4");
  EXPECT_EQ(part(made, "limits"), R"({"recordsPerSecond":400,"bytesPerSecond":"3000"})");
  made = job(with(kTable, R"("column": ["*"], "split": {"key": "id"})"),
             with(kToTable, R"("column": ["*"])"));
  EXPECT_EQ(part(made, "source.split"), "");
}

TEST_F(Datax, a_table_that_fails_is_tried_again_as_often_and_as_late) {
  const std::string table = with(kTable, R"("column": ["*"])");
  const std::string writer = with(kToTable, R"("column": ["*"])");
  auto core = [](const char* name, const char* failover) {
    return std::string(R"({"container": {")") + name + R"(": {"failover": {)" + failover + "}}}}";
  };
  const cJSON* made =
      job(table, writer, "{}", core("task", R"("maxRetryTimes": 2, "retryIntervalInMsec": 1500)"));
  EXPECT_EQ(part(made, "source.failover"), R"({"attempts":2,"interval":"1500ms"})");
  EXPECT_EQ(said(), "");
  made = job(table, writer, "{}", core("taskGroup", R"("retryIntervalInMsec": 0)"));
  EXPECT_EQ(part(made, "source.failover"), R"({"interval":"1ms"})");
  made = job(table, writer, "{}", core("task", R"("maxRetryTimes": 0)"));
  EXPECT_EQ(part(made, "source.failover"), "");
  made = job(with(kTable, R"("querySql": ["select 1"])"), writer, "{}",
             core("taskGroup", R"("retryIntervalInMsec": 7)"));
  EXPECT_EQ(part(made, "source.failover"), "");
  EXPECT_NE(said().find("warning: core.container.taskGroup.failover: what fails"),
            std::string::npos);
}

TEST_F(Datax, a_limit_of_errors_is_one_of_dead_letters) {
  const std::string reader = with(kFiles, R"("delimiter": ",")");
  const std::string writer = with(kToTable, R"("column": ["*"])");
  EXPECT_EQ(part(job(reader, writer, R"({"errorLimit": {"record": 0}})"), "maxDeadLetters"),
            R"("0")");
  EXPECT_EQ(part(job(reader, writer, R"({"errorLimit": {"percentage": 0.02}})"), "maxDeadLetters"),
            R"("2%")");
}

TEST_F(Datax, go_etl_ends_at_the_first_bad_row_and_datax_at_none) {
  const std::string reader = with(kFiles, R"("delimiter": ",")");
  EXPECT_EQ(part(job(reader, with(kToTable, R"("column": ["*"])")), "maxDeadLetters"), R"("0")");
  EXPECT_EQ(part(job(reader, with(kToTable, R"("column": ["*"])"),
                     R"({"retry": {"ignoreOneByOneError": true}})"),
                 "maxDeadLetters"),
            "");
  std::string datax = with(kToTable, R"("column": ["*"])");
  datax.replace(datax.find("postgreswriter"), 14, "postgresqlwriter");
  EXPECT_EQ(part(job(reader, datax), "maxDeadLetters"), "");
}

TEST_F(Datax, an_upsert_is_a_merge_with_the_clause_that_is_given) {
  const cJSON* made = job(with(kFiles, R"("delimiter": ",")"),
                          with(kToTable, R"("column": ["id", "n"], "writeMode": "upsert",
                        "upsertSql": "on conflict (id) do update set n = excluded.n",
                        "preSql": ["delete from @table"])"));
  EXPECT_EQ(part(made, "sink.mergeSql"),
            R"("INSERT INTO t (id, n) SELECT id, n FROM leat_staging on conflict (id) do update )"
            R"(set n = excluded.n")");
  EXPECT_EQ(part(made, "sink.preSql"), R"(["delete from t"])");
  made = job(with(kFiles, R"("delimiter": ",")"),
             R"("name": "postgresqlwriter", "parameter": {"column": ["*"],
                "preSql": ["delete from @table; analyze @table"], "connection": [
                {"jdbcUrl": "jdbc:postgresql://db/y", "table": ["\"a@table\""]}]})");
  EXPECT_EQ(part(made, "sink.preSql"), R"x(["delete from \"a@table\"; analyze \"a@table\""])x");
}

TEST_F(Datax, tables_of_mysql_are_read_and_written) {
  const cJSON* made =
      job(with(kMysqlTable, R"("column": ["id", "`at`"], "where": "id > 5", "splitPk": "id")"),
          with(kToMysql, R"("column": ["id", "When"], "writeMode": "update", "batchSize": 500)"),
          R"({"speed": {"channel": 3}})");
  EXPECT_EQ(said(), "");
  EXPECT_EQ(
      part(made, "source"),
      R"({"type":"mysql","url":"mysql://u:p@db/x?ssl-mode=DISABLED","table":"orders",)"
      R"("columns":["id","at"],"where":"id > 5","split":{"by":"id","tasks":3},"concurrency":3})");
  EXPECT_EQ(part(made, "sink"),
            R"({"type":"mysql","url":"mysql://u:p@db/y?ssl-mode=DISABLED","table":"copy",)"
            R"("writeMode":"upsert","columns":{"id":"id","at":"When"},"batch":{"records":500}})");
  EXPECT_EQ(part(made, "maxDeadLetters"), "");

  made = job(R"("name": "mysqlreader", "parameter": {"username": "u", "column": ["*"],
                "connection": {"url": "tcp(db:3306)/x", "table": {"db": "shop", "name": "order"}}})",
             R"("name": "mysqlwriter", "parameter": {"username": "u", "column": ["*"],
                "connection": {"url": "tcp(db:3306)/y", "table": {"db": "a-b", "name": "t"}},
                "writeMode": "replace"})");
  EXPECT_EQ(part(made, "source.table") + part(made, "sink.table") + part(made, "sink.writeMode"),
            R"("shop.order""`a-b`.t""replace")");
  EXPECT_EQ(part(made, "maxDeadLetters"), "\"0\"");  // go-etl's
  EXPECT_NE(said().find("fields go into the columns of their names"), std::string::npos);

  made = job(with(kMysqlTable, R"("column": ["*"])"),
             with(kToMysql, R"("column": ["*"], "preSql": ["TRUNCATE @table"])"));
  EXPECT_EQ(part(made, "sink.preSql"), R"(["TRUNCATE copy"])");
}

TEST_F(Datax, what_has_no_counterpart_and_changes_nothing_is_a_warning_with_its_place) {
  const cJSON* made = job(with(kFiles, R"("hobby": 1)"), with(kToTable, R"("column": ["*"])"),
                          R"({"pool": {"maxOpenConns": 8}, "retry": {"type": "forever"}})");
  EXPECT_NE(made, nullptr);
  EXPECT_NE(said().find("warning: job.setting.pool: "), std::string::npos) << said();
  EXPECT_NE(said().find("warning: job.setting.retry: "), std::string::npos) << said();
  EXPECT_NE(said().find("warning: job.content[0].reader.parameter.hobby: not known here"),
            std::string::npos);
  for (const Problem& problem : problems_.all())
    EXPECT_EQ(place_of(problem).substr(0, 11),
              problem.path.starts_with("job.setting") ? "job.json:4:" : "job.json:1:")
        << problem.path;
}

TEST_F(Datax, what_would_make_something_else_arrive_is_an_error) {
  struct Case {
    std::string reader;
    std::string writer;
    const char* said;
  };
  const std::string plain = with(kFiles, R"("delimiter": ",")");
  const std::string any = with(kToTable, R"("column": ["*"])");
  const Case cases[] = {
      {R"("name": "oraclereader", "parameter": {})", any,
       "job.content[0].reader.name: leat reads nothing as \"oraclereader\" does"},
      {plain, R"("name": "hdfswriter", "parameter": {})",
       "job.content[0].writer.name: leat writes nothing as \"hdfswriter\" does"},
      {with(kFiles, R"("encoding": "big5")"), any,
       "reader.parameter.encoding: leat does not read \"big5\": convert the file by iconv"},
      {plain, R"("name": "csvwriter", "parameter": {"path": ["a"], "encoding": "utf-16"})",
       "writer.parameter.encoding: leat does not write \"utf-16\": convert the file by iconv"},
      {with(kFiles, R"("compress": "zip")"), any, "reader.parameter.compress: leat packs by gzip"},
      {with(kFiles, R"("column": [{"index": 1, "type": "time", "format": "EEE"}])"), any,
       "parameter.column[0].format: leat has no counterpart of \"EEE\""},
      {with(kTable, R"("column": ["*"], "trimChar": true)"), any, "parameter.trimChar: has no"},
      {with(kTable, R"("column": ["a", "b"])"), with(kToTable, R"("column": ["a"])"),
       "writer.parameter.column: not as many as the reader has"},
      {with(kTable, R"("querySql": ["select 1", "select 2"])"), any,
       "reader.parameter.querySql: several queries"},
      {plain, with(kToSqlite, R"("column": ["*"])"), "writer.parameter.column: the names of the"},
      {plain, with(kToTable, R"("column": ["*"], "writeMode": "replace")"),
       "writer.parameter.writeMode: has no counterpart for this database: \"replace\""},
      {plain, with(kToTable, R"("column": ["*"], "batchTimeout": "soon")"),
       "writer.parameter.batchTimeout: must be a time"},
      {plain, R"("name": "csvwriter", "parameter": {"path": ["a", "b"]})",
       "writer.parameter.path: must be one"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(job(one.reader, one.writer), nullptr) << one.said;
    EXPECT_NE(said().find(one.said), std::string::npos) << one.said << "\n" << said();
  }
}

TEST_F(Datax, a_file_that_is_no_job_says_so) {
  EXPECT_FALSE(import_datax(R"({"pipelines": []})", "job.json", "/data", problems_));
  EXPECT_NE(said().find("job: missing, and required"), std::string::npos) << said();
  for (const char* other : {"{", "[1]", "3"}) {
    problems_ = {};
    EXPECT_FALSE(import_datax(other, "job.json", "/data", problems_));
    EXPECT_EQ(problems_.errors(), 1U) << other;
  }
}

TEST_F(Datax, transformers_and_several_contents) {
  const std::string stage = "{\"reader\": {" + with(kFiles, R"("delimiter": ",")") +
                            "}, \"writer\": {" + with(kToTable, R"("column": ["*"])") + "}";
  EXPECT_TRUE(
      import_datax("{\"job\": {\"content\": [" + stage + "}, {}]}}", "job.json", "/d", problems_));
  EXPECT_NE(said().find("warning: job.content[1]: only the first one is run"), std::string::npos);
  problems_ = {};
  EXPECT_FALSE(import_datax(
      "{\"job\": {\"content\": [" + stage + R"(, "transformer": [{"name": "dx_filter"}]}]}})",
      "job.json", "/d", problems_));
  EXPECT_NE(said().find("transformer: has no counterpart"), std::string::npos);
}

}  // namespace
}  // namespace leat
