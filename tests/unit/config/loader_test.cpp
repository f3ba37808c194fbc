#include "config/loader.h"

#include <gtest/gtest.h>

#include "options/problem_words.h"

#include <algorithm>

#include "config/fake_registry.h"

namespace leat {
namespace {

using Lines = std::vector<std::string>;

class LoaderTest : public ::testing::Test {
 protected:
  std::optional<AgentConfig> load(const std::string& text) {
    LoadContext context{registry, {}, data_dir, "gw-042"};
    context.only = only;
    context.variables.parameters = parameters;
    context.variables.env = [](const std::string& name) -> std::optional<std::string> {
      if (name == "URL") return "http://collector";
      if (name == "SECRET") return "hunter2";
      return std::nullopt;
    };
    context.variables.file = [](const std::string& path) -> Result<std::string> {
      return fail(ErrorKind::kUsage, "open " + path + ": no such file or directory");
    };
    context.variables.sealed = [](const std::string& folder,
                                  const std::string& sealed) -> Result<std::string> {
      if (folder == "/d" && sealed == "good") return std::string("p:a/s@s word");
      if (folder == "/d" && sealed == "seven") return std::string("7");
      return fail(ErrorKind::kUsage, "was sealed to another key, or has been changed since");
    };
    Problems problems;
    std::optional<AgentConfig> config = load_config(text, context, problems);
    lines.clear();
    for (const Problem& problem : problems.all())  // of warnings: warnings_test.cpp
      if (!problem.warning) lines.push_back(line_of(problem));
    return config;
  }

  // The problems of a file with one good pipeline, to which `members` are added.
  Lines problems_with(const std::string& members, const std::string& agent = "") {
    load(R"({"agent": {"dataDir": "/d")" + agent + R"(}, "pipelines": [{
             "source": {"type": "tank", "path": "x"},
             "sink": {"type": "drain", "url": "http://x"})" +
         members + "}]}");
    return lines;
  }

  Lines problems_of_source(const std::string& source) {
    load(R"({"agent": {"dataDir": "/d"}, "pipelines": [{"source": )" + source +
         R"(, "sink": {"type": "drain", "url": "http://x"}}]})");
    return lines;
  }

  Lines problems_of_sink(const std::string& sink) {
    load(R"({"agent": {"dataDir": "/d"}, "pipelines": [
             {"source": {"type": "tank", "path": "x"}, "sink": )" +
         sink + "}]}");
    return lines;
  }

  Registry registry = fake::registry();
  std::string data_dir;
  std::string only;
  std::map<std::string, std::string> parameters;
  Lines lines;
};

TEST_F(LoaderTest, takes_types_of_fields_and_names_those_that_are_none) {
  std::optional<AgentConfig> config = load(R"({
    "agent": {"dataDir": "/data"},
    "pipelines": [{
      "source": {"type": "tank", "path": "a", "fieldTypes": {"temp": "float", "ok": "bool"},
                 "time": {"field": "ts", "onError": "deadLetter"}},
      "sink": {"type": "shelf", "table": "t"}}]})");
  ASSERT_TRUE(config) << ::testing::PrintToString(lines);
  const SourceConfig& source = config->pipelines[0].source;
  ASSERT_EQ(source.fields.size(), 2U);
  EXPECT_EQ(source.fields[0], std::pair(std::string("temp"), Type::kFloat));
  EXPECT_TRUE(source.time->dead_letter);
  EXPECT_EQ(
      problems_of_source(R"({"type": "tank", "path": "x", "fieldTypes": {"temp": "flot"}})"),
      Lines{"pipelines[0].source.fieldTypes.temp: must be one of \"bool\", \"integer\", "
            "\"float\", \"decimal\", \"string\", \"time\", found the string \"flot\", did you "
            "mean \"float\"?"});
}

TEST_F(LoaderTest, reads_a_whole_configuration) {
  if (find_read_format("csv") == nullptr) GTEST_SKIP() << "csv was left out of this build";
  std::optional<AgentConfig> config = load(R"({
    "$schema": "config/schema.json",
    "agent": {"id": "gw-1", "dataDir": "/data", "workers": 2, "memory": "16MiB",
              "drainTimeout": "5s"},
    "pipelines": [{
      "name": "press-line",
      "source": {"type": "tank", "path": ["a", "b"], "format": "csv", "csv": {"delimiter": ";"},
                 "time": {"field": "ts", "format": "unixMs"}},
      "transforms": [{"type": "filter", "where": "temp > 40"}],
      "sink": {"type": "drain", "url": "${env:URL}/in", "format": "csv", "inFlight": 4,
               "batch": {"records": 10, "linger": "1s"}},
      "delivery": {"retry": {"initial": "1s", "max": "2s"},
                   "breaker": {"threshold": 3, "cooldown": "4s"}},
      "deadLetters": {"path": "/dead", "maxBytes": "1MiB"},
      "limits": {"recordsPerSecond": 100, "bytesPerSecond": "1MiB"}}]})");
  ASSERT_TRUE(config) << ::testing::PrintToString(lines);
  EXPECT_EQ(config->id, "gw-1");
  EXPECT_EQ(config->data_dir, "/data");
  EXPECT_EQ(config->workers, 2);
  EXPECT_EQ(config->memory, 16 << 20);
  EXPECT_EQ(config->drain_timeout, Milliseconds(5000));
  ASSERT_EQ(config->pipelines.size(), 1U);
  const PipelineConfig& pipeline = config->pipelines[0];
  EXPECT_EQ(pipeline.name, "press-line");
  EXPECT_EQ(pipeline.source.type, &fake::kTank);
  EXPECT_EQ(pipeline.source.options.strings("path"), (Lines{"a", "b"}));
  EXPECT_EQ(pipeline.source.format->name, "csv");
  EXPECT_EQ(pipeline.source.format_options.string("delimiter"), ";");
  ASSERT_TRUE(pipeline.source.time);
  EXPECT_EQ(pipeline.source.time->field, "ts");
  EXPECT_EQ(pipeline.source.time->format.read(int64_t{1500}), 1'500'000);
  ASSERT_EQ(pipeline.transforms.size(), 1U);
  EXPECT_EQ(pipeline.transforms[0].type->name, "filter");
  EXPECT_EQ(pipeline.transforms[0].options.path(), "pipelines[0].transforms[0]");
  EXPECT_EQ(pipeline.sink.options.string("url"), "http://collector/in");
  EXPECT_EQ(pipeline.sink.format->name, "csv");
  EXPECT_EQ(pipeline.sink.in_flight, 4);
  EXPECT_EQ(pipeline.sink.batch.records, 10);
  EXPECT_EQ(pipeline.sink.batch.bytes, 65536) << "the sink's own default";
  EXPECT_EQ(pipeline.sink.batch.linger, Milliseconds(1000));
  EXPECT_EQ(pipeline.sink.batch.spacing, Milliseconds(0)) << "a linger of one's own is meant";
  EXPECT_EQ(pipeline.delivery.retry_initial, Milliseconds(1000));
  EXPECT_EQ(pipeline.delivery.retry_max, Milliseconds(2000));
  EXPECT_EQ(pipeline.delivery.breaker_threshold, 3);
  EXPECT_EQ(pipeline.delivery.breaker_cooldown, Milliseconds(4000));
  EXPECT_EQ(pipeline.dead_letters.path, "/dead");
  EXPECT_EQ(pipeline.dead_letters.max_bytes, 1 << 20);
  EXPECT_EQ(pipeline.limits.records_per_second, 100);
  EXPECT_EQ(pipeline.limits.bytes_per_second, 1 << 20);
}

