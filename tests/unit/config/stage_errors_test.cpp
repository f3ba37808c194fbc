// The real stages: what each has to say about its options is said at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "config/loader.h"
#include "stage/registry.h"

namespace leat {
namespace {

using Paths = std::vector<std::string>;

Problems problems_of(const std::string& source, const std::string& sink,
                     const std::string& transform = "") {
  Problems problems;
  (void)load_config(R"({"agent": {"dataDir": "/d"}, "pipelines": [{"source": )" + source +
                        R"(, "transforms": [)" + transform + R"(], "sink": )" + sink + "}]}",
                    LoadContext{connectors(), {}, "", "gw"}, problems);
  return problems;
}

// Without "pipelines[0].", sorted.
Paths paths_of(const Problems& problems) {
  constexpr size_t kPrefix = 13;
  Paths out;
  for (const Problem& problem : problems.all())
    if (!problem.warning) out.push_back(problem.path.substr(kPrefix));
  std::ranges::sort(out);
  return out;
}

const std::string kAnySource = R"({"type": "file", "path": "x"})";
const std::string kAnySink = R"({"type": "file", "path": "x"})";

Paths of_source(const std::string& source) {
  return paths_of(problems_of(source, kAnySink));
}
Paths of_sink(const std::string& sink) {
  return paths_of(problems_of(kAnySource, sink));
}

TEST(StageErrors, of_http_are_said_at_once) {
  if (connectors().sink("http") == nullptr) GTEST_SKIP() << "http was left out of this build";
  EXPECT_EQ(of_sink(R"({"type": "http", "url": "http://h/x", "inFlight": 999, "mehtod": "POST",
                        "auth": {"user": "a", "token": "b"},
                        "headers": {"Host": "x", "a b": "c"}, "tls": {"ca": "/x"}})"),
            (Paths{"sink.auth", "sink.headers.Host", "sink.headers[\"a b\"]", "sink.inFlight",
                   "sink.mehtod", "sink.tls"}));
}

TEST(StageErrors, of_mqtt_are_said_at_once) {
  if (connectors().sink("mqtt") == nullptr) GTEST_SKIP() << "mqtt was left out of this build";
  EXPECT_EQ(of_source(R"({"type": "mqtt", "url": "mqtt://h", "topics": ["a/#/b", "x", "x"],
                          "keepAlive": "1500ms", "receiveMaximum": 0, "will": {"topic": "a/+"},
                          "tls": {"ca": "/x"}})"),
            (Paths{"source.keepAlive", "source.receiveMaximum", "source.tls", "source.topics[0]",
                   "source.topics[2]", "source.will.topic"}));
  EXPECT_EQ(of_source(R"({"type": "mqtt", "url": "mqtt://h", "topics": "a",
                          "fields": ["qos", "qos", "retain", "retained"],
                          "topicFields": ["a/{qos}", "a/{", "b/{x}/{x}"]})"),
            (Paths{"source.fields", "source.fields[1]", "source.topicFields[0]",
                   "source.topicFields[1]", "source.topicFields[2]"}));
  EXPECT_EQ(of_source(R"({"type": "mqtt", "url": "mqtt://h", "topics": "a",
                          "fields": ["topik", "retaned"]})"),
            (Paths{"source.fields[0]", "source.fields[1]"}));
  EXPECT_EQ(of_sink(R"({"type": "mqtt", "url": "mqtt://h", "topic": "a/{b", "payload": "{",
                        "version": "3.1.1", "messageExpiry": "1s", "contentType": "x"})"),
            (Paths{"sink.contentType", "sink.messageExpiry", "sink.payload", "sink.topic"}));
}

TEST(StageErrors, of_postgres_are_said_at_once) {
  if (connectors().sink("postgres") == nullptr) GTEST_SKIP() << "it was left out of this build";
  EXPECT_EQ(of_sink(R"({"type": "postgres", "url": "postgresql://u@h/d", "table": "a.b.c.d",
                        "key": ["a", "a"], "mergeSql": "x", "timeout": "0s",
                        "tls": {"verify": false}})"),
            (Paths{"sink.key", "sink.key[1]", "sink.mergeSql", "sink.table", "sink.timeout",
                   "sink.tls.verify"}));
}

