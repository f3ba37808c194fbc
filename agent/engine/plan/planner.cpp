#include "plan/planner.h"

#include <algorithm>

#include "options/option_errors.h"

namespace leat {
namespace {

// Of a pipeline's memory, in bytes: with less, batches would be too small to be worth it.
constexpr size_t kLeastOfLane = 2 << 20;

using Kind = Step::Kind;

bool has_message_fields(const SourceConfig& source) {
  return source.type->has_fields != nullptr && source.type->has_fields(source.options);
}

bool needs_records(const PipelineConfig& config) {
  const SourceConfig& source = config.source;
  return !config.transforms.empty() || config.sink.takes() == Consumes::kRecords ||
         has_message_fields(source) || !source.fields.empty() ||
         (source.time && source.time->dead_letter);
}

bool same_wire(const PipelineConfig& config) {
  // A message is not framed: a JSON one may be an array, or have newlines between its members.
  bool framed = config.source.type->produces == Produces::kBytes ||
                (config.source.format != nullptr && config.source.format->message_is_record);
  return framed && config.source.format != nullptr && config.sink.format != nullptr &&
         config.source.format->wire == config.sink.format->wire &&
         config.source.format->passes_through(config.source.format_options);
}

std::string label(const std::string& type, std::string_view format) {
  return format.empty() ? type : type + " (" + std::string(format) + ")";
}

std::vector<Step> declare(const PipelineConfig& config) {
  std::vector<Step> out;
  std::string read(config.source.format == nullptr ? "" : config.source.format->name);
  std::string write(config.sink.written() == nullptr ? "" : config.sink.written()->name);
  out.push_back({Kind::kSource, label(std::string(config.source.type->name), read), "", 0});
  for (size_t i = 0; i < config.transforms.size(); ++i)
    out.push_back({Kind::kTransform, std::string(config.transforms[i].type->name), "", i});
  out.push_back({Kind::kSink, label(std::string(config.sink.type->name), write), "", 0});
  return out;
}

// Puts a codec wherever one stage gives what the next does not take.
std::vector<Step> inject(const PipelineConfig& config) {
  std::vector<Step> out;
  std::string source(config.source.type->name);
  std::string sink(config.sink.type->name);
  out.push_back({Kind::kSource, source, "", 0});
  if (config.source.type->produces != Produces::kRecords) {
    std::string gives = config.source.type->produces == Produces::kBytes ? "bytes" : "messages";
    out.push_back({Kind::kDecode, "decode " + std::string(config.source.format->name),
                   source + " gives " + gives + ", what follows takes records", 0});
  }
  if (has_message_fields(config.source))
    out.push_back({Kind::kMessageFields, "message fields",
                   "what " + source + " says of a message beside its payload becomes fields", 0});
  if (!config.source.fields.empty())
    out.push_back({Kind::kFieldTypes, "field types",
                   "values that are not of the type that \"fieldTypes\" declares are dead letters",
                   0});
  if (config.source.time)
    out.push_back({Kind::kEventTime, "event time",
                   "the event time is in the field \"" + config.source.time->field + "\"", 0});
  for (size_t i = 0; i < config.transforms.size(); ++i)
    out.push_back({Kind::kTransform, std::string(config.transforms[i].type->name), "", i});
  if (config.sink.takes() == Consumes::kSlices)
    out.push_back({Kind::kEncode, "encode " + std::string(config.sink.format->name),
                   sink + " takes bytes", 0});
  std::string own;
  if (config.sink.packs())
    own = "takes bytes: the records are packed as " + std::string(config.sink.own_format->name) +
          " when they are delivered";
  else if (config.sink.own_format != nullptr)
    own = "looks into the records to know where each belongs, and writes them as " +
          std::string(config.sink.own_format->name);
  out.push_back({Kind::kSink, sink, std::move(own), 0});
  return out;
}

// Leaves out what would only undo itself.
std::vector<Step> simplify(const PipelineConfig& config, const std::vector<Step>& injected) {
  if (needs_records(config) || !same_wire(config)) return injected;
  std::vector<Step> out{injected.front()};
  std::string wire(config.source.format->wire);
  if (config.source.type->produces == Produces::kBytes)
    out.push_back({Kind::kSplit, "split " + wire,
                   "no stage needs records and both ends speak " + wire +
                       ": bytes pass through untouched, only cut where a record ends",
                   0});
  out.push_back(injected.back());
  return out;
}

void append_chain(std::string& out, const char* title, const std::vector<Step>& steps) {
  out += "  ";
  out += title;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (i > 0) out += " → ";
    out += steps[i].label;
  }
  out += '\n';
}

// By the numbers that a tap takes, and that dead letters name.
void append_stages(std::string& out, const std::vector<Step>& steps) {
  std::string stages;
  size_t number = 0;
  for (const Step& step : steps) {
    if (step.kind == Step::Kind::kSource || step.kind == Step::Kind::kSink) continue;
    stages += (number == 0 ? "" : ", ") + std::to_string(number + 1) + " " + step.label;
    ++number;
  }
  if (number > 0) out += "  stages    " + stages + "\n";
}

std::string explain_spool(const SpoolConfig& spool, Replay replay) {
  std::string out = "  spool     ";
  if (spool.mode == SpoolMode::kNever) return out + "never: what waits, waits at the source\n";
  out += spool.mode == SpoolMode::kAlways ? "always: every record is journaled first"
                                          : "onTrouble: records are journaled while the sink is in "
                                            "trouble";
  if (spool.mode == SpoolMode::kOnTrouble && replay == Replay::kNone)
    out += ", until then a crash of leat costs what is on its way (at most " +
           format_duration(spool.max_ack_hold) + ")";
  out += spool.survives_power_cut ? ", safe from power cuts" : ", safe from a crash of leat only";
  out += ", up to " + format_bytes(spool.max_bytes) + ", then ";
  switch (spool.overflow) {
    case Overflow::kBlock:
      return out + "the source is held back\n";
    case Overflow::kDropOldest:
      return out + "the oldest are dropped\n";
    case Overflow::kDropNewest:
      break;
  }
  return out + "the newest are dropped\n";
}

std::string explain_schedule(const ScheduleConfig& schedule) {
  return "  schedule  " + schedule.text +
         ", one run at a time, one that was missed is made up; after a failure tried again "
         "within " +
         format_duration(schedule.retry_initial) + " to " + format_duration(schedule.retry_max) +
         ", after " + std::to_string(schedule.threshold) + " in a row once each " +
         format_duration(schedule.cooldown) + "\n";
}

std::string explain_state(const PipelineConfig& config) {
  std::string names;
  for (const TransformConfig& transform : config.transforms)
    if (transform.type->remembers)
      names += (names.empty() ? "" : ", ") + std::string(transform.type->name);
  if (names.empty()) return "";
  const Replay replay = config.source.type->replay(config.source.options);
  const bool held = replay == Replay::kHoldsAck || replay == Replay::kHoldsAckOnce;
  return "  state     " + names +
         ": what is remembered is saved with the position it covers, every " +
         format_duration(config.delivery.checkpoint) +
         (held ? ", and when acknowledgements have waited for " +
                     format_duration(config.delivery.spool.max_ack_hold) +
                     " or the source can send no more without\n"
               : "\n");
}

#ifdef LEAT_PARALLEL
struct Places {
  std::string elsewhere;
  std::string here;
};

// By the numbers of the stages.
Places places_of(const PipelineConfig& config, const Plan& plan) {
  const std::vector<ParallelRun> runs = parallel_runs(config, plan);
  Places out;
  for (size_t i = 0; i + 2 < plan.final.size(); ++i) {
    const Step& step = plan.final[i + 1];
    const bool there = std::ranges::any_of(
        runs, [i](const ParallelRun& run) { return run.first <= i && i < run.behind; });
    std::string& names = there ? out.elsewhere : out.here;
    names += (names.empty() ? "" : ", ") + std::to_string(i + 1) + " " + step.label;
    if (!there && step.kind == Kind::kTransform &&
        config.transforms[step.transform].type->remembers)
      names += " (remembers)";
  }
  return out;
}

std::string explain_parallel(const PipelineConfig& config, const Plan& plan) {
  const ParallelConfig& parallel = config.parallel;
  if (parallel.max == 0) return "";
  const Places places = places_of(config, plan);
  return "  parallel  " + (places.elsewhere.empty() ? "nothing" : places.elsewhere) +
         ": on up to " + format_count(static_cast<uint64_t>(parallel.max), "further loop") + ", " +
         std::to_string(parallel.growth) + " times as many each time that more than " +
         format_count(parallel.threshold) +
         (parallel.threshold == 1 ? " batch waits\n" : " batches wait\n") +
         (places.here.empty() ? ""
                              : "            on the pipeline's own loop: " + places.here + "\n");
}
#endif

// exactlyOnce: everything between a crash and the sink must be recognised when it comes again. A
// source that is read from a position does that with the sink's help; others need the journal
// between, which has the source's state and the records in one transaction.
Status check_exactly_once(const PipelineConfig& config, const std::string& path) {
  std::string source(config.source.type->name);
  const std::string guarantee = path + ".delivery.guarantee";
  const std::string spool = path + ".delivery.spool";
  if (!config.sink.type->stores_positions)
    return fail_option({.kind = Problem::Kind::kChoice,
                        .path = guarantee,
                        .found = "\"exactlyOnce\"",
                        .suggestion = "atLeastOnce",
                        .text = "the sink \"" + std::string(config.sink.type->name) +
                                "\" cannot store the position with the data, so it cannot do "
                                "exactlyOnce"});
  Replay replay = config.source.type->replay(config.source.options);
  if (replay == Replay::kHoldsAck)
    return fail_option({.kind = Problem::Kind::kChoice,
                        .path = guarantee,
                        .found = "\"exactlyOnce\"",
                        .suggestion = "atLeastOnce",
                        .text = "with these options the source \"" + source +
                                "\" may be sent a message twice and cannot tell, so exactlyOnce "
                                "cannot hold (a quality of service that promises it would do: "
                                "mqtt, \"qos\": 2)"});
  for (size_t i = 0; i < config.transforms.size(); ++i)
    if (config.transforms[i].type->remembers)
      return fail_option(
          {.kind = Problem::Kind::kChoice,
           .path = guarantee,
           .found = "\"exactlyOnce\"",
           .suggestion = "atLeastOnce",
           .text = "the transform \"" + std::string(config.transforms[i].type->name) + "\" (" +
                   path + ".transforms[" + std::to_string(i) +
                   "]) remembers what it has seen, and that is saved in the journal, not in the "
                   "sink, so exactlyOnce cannot hold"});
  SpoolMode mode = config.delivery.spool.mode;
  if (mode == SpoolMode::kOnTrouble)
    return fail_option({.kind = Problem::Kind::kChoice,
                        .path = spool,
                        .wanted =
                            "\"always\" or \"never\", since exactlyOnce needs one path to the "
                            "sink",
                        .found = "\"onTrouble\""});
  if (replay != Replay::kFromPosition && mode != SpoolMode::kAlways)
    return fail_option({.kind = Problem::Kind::kChoice,
                        .path = spool,
                        .wanted = "\"always\" for exactlyOnce, since the source \"" + source +
                                  "\" cannot be read again from a position",
                        .found = "\"never\"",
                        .suggestion = "always"});
  return {};
}

// A document must have the same header before and after a restart.
Status check_spooled_header(const PipelineConfig& config, const std::string& path) {
  const WriteFormat* format = config.sink.format;
  if (config.delivery.spool.mode == SpoolMode::kNever || format == nullptr ||
      format->header_option.empty() || config.sink.format_options.has(format->header_option))
    return {};
  return fail_option({.kind = Problem::Kind::kMissing,
                      .path = path + ".sink." + std::string(format->options_name) + "." +
                              std::string(format->header_option),
                      .text = "missing, and required when records are spooled (" + path +
                              ".delivery.spool), since the header must be the same after a "
                              "restart"});
}

// What is kept for all of a pipeline in one place keeps it in one lane: its rows in the spool, what
// its transforms remember.
size_t lanes_of(const PipelineConfig& config) {
  const SourceType& source = *config.source.type;
  const SinkType& sink = *config.sink.type;
  if (source.at_once == nullptr || sink.lanes == nullptr || !sink.lanes(config.sink.options) ||
      config.delivery.spool.mode != SpoolMode::kNever ||
      std::ranges::any_of(config.transforms,
                          [](const TransformConfig& one) { return one.type->remembers; }))
    return 1;
  return source.at_once(config.source.options);
}

}  // namespace

