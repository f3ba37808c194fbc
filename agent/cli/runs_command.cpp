// leat tasks, runs, provision
#include <optional>
#include <utility>
#include <vector>

#include "base/layout.h"
#include "base/text.h"
#include "base/time_format.h"
#include "base/units.h"
#include "cli/agent_call.h"
#include "cli/answer.h"
#include "cli/config_file.h"
#include "cli/journal_access.h"
#include "cli/output.h"
#include "control/agent.h"
#include "net/authority.h"

namespace leat {
namespace {

std::string table_of(const cJSON* runs) {
  std::vector<std::vector<std::string>> rows = {
      {"PIPELINE", "RUN", "STARTED", "TOOK", "STATE", "READ", "DELIVERED", "DEAD LETTERS", ""}};
  const cJSON* one = nullptr;
  cJSON_ArrayForEach(one, runs) {
    const cJSON* records = at(one, "records");
    auto counted = [records](const char* name) {
      return records == nullptr ? "" : format_count(number(records, name));
    };
    std::string more = excerpt(text(one, "reason"));
    const cJSON* parameter = nullptr;
    cJSON_ArrayForEach(parameter, at(one, "parameters")) {
      more += (more.empty() ? "" : "; ") + excerpt(parameter->string) + "=" +
              excerpt(parameter->valuestring);
    }
    const cJSON* seconds = at(one, "seconds");
    const std::string took =
        seconds == nullptr
            ? ""
            : format_duration(Milliseconds(static_cast<int64_t>(seconds->valuedouble * 1000)));
    if (const cJSON* parallel = at(one, "parallel"); number(parallel, "most") > 0)
      more += (more.empty() ? "" : "; ") + parallel_words(parallel);
    rows.push_back({text(one, "pipeline"), std::to_string(number(one, "run")), text(one, "started"),
                    took, text(one, "state"), counted("read"), counted("delivered"),
                    counted("deadLetters"), more});
  }
  return rows.size() == 1 ? "no runs are kept\n" : columns(rows, 9);
}

int list(const CommandCall& call) {
  int code = kExitUsage;
  std::unique_ptr<JournalAccess> journal = JournalAccess::of(call);
  if (journal == nullptr) return code;
  std::optional<std::string> answer = journal->ask("runs", {.pipeline = call.word(0)}, code);
  if (!answer) return code;
  Json json(cJSON_Parse(answer->c_str()), cJSON_Delete);
  print(call.options.boolean("json") ? *answer : table_of(at(json.get(), "runs")));
  return kExitDelivered;
}

// Of a group of agents; and why it failed.
std::string by_whom(const cJSON* task) {
  const std::string agent = text(task, "agent");
  std::string reason = text(task, "reason");
  if (agent.empty()) return reason;
  return (text(task, "state") == "reassigning" ? "was on " : "on ") + agent +
         (reason.empty() ? "" : ": " + reason);
}

// How long a task has taken, or takes by now, and its records in a second.
std::pair<std::string, std::string> pace_of(const cJSON* task, int64_t now_us) {
  static const TimeFormat kWritten = TimeFormat::parse("rfc3339").value();
  const std::optional<int64_t> started = kWritten.read(text(task, "started"));
  if (!started) return {};
  const int64_t us = kWritten.read(text(task, "ended")).value_or(now_us) - *started;
  if (us <= 0) return {};
  const double rate = static_cast<double>(number(task, "records")) * 1e6 / static_cast<double>(us);
  return {format_duration(Milliseconds(us / 1000)),
          format_count(static_cast<uint64_t>(rate)) + "/s"};
}

std::string tasks_of(const cJSON* pipelines, int64_t now_us) {
  std::vector<std::vector<std::string>> rows = {
      {"PIPELINE", "TASK", "STATE", "READ", "BYTES", "STARTED", "TOOK", "RATE", ""}};
  std::string summary;
  const cJSON* job = nullptr;
  cJSON_ArrayForEach(job, pipelines) {
    summary += text(job, "name") + ":";
    const char* separator = " ";
    for (const char* state : {"failed", "running", "done", "waiting"}) {
      summary += std::string(std::exchange(separator, ", ")) + format_count(number(job, state)) +
                 " " + state;
    }
    for (const char* state : {"reassigning", "interrupted"})
      if (const auto more = number(job, state); more > 0)
        summary += ", " + format_count(more) + " " + state;
    summary += '\n';
    const cJSON* task = nullptr;
    cJSON_ArrayForEach(task, at(job, "tasks")) {
      const auto [took, rate] = pace_of(task, now_us);
      rows.push_back({text(job, "name"), text(task, "name"), text(task, "state"),
                      format_count(number(task, "records")), format_bytes(number(task, "bytes")),
                      text(task, "started"), took, rate, excerpt(by_whom(task))});
    }
  }
  return summary.empty() ? "no pipeline has tasks\n" : columns(rows, 9) + summary;
}

int tasks(const CommandCall& call) {
#ifdef LEAT_TASK_HISTORY
  int code = kExitUsage;
  std::unique_ptr<JournalAccess> journal = JournalAccess::of(call);
  if (journal == nullptr) return code;
  std::optional<std::string> answer = journal->ask("tasks", {.pipeline = call.word(0)}, code);
  if (!answer) return code;
  const std::string& body = *answer;
#else
  std::optional<std::string> data_dir = asked_data_dir(call);
  if (!data_dir) return kExitUsage;
  std::string target = "/api/v1/tasks";
  if (!call.word(0).empty()) target += "?pipeline=" + percent_encoded(call.word(0));
  std::string body;
  const int code = ask_or_complain(call.environment.clock, *data_dir, "GET", target, body);
  if (code != kExitDelivered) return code;
#endif
  Json json(cJSON_Parse(body.c_str()), cJSON_Delete);
  print(call.options.boolean("json")
            ? body
            : tasks_of(at(json.get(), "pipelines"), call.environment.clock.unix_us()));
  return kExitDelivered;
}

int provision(const CommandCall& call) {
  std::optional<std::string> data_dir = asked_data_dir(call);
  if (!data_dir) return kExitUsage;
  Json parameters = json_object();
  for (const std::string& one : call.options.strings("param")) {
    const size_t equals = one.find('=');
    if (equals == std::string::npos || equals == 0) {
      complain("leat: --param: NAME=VALUE, found \"" + excerpt(one) + "\"");
      return kExitUsage;
    }
    const std::string name = one.substr(0, equals);
    cJSON_DeleteItemFromObjectCaseSensitive(parameters.get(), name.c_str());
    cJSON_AddStringToObject(parameters.get(), name.c_str(), one.substr(equals + 1).c_str());
  }
  std::string body = printed(parameters.get());
  const std::string target = "/api/v1/pipelines/" + percent_encoded(call.word(0)) + "/provision";
  Result<AgentAnswer> answer = ask_agent(call.environment.clock, *data_dir, "POST", target, body);
  if (!answer || answer->status >= 300) {
    const std::string why =
        answer ? answer->body.substr(0, answer->body.find('\n')) : answer.error().message();
    complain("leat: " + why);
    return answer && answer->status < 500 ? kExitUsage : kExitFailed;
  }
  Json json(cJSON_Parse(answer->body.c_str()), cJSON_Delete);
  print(call.options.boolean("json") ? answer->body
                                     : text(json.get(), "pipeline") + ": run " +
                                           std::to_string(number(json.get(), "run")) + " begins\n");
  return kExitDelivered;
}

constexpr Option kListOptions[] = {kAskedConfigOption, kAskedDataDirOption, kJsonOption};
constexpr Option kProvisionOptions[] = {
    kAskedConfigOption,
    kAskedDataDirOption,
    {.name = "param",
     .type = OptionType::kStrings,
     .help = "What stands for a `${param:NAME}` of its configuration. May be given several times."},
    kJsonOption};

}  // namespace

extern constexpr Command kTasksCommand{
    .name = "tasks",
    .words = kAnyPipeline,
    .help =
        "Shows the tasks of a job (the tables of a source of several, the ranges of one): which "
        "wait, run, are done "
        "or have failed, and why. Of the run that goes on, or of the last, also when no agent "
        "runs.",
    .options = kListOptions,
    .run = tasks};

extern constexpr Command kRunsCommand{
    .name = "runs",
    .words = kAnyPipeline,
    .help =
        "Shows what pipelines ran, the newest first: when, what became of it, and why it ended. "
        "The last 100 of each are kept.",
    .options = kListOptions,
    .run = list};

extern constexpr Command kProvisionCommand{
    .name = "provision",
    .words = kOnePipeline,
    .help = "Begins one more run of a pipeline whose source comes to an end, with parameters.",
    .options = kProvisionOptions,
    .run = provision};

}  // namespace leat