TEST_F(LoaderTest, fills_in_the_defaults_of_the_model) {
  data_dir = "/from-command-line";
  std::optional<AgentConfig> config = load(
      R"({"pipelines": [{"source": {"type": "tap"}, "sink": {"type": "drain", "url": "http://x"}}]})");
  ASSERT_TRUE(config) << ::testing::PrintToString(lines);
  const AgentConfig agent;
  EXPECT_EQ(config->id, "gw-042");
  EXPECT_EQ(config->data_dir, "/from-command-line");
  EXPECT_EQ(config->workers, agent.workers);
  EXPECT_EQ(config->memory, agent.memory);
  EXPECT_EQ(config->drain_timeout, agent.drain_timeout);
  const PipelineConfig& pipeline = config->pipelines[0];
  const PipelineConfig model;
  EXPECT_EQ(pipeline.name, "main");
  EXPECT_EQ(pipeline.source.format, nullptr) << "a source of records has no format";
  EXPECT_FALSE(pipeline.source.time);
  EXPECT_EQ(pipeline.sink.format->name, "ndjson") << "the first one";
  EXPECT_EQ(pipeline.sink.in_flight, 2);
  EXPECT_EQ(pipeline.sink.batch.records, 500);
  EXPECT_EQ(pipeline.sink.batch.linger, Milliseconds(100));
  EXPECT_EQ(pipeline.sink.batch.spacing, Milliseconds(5));
  EXPECT_EQ(pipeline.delivery.exactly_once, model.delivery.exactly_once);
  EXPECT_EQ(pipeline.delivery.retry_initial, model.delivery.retry_initial);
  EXPECT_EQ(pipeline.delivery.retry_max, model.delivery.retry_max);
  EXPECT_EQ(pipeline.delivery.breaker_threshold, model.delivery.breaker_threshold);
  EXPECT_EQ(pipeline.delivery.breaker_cooldown, model.delivery.breaker_cooldown);
  EXPECT_EQ(pipeline.dead_letters.path, "");
  EXPECT_EQ(pipeline.dead_letters.max_bytes, model.dead_letters.max_bytes);
  EXPECT_EQ(pipeline.limits.records_per_second, 0);
}

TEST_F(LoaderTest, lets_the_command_line_win_over_data_dir) {
  data_dir = "/flag";
  std::optional<AgentConfig> config = load(
      R"({"agent": {"dataDir": "/file"},
          "pipelines": [{"source": {"type": "tap"}, "sink": {"type": "drain", "url": "http://x"}}]})");
  ASSERT_TRUE(config) << ::testing::PrintToString(lines);
  EXPECT_EQ(config->data_dir, "/flag");
}