std::vector<TaskPlan> plan_tasks(const PipelineConfig& config, size_t memory) {
  const size_t lanes = std::max<size_t>(1, std::min(lanes_of(config), memory / kLeastOfLane));
  std::vector<TaskPlan> tasks(lanes, {config.name, config.source.options});
  for (size_t i = 1; i < lanes; ++i) tasks[i].joins = true;
  return tasks;
}

#ifdef LEAT_PARALLEL
std::vector<ParallelRun> parallel_runs(const PipelineConfig& config, const Plan& plan) {
  const auto type_at = [&](size_t i) -> const TransformType* {
    const Step& step = plan.final[i + 1];
    return step.kind == Kind::kTransform ? config.transforms[step.transform].type : nullptr;
  };
  std::vector<ParallelRun> runs;
  // Others may have its records for longer than this pipeline, and what they lie in, is there.
  if (!config.sink.type->channel.empty()) return runs;
  size_t first_state = SIZE_MAX;
  size_t last_state = 0;
  for (size_t i = 0; i + 2 < plan.final.size(); ++i) {
    const TransformType* type = type_at(i);
    if (type == nullptr) continue;
    if (type->remembers) {
      first_state = std::min(first_state, i);
      last_state = i;
    }
    const Options& options = config.transforms[plan.final[i + 1].transform].options;
    if (type->parallel == nullptr || !type->parallel(options)) continue;
    if (!runs.empty() && runs.back().behind == i)
      ++runs.back().behind;
    else
      runs.push_back({i, i + 1});
  }
  std::erase_if(runs, [&](const ParallelRun& run) {
    return run.first > first_state && run.behind <= last_state;
  });
  return runs;
}

