// leat try, leat sql: codecs and transforms on sample bytes, without network and journal.
#include <algorithm>
#include <optional>
#include <string>

#include "base/text.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/output.h"
#include "control/agent.h"
#include "task/trial.h"

namespace leat {
namespace {

// Control characters, which a terminal would obey, are escaped.
std::string shown(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) {
      out += c;
    } else {
      char code[5];
      std::snprintf(code, sizeof code, "\\x%02X", static_cast<unsigned char>(c));
      out += code;
    }
  }
  return out;
}

std::string counted(const TrialStage& stage) {
  std::string out = format_count(stage.records.size(), "record");
  if (stage.filtered > 0) out += ", " + format_count(stage.filtered) + " filtered";
  if (stage.dropped > 0) out += ", " + format_count(stage.dropped) + " dropped";
  if (!stage.dead_letters.empty())
    out += ", " + format_count(stage.dead_letters.size(), "dead letter");
  return out;
}

std::string text_of(const Trial& trial, const PipelineConfig& config) {
  std::string out;
  for (const TrialStage& stage : trial.stages) {
    out += stage.name + ": " + counted(stage) + "\n";
    for (const TrialRecord& record : stage.records) out += "  " + shown(record.text) + "\n";
    for (const TrialDeadLetter& dead : stage.dead_letters)
      out += "  dead letter, line " + std::to_string(dead.line) + ": " + dead.reason + "\n    " +
             shown(dead.what) + "\n";
  }
  out += std::string(config.sink.type->name) + " would get " +
         format_count(trial.sent.size(), "record");
  out += trial.sent.empty() ? "\n" : ":\n";
  if (!trial.opening.empty()) out += "  " + shown(trial.opening) + "\n";
  for (const TrialRecord& record : trial.sent) out += "  " + shown(record.text) + "\n";
  return out;
}

std::string list_of(const std::vector<TrialRecord>& records) {
  std::string out = "[";
  for (const TrialRecord& record : records)
    out +=
        (out.size() > 1 ? "," : "") + (record.is_record ? record.text : json_quoted(record.text));
  return out + "]";
}

std::string json_of(const Trial& trial, const PipelineConfig& config) {
  std::string out = "{\"pipeline\":" + json_quoted(config.name) + ",\"stages\":[";
  for (const TrialStage& stage : trial.stages) {
    out += (&stage == trial.stages.data() ? "" : ",") + ("{\"name\":" + json_quoted(stage.name)) +
           ",\"records\":" + list_of(stage.records) +
           ",\"filtered\":" + std::to_string(stage.filtered) +
           ",\"dropped\":" + std::to_string(stage.dropped) + ",\"deadLetters\":[";
    for (const TrialDeadLetter& dead : stage.dead_letters)
      out += (&dead == stage.dead_letters.data() ? "" : ",") +
             ("{\"line\":" + std::to_string(dead.line)) +
             ",\"reason\":" + json_quoted(dead.reason) + ",\"what\":" + json_quoted(dead.what) +
             "}";
    out += "]}";
  }
  return out + "],\"sent\":" + list_of(trial.sent) + "}\n";
}

bool any_dead(const Trial& trial) {
  return std::ranges::any_of(trial.stages,
                             [](const TrialStage& stage) { return !stage.dead_letters.empty(); });
}

std::optional<std::string> read_sample() {
  Result<std::string> sample = read_text("-");
  if (sample) return *std::move(sample);
  complain("leat: " + sample.error().message());
  return std::nullopt;
}

int try_one(const CommandCall& call) {
  const std::string& file = call.options.string("config");
  Problems problems;
  std::optional<AgentConfig> config = load_config_of(call, problems);
  if (!config) {
    for (const std::string& line : problem_lines(file, problems)) complain(line);
    return kExitUsage;
  }
  Result<const PipelineConfig*> chosen = pipeline_called(*config, call.options.string("pipeline"));
  if (!chosen) {
    complain("leat: " + chosen.error().message());
    return kExitUsage;
  }
  const PipelineConfig* pipeline = *chosen;
  std::optional<std::string> sample = read_sample();
  if (!sample) return kExitUsage;
  Result<Trial> trial =
      try_pipeline(*pipeline, {.bytes = *sample, .address = call.options.string("topic")},
                   call.environment.clock);
  if (!trial) {
    complain("leat: " + trial.error().message());
    return trial.error().kind() == ErrorKind::kUsage ? kExitUsage : kExitFailed;
  }
  print(call.options.boolean("json") ? json_of(*trial, *pipeline) : text_of(*trial, *pipeline));
  return any_dead(*trial) ? kExitFailed : kExitDelivered;
}