TEST_F(LoaderTest, reports_twenty_errors_at_once) {
  if (find_read_format("csv") == nullptr) GTEST_SKIP() << "csv was left out of this build";
  load(R"({
    "agnet": {},
    "agent": {"dataDir": "", "workers": 0, "memory": "lots", "drainTimeout": 30, "drain": 1},
    "pipelines": [
      {"name": "a/b",
       "source": {"type": "tnak"},
       "transforms": [{"type": "fliter"}, {"type": "filter", "where": 7}],
       "sink": {"type": "drain", "ulr": "http://x", "inFlight": 99, "format": "yaml",
                "batch": {"records": "many", "lnger": "1s"}},
       "delivery": {"guarantee": "perhaps", "spool": "sometimes", "maxSpol": 1},
       "limits": {"recordsPerSecond": -1}},
      {"name": "p", "sink": {"type": "shelf"}, "source": {"type": "tank"}, "source": 1},
      {"name": "p", "source": {"type": "tap", "format": "json"}, "sink": {}}]})");
  auto reported = [this](const std::string& line) {
    return std::ranges::any_of(lines, [&](const std::string& l) { return l.starts_with(line); });
  };
  for (const char* line :
       {"agnet: unknown key, did you mean \"agent\"?",
        "agent.dataDir: must not be empty",
        "agent.workers: must be between 1 and 64, found the number 0",
        "agent.memory: must be a size such as \"8MiB\", found the string \"lots\"",
        "agent.drainTimeout: must be a duration such as \"30s\", found the number 30",
        "agent.drain: unknown key",
        "pipelines[0].name: must be 1 to 64 of the characters",
        "pipelines[0].source.type: unknown source: the string \"tnak\", did you mean \"tank\"? "
        "(known: \"tank\", \"tap\")",
        "pipelines[0].transforms[0].type: unknown transform: the string \"fliter\", did you mean "
        "\"filter\"?",
        "pipelines[0].transforms[1].where: must be a string",
        "pipelines[0].sink.ulr: unknown key, did you mean \"url\"?",
        "pipelines[0].sink.url: missing, and required",
        "pipelines[0].sink.inFlight: must be between 1 and 8, found the number 99",
        "pipelines[0].sink.format: must be one of \"ndjson\", \"csv\", \"lines\", \"raw\", found "
        "the string \"yaml\"",
        "pipelines[0].sink.batch.records: must be a whole number such as 500",
        "pipelines[0].sink.batch.lnger: unknown key, did you mean \"linger\"?",
        "pipelines[0].delivery.guarantee: must be one of \"atLeastOnce\", \"exactlyOnce\"",
        "pipelines[0].delivery.spool: must be one of \"always\", \"onTrouble\", \"never\"",
        "pipelines[0].delivery.maxSpol: unknown key, did you mean \"maxSpool\"?",
        "pipelines[0].limits.recordsPerSecond: must be at least 0, found the number -1",
        "pipelines[1].source: this key stands here twice",
        "pipelines[1].source.path: missing, and required",
        "pipelines[1].sink.table: missing, and required",
        "pipelines[2].name: \"p\" is the name of pipelines[1] already",
        "pipelines[2].source.format: unknown key",
        "pipelines[2].sink.type: missing, and required: one of \"drain\", \"shelf\""})
    EXPECT_TRUE(reported(line)) << line << "\nin " << ::testing::PrintToString(lines);
  EXPECT_EQ(lines.size(), 26U) << ::testing::PrintToString(lines);
}

TEST_F(LoaderTest, wants_pipelines_and_a_data_dir) {
  EXPECT_FALSE(load("{}"));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[0].starts_with("agent.dataDir: missing, and required")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("pipelines: missing, and required")) << lines[1];
  load(R"({"agent": {"dataDir": "/d"}, "pipelines": {}})");
  EXPECT_EQ(lines.size(), 1U);
  load(R"({"agent": {"dataDir": "/d"}, "pipelines": [7]})");
  EXPECT_EQ(lines, Lines{"pipelines[0]: must be an object such as {\"source\": {...}, \"sink\": "
                         "{...}}, found the number 7"});
}

TEST_F(LoaderTest, takes_a_configuration_without_pipelines_which_is_how_a_gateway_begins) {
  std::optional<AgentConfig> config = load(R"({"agent": {"dataDir": "/d"}, "pipelines": []})");
  ASSERT_TRUE(config) << ::testing::PrintToString(lines);
  EXPECT_TRUE(config->pipelines.empty());
}

TEST_F(LoaderTest, knows_the_parameters_of_a_pipeline_and_waits_for_what_only_a_run_knows) {
  const std::string text = R"({"agent": {"dataDir": "/d"}, "pipelines": [
      {"name": "job", "source": {"type": "tank", "path": "/in/${param:day}"},
       "sink": {"type": "drain", "url": "http://${param:host:-y}"}},
      {"name": "other", "source": {"type": "tank", "path": "/${param:day:-x}"},
       "sink": {"type": "drain", "url": "http://y"}}]})";
  auto config = load(text);
  ASSERT_TRUE(config) << lines.front();
  const PipelineConfig& job = config->pipelines[0];
  EXPECT_EQ(job.parameters, (std::vector<ParameterConfig>{{"day", false}, {"host", true}}));
  EXPECT_FALSE(job.complete());
  EXPECT_TRUE(config->pipelines[1].complete()) << "its only one has a default";
  EXPECT_EQ(config->pipelines[1].source.options.strings("path"), Lines{"/x"});
  only = "job";
  parameters = {{"day", "monday"}};
  config = load(text);
  ASSERT_TRUE(config) << lines.front();
  ASSERT_EQ(config->pipelines.size(), 1U);
  EXPECT_TRUE(config->pipelines[0].complete());
  EXPECT_EQ(config->pipelines[0].source.options.strings("path"), Lines{"/in/monday"});
  EXPECT_EQ(config->pipelines[0].sink.options.string("url"), "http://y");
}