TEST(StageErrors, of_a_postgres_url_are_said_at_once_and_as_data) {
  if (connectors().sink("postgres") == nullptr) GTEST_SKIP() << "it was left out of this build";
  const Problems problems = problems_of(kAnySource, R"({"type": "postgres", "table": "t",
                      "url": "postgresql://u@h:0/d%?sslmod=x&connect_timeout=y&nothing"})");
  ASSERT_EQ(problems.size(), 5U);
  for (const Problem& problem : problems.all()) {
    EXPECT_EQ(problem.path, "pipelines[0].sink.url");
    EXPECT_EQ(problem.line, 2);
  }
  EXPECT_EQ(problems.all()[1].kind, Problem::Kind::kUnknownKey);
  EXPECT_EQ(problems.all()[1].suggestion, "sslmode");
}

TEST(StageErrors, carry_what_they_are_and_where_they_stand) {
  if (connectors().source("mqtt") == nullptr) GTEST_SKIP() << "mqtt was left out of this build";
  Problems problems = problems_of(
      "\n{\"type\": \"mqtt\", \"url\": \"mqtt://h\", \"topics\": [\"x\",\n\"x\"], \"fields\": "
      "[\"topik\"],\n\"tls\": {\"ca\": \"/x\"}}",
      kAnySink);
  ASSERT_EQ(problems.size(), 3U);
  std::ranges::sort(problems.all(), {},
                    [](const Problem& problem) { return std::pair(problem.line, problem.column); });
  const std::vector<Problem>& all = problems.all();
  EXPECT_EQ(all[0].kind, Problem::Kind::kTwice);
  EXPECT_EQ(std::pair(all[0].line, all[0].column), std::pair(3, 1));
  EXPECT_EQ(all[1].kind, Problem::Kind::kChoice);
  EXPECT_EQ(all[1].suggestion, "topic");
  EXPECT_EQ(all[1].found, "the string \"topik\"");
  EXPECT_EQ(std::pair(all[1].line, all[1].column), std::pair(3, 18));
  EXPECT_EQ(all[2].kind, Problem::Kind::kUnused);
  EXPECT_EQ(std::pair(all[2].line, all[2].column), std::pair(4, 1));
}

TEST(StageErrors, of_sqlite_are_said_at_once) {
  if (connectors().sink("sqlite") == nullptr) GTEST_SKIP() << "it was left out of this build";
  EXPECT_EQ(of_sink(R"({"type": "sqlite", "path": ":memory:", "table": "sqlite_x",
                        "key": ["a", "A"], "busyTimeout": "-1s"})"),
            (Paths{"sink.busyTimeout", "sink.key[1]", "sink.path", "sink.table"}));
}

TEST(StageErrors, of_serial_are_said_at_once) {
  if (connectors().source("serial") == nullptr) GTEST_SKIP() << "it was left out of this build";
  EXPECT_EQ(of_source(R"({"type": "serial", "port": "ttyS0", "baudRate": 1,
                          "framing": {"type": "line", "delimiter": ";", "length": 3}})"),
            (Paths{"source.baudRate", "source.framing.delimiter", "source.framing.length",
                   "source.port"}));
}

TEST(StageErrors, of_csv_are_said_at_once) {
  if (find_read_format("csv") == nullptr) GTEST_SKIP() << "csv was left out of this build";
  EXPECT_EQ(of_source(R"({"type": "file", "path": "x", "format": "csv",
                          "csv": {"delimiter": "ab", "quote": "1", "startRow": 0,
                                  "columns": [{"name": "a", "type": "time", "format": "%Q"},
                                              {"name": "b"}, {"name": "b"}]}})"),
            (Paths{"source.csv.columns[0].format", "source.csv.columns[1].name",
                   "source.csv.delimiter", "source.csv.quote", "source.csv.startRow"}));
}

TEST(StageErrors, of_map_are_said_at_once) {
  EXPECT_EQ(paths_of(problems_of(kAnySource, kAnySink, R"({"type": "map",
                        "set": {"a": "1 +", "b": "foo(", "c": "1"},
                        "rename": {"x": "z", "y": "z"}})")),
            (Paths{"transforms[0].rename.y", "transforms[0].set.a", "transforms[0].set.b"}));
}

void expect_only_missing(const Problems& problems) {
  for (const Problem& problem : problems.all())
    EXPECT_EQ(problem.kind, Problem::Kind::kMissing) << problem.path << ' ' << problem.text;
}

TEST(StageErrors, stages_are_asked_also_when_what_they_require_is_missing) {
  for (const SourceType* type : connectors().sources)
    expect_only_missing(problems_of("{\"type\": \"" + std::string(type->name) + "\"}", kAnySink));
  for (const SinkType* type : connectors().sinks)
    expect_only_missing(problems_of(kAnySource, "{\"type\": \"" + std::string(type->name) + "\"}"));
}

}  // namespace
}  // namespace leat
