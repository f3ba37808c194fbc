#include "control/metrics.h"

#include <cinttypes>
#include <cstdio>
#include <map>
#include <utility>

namespace leat {
namespace {

// Milliseconds as seconds, without what would be noise.
std::string seconds(Milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%" PRId64 ".%03d", static_cast<int64_t>(time.count() / 1000),
                static_cast<int>(time.count() % 1000));
  return text;
}
std::string seconds(double time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", time);
  return text;
}

bool sink_takes(const PipelineSnapshot& pipeline) {
  return pipeline.runs && pipeline.state != PipelineState::kRetrying &&
         pipeline.state != PipelineState::kCircuitOpen && pipeline.state != PipelineState::kHeld;
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
     [](const PipelineSnapshot& p) { return p.totals.records; }},
    {"leat_records_delivered_total", "counter", "Records that the sink has taken.",
     [](const PipelineSnapshot& p) { return p.totals.delivered; }},
    {"leat_records_filtered_total", "counter", "Records that transforms removed on purpose.",
     [](const PipelineSnapshot& p) { return p.totals.filtered; }},
    {"leat_records_dropped_total", "counter",
     "Records that failed in a transform with onError drop.",
     [](const PipelineSnapshot& p) { return p.totals.dropped; }},
    {"leat_dead_letters_total", "counter", "Records that can never be delivered.",
     [](const PipelineSnapshot& p) { return p.totals.dead_letters; }},
    {"leat_records_spooled_total", "counter", "Records that went through the journal.",
     [](const PipelineSnapshot& p) { return p.totals.spooled; }},
    {"leat_spool_dropped_total", "counter", "Records dropped since maxSpool was reached.",
     [](const PipelineSnapshot& p) { return p.totals.spool_dropped; }},
    {"leat_spool_lost_total", "counter", "Records lost with damaged parts of the journal.",
     [](const PipelineSnapshot& p) { return p.totals.spool_lost; }},
    {"leat_keys_evicted_total", "counter",
     "Keys that transforms which remember let go for want of room.",
     [](const PipelineSnapshot& p) { return p.totals.keys_evicted; }},
#ifdef LEAT_PARALLEL
    {"leat_parallel_loops", "gauge", "Further loops that transforms run on.",
     [](const PipelineSnapshot& p) -> uint64_t {
       return p.counters.parallel ? p.counters.parallel->loops : 0;
     }},
    {"leat_parallel_breaches_total", "counter",
     "Times that more batches waited for transforms than parallel.threshold allows.",
     [](const PipelineSnapshot& p) -> uint64_t {
       return p.totals.parallel ? p.totals.parallel->breaches : 0;
     }},
#endif
    {"leat_retries_total", "counter", "Deliveries that the sink could not take at the time.",
     [](const PipelineSnapshot& p) { return p.totals.retries; }},
    {"leat_read_bytes_total", "counter", "Bytes read from the source.",
     [](const PipelineSnapshot& p) { return p.totals.bytes_read; }},
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
    if (c == '\\' || c == '"' || c == '\n') out += '\\';
    out += c == '\n' ? 'n' : c;
  }
  return out;
}

// "name{pipeline="p",le="0.1"} 7"
void add_sample(std::string& out, const std::string& name, const PipelineSnapshot& pipeline,
                const std::string& more, const std::string& value) {
  out += name + "{pipeline=\"" + label(pipeline.name) + "\"" + more + "} " + value + "\n";
}

// Of those that have one.
void add_schedules(std::string& out, const std::vector<PipelineSnapshot>& pipelines) {
  begin_metric(out, "leat_next_run_timestamp_seconds", "gauge",
               "When a pipeline with a schedule is started next; missing while it runs.");
  for (const PipelineSnapshot& pipeline : pipelines)
    if (pipeline.next_run_us != 0)
      add_sample(out, "leat_next_run_timestamp_seconds", pipeline, "",
                 std::to_string(pipeline.next_run_us / 1'000'000));
  begin_metric(out, "leat_failed_runs", "gauge",
               "Runs of a pipeline with a schedule that have failed in a row.");
  for (const PipelineSnapshot& pipeline : pipelines)
    if (!pipeline.schedule.empty())
      add_sample(out, "leat_failed_runs", pipeline, "", std::to_string(pipeline.failed_runs));
}

// Those that are counted apart (DeadLetterReasons), since the pipeline runs.
void add_dead_letters(std::string& out, const std::vector<PipelineSnapshot>& pipelines) {
  const std::string name = "leat_dead_letters_by_code_total";
  begin_metric(out, name.c_str(), "counter", "Dead letters of this run, by stage and code.");
  for (const PipelineSnapshot& pipeline : pipelines) {
    std::map<std::pair<std::string, std::string>, uint64_t> counts;
    for (const DeadLetterReason& one : pipeline.counters.dead_letter_reasons)
      counts[{one.stage, one.code}] += one.count;
    for (const auto& [of, count] : counts)
      add_sample(out, name, pipeline,
                 ",stage=\"" + label(of.first) + "\",code=\"" + label(of.second) + "\"",
                 std::to_string(count));
  }
}

void add_latencies(std::string& out, const std::vector<PipelineSnapshot>& pipelines) {
  const std::string name = "leat_delivery_latency_seconds";
  begin_metric(out, name.c_str(), "histogram",
               "From the arrival of a record to its acknowledgement by the sink.");
  for (const PipelineSnapshot& pipeline : pipelines) {
    const Latencies& took = pipeline.totals.latencies;
    uint64_t so_far = 0;
    for (size_t i = 0; i < took.counts.size(); ++i) {
      const std::string bound = i < Latencies::kBoundsMs.size()
                                    ? seconds(static_cast<double>(Latencies::kBoundsMs[i]) / 1000)
                                    : std::string("+Inf");
      so_far += took.counts[i];
      add_sample(out, name + "_bucket", pipeline, ",le=\"" + bound + "\"", std::to_string(so_far));
    }
    add_sample(out, name + "_sum", pipeline, "", seconds(took.sum_seconds));
    add_sample(out, name + "_count", pipeline, "", std::to_string(so_far));
  }
}