TEST_F(LoaderTest, finds_what_is_wrong_beside_a_parameter) {
  EXPECT_EQ(problems_with(R"(, "limits": {"bytesPerSecond": "${param:rate:-1}", "x": 1})"),
            Lines{"pipelines[0].limits.x: unknown key; known here: recordsPerSecond, "
                  "bytesPerSecond"});
  EXPECT_EQ(problems_with(R"(, "name": "job-${param:day:-x}")"),
            Lines{"pipelines[0].name: must be the same for all runs"});
  EXPECT_EQ(
      problems_with(R"(, "limits": {"bytesPerSecond": "${param:my rate}"})"),
      Lines{"pipelines[0].limits.bytesPerSecond: \"my rate\" is not the name of a parameter"});
  EXPECT_EQ(problems_with("", R"(, "id": "${param:id}")"),
            Lines{"agent.id: \"${param:…}\" has a value only within a pipeline"});
}

TEST_F(LoaderTest, takes_a_sealed_secret_where_secrets_are_and_nowhere_else) {
  auto problems = [this](const std::string& sink, const std::string& more = "") {
    load(R"({"agent": {"dataDir": "/d"}, "pipelines": [{"source": {"type": "tank", "path": "x"},
             "sink": {"type": "drain", )" +
         sink + "}" + more + "}]}");
    return lines;
  };
  auto config = load(R"({"agent": {"dataDir": "/d"}, "pipelines": [
      {"source": {"type": "tank", "path": "x"},
       "sink": {"type": "drain", "url": "http://x", "user": "u", "password": "${sealed:good}"}}]})");
  ASSERT_TRUE(config) << ::testing::PrintToString(lines);
  EXPECT_EQ(config->pipelines[0].sink.options.string("password"), "p:a/s@s word");
  EXPECT_EQ(problems(R"("url": "http://u:${sealed:seven}@x/y?token=${sealed:seven}")"), Lines{});

  const std::string no_place =
      ": a sealed secret has no place here: it would be shown with the "
      "option";
  EXPECT_EQ(problems(R"("url": "http://x/${sealed:seven}")"),
            Lines{"pipelines[0].sink.url" + no_place});
  EXPECT_EQ(problems(R"("url": "http://u:${sealed:good}@x")"),
            Lines{"pipelines[0].sink.url" + no_place})
      << "as its characters are, the mask would end too early";
  EXPECT_EQ(problems(R"("url": "http://x", "user": "${sealed:good}")"),
            Lines{"pipelines[0].sink.user" + no_place});
  EXPECT_EQ(
      problems(R"("url": "http://x")", R"(, "limits": {"recordsPerSecond": "${sealed:seven}"})"),
      Lines{"pipelines[0].limits.recordsPerSecond" + no_place});
  EXPECT_EQ(problems(R"("url": "http://x")", R"(, "name": "${sealed:seven}")"),
            (Lines{"pipelines[0].name: must not be sealed", "pipelines[0].name" + no_place}));
}

TEST_F(LoaderTest, says_of_a_sealed_secret_why_it_does_not_open) {
  EXPECT_EQ(
      problems_of_sink(
          R"({"type": "drain", "url": "http://x", "user": "u", "password": "${sealed:bad}"})"),
      Lines{"pipelines[0].sink.password: what \"${sealed:bad}\" stands for: was sealed to "
            "another key, or has been changed since"});
  load(R"({"agent": {"dataDir": "${sealed:good}"}, "pipelines": []})");
  EXPECT_EQ(lines, Lines{"agent.dataDir: what \"${sealed:good}\" stands for: the key is in "
                         "agent.dataDir, which is not given"});
}

TEST_F(LoaderTest, refuses_an_open_parameter_where_no_run_could_be_given_it) {
  auto problems = [this](const std::string& source, const std::string& more) {
    load(R"({"agent": {"dataDir": "/d"}, "pipelines": [{"source": )" + source +
         R"(, "sink": {"type": "drain", "url": "http://${param:host}"})" + more + "}]}");
    return lines;
  };
  const std::string rule = "${param:host} has no default, so it only runs when it is provisioned, ";
  EXPECT_EQ(problems(R"({"type": "tank", "path": "/in/x"})", ""), Lines{});
  EXPECT_EQ(problems(R"({"type": "tank", "path": "x"})", ""),
            Lines{"pipelines[0].source: " + rule + "and this source does not end by itself"});
  EXPECT_EQ(
      problems(R"({"type": "tank", "path": "/in/x"})", R"(, "delivery": {"spool": "always"})"),
      Lines{"pipelines[0].delivery.spool: must be \"never\": " + rule +
            "and such a run can have no spool"});
  EXPECT_EQ(problems(R"({"type": "tap", "rate": "${param:rate}"})", ""), Lines{})
      << "who knows what that decides";
  EXPECT_EQ(problems(R"({"type": "tank", "path": "/in/x"})",
                     R"(, "delivery": {"spool": "${param:spool}"})"),
            Lines{});
}

TEST_F(LoaderTest, checks_a_pipeline_that_is_not_enabled_and_leaves_it_out) {
  auto config = load(R"({"agent": {"dataDir": "/d", "memory": "1MiB"}, "pipelines": [
      {"name": "on", "source": {"type": "tank", "path": "x"}, "sink": {"type": "drain", "url": "http://y"}},
      {"name": "off", "enabled": false,
       "source": {"type": "tank", "path": "x"}, "sink": {"type": "drain", "url": "http://y"}}]})");
  ASSERT_TRUE(config) << lines.front();
  ASSERT_EQ(config->pipelines.size(), 1U);
  EXPECT_EQ(config->pipelines[0].name, "on");
  EXPECT_EQ(config->not_enabled, std::vector<std::string>{"off"});
  EXPECT_EQ(
      problems_with(R"(, "enabled": false, "limits": {"x": 1})"),
      Lines{"pipelines[0].limits.x: unknown key; known here: recordsPerSecond, bytesPerSecond"});
}

TEST_F(LoaderTest, reports_a_syntax_error_alone) {
  EXPECT_FALSE(load("{\"agent\": {},}"));
  EXPECT_EQ(lines, Lines{"',' before '}': remove it"});
}

TEST_F(LoaderTest, takes_a_byte_order_mark) {
  EXPECT_FALSE(load("\xEF\xBB\xBF{}"));
  EXPECT_EQ(lines.size(), 2U) << ::testing::PrintToString(lines);
}

TEST_F(LoaderTest, wants_names_when_there_are_several_pipelines) {
  load(R"({"agent": {"dataDir": "/d"}, "pipelines": [
    {"source": {"type": "tap"}, "sink": {"type": "drain", "url": "http://x"}},
    {"name": "b", "source": {"type": "tap"}, "sink": {"type": "drain", "url": "http://x"}}]})");
  EXPECT_EQ(lines, Lines{"pipelines[0].name: missing, and required when there are several "
                         "pipelines: a name such as \"press-line\""});
}

TEST_F(LoaderTest, wants_names_that_can_be_part_of_a_file_name) {
  for (const char* name : {"", "a b", "../x", ".hidden", "é"})
    EXPECT_EQ(problems_with(R"(, "name": ")" + std::string(name) + "\"").size(), 1U) << name;
  EXPECT_EQ(problems_with(R"(, "name": ")" + std::string(65, 'a') + "\"").size(), 1U);
  EXPECT_EQ(problems_with(R"(, "name": ")" + std::string(64, 'a') + "\""), Lines{});
  EXPECT_EQ(problems_with(R"(, "name": "Press_Line-1.a")"), Lines{});
}

TEST_F(LoaderTest, tells_sources_and_sinks_apart) {
  EXPECT_EQ(problems_of_source(R"({"type": "drain"})"),
            Lines{"pipelines[0].source.type: \"drain\" is a sink, not a source (known: \"tank\", "
                  "\"tap\")"});
  EXPECT_EQ(problems_of_sink(R"({"type": "tank"})"),
            Lines{"pipelines[0].sink.type: \"tank\" is a source, not a sink (known: \"drain\", "
                  "\"shelf\")"});
}

TEST_F(LoaderTest, says_when_a_connector_was_left_out_of_the_build) {
  EXPECT_EQ(problems_of_sink(R"({"type": "sewer"})"),
            Lines{"pipelines[0].sink.type: \"sewer\" was left out of this build of leat (known: "
                  "\"drain\", \"shelf\")"});
}

TEST_F(LoaderTest, refuses_options_of_a_format_that_is_not_used) {
  if (find_read_format("csv") == nullptr) GTEST_SKIP() << "csv was left out of this build";
  EXPECT_EQ(problems_of_source(R"({"type": "tank", "path": "x", "csv": {"delimiter": ";"}})"),
            Lines{"pipelines[0].source.csv: does nothing with \"format\": \"json\""});
}

TEST_F(LoaderTest, checks_the_format_of_the_event_time) {
  Lines found = problems_of_source(
      R"({"type": "tank", "path": "x", "time": {"field": "ts", "format": "%Q"}})");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].starts_with("pipelines[0].source.time.format: ")) << found[0];
  EXPECT_EQ(problems_of_source(R"({"type": "tank", "path": "x", "time": {"format": "unix"}})"),
            Lines{"pipelines[0].source.time.field: missing, and required: a string"});
}

