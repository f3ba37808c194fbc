#include "cli/cli.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "cli/arguments.h"
#include "cli/libraries.h"
#include "cli/ports.h"
#include "cli/status.h"
#include "config/docs.h"
#include "config/loader.h"
#include "config/problem_words.h"
#include "control/agent.h"
#include "loop/signals.h"
#include "plan/planner.h"
#include "stage/registry.h"

namespace leat {
namespace {

constexpr char kUsage[] =
    R"(leat reads data at the edge, transforms it, and delivers it upstream.

Usage:
  leat run -c FILE        run the pipelines of a configuration
  leat check -c FILE      say whether a configuration is right, or all that is wrong with it
                          (--json: as data, for programs)
  leat explain -c FILE    show the chain each pipeline becomes, and why
  leat status [PIPELINE]  how the agent of this machine does (--watch: again and again; --json: as
                          data); exit code 1 when a pipeline is in trouble, 3 when no agent runs
  leat pause PIPELINE     drain one pipeline of the running agent, until it is told to resume
  leat resume PIPELINE
  leat restart PIPELINE   drain it, and start it anew
  leat ports              list the ports of this machine that can be read, such as serial ones
  leat help [NAME]        options of a source, transform, sink or format, or of the "config"
  leat help --schema      the JSON schema of the configuration, for editors
  leat version            with --verbose: also the libraries in it, their versions and licenses

Options:
  -c, --config FILE       the configuration; "-" reads it from standard input
  --data-dir DIR          where the journal is kept; wins over agent.dataDir. This or -c says which
                          running agent is asked; by default the one of /var/lib/leat
  --log-level LEVEL       run only: debug, info (default), warn or error

)";

constexpr char kFooter[] =
    R"(Exit codes: 0 all delivered, but for dead letters beside it (maxDeadLetters bounds these); 1 a
pipeline failed, or nothing but dead letters came of it; 2 bad usage or configuration; 3 there is no
running agent to ask.
Signals: SIGTERM and SIGINT drain, a second one stops at once; SIGHUP reads the configuration anew;
SIGUSR1 writes how each pipeline does to the log.
)";

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void complain(const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
}

// What went wrong with a configuration: for each problem a line that begins with its path, or with
// the place in the file.
std::vector<std::string> problem_lines(const std::string& path, const Problems& problems) {
  std::string file = path == "-" ? "standard input" : path;
  std::vector<std::string> lines = lines_of(problems, file);
  std::string count = std::to_string(lines.size());
  lines.push_back("leat: " + file + ": " + count + (lines.size() == 1 ? " error" : " errors"));
  return lines;
}

std::optional<AgentConfig> load(const Arguments& arguments, const CliEnvironment& environment,
                                Problems& problems) {
  Result<std::string> text = read_text(arguments.config);
  if (!text) {
    problems.add({.kind = Problem::Kind::kSyntax, .text = text.error().message()});
    return std::nullopt;
  }
  LoadContext context{
      connectors(), {environment.env, read_text}, arguments.data_dir, environment.host_name};
  return load_config(*text, context, problems);
}

// "press-line: file → filter → http"
std::string chain(const PipelineConfig& pipeline) {
  std::string out = pipeline.name + ": " + std::string(pipeline.source.type->name);
  for (const TransformConfig& transform : pipeline.transforms)
    out += " → " + std::string(transform.type->name);
  return out + " → " + std::string(pipeline.sink.type->name);
}

int check(const AgentConfig& config, bool json) {
  if (json) {
    print("{\"ok\":true,\"problems\":[]}\n");
    return kExitDelivered;
  }
  size_t count = config.pipelines.size();
  std::string rest;
  for (const std::string& name : config.not_enabled)
    rest += (rest.empty() ? "not enabled: " : ", ") + name;
  if (count == 0) print("ok: no pipelines, the agent waits for a configuration\n");
  if (count == 1) print("ok: 1 pipeline: " + chain(config.pipelines[0]) + "\n");
  if (count > 1) print("ok: " + std::to_string(count) + " pipelines\n");
  for (size_t i = 0; count > 1 && i < count; ++i) print("  " + chain(config.pipelines[i]) + "\n");
  if (!rest.empty()) print(rest + "\n");
  return kExitDelivered;
}

int explain_all(const AgentConfig& config) {
  if (config.pipelines.empty()) print("no pipelines: the agent waits for a configuration\n");
  for (size_t i = 0; i < config.pipelines.size(); ++i) {
    Result<Plan> planned = plan(config.pipelines[i], "pipelines[" + std::to_string(i) + "]");
    if (!planned) {
      complain(planned.error().message());
      return kExitUsage;
    }
    if (i > 0) print("\n");
    print(explain(config.pipelines[i], *planned));
  }
  return kExitDelivered;
}

// On SIGHUP: the same file again. Of several errors each goes to the log; the first stands for all
// where there is room for one.
Result<AgentConfig> reload(const Arguments& arguments, const CliEnvironment& environment) {
  if (arguments.config == "-")
    return fail(ErrorKind::kUsage, "it came from standard input, which cannot be read anew");
  Problems problems;
  std::optional<AgentConfig> config = load(arguments, environment, problems);
  if (config) return *std::move(config);
  std::vector<std::string> lines = lines_of(problems, arguments.config);
  const std::string& first = lines.front();
  if (lines.size() == 1) return fail(ErrorKind::kUsage, first);
  for (const std::string& line : lines) log::error("leat", line);
  return fail(ErrorKind::kUsage,
              first + " (the first of " + std::to_string(problems.size()) + " errors)");
}

