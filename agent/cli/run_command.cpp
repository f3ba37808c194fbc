// leat run
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "cli/command.h"
#include "cli/config_file.h"
#ifdef LEAT_IMPORT
#include "cli/import/data_dir.h"
#endif
#include "cli/kept_configs.h"
#include "cli/output.h"
#include "cli/restart.h"
#include "control/agent.h"
#include "loop/signals.h"
#include "options/problem_words.h"

namespace leat {
namespace {

constexpr std::string_view kFormats[] = {"auto", "text", "json"};

constexpr Option kOptions[] = {
    kConfigOption,
    kDataDirOption,
#ifdef LEAT_IMPORT
    {.name = "datax",
     .type = OptionType::kString,
     .help = "In the place of a configuration: a job file of DataX or go-etl, as leat import reads "
             "it. Without --data-dir, each run that follows one with exit code 0 begins anew."},
#endif
    {.name = "log-level",
     .type = OptionType::kString,
     .fallback = "info",
     .help = "What is not told is less than this.",
     .choices = log::kLevelNames},
    {.name = "log-format",
     .type = OptionType::kString,
     .fallback = "auto",
     .help = "Of the log, on standard error. auto: text; in colours on a "
             "terminal (not with NO_COLOR), with priorities for the "
             "journal of systemd.",
     .choices = kFormats}};

// Whether standard error leads to the journal of systemd, and not to a file or pipe that a child of
// a service was given (systemd.exec(5), $JOURNAL_STREAM).
bool is_journal(const std::string& stream) {
  struct stat file {};
  if (::fstat(STDERR_FILENO, &file) != 0) return false;
  return stream == std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino);
}

log::Format format_of(const CommandCall& call) {
  const std::string& wanted = call.options.string("log-format");
  const auto& env = call.environment.env;
  if (wanted == "json") return log::Format::kJson;
  if (wanted == "text") return log::Format::kText;
  if (is_journal(env("JOURNAL_STREAM").value_or(""))) return log::Format::kJournal;
  const bool colours = ::isatty(STDERR_FILENO) == 1 && env("NO_COLOR").value_or("").empty() &&
                       env("TERM").value_or("") != "dumb";
  return colours ? log::Format::kColours : log::Format::kText;
}

// What `leat check` warns of, too.
std::vector<std::string> warnings_of(const Problems& problems) {
  std::vector<std::string> out;
  for (Problem problem : problems.all()) {
    problem.warning = false;  // the log says so
    out.push_back(placed_line_of(problem));
  }
  return out;
}

// On SIGHUP: the same file again. Of several errors each goes to the log; the first stands for all
// where there is room for one.
Result<WrittenConfig> reload(const CommandCall& call) {
  const std::string& file = config_path(call);
  if (file == "-")
    return fail(ErrorKind::kUsage, "it came from standard input, which cannot be read anew");
  Problems problems;
  std::optional<WrittenConfig> config = load_written_config(call, problems);
  if (config) {
    for (const std::string& line : warnings_of(problems))
      log::warn("config", line);  // words elsewhere
    return *std::move(config);
  }
  for (const Problem& problem : problems.all())
    if (!problem.warning && problems.errors() > 1)
      log::error("leat", placed_line_of(problem));  // words elsewhere
  return fail(ErrorKind::kUsage, summary_of(problems));
}

// The text that follows a key in what may be no whole JSON; "" where there is none.
std::string text_behind(std::string_view json, std::string_view key) {
  size_t at = json.find('"' + std::string(key) + '"');
  if (at == std::string_view::npos) return "";
  at = json.find('"', json.find(':', at));
  const size_t end = at == std::string_view::npos ? at : json.find_first_of("\"\\\n$", at + 1);
  return end == std::string_view::npos || json[end] != '"'
             ? ""
             : std::string(json.substr(at + 1, end - at - 1));
}

// Where the data folder is, as far as the file still says so: written half, it may be no JSON.
std::string data_dir_of(const CommandCall& call) {
  if (const std::string& given = call.options.string("data-dir"); !given.empty()) return given;
  Problems problems;
  const std::vector<ConfigFile> files = read_config_files(call.options.string("config"), problems);
  for (const ConfigFile& one : files) {
    Problems other;
    if (auto found = load_data_dir({&one, 1}, load_context_of(call), other)) return *found;
  }
  for (const ConfigFile& one : files)
    if (std::string found = text_behind(one.text, "dataDir"); !found.empty()) return found;
  return call.options.string("config").starts_with("/etc/leat/") ? kUsualDataDir : "";
}

// In the place of a file that cannot be used: what was good last, where there was something. A file
// that is not there is a mistake in its name.
std::optional<WrittenConfig> last_good(const CommandCall& call, const Problems& problems) {
  const std::string& file = call.options.string("config");
  if (file == "-" || ::access(file.c_str(), F_OK) != 0) return std::nullopt;
  const std::string data_dir = data_dir_of(call);
  Result<std::unique_ptr<KeptConfigs>> kept = KeptConfigs::open(call.environment.clock, data_dir);
  if (!kept) return std::nullopt;
  LoadContext context = load_context_of(call);
  context.data_dir = data_dir;
  const ConfigVersions& versions = (*kept)->versions();
  for (const ConfigVersion* one = versions.newest(); one != nullptr;
       one = versions.good_before(one->number)) {
    Problems ignored;
    std::optional<AgentConfig> config = read_config_text(context, one->text, ignored);
    if (config) return WrittenConfig{"", *std::move(config), file + ": " + summary_of(problems)};
  }
  return std::nullopt;
}

int run(const CommandCall& call) {
  const std::string& file = config_path(call);
  // Standard input may never come. Until it has, there is nothing to drain.
  if (file == "-") release_signals();
  Problems problems;
  std::optional<WrittenConfig> config = load_written_config(call, problems);
  if (!config) {
    for (const std::string& line : problem_lines(file, problems)) complain(line);
    if (call.options.has("config")) config = last_good(call, problems);
    if (!config) return kExitUsage;
    problems = {};
  }
  log::set_format(format_of(call));
  log::set_level(log::level_named(call.options.string("log-level")).value_or(log::Level::kInfo));
  if (call.environment.as_root) problems.add({.kind = Problem::Kind::kAsRoot, .warning = true});
  AgentHooks hooks{.clock = call.environment.clock};
  hooks.reload = [&call] { return reload(call); };
  // Where one that comes from afar does not say, the data folder and the id stay what they are.
  LoadContext context = load_context_of(call);
  context.data_dir = config->config.data_dir;
  context.host_name = config->config.id;
  hooks.read = [&context](const std::string& text, Problems& found) {
    return read_config_text(context, text, found);
  };
  hooks.read_run = [&context](const std::string& text, const std::string& pipeline,
                              const RunParameters& parameters, Problems& found) {
    LoadContext of_run = context;
    of_run.only = pipeline;
    of_run.variables.parameters = parameters;
    return read_config_text(of_run, text, found);
  };
#if defined(LEAT_ADMIN) || defined(LEAT_TOOLS)
  hooks.show = [&context](const std::string& text) { return shown_config_text(context, text); };
#endif
  hooks.how_to_begin =
      file == "-" ? "the configuration came from standard input, so start anew with another"
                  : "edit " + file + " and send SIGHUP";
  hooks.env = call.environment.env;
  hooks.version = LEAT_VERSION;
  hooks.config_file = file;
  hooks.warnings = warnings_of(problems);
  hooks.why_not_anew = [&file]() -> std::string {
    return file == "-" ? "its configuration came from standard input" : leat::why_not_anew();
  };
  Result<ExitCode> code = run_agent(*std::move(config), hooks);
  if (code && *code == kExitRestart) {
    complain("leat: cannot begin anew: " + begin_anew());
    return kExitFailed;
  }
#ifdef LEAT_IMPORT
  if (code && *code == kExitDelivered && call.options.has("datax") && !call.options.has("data-dir"))
    forget_imported(file);
#endif
  if (code) return *code;
  complain("leat: " + code.error().message());
  return code.error().kind() == ErrorKind::kUsage ? kExitUsage : kExitFailed;
}

}  // namespace

extern constexpr Command kRunCommand{.name = "run",
                                     .help = "Runs the pipelines of a configuration.",
                                     .options = kOptions,
                                     .run = run,
                                     .drains = true};

}  // namespace leat