TEST_F(LoaderTest, asks_the_stages_themselves) {
  EXPECT_EQ(problems_of_sink(R"({"type": "drain", "url": "ftp://x"})"),
            Lines{"pipelines[0].sink.url: must begin with http:// or https://"});
  Lines found = problems_with(R"(, "transforms": [{"type": "filter", "where": "temp >"}])");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].starts_with("pipelines[0].transforms[0]")) << found[0];
}

TEST_F(LoaderTest, says_all_that_is_wrong_with_a_stage_whoever_finds_it) {
  EXPECT_EQ(problems_of_sink(R"({"type": "drain", "url": "ftp://x", "password": "p",
                                 "inFlight": 99, "colour": "red"})"),
            (Lines{"pipelines[0].sink.inFlight: must be between 1 and 8, found the number 99",
                   "pipelines[0].sink.colour: unknown key; known here: type, url, user, password, "
                   "format, csv, batch, inFlight",
                   "pipelines[0].sink.url: must begin with http:// or https://",
                   "pipelines[0].sink.password: needs \"user\""}));
  Problems problems;
  (void)load_config(R"({"agent": {"dataDir": "/d"}, "pipelines": [
  {"source": {"type": "tank", "path": "x"},
   "sink": {"type": "drain",
            "url": "ftp://x",
            "password": "p"}}]})",
                    LoadContext{registry, {}, "", "gw"}, problems);
  ASSERT_EQ(problems.errors(), 2U);
  const Problem& url = problems.all()[problems.size() - 2];
  EXPECT_EQ(url.path, "pipelines[0].sink.url");
  EXPECT_EQ(url.line, 4);
  const Problem& password = problems.all().back();
  EXPECT_EQ(password.path, "pipelines[0].sink.password");
  EXPECT_EQ(password.line, 5);
  EXPECT_EQ(password.column, 25);
}

