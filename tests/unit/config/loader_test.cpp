// A whole configuration: what is taken, what is filled in, and what is refused in which words.
#include <algorithm>

#include "config/loader_fixture.h"

namespace leat {
namespace {

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
        "pipelines[0].sink.format: must be one of \"ndjson\", \"csv\", \"lines\", \"raw\"",
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
  const std::string avro = find_write_format("avro") != nullptr ? "avro, " : "";
  EXPECT_EQ(problems_of_sink(R"({"type": "drain", "url": "ftp://x", "password": "p",
                                 "inFlight": 99, "colour": "red"})"),
            (Lines{"pipelines[0].sink.inFlight: must be between 1 and 8, found the number 99",
                   "pipelines[0].sink.colour: unknown key; known here: type, url, user, password, "
                   "format, csv, " +
                       avro + "batch, inFlight",
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
