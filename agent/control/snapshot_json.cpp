#include "control/snapshot_json.h"

#include <iterator>

#include "base/time_format.h"
#include "control/json_text.h"
#include "control/progress.h"

namespace leat {
namespace {

double seconds(Milliseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

void add_seconds(cJSON* object, const char* name, const std::optional<Milliseconds>& time) {
  if (time) cJSON_AddNumberToObject(object, name, seconds(*time));
}

struct Counter {
  const char* name;
  uint64_t TaskStatus::*value;
};
constexpr Counter kRecordCounters[] = {{"read", &TaskStatus::records},
                                       {"delivered", &TaskStatus::delivered},
                                       {"filtered", &TaskStatus::filtered},
                                       {"dropped", &TaskStatus::dropped},
                                       {"deadLetters", &TaskStatus::dead_letters},
                                       {"spooled", &TaskStatus::spooled},
                                       {"spoolDropped", &TaskStatus::spool_dropped},
                                       {"spoolLost", &TaskStatus::spool_lost}};

void add_latencies(cJSON* pipeline, const Latencies& took) {
  cJSON* out = cJSON_AddObjectToObject(pipeline, "deliveryLatency");
  cJSON* buckets = cJSON_CreateArray();
  uint64_t so_far = 0;
  for (size_t i = 0; i < took.counts.size(); ++i) {
    so_far += took.counts[i];
    cJSON* bucket = cJSON_CreateObject();
    if (i < Latencies::kBoundsMs.size())
      cJSON_AddNumberToObject(bucket, "atMostSeconds",
                              seconds(Milliseconds(Latencies::kBoundsMs[i])));
    add(bucket, "count", so_far);
    cJSON_AddItemToArray(buckets, bucket);
  }
  add(out, "count", so_far);
  cJSON_AddNumberToObject(out, "sumSeconds", took.sum_seconds);
  cJSON_AddItemToObject(out, "buckets", buckets);
}

void add_dead_letter_reasons(cJSON* pipeline, const std::vector<DeadLetterReason>& reasons) {
  cJSON* list = cJSON_AddArrayToObject(pipeline, "deadLetterReasons");
  for (const DeadLetterReason& reason : reasons) {
    cJSON* one = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "stage", reason.stage.c_str());
    cJSON_AddStringToObject(one, "code", reason.code.c_str());
    cJSON_AddStringToObject(one, "reason", reason.reason.c_str());
    add(one, "count", reason.count);
    cJSON_AddItemToArray(list, one);
  }
}

void add_stages(cJSON* pipeline, const std::vector<StageStatus>& stages) {
  cJSON* list = cJSON_AddArrayToObject(pipeline, "stages");
  for (const StageStatus& stage : stages) {
    cJSON* one = cJSON_CreateObject();
    add_text(one, "name", stage.name);
    add(one, "in", stage.counters.in);
    add(one, "out", stage.counters.out);
    add(one, "filtered", stage.counters.filtered);
    add(one, "failed", stage.counters.failed);
    if (stage.counters.timed_records > 0)
      cJSON_AddNumberToObject(one, "microsecondsPerRecord",
                              static_cast<double>(stage.counters.timed_us) /
                                  static_cast<double>(stage.counters.timed_records));
    add(one, "memoryBytes", stage.held);
    cJSON_AddItemToArray(list, one);
  }
}

cJSON* pipeline_json(const PipelineSnapshot& pipeline) {
  const PipelineStatus& counters = pipeline.counters;
  cJSON* out = cJSON_CreateObject();
  cJSON_AddStringToObject(out, "name", pipeline.name.c_str());
  cJSON_AddStringToObject(out, "state", std::string(name_of(pipeline.state)).c_str());
  add_text(out, "reason", pipeline.reason);
  add_text(out, "refused", pipeline.refused);
  if (pipeline.run != 0) add(out, "run", pipeline.run);
  cJSON_AddBoolToObject(out, "trouble", !trouble_line(pipeline).empty());
  cJSON_AddBoolToObject(out, "bounded", pipeline.bounded);
  if (pipeline.own) cJSON_AddTrueToObject(out, "own");
  if (pipeline.exclusive) cJSON_AddTrueToObject(out, "exclusive");
  add(out, "loop", pipeline.loop);
  cJSON_AddNumberToObject(out, "runningSeconds", seconds(pipeline.running_for));
  cJSON* records = add_counters(out, counters);
  add_parallel(out, counters);
  add(records, "waiting", counters.waiting);
  if (counters.bytes_total) add(out, "bytesTotal", *counters.bytes_total);
  add(out, "spoolBytes", counters.spool_bytes);
  add(out, "maxSpoolBytes", static_cast<uint64_t>(pipeline.max_spool_bytes));
  add(out, "memoryBytes", counters.memory_used);
  add(out, "memoryPeakBytes", counters.memory_peak);
  add(out, "memoryLimitBytes", counters.memory_limit);
  add_seconds(out, "nextAttemptSeconds", pipeline.next_attempt_in);
  add_text(out, "schedule", pipeline.schedule);
  if (pipeline.next_run_us != 0)
    add_text(out, "nextRun", rfc3339(pipeline.next_run_us / 1'000'000 * 1'000'000));
  if (pipeline.failed_runs > 0) add(out, "failedRuns", pipeline.failed_runs);
  if (pipeline.runs) {
    add_seconds(out, "lastReadSeconds", counters.since_read);
    add_seconds(out, "oldestUndeliveredSeconds", counters.oldest_waits_for);
    add_seconds(out, "spoolFullSeconds", counters.spool_full_in);
  }
  add_dead_letter_reasons(out, counters.dead_letter_reasons);
  add_stages(out, counters.stages);
  return out;
}

void add_budget(cJSON* object, const BudgetStatus& budget) {
  cJSON* out = cJSON_AddObjectToObject(object, "budget");
  add(out, "bytes", static_cast<uint64_t>(budget.bytes));
  add(out, "usedBytes", static_cast<uint64_t>(budget.used));
  add_text(out, "per", std::string(budget.per));
  if (budget.since_us != 0) add_text(out, "since", rfc3339(budget.since_us));
  if (budget.since_us != 0) add_text(out, "until", rfc3339(budget.until_us));
  add_text(out, "holds", std::string(budget.holds));
}

void add_names(cJSON* object, const char* name, const std::vector<std::string>& names) {
  cJSON* list = cJSON_AddArrayToObject(object, name);
  for (const std::string& one : names) cJSON_AddItemToArray(list, cJSON_CreateString(one.c_str()));
}

void add_cluster(cJSON* object, const ClusterStatus& cluster) {
  cJSON* out = cJSON_AddObjectToObject(object, "cluster");
  add_text(out, "group", cluster.group);
  cJSON_AddBoolToObject(out, "joined", cluster.joined ? 1 : 0);
  add_text(out, "reason", cluster.reason);
  add_names(out, "members", cluster.members);
  add_names(out, "holds", cluster.holds);
}

void add_caches(cJSON* object, const std::vector<CacheStatus>& caches) {
  cJSON* list = cJSON_AddArrayToObject(object, "caches");
  for (const CacheStatus& cache : caches) {
    cJSON* one = cJSON_CreateObject();
    add_text(one, "name", cache.name);
    add(one, "records", cache.records);
    add(one, "bytes", cache.bytes);
    add(one, "hits", cache.hits);
    add(one, "misses", cache.misses);
    add(one, "expired", cache.expired);
    add(one, "evicted", cache.evicted);
    cJSON_AddItemToArray(list, one);
  }
}

// Those that there were.
void add_refusals(cJSON* object, const ControlStatus& control) {
  cJSON* list = cJSON_AddArrayToObject(object, "refusals");
  for (const ControlStatus::Refused& refused : control.refused) {
    if (refused.count == 0) continue;
    cJSON* one = cJSON_CreateObject();
    add_text(one, "reason", std::string(refused.reason));
    add(one, "count", refused.count);
    cJSON_AddItemToArray(list, one);
  }
}

void add_ended(cJSON* object, const ControlStatus& control) {
  cJSON* list = cJSON_AddArrayToObject(object, "commands");
  for (const ControlStatus::Ended& ended : control.ended) {
    cJSON* one = cJSON_CreateObject();
    add_text(one, "command", ended.command);
    add_text(one, "state", std::string(ended.state));
    add(one, "count", ended.count);
    cJSON_AddItemToArray(list, one);
  }
}

}  // namespace

cJSON* add_counters(cJSON* object, const TaskStatus& counters) {
  cJSON* records = cJSON_AddObjectToObject(object, "records");
  for (const Counter& counter : kRecordCounters)
    add(records, counter.name, counters.*counter.value);
  add(object, "retries", counters.retries);
  add(object, "keysEvicted", counters.keys_evicted);
  add(object, "circuitOpenings", counters.circuit_openings);
  cJSON_AddNumberToObject(object, "backPressureSeconds", seconds(counters.back_pressure));
  add(object, "bytesRead", counters.bytes_read);
  return records;
}

void add_parallel(cJSON* object, const TaskStatus& counters) {
#ifdef LEAT_PARALLEL
  if (!counters.parallel) return;
  cJSON* parallel = cJSON_AddObjectToObject(object, "parallel");
  add(parallel, "loops", counters.parallel->loops);
  add(parallel, "most", counters.parallel->most);
  add(parallel, "breaches", counters.parallel->breaches);
#else
  (void)object;
  (void)counters;
#endif
}

std::string json_of(const Snapshot& snapshot, const std::string& pipeline) {
  Json out = json_object();
  cJSON_AddStringToObject(out.get(), "id", snapshot.id.c_str());
  cJSON_AddStringToObject(out.get(), "version", snapshot.version.c_str());
  cJSON_AddStringToObject(out.get(), "configFile", snapshot.config_file.c_str());
  if (snapshot.config_loaded_us != 0)
    add_text(out.get(), "configLoaded", rfc3339(snapshot.config_loaded_us));
  if (snapshot.config.version != 0) {
    cJSON* config = cJSON_AddObjectToObject(out.get(), "config");
    add(config, "version", snapshot.config.version);
    add_text(config, "origin", snapshot.config.origin);
    add_text(config, "author", snapshot.config.author);
    cJSON_AddBoolToObject(config, "probation", snapshot.config.probation ? 1 : 0);
    add_text(config, "trouble", snapshot.config.trouble);
  }
  if (snapshot.control) {
    cJSON* control = cJSON_AddObjectToObject(out.get(), "control");
    cJSON_AddBoolToObject(control, "connected", snapshot.control->connected ? 1 : 0);
    add_text(control, "sealTo", snapshot.control->seal_to);
    add_refusals(control, *snapshot.control);
  }
  if (snapshot.budget) add_budget(out.get(), *snapshot.budget);
  if (kCluster && snapshot.cluster) add_cluster(out.get(), *snapshot.cluster);
  cJSON_AddNumberToObject(out.get(), "uptimeSeconds", seconds(snapshot.uptime));
  cJSON_AddBoolToObject(out.get(), "stopping", snapshot.stopping);
  add(out.get(), "loops", snapshot.loops);
  add(out.get(), "journalWrittenBytes", snapshot.journal_written_bytes);
  add_seconds(out.get(), "flashLifeSeconds", snapshot.flash_life());
  cJSON* list = cJSON_AddArrayToObject(out.get(), "pipelines");
  for (const PipelineSnapshot& one : snapshot.pipelines)
    if (pipeline.empty() || one.name == pipeline) cJSON_AddItemToArray(list, pipeline_json(one));
  if (kCaches && pipeline.empty() && !snapshot.caches.empty())
    add_caches(out.get(), snapshot.caches);
  return printed(out.get()) + "\n";
}

std::string stats_json(const Snapshot& snapshot) {
  Json out = json_object();
  cJSON_AddNumberToObject(out.get(), "uptimeSeconds", seconds(snapshot.uptime));
  add(out.get(), "journalWrittenBytes", snapshot.journal_written_bytes);
  add_seconds(out.get(), "flashLifeSeconds", snapshot.flash_life());
  if (snapshot.control) {
    cJSON* control = cJSON_AddObjectToObject(out.get(), "control");
    add_ended(control, *snapshot.control);
    add_refusals(control, *snapshot.control);
  }
  cJSON* list = cJSON_AddArrayToObject(out.get(), "pipelines");
  for (const PipelineSnapshot& pipeline : snapshot.pipelines) {
    cJSON* one = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "name", pipeline.name.c_str());
    add_counters(one, pipeline.totals);
    add_latencies(one, pipeline.totals.latencies);
    cJSON_AddItemToArray(list, one);
  }
  return printed(out.get()) + "\n";
}

std::vector<std::string> troubles_of(const Snapshot& snapshot) {
  std::vector<std::string> out;
  if (!snapshot.config.trouble.empty()) out.push_back(snapshot.config.trouble);
  for (const PipelineSnapshot& pipeline : snapshot.pipelines)
    if (std::string trouble = trouble_line(pipeline); !trouble.empty()) out.push_back(trouble);
  return out;
}

}  // namespace leat