TEST_F(LoaderTest, leaves_out_what_may_only_follow_from_another_mistake) {
  // The user is there, misspelt; the URL is not there, or not known.
  Lines found =
      problems_of_sink(R"({"type": "drain", "url": "http://x", "usr": "u", "password": "p"})");
  ASSERT_EQ(found.size(), 1U) << ::testing::PrintToString(found);
  EXPECT_TRUE(found[0].starts_with("pipelines[0].sink.usr: unknown key, did you mean \"user\"?"));
  found = problems_of_sink(R"({"type": "drain", "ulr": "http://x"})");
  EXPECT_EQ(found.size(), 2U) << ::testing::PrintToString(found);
  found = problems_of_sink(R"({"type": "drain", "url": "${env:NO_SUCH}"})");
  EXPECT_EQ(found.size(), 1U) << ::testing::PrintToString(found);
}

TEST_F(LoaderTest, asks_the_planner) {
  Lines found = problems_with(R"(, "delivery": {"guarantee": "exactlyOnce"})");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].starts_with("pipelines[0].delivery.guarantee: ")) << found[0];
}

TEST_F(LoaderTest, wants_the_first_wait_to_be_the_shorter_one) {
  EXPECT_EQ(problems_with(R"(, "delivery": {"retry": {"initial": "2m"}})"),
            Lines{"pipelines[0].delivery.retry: initial (\"2m\") must not be longer than max "
                  "(\"1m\")"});
}

TEST_F(LoaderTest, wants_a_mebibyte_for_each_pipeline) {
  load(R"({"agent": {"dataDir": "/d", "memory": "2MiB"}, "pipelines": [
    {"name": "a", "source": {"type": "tap"}, "sink": {"type": "drain", "url": "http://x"}},
    {"name": "b", "source": {"type": "tap"}, "sink": {"type": "drain", "url": "http://x"}},
    {"name": "c", "source": {"type": "tap"}, "sink": {"type": "drain", "url": "http://x"}}]})");
  EXPECT_EQ(lines,
            Lines{"agent.memory: must be at least \"3MiB\" for 3 pipelines, found \"2MiB\""});
  EXPECT_EQ(problems_with("", R"(, "memory": "1MiB")"), Lines{});
  EXPECT_EQ(problems_with("", R"(, "memory": "512KiB")").size(), 1U);
}

TEST_F(LoaderTest, reads_a_budget_and_the_priority_of_a_pipeline) {
  auto config = load(R"({"agent": {"dataDir": "/d", "limits": {"budget": {
      "bytes": "200MB", "per": "week", "firstDay": 15, "at80": "onlyPriority", "at100": "warn",
      "interfaces": "wwan0"}}}, "pipelines": [
    {"name": "a", "source": {"type": "tap"}, "sink": {"type": "drain", "url": "http://x"}},
    {"name": "b", "priority": "high", "source": {"type": "tap"},
     "sink": {"type": "drain", "url": "http://x"}}]})");
  ASSERT_TRUE(config) << ::testing::PrintToString(lines);
  EXPECT_EQ(config->budget, (BudgetConfig{.bytes = 200'000'000,
                                          .per = BudgetPeriod::kWeek,
                                          .first_day = 15,
                                          .at80 = BudgetAction::kOnlyPriority,
                                          .at100 = BudgetAction::kWarn,
                                          .interfaces = {"wwan0"}}));
  EXPECT_FALSE(config->pipelines[0].high_priority);
  EXPECT_TRUE(config->pipelines[1].high_priority);
  EXPECT_EQ(problems_with("", R"(, "limits": {"budget": {"per": "month"}})"),
            Lines{"agent.limits.budget.bytes: missing, and required: a size such as \"8MiB\""});
}

TEST_F(LoaderTest, wants_a_dead_letter_file_for_each_pipeline) {
  load(R"({"agent": {"dataDir": "/d"}, "pipelines": [
    {"name": "a", "source": {"type": "tap"}, "sink": {"type": "drain", "url": "http://x"},
     "deadLetters": {"path": "/dead"}},
    {"name": "b", "source": {"type": "tap"}, "sink": {"type": "drain", "url": "http://x"},
     "deadLetters": {"path": "/dead"}}]})");
  EXPECT_EQ(lines, Lines{"pipelines[1].deadLetters.path: is the file of "
                         "pipelines[0].deadLetters.path already: each pipeline needs its own"});
}

