// leat config apply, history, show, diff, rollback: the configurations of the running agent.
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/layout.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/agent_call.h"
#include "cli/answer.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/journal_access.h"
#include "cli/kept_configs.h"
#include "cli/output.h"
#include "control/agent.h"
#include "net/authority.h"

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

// Where no agent runs, its journal answers.
class History {
 public:
  // Nullptr: stderr has been told why not, and `code` is the exit code.
  static std::unique_ptr<History> of(const CommandCall& call, int& code) {
    code = kExitUsage;
    std::optional<std::string> data_dir = asked_data_dir(call);
    if (!data_dir) return nullptr;
    std::unique_ptr<History> out(new History(call, *std::move(data_dir)));
    Result<AgentAnswer> there = out->ask("/versions");
    if (there || there.error().kind() != ErrorKind::kUnavailable) return out;
    Status owner = become_owner_of_journal(out->data_dir_);
    Result<std::unique_ptr<KeptConfigs>> kept =
        owner ? KeptConfigs::open(call.environment.clock, out->data_dir_) : fail(owner.error());
    if (kept) {
      complain("leat: no agent runs here: reading " + out->data_dir_ + "/journal.db");
      out->kept_ = std::move(*kept);
      return out;
    }
    complain("leat: " + there.error().message());
    if (kept.error().kind() != ErrorKind::kUsage) complain("leat: " + kept.error().message());
    code = kExitNotRunning;
    return nullptr;
  }

  KeptConfigs* kept() const { return kept_.get(); }

  // {"versions":[…]}, the newest first; a code as ask_of() gives.
  int list(std::string& body) const {
    if (kept_ == nullptr) return ask_of(call_, "GET", "/versions", body);
    Json json = json_object();
    cJSON* list = cJSON_AddArrayToObject(json.get(), "versions");
    const auto& all = kept_->versions().all();
    for (auto at = all.rbegin(); at != all.rend(); ++at) {
      cJSON* one = cJSON_CreateObject();
      describe_version(one, at->second, false);
      cJSON_AddItemToArray(list, one);
    }
    body = printed(json.get()) + "\n";
    return 0;
  }
  // All that a version amounts to.
  int show(const std::string& number, std::string& body) const {
    if (kept_ == nullptr) return ask_of(call_, "GET", "/versions/" + percent_encoded(number), body);
    const ConfigVersion* version = find(number);
    if (version == nullptr) return kExitUsage;
    LoadContext context = load_context_of(call_);
    context.data_dir = data_dir_;
    body = shown_config_text(context, version->text);
    if (!body.empty()) return 0;
    complain("leat: configuration version " + number + " means nothing any more");
    return kExitUsage;
  }
  // Null: stderr has been told. "": the last good one before that which would run.
  const ConfigVersion* find(const std::string& number) const {
    const ConfigVersions& all = kept_->versions();
    const ConfigVersion* newest = all.newest();
    const ConfigVersion* version = !number.empty()
                                       ? all.find(std::strtoull(number.c_str(), nullptr, 10))
                                   : newest == nullptr ? nullptr
                                                       : all.good_before(newest->number);
    if (version == nullptr)
      complain(number.empty() ? "leat: there is no earlier configuration that was good"
                              : "leat: there is no configuration version " + excerpt(number));
    return version;
  }

 private:
  History(const CommandCall& call, std::string data_dir)
      : call_(call), data_dir_(std::move(data_dir)) {}
  Result<AgentAnswer> ask(const std::string& target) const {
    return ask_agent(call_.environment.clock, data_dir_, "GET", "/api/v1/config" + target);
  }

