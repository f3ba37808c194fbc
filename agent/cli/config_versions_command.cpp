// leat config apply, history, show, diff, rollback: the configurations of the running agent.
#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/layout.h"
#include "base/units.h"
#include "cli/agent_call.h"
#include "cli/answer.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/output.h"
#include "control/agent.h"

namespace leat {
namespace {

constexpr std::chrono::milliseconds kLookAgain{500};

Json parsed(const std::string& text) {
  return {cJSON_Parse(text.c_str()), cJSON_Delete};
}

// Asks the agent of this call; the exit code, and why on stderr, when there is no good answer.
int ask_of(const CommandCall& call, const char* method, const std::string& target,
           std::string& body) {
  std::optional<std::string> data_dir = asked_data_dir(call);
  if (!data_dir) return kExitUsage;
  return ask_or_complain(call.environment.clock, *data_dir, method, "/api/v1/config" + target,
                         body);
}

// "rolled back: press-line failed: …"
std::string state_of(const cJSON* version) {
  std::string out = text(version, "state");
  if (at(version, "probationSeconds") != nullptr)
    out +=
        ", " + format_duration(Milliseconds(number(version, "probationSeconds") * 1000)) + " left";
  const std::string reason = text(version, "reason");
  return reason.empty() ? out : out + ": " + reason;
}

int history(const CommandCall& call) {
  std::string body;
  if (int code = ask_of(call, "GET", "/versions", body); code != 0) return code;
  Json json = parsed(body);
  std::vector<std::vector<std::string>> rows = {{"", "VERSION", "SINCE", "FROM", "STATE"}};
  const cJSON* one = nullptr;
  cJSON_ArrayForEach(one, at(json.get(), "versions")) rows.push_back(
      {cJSON_IsTrue(at(one, "runs")) != 0 ? "*" : "", std::to_string(number(one, "version")),
       text(one, "staged"), text(one, "author"), state_of(one)});
  print(call.options.boolean("json") ? body : columns(rows, 5));
  return kExitDelivered;
}

int show(const CommandCall& call) {
  std::string body;
  const int code = ask_of(call, "GET", "/versions/" + percent_encoded(call.word(0)), body);
  print(body);
  return code;
}

// Each value with its path; what has a name goes by that, so that a pipeline that has moved is the
// same.
void flatten(const std::string& path, const cJSON* node, std::map<std::string, std::string>& out) {
  if (cJSON_IsObject(node) == 0 && cJSON_IsArray(node) == 0) {
    out[path] = printed(node);
    return;
  }
  size_t index = 0;
  const cJSON* child = nullptr;
  cJSON_ArrayForEach(child, node) {
    std::string key = cJSON_IsObject(node) != 0 ? child->string : "";
    if (cJSON_IsArray(node) != 0) {
      const std::string name = text(child, "name");
      key = "[" + (name.empty() ? std::to_string(index) : name) + "]";
    }
    ++index;
    flatten(path.empty() || key.starts_with('[') ? path + key : path + "." + key, child, out);
  }
}

int diff(const CommandCall& call) {
  std::map<std::string, std::pair<std::optional<std::string>, std::optional<std::string>>> all;
  for (size_t side : {0, 1}) {
    std::string body;
    if (int code = ask_of(call, "GET", "/versions/" + percent_encoded(call.word(side)), body);
        code != 0)
      return code;
    Json json = parsed(body);
    std::map<std::string, std::string> values;
    flatten("", json.get(), values);
    for (auto& [path, value] : values) (side == 0 ? all[path].first : all[path].second) = value;
  }
  std::string out;
  for (const auto& [path, values] : all) {
    if (values.first == values.second) continue;
    if (values.first) out += "- " + path + ": " + *values.first + "\n";
    if (values.second) out += "+ " + path + ": " + *values.second + "\n";
  }
  print(out.empty() ? "they mean the same, as far as it is shown: secrets are not compared\n"
                    : out);
  return kExitDelivered;
}

// How the probation of a version ends.
int wait_for(const CommandCall& call, int64_t version) {
  while (true) {
    std::string body;
    if (int code = ask_of(call, "GET", "/versions", body); code != 0) return code;
    Json json = parsed(body);
    const cJSON* one = nullptr;
    cJSON_ArrayForEach(one, at(json.get(), "versions")) {
      const std::string state = text(one, "state");
      if (number(one, "version") != version || state == "probation") continue;
      print("version " + std::to_string(version) + ": " + state_of(one) + "\n");
      return state == "good" ? kExitDelivered : kExitFailed;
    }
    std::this_thread::sleep_for(kLookAgain);
  }
}

// What has become of it, now that it was taken over.
int taken_over(const CommandCall& call, const std::string& body) {
  Json json = parsed(body);
  const int64_t version = number(json.get(), "version");
  if (call.options.boolean("json")) print(body);
  if (!call.options.boolean("json"))
    print("version " + std::to_string(version) + " runs: " + state_of(json.get()) + "\n");
  if (!call.options.boolean("wait")) return kExitDelivered;
  return wait_for(call, version);
}

int apply(const CommandCall& call) {
  std::optional<std::string> data_dir = asked_data_dir(call);
  if (!data_dir) return kExitUsage;
  Problems problems;
  std::optional<std::string> config = config_text(call.word(0), problems);
  if (!config) {
    for (const std::string& line : problem_lines(call.word(0), problems)) complain(line);
    return kExitUsage;
  }
  Result<AgentAnswer> answer =
      ask_agent(call.environment.clock, *data_dir, "PUT", "/api/v1/config", *config);
  if (!answer) {
    complain("leat: " + answer.error().message());
    return answer.error().kind() == ErrorKind::kUnavailable ? kExitNotRunning : kExitUsage;
  }
  if (answer->status < 300) return taken_over(call, answer->body);
  Json json = parsed(answer->body);
  const cJSON* all = at(json.get(), "problems");
  const cJSON* one = nullptr;
  cJSON_ArrayForEach(one, all) {
    const std::string path = text(one, "path");
    const std::string place = at(one, "line") == nullptr
                                  ? ""
                                  : " (" + std::to_string(number(one, "line")) + ":" +
                                        std::to_string(number(one, "column")) + ")";
    complain((text(one, "severity") == "warning" ? "warning: " : "") +
             (path.empty() ? "" : path + ": ") + text(one, "message") + place);
  }
  complain(all == nullptr ? "leat: " + answer->body : "leat: it is not taken over");
  return kExitUsage;
}

int rollback(const CommandCall& call) {
  std::string body;
  const std::string to = call.word(0);
  const std::string target = "/rollback" + (call.words.empty() ? "" : "?to=" + percent_encoded(to));
  if (int code = ask_of(call, "POST", target, body); code != 0) return code;
  return taken_over(call, body);
}

constexpr Option kRunningConfig{.name = "config",
                                .type = OptionType::kString,
                                .help = "Asks the agent that runs this configuration."};
constexpr Option kRunningDataDir{
    .name = "data-dir",
    .type = OptionType::kString,
    .help = "Asks the agent with this data folder; without this and -c that of /var/lib/leat."};
constexpr Positional kFile[] = {{"FILE"}};
constexpr Positional kVersion[] = {{"VERSION"}};
constexpr Positional kAnyVersion[] = {{"VERSION", false}};
constexpr Positional kTwoVersions[] = {{"VERSION"}, {"OTHER"}};
constexpr Option kAsked[] = {kRunningConfig, kRunningDataDir};
constexpr Option kAskedAsData[] = {kRunningConfig, kRunningDataDir, kJsonOption};
constexpr Option kChange[] = {
    kRunningConfig,
    kRunningDataDir,
    kJsonOption,
    {.name = "wait",
     .type = OptionType::kBool,
     .help = "Until its probation is over; exit code 1 when it was taken back."}};

}  // namespace

extern const Command kConfigApplyCommand;
constexpr Command kConfigApplyCommand{
    .name = "config apply",
    .words = kFile,
    .help =
        "Gives the running agent another configuration. It is checked whole, kept as a new "
        "version, and on probation for `agent.probation`: when a pipeline fails by it or delivers "
        "nothing any more, the one before returns by itself.",
    .options = kChange,
    .run = apply};

extern const Command kConfigHistoryCommand;
constexpr Command kConfigHistoryCommand{
    .name = "config history",
    .help = "Shows the configurations that ran, where they came from and what became of them.",
    .options = kAskedAsData,
    .run = history};

extern const Command kConfigShowCommand;
constexpr Command kConfigShowCommand{
    .name = "config show",
    .words = kVersion,
    .help = "Prints one of them: all that it amounts to, without secrets.",
    .options = kAsked,
    .run = show};

extern const Command kConfigDiffCommand;
constexpr Command kConfigDiffCommand{.name = "config diff",
                                     .words = kTwoVersions,
                                     .help = "Shows what two of them do not have in common.",
                                     .options = kAsked,
                                     .run = diff};

extern const Command kConfigRollbackCommand;
constexpr Command kConfigRollbackCommand{
    .name = "config rollback",
    .words = kAnyVersion,
    .help =
        "Makes an earlier configuration run again, as a new version; without a number the last "
        "one that was good before that which runs.",
    .options = kChange,
    .run = rollback};

}  // namespace leat
