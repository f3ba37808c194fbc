// leat check, leat explain
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/time_format.h"
#include "cache/caches.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/output.h"
#ifdef LEAT_TOOLS
#include "cli/peers.h"
#endif
#include "control/agent.h"
#include "options/problem_words.h"
#include "plan/cache_users.h"
#include "plan/channel_ends.h"
#include "plan/planner.h"

namespace leat {
namespace {

#ifdef LEAT_TOOLS
constexpr Option kTimeoutOption{.name = "timeout",
                                .type = OptionType::kDuration,
                                .fallback = "10s",
                                .help = "With --connect: how long they may take, all at once.",
                                .min = 1};
#endif
constexpr Option kCheckOptions[] = {
    kConfigOption,
    kDataDirOption,
    {.name = "json", .type = OptionType::kBool, .help = "What is wrong as data, for programs."},
    {.name = "strict", .type = OptionType::kBool, .help = "Takes warnings for errors."},
#ifdef LEAT_TOOLS
    {.name = "connect",
     .type = OptionType::kBool,
     .help = "Asks each broker, server, file and port whether it is there and has what is needed; "
             "nothing is read, sent or changed. Exit code 1: one has not."},
    kTimeoutOption,
#endif
};
constexpr Option kExplainOptions[] = {
    kConfigOption,
    kDataDirOption,
#ifdef LEAT_TOOLS
    {.name = "connect",
     .type = OptionType::kBool,
     .help = "Asks the databases which tasks a job has: the tables that a pattern means, and where "
             "the ranges of one end. Exit code 1: one does not say."},
    kTimeoutOption,
#endif
};

// "press-line: file → filter → http"
std::string chain(const PipelineConfig& pipeline) {
  std::string out = pipeline.name + ": " + std::string(pipeline.source.type->name);
  for (const TransformConfig& transform : pipeline.transforms)
    out += " → " + std::string(transform.type->name);
  out += " → " + std::string(pipeline.sink.type->name);
#ifdef LEAT_PARALLEL
  const Result<Plan> planned = plan(pipeline, pipeline.name);
  if (const std::string there = planned ? parallel_stages(pipeline, *planned) : ""; !there.empty())
    out += " (parallel: " + there + ")";
#endif
  return out;
}

void print_summary(const AgentConfig& config) {
  size_t count = config.pipelines.size();
  std::string rest;
  for (const std::string& name : config.not_enabled)
    rest += (rest.empty() ? "not enabled: " : ", ") + name;
  if (count == 0) print("ok: no pipelines, the agent waits for a configuration\n");
  if (count == 1) print("ok: 1 pipeline: " + chain(config.pipelines[0]) + "\n");
  if (count > 1) print("ok: " + std::to_string(count) + " pipelines\n");
  for (size_t i = 0; count > 1 && i < count; ++i) print("  " + chain(config.pipelines[i]) + "\n");
  if (!rest.empty()) print(rest + "\n");
}

int check(const CommandCall& call) {
  const bool json = call.options.boolean("json");
  Problems problems;
  std::optional<AgentConfig> config = load_config_of(call, problems, /*open_files=*/true);
#ifdef LEAT_TOOLS
  if (call.options.boolean("connect") && call.environment.as_root)
    problems.add({.kind = Problem::Kind::kAsRoot,
                  .text = "asked as root: another user, as whom it may run, can be refused what is "
                          "given here",
                  .warning = true});
#endif
  if (call.options.boolean("strict")) problems.make_strict();
  const bool ok = problems.errors() == 0;
  if (ok && !json) print_summary(*config);
  if (!problems.empty() && !json)
    for (const std::string& line : problem_lines(call.options.string("config"), problems))
      complain(line);
  int code = ok ? kExitDelivered : kExitUsage;
  std::string peers_json;
#ifdef LEAT_TOOLS
  std::vector<Peer> peers;
  if (ok && call.options.boolean("connect"))
    peers = ask_peers(call.environment.clock, *config, call.options.duration("timeout"));
  for (const Peer& peer : peers) {
    if (!peer.answer) code = kExitFailed;
    if (!json) print(line_of(peer) + "\n");
  }
  if (call.options.boolean("connect")) peers_json = ",\"peers\":" + json_of(peers);
#endif
  if (json)
    print("{\"ok\":" + std::string(code == kExitDelivered ? "true" : "false") +
          ",\"problems\":" + json_of(problems) + peers_json + "}\n");
  return code;
}

std::string next_times(const ScheduleConfig& schedule, int64_t now_us) {
  std::string out;
  std::optional<int64_t> at = now_us / 1'000'000;
  for (int i = 0; i < 3 && at; ++i)
    if (at = schedule.cron.next_after(*at, schedule.zone); at)
      out += (i == 0 ? "" : ", ") + rfc3339(*at * 1'000'000);
  return out;
}

#ifdef LEAT_TOOLS
// "" for a source that reads one thing. `asked`: what was answered, of those that were asked.
std::string explain_tasks(const PipelineConfig& pipeline, const std::vector<Peer>& asked) {
  const SourceConfig& source = pipeline.source;
  const std::string tasks = source.type->tasks ? source.type->tasks(source.options) : "";
  if (tasks.empty()) return "";
  const auto peer = std::ranges::find(asked, pipeline.name, &Peer::pipeline);
  std::string out = "  tasks     " + tasks;
  if (peer == asked.end()) return out + "; --connect asks which they are\n";
  if (!peer->answer)
    return out + "; which they are is not known: " + peer->answer.error().message() + "\n";
  for (char c : "\n" + *peer->answer) (out += c) += c == '\n' ? "    " : "";
  out.resize(out.size() - 4);
  return out;
}
#endif

int explain_all(const CommandCall& call) {
  Problems problems;
  std::optional<AgentConfig> config = load_config_of(call, problems);
  if (!config) {
    for (const std::string& line : problem_lines(call.options.string("config"), problems))
      complain(line);
    return kExitUsage;
  }
  int code = kExitDelivered;
#ifdef LEAT_TOOLS
  std::vector<Peer> asked;
  if (call.options.boolean("connect"))
    asked = ask_tasks(call.environment.clock, *config, call.options.duration("timeout"));
  if (!std::ranges::all_of(asked, [](const Peer& peer) { return peer.answer.has_value(); }))
    code = kExitFailed;
#endif
  if (config->pipelines.empty()) print("no pipelines: the agent waits for a configuration\n");
  for (size_t i = 0; i < config->pipelines.size(); ++i) {
    const PipelineConfig& pipeline = config->pipelines[i];
    if (!pipeline.complete()) {
      print((i > 0 ? "\n" : "") + chain(pipeline) + "\n  runs when it is provisioned\n");
      continue;
    }
    Result<Plan> planned = plan(pipeline, "pipelines[" + std::to_string(i) + "]");
    if (!planned) {
      complain(planned.error().message());
      return kExitUsage;
    }
    if (i > 0) print("\n");
    print(explain(pipeline, *planned));
    if (pipeline.schedule && pipeline.schedule->every.count() == 0)
      print("  next      " + next_times(*pipeline.schedule, call.environment.clock.unix_us()) +
            "\n");
#ifdef LEAT_TOOLS
    print(explain_tasks(pipeline, asked));
#endif
  }
  print(explain_channels(config->pipelines));
  if (kCaches) print(explain_caches(config->pipelines));
  return code;
}

}  // namespace

extern constexpr Command kCheckCommand{
    .name = "check",
    .help = "Says whether a configuration is right, or all that is wrong with it.",
    .options = kCheckOptions,
    .run = check};

extern constexpr Command kExplainCommand{.name = "explain",
                                         .help = "Shows the chain each pipeline becomes, and why.",
                                         .options = kExplainOptions,
                                         .run = explain_all};

}  // namespace leat
