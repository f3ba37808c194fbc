#include "control/snapshot_json.h"

#include "control/metrics.h"

#include <cjson/cJSON.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <sstream>

namespace leat {
namespace {

using Json = std::unique_ptr<cJSON, void (*)(cJSON*)>;

Snapshot two_pipelines() {
  Snapshot out{.id = "gw \"042\"", .version = "1.2.3", .config_file = "/etc/leat/leat.json"};
  out.uptime = Milliseconds{61'500};
  out.journal_written_bytes = 4096;
  PipelineSnapshot well{.name = "press-line", .state = PipelineState::kRunning, .runs = true};
  well.counters.records = 10;
  well.counters.delivered = 7;
  well.counters.waiting = 3;
  PipelineSnapshot ill{.name = "mill",
                       .state = PipelineState::kCircuitOpen,
                       .reason = "connect [::1]:443: connection refused",
                       .runs = true};
  ill.counters.spool_bytes = 2048;
  ill.max_spool_bytes = 65536;
  ill.next_attempt_in = Milliseconds{12'300};
  ill.counters.spool_full_in = Milliseconds{3'600'000};
  ill.counters.dead_letter_reasons = {{"decode json", "decode", "unexpected end", 3}};
  ill.counters.stages = {{"decode json", {.in = 9, .out = 6, .failed = 3}, 64}};
  ill.counters.stages[0].counters.timed_us = 18;
  ill.counters.stages[0].counters.timed_records = 9;
  out.config_loaded_us = 1'760'000'000'000'000;
  out.pipelines = {well, ill};
  return out;
}

int64_t number(const cJSON* node, const char* name) {
  const cJSON* value = cJSON_GetObjectItemCaseSensitive(node, name);
  return cJSON_IsNumber(value) ? static_cast<int64_t>(value->valuedouble) : -1;
}
std::string text(const cJSON* node, const char* name) {
  const char* value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(node, name));
  return value == nullptr ? "(none)" : value;
}

TEST(SnapshotJson, says_everything_of_each_pipeline) {
  Json json(cJSON_Parse(json_of(two_pipelines()).c_str()), cJSON_Delete);
  ASSERT_NE(json, nullptr);
  EXPECT_EQ(text(json.get(), "id"), "gw \"042\"");
  EXPECT_EQ(text(json.get(), "configFile"), "/etc/leat/leat.json");
  EXPECT_EQ(number(json.get(), "journalWrittenBytes"), 4096);
  const cJSON* list = cJSON_GetObjectItemCaseSensitive(json.get(), "pipelines");
  ASSERT_EQ(cJSON_GetArraySize(list), 2);
  const cJSON* well = cJSON_GetArrayItem(list, 0);
  EXPECT_EQ(text(well, "state"), "running");
  EXPECT_EQ(text(well, "reason"), "(none)");
  EXPECT_EQ(number(cJSON_GetObjectItemCaseSensitive(well, "records"), "waiting"), 3);
  const cJSON* ill = cJSON_GetArrayItem(list, 1);
  EXPECT_EQ(text(ill, "state"), "circuit open");
  EXPECT_TRUE(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(ill, "trouble")));
  EXPECT_TRUE(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(well, "trouble")));
  EXPECT_EQ(text(ill, "reason"), "connect [::1]:443: connection refused");
  EXPECT_EQ(number(ill, "maxSpoolBytes"), 65536);
  EXPECT_EQ(number(ill, "nextAttemptSeconds"), 12);
  EXPECT_EQ(number(ill, "spoolFullSeconds"), 3'600);
  EXPECT_EQ(cJSON_GetObjectItemCaseSensitive(well, "spoolFullSeconds"), nullptr);
  const cJSON* dead = cJSON_GetObjectItemCaseSensitive(ill, "deadLetterReasons")->child;
  EXPECT_EQ(text(dead, "stage") + ": " + text(dead, "reason"), "decode json: unexpected end");
  EXPECT_EQ(number(dead, "count"), 3);
  const cJSON* stage = cJSON_GetObjectItemCaseSensitive(ill, "stages")->child;
  EXPECT_EQ(number(stage, "in"), 9);
  EXPECT_EQ(number(stage, "failed"), 3);
  EXPECT_EQ(number(stage, "microsecondsPerRecord"), 2);
  EXPECT_EQ(text(json.get(), "configLoaded"), "2025-10-09T08:53:20Z");
}

TEST(SnapshotJson, says_how_the_control_topic_is) {
  Snapshot snapshot = two_pipelines();
  EXPECT_EQ(json_of(snapshot).find("\"control\""), std::string::npos) << "where there is none";
  snapshot.control = ControlStatus{.connected = true,
                                   .ended = {{"pipeline.pause", "succeeded", 2}},
                                   .refused = {{"bad signature", 3}, {"expired", 0}}};
  Json json(cJSON_Parse(json_of(snapshot).c_str()), cJSON_Delete);
  const cJSON* control = cJSON_GetObjectItemCaseSensitive(json.get(), "control");
  EXPECT_TRUE(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(control, "connected")));
  const cJSON* refusals = cJSON_GetObjectItemCaseSensitive(control, "refusals");
  ASSERT_EQ(cJSON_GetArraySize(refusals), 1);
  EXPECT_EQ(text(refusals->child, "reason"), "bad signature");
  EXPECT_EQ(number(refusals->child, "count"), 3);
  Json stats(cJSON_Parse(stats_json(snapshot).c_str()), cJSON_Delete);
  const cJSON* commands = cJSON_GetObjectItemCaseSensitive(
      cJSON_GetObjectItemCaseSensitive(stats.get(), "control"), "commands");
  ASSERT_EQ(cJSON_GetArraySize(commands), 1);
  EXPECT_EQ(text(commands->child, "command") + " " + text(commands->child, "state"),
            "pipeline.pause succeeded");
  EXPECT_EQ(number(commands->child, "count"), 2);
}

TEST(SnapshotJson, can_be_asked_for_one_pipeline) {
  Json json(cJSON_Parse(json_of(two_pipelines(), "mill").c_str()), cJSON_Delete);
  const cJSON* list = cJSON_GetObjectItemCaseSensitive(json.get(), "pipelines");
  ASSERT_EQ(cJSON_GetArraySize(list), 1);
  EXPECT_EQ(text(list->child, "name"), "mill");
}

TEST(StatsJson, counts_on_over_the_runs_of_a_pipeline) {
  Snapshot snapshot = two_pipelines();
  snapshot.pipelines[0].totals.records = 12;
  snapshot.pipelines[0].totals.latencies.add(5, 70'000);
  snapshot.pipelines[0].totals.latencies.add(2, 7'000'000'000);
  Json json(cJSON_Parse(stats_json(snapshot).c_str()), cJSON_Delete);
  const cJSON* first = cJSON_GetObjectItemCaseSensitive(json.get(), "pipelines")->child;
  EXPECT_EQ(number(cJSON_GetObjectItemCaseSensitive(first, "records"), "read"), 12);
  const cJSON* latency = cJSON_GetObjectItemCaseSensitive(first, "deliveryLatency");
  EXPECT_EQ(number(latency, "count"), 7);
  EXPECT_EQ(number(latency, "sumSeconds"), 14'000);
  const cJSON* buckets = cJSON_GetObjectItemCaseSensitive(latency, "buckets");
  const cJSON* last = cJSON_GetArrayItem(buckets, cJSON_GetArraySize(buckets) - 1);
  EXPECT_EQ(number(last->prev, "count"), 5) << "within an hour";
  EXPECT_EQ(number(last->prev, "atMostSeconds"), 3'600);
  EXPECT_EQ(number(last, "count"), 7);
  EXPECT_EQ(cJSON_GetObjectItemCaseSensitive(last, "atMostSeconds"), nullptr);
}

TEST(Metrics, have_help_and_type_before_their_samples_and_each_once) {
  Snapshot snapshot = two_pipelines();
  snapshot.control = ControlStatus{.ended = {{"ping", "succeeded", 2}, {"ping", "failed", 1}},
                                   .refused = {{"bad signature", 3}, {"expired", 0}}};
  snapshot.caches = {{.name = "b"}};
  std::istringstream lines(metrics_of(snapshot));
  std::set<std::string> seen;
  std::string line;
  std::string name;
  int samples = 0;
  bool histogram = false;
  while (std::getline(lines, line)) {
    if (line.starts_with("# HELP ")) {
      name = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(seen.insert(name).second) << line;
      EXPECT_TRUE(line.ends_with('.')) << line;
    } else if (line.starts_with("# TYPE ")) {
      EXPECT_TRUE(line.starts_with("# TYPE " + name + " ")) << line;
      EXPECT_EQ(name.ends_with("_total"), line.ends_with(" counter")) << line;
      histogram = line.ends_with(" histogram");
    } else {
      std::string_view sample = std::string_view(line).substr(0, line.find_first_of("{ "));
      EXPECT_TRUE(sample.starts_with(name)) << line;
      std::string_view rest = sample.substr(std::min(name.size(), sample.size()));
      const bool of_histogram = rest == "_bucket" || rest == "_sum" || rest == "_count";
      EXPECT_EQ(of_histogram, histogram) << line;
      EXPECT_TRUE(rest.empty() || histogram) << line;
      ++samples;
    }
  }
  EXPECT_GT(samples, 30);
}

TEST(Metrics, tell_what_became_of_commands_from_afar) {
  Snapshot snapshot = two_pipelines();
  EXPECT_EQ(metrics_of(snapshot).find("leat_control"), std::string::npos) << "where there are none";
  snapshot.control = ControlStatus{.connected = true,
                                   .ended = {{"pipeline.pause", "succeeded", 2}},
                                   .refused = {{"bad signature", 3}, {"expired", 0}}};
  const std::string text = metrics_of(snapshot);
  for (const char* sample :
       {"leat_control_up 1", "leat_control_refusals_total{reason=\"bad signature\"} 3",
        "leat_control_refusals_total{reason=\"expired\"} 0",
        "leat_control_commands_total{command=\"pipeline.pause\",state=\"succeeded\"} 2"})
    EXPECT_NE(text.find("\n" + std::string(sample) + "\n"), std::string::npos) << sample;
}

TEST(Metrics, tell_a_sink_that_takes_nothing) {
  std::string text = metrics_of(two_pipelines());
  EXPECT_NE(text.find("\nleat_sink_up{pipeline=\"press-line\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("\nleat_sink_up{pipeline=\"mill\"} 0\n"), std::string::npos);
  EXPECT_NE(text.find("leat_build_info{version=\"1.2.3\",id=\"gw \\\"042\\\"\"} 1\n"),
            std::string::npos);
  EXPECT_NE(text.find("\nleat_uptime_seconds 61\n"), std::string::npos);
}

TEST(Metrics, count_on_over_the_runs_of_a_pipeline) {
  Snapshot snapshot = two_pipelines();
  snapshot.pipelines[0].counters.records = 3;
  snapshot.pipelines[0].totals.records = 10;
  snapshot.pipelines[0].totals.latencies.add(5, 70'000);
  snapshot.pipelines[0].totals.latencies.add(2, 7'000'000'000);
  std::string text = metrics_of(snapshot);
  EXPECT_NE(text.find("\nleat_records_read_total{pipeline=\"press-line\"} 10\n"), text.npos);
  const std::string name = "\nleat_delivery_latency_seconds";
  for (const char* sample :
       {"_bucket{pipeline=\"press-line\",le=\"0.05\"} 0\n",
        "_bucket{pipeline=\"press-line\",le=\"0.1\"} 5\n",
        "_bucket{pipeline=\"press-line\",le=\"3600\"} 5\n",
        "_bucket{pipeline=\"press-line\",le=\"+Inf\"} 7\n",
        "_sum{pipeline=\"press-line\"} 14000.35\n", "_count{pipeline=\"press-line\"} 7\n"})
    EXPECT_NE(text.find(name + sample), std::string::npos) << sample << text;
}

TEST(Metrics, tell_how_long_the_flash_lasts_where_its_endurance_is_known) {
  Snapshot snapshot = two_pipelines();
  snapshot.journal_written_bytes = 1 << 20;
  EXPECT_FALSE(snapshot.flash_life());
  snapshot.flash_endurance = int64_t{100} << 20;
  EXPECT_FALSE(snapshot.flash_life()) << "too early to tell";
  snapshot.uptime = Milliseconds{3'600'000};
  EXPECT_EQ(snapshot.flash_life(), Milliseconds{360'000'000});
  EXPECT_NE(metrics_of(snapshot).find("\nleat_flash_life_seconds 360000\n"), std::string::npos);
  EXPECT_NE(json_of(snapshot).find("\"flashLifeSeconds\":360000"), std::string::npos);
}

TEST(Caches, are_counted_in_the_status_and_the_metrics) {
  Snapshot snapshot = two_pipelines();
  EXPECT_EQ(json_of(snapshot).find("caches"), std::string::npos);
  EXPECT_EQ(metrics_of(snapshot).find("leat_cache"), std::string::npos);
  if (!kCaches) GTEST_SKIP() << "they were left out of this build";
  snapshot.caches = {{"b", 12, 4096, 7, 6, 5, 4}};
  EXPECT_NE(json_of(snapshot).find(
                R"("caches":[{"name":"b","records":12,"bytes":4096,"hits":7,"misses":6,)"
                R"("expired":5,"evicted":4}])"),
            std::string::npos);
  EXPECT_EQ(json_of(snapshot, "mill").find("caches"), std::string::npos);
  const std::string text = metrics_of(snapshot);
  for (const char* sample : {"records{cache=\"b\"} 12\n", "bytes{cache=\"b\"} 4096\n",
                             "hits_total{cache=\"b\"} 7\n", "misses_total{cache=\"b\"} 6\n",
                             "expired_total{cache=\"b\"} 5\n", "evicted_total{cache=\"b\"} 4\n"})
    EXPECT_NE(text.find(std::string("\nleat_cache_") + sample), std::string::npos) << sample;
}

TEST(Metrics, tell_how_long_the_oldest_record_waits) {
  Snapshot snapshot = two_pipelines();
  snapshot.pipelines[1].counters.oldest_waits_for = Milliseconds{12'345};
  std::string text = metrics_of(snapshot);
  EXPECT_NE(text.find("\nleat_oldest_undelivered_seconds{pipeline=\"mill\"} 12.345\n"), text.npos);
  EXPECT_NE(text.find("\nleat_oldest_undelivered_seconds{pipeline=\"press-line\"} 0.000\n"),
            text.npos);
}

TEST(Troubles, are_a_line_for_each_pipeline_that_has_some) {
  EXPECT_EQ(
      troubles_of(two_pipelines()),
      std::vector<std::string>{"mill: connect [::1]:443: connection refused; 2.0 KiB spooled"});
}

}  // namespace
}  // namespace leat