constexpr Option kTryOptions[] = {
    kConfigOption,
    {.name = "data-dir", .type = OptionType::kString, .help = "As for run. Nothing is written."},
    {.name = "pipeline",
     .type = OptionType::kString,
     .help = "Which one, where the configuration has several."},
    {.name = "topic",
     .type = OptionType::kString,
     .help = "Where the messages come from, for a source that makes fields of that."},
    kJsonOption};

// --- leat sql
// -------------------------------------------------------------------------------------

constexpr SourceType kSampleSource{.name = "sample",
                                   .help = "",
                                   .produces = Produces::kBytes,
                                   .replay = replays<Replay::kNone>,
                                   .options = {},
                                   .make = nullptr};
constexpr SinkType kSampleSink{
    .name = "output", .help = "", .consumes = Consumes::kSlices, .options = {}, .make = nullptr};

Result<PipelineConfig> config_of(const CommandCall& call) {
  const TransformType* sql = find_transform("sql");
  const ReadFormat* read = find_read_format(call.options.string("from"));
  const WriteFormat* write = find_write_format(call.options.string("to"));
  if (sql == nullptr || read == nullptr || write == nullptr)
    return fail(ErrorKind::kUsage,
                "this build has no " + (sql == nullptr    ? "sql"
                                        : read == nullptr ? call.options.string("from")
                                                          : call.options.string("to")));
  PipelineConfig config;
  config.name = "sql";
  config.source.type = &kSampleSource;
  config.source.format = read;
  config.source.format_options = Options(read->options);
  Options query(sql->options, "sql");
  query.set("query", call.word(0));
  config.transforms.push_back({sql, std::move(query)});
  config.sink.type = &kSampleSink;
  config.sink.format = write;
  config.sink.format_options = Options(write->options);
  return config;
}

int run_sql(const CommandCall& call) {
  Result<PipelineConfig> config = config_of(call);
  std::optional<std::string> sample;
  if (config) sample = read_sample();
  if (config && !sample) return kExitUsage;
  Result<Trial> trial = config ? try_pipeline(*config, {.bytes = *sample}, call.environment.clock)
                               : Result<Trial>(fail(config.error()));
  if (!trial) {
    complain("leat: " + trial.error().message());
    return kExitUsage;
  }
  for (const TrialStage& stage : trial->stages)
    for (const TrialDeadLetter& dead : stage.dead_letters)
      complain("leat: line " + std::to_string(dead.line) + ": " + dead.reason);
  if (!trial->opening.empty()) print(trial->opening + "\n");
  for (const TrialRecord& record : trial->sent) print(record.text + "\n");
  return any_dead(*trial) ? kExitFailed : kExitDelivered;
}

constexpr Positional kQuery[] = {{"QUERY"}};
constexpr std::string_view kReads[] = {"json", "csv", "lines"};
constexpr std::string_view kWrites[] = {"ndjson", "csv"};
constexpr Option kSqlOptions[] = {{.name = "from",
                                   .type = OptionType::kString,
                                   .fallback = "json",
                                   .help = "What is read.",
                                   .choices = kReads},
                                  {.name = "to",
                                   .type = OptionType::kString,
                                   .fallback = "ndjson",
                                   .help = "What is written.",
                                   .choices = kWrites}};

}  // namespace

extern constexpr Command kTryCommand{
    .name = "try",
    .help =
        "Runs a pipeline's formats and transforms on a sample from standard input, and shows "
        "what each of them makes of it. Nothing is connected or written. Where the source takes "
        "messages, each line is one. Exit code 1 when there would be dead letters.",
    .options = kTryOptions,
    .run = try_one};

extern constexpr Command kSqlCommand{
    .name = "sql",
    .words = kQuery,
    .help =
        "Runs an SQL query on the records of standard input, which are the table \"input\". The "
        "same as a transform \"sql\" that gets them all in one batch.",
    .options = kSqlOptions,
    .run = run_sql};

}  // namespace leat