std::string parallel_stages(const PipelineConfig& config, const Plan& plan) {
  return config.parallel.max == 0 ? "" : places_of(config, plan).elsewhere;
}
#endif

// What is spooled has values.
bool rows_pass(const PipelineConfig& config) {
  const SourceType& source = *config.source.type;
  const bool looks =
      source.looks_into_rows != nullptr && source.looks_into_rows(config.source.options);
  return !source.rows.empty() && source.rows == config.sink.type->rows && !looks &&
         config.transforms.empty() && config.source.fields.empty() && !config.source.time &&
         config.delivery.spool.mode == SpoolMode::kNever;
}

bool source_has_place(const PipelineConfig& config) {
  const SourceType* type = config.source.type;
  return type == nullptr || type->replay(config.source.options) == Replay::kFromPosition;
}

SpoolMode default_spool_mode(const PipelineConfig& config) {
  switch (config.source.type->replay(config.source.options)) {
    case Replay::kFromPosition:
      return SpoolMode::kNever;
    case Replay::kHoldsAck:
    case Replay::kHoldsAckOnce:
    case Replay::kNone:
      break;
  }
  return config.delivery.exactly_once ? SpoolMode::kAlways : SpoolMode::kOnTrouble;
}

Result<Plan> plan(const PipelineConfig& config, const std::string& path) {
  OptionErrors errors;
  if (config.delivery.exactly_once) (void)errors.good(check_exactly_once(config, path));
  (void)errors.good(check_spooled_header(config, path));
  if (Status status = errors.status(); !status) return fail(status.error());
  Plan out;
  out.declared = declare(config);
  out.injected = inject(config);
  out.final = simplify(config, out.injected);
  if (rows_pass(config))
    out.final.back().note = "takes " + std::string(config.sink.type->rows) +
                            " as the source has them, undecoded, where its columns are of the "
                            "same types";
  return out;
}