// One number of each cache.
void add_caches(std::string& out, const std::vector<CacheStatus>& caches) {
  static constexpr struct {
    const char* name;
    const char* type;
    const char* help;
    uint64_t (*value)(const CacheStatus&);
  } kOfCaches[] = {
      {"leat_cache_records", "gauge", "Records that are in the cache.",
       [](const CacheStatus& c) -> uint64_t { return c.records; }},
      {"leat_cache_bytes", "gauge", "What they take in memory.",
       [](const CacheStatus& c) -> uint64_t { return c.bytes; }},
      {"leat_cache_hits_total", "counter", "Look-ups that found a record.",
       [](const CacheStatus& c) { return c.hits; }},
      {"leat_cache_misses_total", "counter", "Look-ups that found none.",
       [](const CacheStatus& c) { return c.misses; }},
      {"leat_cache_expired_total", "counter", "Records that became older than ttl.",
       [](const CacheStatus& c) { return c.expired; }},
      {"leat_cache_evicted_total", "counter", "Records that went for want of room.",
       [](const CacheStatus& c) { return c.evicted; }},
  };
  for (const auto& metric : kOfCaches) {
    begin_metric(out, metric.name, metric.type, metric.help);
    for (const CacheStatus& cache : caches)
      out += std::string(metric.name) + "{cache=\"" + label(cache.name) + "\"} " +
             std::to_string(metric.value(cache)) + "\n";
  }
}

void add_cluster(std::string& out, const Snapshot& snapshot) {
  add_metric(out, "leat_cluster_up", "gauge", "1 while this agent is in its group (agent.cluster).",
             snapshot.cluster->joined ? "1" : "0");
  add_metric(out, "leat_cluster_members", "gauge", "Agents that are in it, as was seen last.",
             std::to_string(snapshot.cluster->members.size()));
  begin_metric(out, "leat_pipeline_standby", "gauge",
               "1 while the pipeline stands by: another agent of the group runs it.");
  for (const PipelineSnapshot& pipeline : snapshot.pipelines)
    if (pipeline.exclusive)
      add_sample(out, "leat_pipeline_standby", pipeline, "",
                 pipeline.state == PipelineState::kStandby ? "1" : "0");
}

void add_control(std::string& out, const ControlStatus& control) {
  add_metric(out, "leat_control_up", "gauge", "1 while the connection of agent.control is up.",
             control.connected ? "1" : "0");
  begin_metric(out, "leat_control_commands_total", "counter",
               "Commands of the control topic that were carried out, by what became of them.");
  for (const ControlStatus::Ended& one : control.ended)
    out += "leat_control_commands_total{command=\"" + one.command + "\",state=\"" +
           std::string(one.state) + "\"} " + std::to_string(one.count) + "\n";
  begin_metric(out, "leat_control_refusals_total", "counter",
               "Messages of the control topic that were refused, by why.");
  for (const ControlStatus::Refused& one : control.refused)
    out += "leat_control_refusals_total{reason=\"" + std::string(one.reason) + "\"} " +
           std::to_string(one.count) + "\n";
}

}  // namespace

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
  if (std::optional<Milliseconds> life = snapshot.flash_life())
    add_metric(out, "leat_flash_life_seconds", "gauge",
               "How long agent.flashEndurance lasts at the rate since the start.",
               std::to_string(life->count() / 1000));
  if (snapshot.budget) {
    add_metric(out, "leat_budget_bytes", "gauge", "agent.limits.budget, of one period.",
               std::to_string(snapshot.budget->bytes));
    add_metric(out, "leat_budget_used_bytes", "gauge", "Of that, in this period.",
               std::to_string(snapshot.budget->used));
  }
  if (snapshot.control) add_control(out, *snapshot.control);
  if (kCluster && snapshot.cluster) add_cluster(out, snapshot);
  for (const Metric& metric : kMetrics) {
    begin_metric(out, metric.name, metric.type, metric.help);
    for (const PipelineSnapshot& pipeline : snapshot.pipelines)
      add_sample(out, metric.name, pipeline, "", std::to_string(metric.value(pipeline)));
  }
  begin_metric(out, "leat_oldest_undelivered_seconds", "gauge",
               "Since the oldest record arrived that waits for its delivery; 0 when none does.");
  for (const PipelineSnapshot& pipeline : snapshot.pipelines)
    add_sample(out, "leat_oldest_undelivered_seconds", pipeline, "",
               seconds(pipeline.counters.oldest_waits_for.value_or(Milliseconds{0})));
  begin_metric(out, "leat_since_read_seconds", "gauge",
               "Since records came from the source; missing until some have.");
  for (const PipelineSnapshot& pipeline : snapshot.pipelines)
    if (pipeline.runs && pipeline.counters.since_read)
      add_sample(out, "leat_since_read_seconds", pipeline, "",
                 seconds(*pipeline.counters.since_read));
  add_schedules(out, snapshot.pipelines);
  add_dead_letters(out, snapshot.pipelines);
  add_latencies(out, snapshot.pipelines);
  if (kCaches && !snapshot.caches.empty()) add_caches(out, snapshot.caches);
  return out;
}

}  // namespace leat