int run(AgentConfig config, const Arguments& arguments, const CliEnvironment& environment) {
  log::set_level(arguments.log_level);
  AgentHooks hooks{.clock = environment.clock};
  hooks.reload = [&arguments, &environment] { return reload(arguments, environment); };
  hooks.how_to_begin =
      arguments.config == "-"
          ? "the configuration came from standard input, so start anew with another"
          : "edit " + arguments.config + " and send SIGHUP";
  hooks.env = environment.env;
  hooks.version = LEAT_VERSION;
  hooks.config_file = arguments.config;
  Result<ExitCode> code = run_agent(std::move(config), hooks);
  if (code) return *code;
  complain("leat: " + code.error().message());
  return code.error().kind() == ErrorKind::kUsage ? kExitUsage : kExitFailed;
}

int help(const Arguments& arguments) {
  if (arguments.schema) {
    print(json_schema(connectors()));
    return kExitDelivered;
  }
  if (arguments.topic.empty()) {
    print(kUsage + help_overview(connectors()) + kFooter);
    return kExitDelivered;
  }
  std::string text = arguments.markdown ? markdown_topic(connectors(), arguments.topic)
                                        : help_topic(connectors(), arguments.topic);
  if (!text.empty()) {
    print(text);
    return kExitDelivered;
  }
  std::string message = "leat: no help on \"" + excerpt(arguments.topic) + "\"";
  std::string near = nearest(arguments.topic, help_names(connectors()));
  if (!near.empty()) message += ", did you mean \"" + near + "\"?";
  complain(message + "; \"leat help\" shows what there is");
  return kExitUsage;
}

int list_ports() {
  std::vector<PortInfo> all;
  int code = kExitDelivered;
  for (const SourceType* source : connectors().sources) {
    if (source->ports == nullptr) continue;
    Result<std::vector<PortInfo>> ports = source->ports();
    if (ports) {
      std::ranges::move(*ports, std::back_inserter(all));
    } else {
      complain("leat: " + ports.error().message());
      code = kExitFailed;
    }
  }
  if (code == kExitDelivered || !all.empty()) print(ports_table(all));
  return code;
}

constexpr char kUsualDataDir[] = "/var/lib/leat";  // of the packages (board/)

// status, pause, resume, restart. Which agent is asked: the one with the data folder that is named,
// in one of two ways.
int ask_the_agent(const Arguments& arguments, const CliEnvironment& environment) {
  std::string data_dir = arguments.data_dir;
  if (!arguments.config.empty()) {
    Problems problems;
    std::optional<AgentConfig> config = load(arguments, environment, problems);
    if (!config) {
      for (const std::string& line : problem_lines(arguments.config, problems)) complain(line);
      return kExitUsage;
    }
    data_dir = config->data_dir;
  }
  if (data_dir.empty()) data_dir = kUsualDataDir;
  switch (arguments.command) {
    case Arguments::Command::kPause:
      return tell_pipeline(environment.clock, data_dir, "pause", arguments.topic);
    case Arguments::Command::kResume:
      return tell_pipeline(environment.clock, data_dir, "resume", arguments.topic);
    case Arguments::Command::kRestart:
      return tell_pipeline(environment.clock, data_dir, "restart", arguments.topic);
    default:
      return show_status({.clock = environment.clock,
                          .data_dir = data_dir,
                          .pipeline = arguments.topic,
                          .json = arguments.json,
                          .watch = arguments.watch});
  }
}

bool asks_the_agent(Arguments::Command command) {
  using Command = Arguments::Command;
  return command == Command::kStatus || command == Command::kPause || command == Command::kResume ||
         command == Command::kRestart;
}

int with_config(const Arguments& arguments, const CliEnvironment& environment) {
  // Standard input may never come. Until it has, there is nothing to drain.
  if (arguments.config == "-") release_signals();
  Problems problems;
  std::optional<AgentConfig> config = load(arguments, environment, problems);
  if (!config) {
    if (arguments.json) print("{\"ok\":false,\"problems\":" + json_of(problems) + "}\n");
    if (!arguments.json)
      for (const std::string& line : problem_lines(arguments.config, problems)) complain(line);
    return kExitUsage;
  }
  switch (arguments.command) {
    case Arguments::Command::kRun:
      return run(*std::move(config), arguments, environment);
    case Arguments::Command::kExplain:
      return explain_all(*config);
    default:
      return check(*config, arguments.json);
  }
}

}  // namespace

int run_cli(std::span<const std::string> words, const CliEnvironment& environment) {
  Result<Arguments> arguments = parse_arguments(words);
  int code = kExitUsage;
  if (!arguments || arguments->command != Arguments::Command::kRun) release_signals();
  if (!arguments) {
    complain("leat: " + arguments.error().message() + "\nTry \"leat help\"");
  } else if (arguments->command == Arguments::Command::kHelp) {
    code = help(*arguments);
  } else if (arguments->command == Arguments::Command::kPorts) {
    code = list_ports();
  } else if (asks_the_agent(arguments->command)) {
    code = ask_the_agent(*arguments, environment);
  } else if (arguments->command == Arguments::Command::kVersion) {
    print("leat " LEAT_VERSION "\n");
    if (arguments->verbose) print(libraries_table(linked_libraries()));
    code = kExitDelivered;
  } else {
    code = with_config(*arguments, environment);
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    complain("leat: write standard output: failed");
    if (code == kExitDelivered) code = kExitFailed;
  }
  return code;
}

}  // namespace leat