std::string explain(const PipelineConfig& config, const Plan& plan) {
  std::string out = "pipeline " + config.name + "\n";
  append_chain(out, "declared  ", plan.declared);
  append_chain(out, "injected  ", plan.injected);
  append_chain(out, "final     ", plan.final);
  append_stages(out, plan.final);
  for (const Step& step : plan.final)
    if (!step.note.empty()) out += "    " + step.label + ": " + step.note + "\n";
  std::string source(config.source.type->name);
  switch (config.source.type->replay(config.source.options)) {
    case Replay::kFromPosition:
      out += "  replay    " + source + " is read again from the saved position after a crash";
      break;
    case Replay::kHoldsAck:
    case Replay::kHoldsAckOnce:
      out += "  replay    " + source +
             " is acknowledged only when its records are delivered or in the journal";
      break;
    case Replay::kNone:
      out += "  replay    " + source + " cannot be read again";
      break;
  }
  out += config.delivery.exactly_once
             ? "; the sink stores the position with the data (exactlyOnce)\n"
             : " (atLeastOnce)\n";
  out += explain_spool(config.delivery.spool, config.source.type->replay(config.source.options));
  out += explain_state(config);
#ifdef LEAT_PARALLEL
  out += explain_parallel(config, plan);
#endif
  out += "  delivery  up to " + format_count(config.sink.batch.records) + " records or " +
         format_bytes(config.sink.batch.bytes) + " a batch, sent after " +
         format_duration(config.sink.batch.linger) + " at the latest" +
         (config.sink.batch.spacing.count() > 0 ? ", sooner while the sink is idle, " : ", ") +
         std::to_string(config.sink.in_flight) + " in flight\n";
  bool bounded =
      config.source.type->bounded != nullptr && config.source.type->bounded(config.source.options);
  if (config.schedule) return out + explain_schedule(*config.schedule);
  out += bounded ? "  end       bounded: leat exits after the last record is delivered\n"
                 : "  end       unbounded: runs until it is stopped\n";
  return out;
}

}  // namespace leat