TEST_F(LoaderTest, wants_max_dead_letters_to_be_a_count_or_a_share_of_what_ends) {
  EXPECT_EQ(problems_with(R"(, "maxDeadLetters": "many")"),
            Lines{"pipelines[0].maxDeadLetters: must be a count (\"100\") or a share (\"0.5%\")"});
  EXPECT_EQ(problems_with(R"(, "maxDeadLetters": "1%")"),
            Lines{"pipelines[0].maxDeadLetters: is for a source that ends, and this one does not"});
}

// As a reload compares them.
TEST_F(LoaderTest, tells_pipelines_apart_by_what_they_mean) {
  auto with = [this](const std::string& pipeline) {
    std::optional<AgentConfig> config =
        load(R"({"agent": {"dataDir": "/d"}, "pipelines": [)" + pipeline + "]}");
    EXPECT_TRUE(config) << pipeline;
    return config ? config->pipelines[0] : PipelineConfig();
  };
  PipelineConfig plain =
      with(R"({"source": {"type": "tap"}, "sink": {"type": "drain", "url": "http://collector"}})");
  EXPECT_EQ(plain, with(R"({"sink" :  {"url": "http://collector", "type": "drain"},
                            "source": {"type": "tap"}, "transforms": []})"));
  EXPECT_EQ(plain, with(R"({"name": "main", "source": {"type": "tap"},
                            "sink": {"type": "drain", "url": "${env:URL}"}})"));
  EXPECT_EQ(plain, with(R"({"source": {"type": "tap"}, "limits": {"recordsPerSecond": 0},
                            "sink": {"type": "drain", "url": "http://collector",
                                     "batch": {"records": 500, "linger": "100ms"}},
                            "delivery": {"retry": {"initial": "500ms"}, "maxSpool": "65536KiB",
                                         "guarantee": "atLeastOnce"}})"));
  EXPECT_NE(plain, with(R"({"source": {"type": "tap"},
                            "sink": {"type": "drain", "url": "http://other"}})"));
  EXPECT_NE(plain, with(R"({"source": {"type": "tap"}, "delivery": {"maxSpool": "1MiB"},
                            "sink": {"type": "drain", "url": "http://collector"}})"));
  EXPECT_NE(plain, with(R"({"source": {"type": "tap"},
                            "transforms": [{"type": "filter", "where": "a > 1"}],
                            "sink": {"type": "drain", "url": "http://collector"}})"));
}

TEST_F(LoaderTest, never_shows_a_secret) {
  problems_of_sink(R"({"type": "${env:SECRET}", "url": "http://x"})");
  Lines all = lines;
  problems_of_sink(R"({"type": "drain", "url": "http://x", "password": ["hunter2"]})");
  all.insert(all.end(), lines.begin(), lines.end());
  problems_with(R"(, "name": "${env:SECRET}/x")");
  all.insert(all.end(), lines.begin(), lines.end());
  EXPECT_EQ(all.size(), 3U);
  for (const std::string& line : all) EXPECT_EQ(line.find("hunter2"), std::string::npos) << line;
}

TEST(ReadText, says_what_cannot_be_read) {
  Result<std::string> missing = read_text("/nonexistent/leat.json");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message(), "open /nonexistent/leat.json: no such file or directory");
  Result<std::string> folder = read_text("/");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().message(), "read /: is a directory");
}

#ifdef LEAT_ADMIN

TEST_F(LoaderTest, what_others_can_reach_needs_tokens_and_tls) {
  auto admin = [this](const std::string& options) {
    return problems_with("", R"(, "admin": {)" + options + "}");
  };
  const std::string tokens = R"("tokens": ["0123456789abcdef"])";
  const std::string tls = R"("tls": {"cert": "c.pem", "key": "k.pem"})";
  EXPECT_EQ(admin(""), Lines{});
  EXPECT_EQ(admin(R"("listen": "[::1]:80")"), Lines{});
  EXPECT_EQ(admin(R"("listen": "0.0.0.0:80", )" + tokens + ", " + tls), Lines{});
  EXPECT_EQ(admin(tls), Lines{});
  const Lines open = {
      "agent.admin.listen: \"[::]:80\" can be reached by others, which needs \"tokens\" and "
      "\"tls\"; "
      "only 127.0.0.1 and [::1] do without"};
  EXPECT_EQ(admin(R"("listen": "[::]:80")"), open);
  EXPECT_EQ(admin(R"("listen": "[::]:80", )" + tokens), open);
  EXPECT_EQ(admin(R"("listen": "[::]:80", )" + tls), open);
  EXPECT_EQ(admin(R"("listen": "127.0.0.1.example.com:80")").size(), 1U) << "a name";
  EXPECT_EQ(admin(R"("listen": "127.0.0.1")").size(), 1U) << "no port";
  EXPECT_EQ(admin(R"("tokens": ["hunter2"])"),
            Lines{"agent.admin.tokens[0]: must have at least 16 characters, so that nobody "
                  "guesses it"});
  EXPECT_EQ(admin(R"("tls": {"cert": "c.pem"})"),
            Lines{"agent.admin.tls: needs \"cert\" and \"key\""});
}

TEST_F(LoaderTest, a_token_may_everything_unless_it_has_a_role) {
  std::optional<AgentConfig> config = load(R"({"agent": {"dataDir": "/d", "admin": {"tokens": [
      "0123456789abcdef", {"token": "operates-0123456", "role": "operate"},
      {"token": "looks-0123456789", "id": "grafana", "role": "read"}]}}, "pipelines": []})");
  ASSERT_TRUE(config && config->admin) << ::testing::PrintToString(lines);
  const std::vector<AdminToken> wanted = {{.token = "0123456789abcdef"},
                                          {.token = "operates-0123456", .role = Role::kOperate},
                                          {"looks-0123456789", "grafana", Role::kRead}};
  EXPECT_EQ(config->admin->tokens, wanted);
  config = load(R"({"agent": {"dataDir": "/d", "admin": {"tokens": "0123456789abcdef"}},
                    "pipelines": []})");
  ASSERT_TRUE(config && config->admin) << ::testing::PrintToString(lines);
  EXPECT_EQ(config->admin->tokens, std::vector<AdminToken>{{.token = "0123456789abcdef"}});
}

