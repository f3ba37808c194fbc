#include "control/snapshot_json.h"

#include <cjson/cJSON.h>

#include <memory>

#include "base/time_format.h"
#include "control/progress.h"

namespace leat {
namespace {

void add(cJSON* object, const char* name, uint64_t number) {
  cJSON_AddNumberToObject(object, name, static_cast<double>(number));
}
void add_text(cJSON* object, const char* name, const std::string& text) {
  if (!text.empty()) cJSON_AddStringToObject(object, name, text.c_str());
}
double seconds(Milliseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

void add_seconds(cJSON* object, const char* name, const std::optional<Milliseconds>& time) {
  if (time) cJSON_AddNumberToObject(object, name, seconds(*time));
}

void add_dead_letter_reasons(cJSON* pipeline, const std::vector<DeadLetterReason>& reasons) {
  cJSON* list = cJSON_AddArrayToObject(pipeline, "deadLetterReasons");
  for (const DeadLetterReason& reason : reasons) {
    cJSON* one = cJSON_CreateObject();
    add_text(one, "stage", reason.stage);
    add_text(one, "reason", reason.reason);
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
  cJSON_AddBoolToObject(out, "trouble", !trouble_line(pipeline).empty());
  cJSON_AddBoolToObject(out, "bounded", pipeline.bounded);
  add(out, "loop", pipeline.loop);
  cJSON_AddNumberToObject(out, "runningSeconds", seconds(pipeline.running_for));
  cJSON* records = cJSON_AddObjectToObject(out, "records");
  add(records, "read", counters.records);
  add(records, "delivered", counters.delivered);
  add(records, "filtered", counters.filtered);
  add(records, "dropped", counters.dropped);
  add(records, "deadLetters", counters.dead_letters);
  add(records, "waiting", counters.waiting);
  add(records, "spooled", counters.spooled);
  add(records, "spoolDropped", counters.spool_dropped);
  add(records, "spoolLost", counters.spool_lost);
  add(out, "retries", counters.retries);
  add(out, "bytesRead", counters.bytes_read);
  if (counters.bytes_total) add(out, "bytesTotal", *counters.bytes_total);
  add(out, "spoolBytes", counters.spool_bytes);
  add(out, "maxSpoolBytes", static_cast<uint64_t>(pipeline.max_spool_bytes));
  add(out, "memoryBytes", counters.memory_used);
  add(out, "memoryPeakBytes", counters.memory_peak);
  add(out, "memoryLimitBytes", counters.memory_limit);
  add_seconds(out, "nextAttemptSeconds", pipeline.next_attempt_in);
  if (pipeline.runs) {
    add_seconds(out, "lastReadSeconds", counters.since_read);
    add_seconds(out, "oldestUndeliveredSeconds", counters.oldest_waits_for);
    add_seconds(out, "spoolFullSeconds", counters.spool_full_in);
  }
  add_dead_letter_reasons(out, counters.dead_letter_reasons);
  add_stages(out, counters.stages);
  return out;
}

bool sink_takes(const PipelineSnapshot& pipeline) {
  return pipeline.runs && pipeline.state != PipelineState::kRetrying &&
         pipeline.state != PipelineState::kCircuitOpen;
}

// One number of each pipeline.
struct Metric {
  const char* name;
  const char* type;
  const char* help;
  uint64_t (*value)(const PipelineSnapshot&);
};
constexpr Metric kMetrics[] = {
    {"leat_pipeline_up", "gauge", "1 while the pipeline runs.",
     [](const PipelineSnapshot& p) -> uint64_t { return p.runs ? 1 : 0; }},
    {"leat_sink_up", "gauge", "1 while the sink takes what it is given.",
     [](const PipelineSnapshot& p) -> uint64_t { return sink_takes(p) ? 1 : 0; }},
    {"leat_records_read_total", "counter", "Records read from the source.",
     [](const PipelineSnapshot& p) { return p.counters.records; }},
    {"leat_records_delivered_total", "counter", "Records that the sink has taken.",
     [](const PipelineSnapshot& p) { return p.counters.delivered; }},
    {"leat_records_filtered_total", "counter", "Records that transforms removed on purpose.",
     [](const PipelineSnapshot& p) { return p.counters.filtered; }},
    {"leat_records_dropped_total", "counter",
     "Records that failed in a transform with onError drop.",
     [](const PipelineSnapshot& p) { return p.counters.dropped; }},
    {"leat_dead_letters_total", "counter", "Records that can never be delivered.",
     [](const PipelineSnapshot& p) { return p.counters.dead_letters; }},
    {"leat_records_spooled_total", "counter", "Records that went through the journal.",
     [](const PipelineSnapshot& p) { return p.counters.spooled; }},
    {"leat_spool_dropped_total", "counter", "Records dropped since maxSpool was reached.",
     [](const PipelineSnapshot& p) { return p.counters.spool_dropped; }},
    {"leat_spool_lost_total", "counter", "Records lost with damaged parts of the journal.",
     [](const PipelineSnapshot& p) { return p.counters.spool_lost; }},
    {"leat_retries_total", "counter", "Deliveries that the sink could not take at the time.",
     [](const PipelineSnapshot& p) { return p.counters.retries; }},
    {"leat_read_bytes_total", "counter", "Bytes read from the source.",
     [](const PipelineSnapshot& p) { return p.counters.bytes_read; }},
    {"leat_records_waiting", "gauge", "Records read and not delivered yet.",
     [](const PipelineSnapshot& p) { return p.counters.waiting; }},
    {"leat_spool_bytes", "gauge", "What waits in the journal, as stored.",
     [](const PipelineSnapshot& p) { return p.counters.spool_bytes; }},
    {"leat_spool_max_bytes", "gauge", "Bound of what may wait in the journal.",
     [](const PipelineSnapshot& p) { return static_cast<uint64_t>(p.max_spool_bytes); }},
    {"leat_memory_bytes", "gauge", "What the pipeline holds in memory.",
     [](const PipelineSnapshot& p) -> uint64_t { return p.counters.memory_used; }},
    {"leat_memory_limit_bytes", "gauge", "The pipeline's share of agent.memory.",
     [](const PipelineSnapshot& p) -> uint64_t { return p.counters.memory_limit; }},
};

void begin_metric(std::string& out, const char* name, const char* type, const char* help) {
  ((((out += "# HELP ") += name) += ' ') += help) += '\n';
  ((((out += "# TYPE ") += name) += ' ') += type) += '\n';
}

void add_metric(std::string& out, const char* name, const char* type, const char* help,
                const std::string& value) {
  begin_metric(out, name, type, help);
  (((out += name) += ' ') += value) += '\n';
}

// The text of a label (text format 0.0.4: backslash, quote and newline are escaped).
std::string label(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

}  // namespace

std::string json_of(const Snapshot& snapshot, const std::string& pipeline) {
  std::unique_ptr<cJSON, void (*)(cJSON*)> out(cJSON_CreateObject(), cJSON_Delete);
  cJSON_AddStringToObject(out.get(), "id", snapshot.id.c_str());
  cJSON_AddStringToObject(out.get(), "version", snapshot.version.c_str());
  cJSON_AddStringToObject(out.get(), "configFile", snapshot.config_file.c_str());
  if (snapshot.config_loaded_us != 0)
    add_text(out.get(), "configLoaded", rfc3339(snapshot.config_loaded_us));
  cJSON_AddNumberToObject(out.get(), "uptimeSeconds", seconds(snapshot.uptime));
  cJSON_AddBoolToObject(out.get(), "stopping", snapshot.stopping);
  add(out.get(), "loops", snapshot.loops);
  add(out.get(), "journalWrittenBytes", snapshot.journal_written_bytes);
  cJSON* list = cJSON_AddArrayToObject(out.get(), "pipelines");
  for (const PipelineSnapshot& one : snapshot.pipelines)
    if (pipeline.empty() || one.name == pipeline) cJSON_AddItemToArray(list, pipeline_json(one));
  std::unique_ptr<char, void (*)(void*)> text(cJSON_PrintUnformatted(out.get()), cJSON_free);
  return text ? std::string(text.get()) + "\n" : "";
}

std::string metrics_of(const Snapshot& snapshot) {
  std::string out;
  begin_metric(out, "leat_build_info", "gauge", "The version that runs, and the id of the agent.");
  out += "leat_build_info{version=\"" + label(snapshot.version) + "\",id=\"" + label(snapshot.id) +
         "\"} 1\n";
  add_metric(out, "leat_uptime_seconds", "gauge", "Since the start of the agent.",
             std::to_string(snapshot.uptime.count() / 1000));
  add_metric(out, "leat_journal_written_bytes_total", "counter",
             "Bytes written to the journal's files since the start.",
             std::to_string(snapshot.journal_written_bytes));
  for (const Metric& metric : kMetrics) {
    begin_metric(out, metric.name, metric.type, metric.help);
    for (const PipelineSnapshot& pipeline : snapshot.pipelines)
      out += std::string(metric.name) + "{pipeline=\"" + label(pipeline.name) + "\"} " +
             std::to_string(metric.value(pipeline)) + "\n";
  }
  return out;
}

std::vector<std::string> troubles_of(const Snapshot& snapshot) {
  std::vector<std::string> out;
  for (const PipelineSnapshot& pipeline : snapshot.pipelines)
    if (std::string trouble = trouble_line(pipeline); !trouble.empty()) out.push_back(trouble);
  return out;
}

}  // namespace leat