  const CommandCall& call_;
  const std::string data_dir_;
  std::unique_ptr<KeptConfigs> kept_;
};

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
  int code = 0;
  const std::unique_ptr<History> history = History::of(call, code);
  if (history == nullptr) return code;
  if (code = history->list(body); code != 0) return code;
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
  int code = 0;
  const std::unique_ptr<History> history = History::of(call, code);
  if (history == nullptr) return code;
  code = history->show(call.word(0), body);
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
  int code = 0;
  const std::unique_ptr<History> history = History::of(call, code);
  if (history == nullptr) return code;
  std::map<std::string, std::pair<std::optional<std::string>, std::optional<std::string>>> all;
  for (size_t side : {0, 1}) {
    std::string body;
    if (code = history->show(call.word(side), body); code != 0) return code;
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
  if (at(json.get(), "probationSeconds") != nullptr)
    complain(
        "leat: waiting until its probation is over; Ctrl-C ends the waiting, and nothing else");
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
    return exit_code_of(answer.error());
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

// What the next start runs, on probation.
int roll_back_kept(const CommandCall& call, const History& history) {
  const ConfigVersion* found = history.find(call.word(0));
  if (found == nullptr) return kExitUsage;
  ConfigVersion version = *found;
  version.author = "leat config rollback, back to version " + std::to_string(version.number);
  version.number = history.kept()->versions().next_number();
  version.origin = ConfigOrigin::kRemote;
  version.staged_us = call.environment.clock.unix_us();
  version.state = ConfigState::kInterrupted;
  version.reason.clear();
  version.delivered.clear();
  if (Status kept = history.kept()->keep(version); !kept) {
    complain("leat: " + kept.error().message());
    return kExitFailed;
  }
  Json json = json_object();
  describe_version(json.get(), version, false);
  if (call.options.boolean("json")) print(printed(json.get()) + "\n");
  if (!call.options.boolean("json"))
    print("version " + std::to_string(version.number) +
          " runs when the agent starts next, on probation; unless its file has changed by then, or "
          "says \"config\": \"file\"\n");
  return kExitDelivered;
}

int rollback(const CommandCall& call) {
  int unanswered = 0;
  const std::unique_ptr<History> history = History::of(call, unanswered);
  if (history == nullptr) return unanswered;
  if (history->kept() != nullptr) return roll_back_kept(call, *history);
  std::string body;
  const std::string to = call.word(0);
  const std::string target = "/rollback" + (call.words.empty() ? "" : "?to=" + percent_encoded(to));
  if (int code = ask_of(call, "POST", target, body); code != 0) return code;
  return taken_over(call, body);
}

constexpr Option kRunningConfig{
    .name = "config",
    .type = OptionType::kString,
    .help = "Asks the agent that runs this configuration, or its journal."};
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
     .help = "Until its probation (`agent.probation`) is over; exit code 1 when it was taken "
             "back."}};

}  // namespace

extern constexpr Command kConfigApplyCommand{
    .name = "config apply",
    .words = kFile,
    .help =
        "Gives the running agent another configuration. It is checked whole, kept as a new "
        "version, and on probation for `agent.probation`: when a pipeline fails by it or delivers "
        "nothing any more, the one before returns by itself. The next start runs it, too, as "
        "`agent.config` says: by default until the agent's own file changes.",
    .options = kChange,
    .run = apply};

extern constexpr Command kConfigHistoryCommand{
    .name = "config history",
    .help = "Shows the configurations that ran, where they came from and what became of them.",
    .options = kAskedAsData,
    .run = history};

extern constexpr Command kConfigShowCommand{
    .name = "config show",
    .words = kVersion,
    .help = "Prints one of them: all that it amounts to, without secrets.",
    .options = kAsked,
    .run = show};

extern constexpr Command kConfigDiffCommand{.name = "config diff",
                                            .words = kTwoVersions,
                                            .help = "Shows what two of them do not have in common.",
                                            .options = kAsked,
                                            .run = diff};

extern constexpr Command kConfigRollbackCommand{
    .name = "config rollback",
    .words = kAnyVersion,
    .help =
        "Makes an earlier configuration run again, as a new version; without a number the last "
        "one that was good before that which runs.",
    .options = kChange,
    .run = rollback};

}  // namespace leat