TEST_F(LoaderTest, tokens_that_mean_nothing_or_two_things_are_refused) {
  auto tokens = [this](const std::string& list) {
    return problems_with("", R"(, "admin": {"tokens": )" + list + "}");
  };
  EXPECT_EQ(tokens(R"([{"token": "0123456789abcdef"}])"),
            Lines{R"(agent.admin.tokens[0].role: missing, and required: one of "read", )"
                  R"("operate", "configure")"});
  EXPECT_EQ(tokens(R"([{"token": "0123456789abcdef", "role": "admin"}])").size(), 1U);
  EXPECT_EQ(tokens(R"([{"role": "read"}])"),
            Lines{"agent.admin.tokens[0].token: missing, and required: a string"});
  EXPECT_EQ(tokens(R"([{"token": "short", "role": "read"}])"),
            Lines{"agent.admin.tokens[0]: must have at least 16 characters, so that nobody guesses "
                  "it"});
  EXPECT_EQ(tokens(R"(["0123456789abcdef", {"token": "0123456789abcdef", "role": "read"}])"),
            Lines{"agent.admin.tokens[1]: has the token or the id of agent.admin.tokens[0]"});
  EXPECT_EQ(tokens(R"([{"token": "0123456789abcdef", "role": "read", "id": "a b"}])"),
            Lines{"agent.admin.tokens[0].id: must be 1 to 64 of the characters A-Z a-z 0-9 . _ -"});
  for (const char* wrong : {"[1234567890123456]", "1234567890123456"}) {
    const Lines said = tokens(wrong);
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(said[0].find("1234567890123456"), std::string::npos) << said[0];
  }
}

TEST_F(LoaderTest, admin_is_off_unless_it_is_given) {
  const std::string pipelines = R"("pipelines": []})";
  std::optional<AgentConfig> without = load(R"({"agent": {"dataDir": "/d"}, )" + pipelines);
  ASSERT_TRUE(without);
  EXPECT_FALSE(without->admin);
  std::optional<AgentConfig> with =
      load(R"({"agent": {"dataDir": "/d", "admin": {"listen": "localhost:80"}}, )" + pipelines);
  ASSERT_TRUE(with && with->admin);
  EXPECT_EQ(with->admin->host, "localhost");
  EXPECT_EQ(with->admin->port, 80);
}

#else

TEST_F(LoaderTest, admin_is_refused_by_a_build_without_it) {
  EXPECT_EQ(problems_with("", R"(, "admin": {})"), Lines{"agent.admin: is not in this build"});
}

#endif

TEST(DataDir, is_found_whatever_is_wrong_with_the_rest) {
  const Registry registry = fake::registry();
  LoadContext context{registry, {}, "", "gw"};
  context.variables.env = [](const std::string& name) -> std::optional<std::string> {
    if (name == "DIR") return "/d";
    return std::nullopt;
  };
  auto found = [&context](std::vector<ConfigFile> files) -> std::string {
    Problems problems;
    std::optional<std::string> dir = load_data_dir(files, context, problems);
    return dir ? *dir : "error: " + line_of(problems.all().front());
  };
  EXPECT_EQ(found({{"a", R"({"agent": {"dataDir": "${env:DIR}/x", "wrokers": 1},
                             "pipelines": [{"source": 5, "sink": {"url": "${env:NONE}"}}]})"}}),
            "/d/x");
  EXPECT_EQ(found({{"a", "{ this is none"}, {"b", R"({"agent": {"dataDir": "/b"}})"}}), "/b");
  EXPECT_TRUE(found({{"a", "{ this is none"}}).starts_with("error: "));
  EXPECT_TRUE(found({{"a", R"({"pipelines": []})"}}).starts_with("error: agent.dataDir: missing"));
  EXPECT_EQ(found({{"a", R"({"agent": {"dataDir": "${env:NONE}"}})"}}),
            "error: agent.dataDir: environment variable NONE is not set");
  context.data_dir = "/given";
  EXPECT_EQ(found({{"a", "{ this is none"}}), "/given");
}

}  // namespace
}  // namespace leat
