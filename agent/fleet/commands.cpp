#include "fleet/commands.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <utility>

#include "base/fnv.h"
#include "fleet/saved_rollout.h"

namespace leat::fleet {
namespace {

constexpr size_t kMostAsked = 100;  // at once

int complain(const std::string& text) {
  std::fprintf(stderr, "leat-fleet: %s\n", text.c_str());
  return 2;
}

void say(const std::string& line) {
  std::fprintf(stderr, "%s\n", line.c_str());
}

void print(const std::string& line) {
  std::printf("%s\n", line.c_str());
}

std::vector<std::string> chosen(const Fleet& fleet, const Addressed& whom) {
  return whom.ids.empty() ? fleet.members(whom.group) : whom.ids;
}

std::string nobody(const Addressed& whom) {
  return whom.group.empty() ? "no gateway has told of itself"
                            : "no gateway of the group \"" + whom.group + "\" has told of itself";
}

bool is_final(const Answer& answer) {
  return answer.state != "accepted" && answer.state != "running";
}

// Pipelines that need somebody: "temperatures failed: …".
std::string trouble_of(const json& status) {
  std::string out;
  const json& pipelines = member(status, "pipelines");
  if (!pipelines.is_array()) return out;
  for (const json& one : pipelines) {
    if (!is_true(one, "trouble")) continue;
    const std::string reason = text_of(one, "reason");
    out += (out.empty() ? "" : "; ") + text_of(one, "name") + " " + text_of(one, "state") +
           (reason.empty() ? "" : ": " + reason);
  }
  return out;
}

std::string config_of(const json& status) {
  const json& config = member(status, "config");
  const std::string state = text_of(config, "state");
  return text_of(config, "version") + (state.empty() || state == "good" ? "" : " " + state);
}

// Columns as wide as their widest cell; the last one as it is.
void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    print(line);
  }
}

// What went wrong, in one line.
std::string problem_of(const Answer& answer) {
  const json& error = member(answer.body, "error");
  std::string out = text_of(error, "text");
  if (out.empty()) out = text_of(answer.body, "text");
  const json& problems = member(error, "problems");
  if (!problems.is_array()) return out;
  size_t errors = 0;
  for (const json& problem : problems) {
    if (text_of(problem, "severity") == "warning" || ++errors > 1) continue;
    const std::string path = text_of(problem, "path");
    out = (path.empty() ? "" : path + ": ") + text_of(problem, "message");
  }
  if (errors > 1) out += " (and " + format_count(errors - 1, "problem") + " more)";
  return out;
}

// One command to many, at most kMostAsked unanswered at once. `on_answer` is called for each final
// answer; gives who gave none in time. Fails when the broker does.
Result<std::vector<std::string>> ask(Fleet& fleet, const Clock& clock,
                                     std::vector<std::string> gateways, const Command& command,
                                     const std::function<void(const Answer&)>& on_answer) {
  struct Open {
    std::string gateway;
    int64_t until_us;
  };
  std::map<std::string, Open> open;  // by correlation
  std::vector<std::string> silent;
  std::ranges::reverse(gateways);
  while (!gateways.empty() || !open.empty()) {
    while (!gateways.empty() && open.size() < kMostAsked) {
      Command one = command;
      one.gateway = gateways.back();
      one.correlation = new_correlation();
      gateways.pop_back();
      open[one.correlation] = {one.gateway, clock.monotonic_us() + one.valid_for.count() * 1000};
      if (Status sent = fleet.send(one); !sent) return fail(sent.error());
    }
    Result<std::optional<Answer>> answer = fleet.next(Milliseconds{200});
    if (!answer) return fail(answer.error());
    if (*answer && is_final(**answer)) {
      auto found = open.find((*answer)->correlation);
      if (found != open.end() && found->second.gateway == (*answer)->gateway) {
        open.erase(found);
        on_answer(**answer);
      }
    }
    std::erase_if(open, [&](const auto& one) {
      if (one.second.until_us > clock.monotonic_us()) return false;
      silent.push_back(one.second.gateway);
      return true;
    });
  }
  return silent;
}

std::optional<Progress> progress_of(const std::string& state) {
  if (state == "running") return Progress::kRunning;
  if (state == "succeeded") return Progress::kSucceeded;
  if (state == "rolledBack") return Progress::kRolledBack;
  if (state == "failed" || state == "interrupted") return Progress::kFailed;
  return std::nullopt;
}

// One roll-out on its way.
class Leader {
 public:
  Leader(Fleet& fleet, const Clock& clock, const RolloutRequest& request, SavedRollout saved)
      : fleet_(fleet),
        clock_(clock),
        request_(request),
        saved_(std::move(saved)),
        rollout_(request.steps, saved_.members, new_correlation) {}

  Status run() {
    for (const auto& [id, member] : rollout_.members())
      if (member.progress == Progress::kSent)  // perhaps it was not sent; twice acts once
        if (Status sent = send(id); !sent) return sent;
    note_online();
    while (true) {
      const std::vector<std::string> next = rollout_.next(clock_.monotonic_us());
      if (!next.empty()) {
        say("step " + std::to_string(rollout_.step()) + ": " +
            format_count(next.size(), "gateway"));
        if (Status saved = save(); !saved) return saved;
        for (const std::string& id : next)
          if (Status sent = send(id); !sent) return sent;
      }
      if (rollout_.over()) break;
      say_wait();
      Result<std::optional<Answer>> answer = fleet_.next(Milliseconds{500});
      if (!answer) return fail(answer.error());
      if (*answer) take(**answer);
      note_online();
      if (Status saved = save(); !saved) return saved;
    }
    return save();
  }

  int conclude() const {
    std::vector<std::vector<std::string>> table = {{"GATEWAY", "STEP", "STATE", "REASON"}};
    std::map<Progress, size_t> counts;
    for (const auto& [id, member] : rollout_.members()) {
      ++counts[member.progress];
      const bool away = member.progress == Progress::kWaiting && !online(id);
      table.push_back({id, member.step == 0 ? "-" : std::to_string(member.step),
                       away ? "away" : std::string(name_of(member.progress)), member.text});
    }
    print_table(table);
    std::string summary;
    for (const auto& [progress, count] : counts)
      summary += (summary.empty() ? "" : ", ") + std::to_string(count) + " " +
                 std::string(name_of(progress));
    print(summary);
    if (!rollout_.stopped().empty()) print("stopped: " + rollout_.stopped());
    if (counts[Progress::kWaiting] > 0)
      print("the same command goes on with those that are waiting");
    return counts[Progress::kSucceeded] == rollout_.members().size() ? 0 : 1;
  }

 private:
  bool online(const std::string& id) const {
    auto found = fleet_.gateways().find(id);
    return found != fleet_.gateways().end() && found->second.online;
  }

  void note_online() {
    for (const auto& [id, member] : rollout_.members()) rollout_.online(id, online(id));
  }

  Status send(const std::string& id) {
    return fleet_.send({.gateway = id,
                        .correlation = rollout_.members().at(id).correlation,
                        .name = "config.set",
                        .arguments = {{"config", request_.config}},
                        .valid_for = request_.steps.patience});
  }

  void take(const Answer& answer) {
    auto found = rollout_.members().find(answer.gateway);
    if (found == rollout_.members().end() || found->second.correlation != answer.correlation)
      return;
    std::optional<Progress> progress = progress_of(answer.state);
    if (!progress || !rollout_.answered(answer.gateway, *progress, problem_of(answer))) return;
    const std::string& text = found->second.text;
    say("  " + answer.gateway + " " + std::string(name_of(*progress)) +
        (text.empty() ? "" : ": " + text));
  }

  // Once for each step.
  void say_wait() {
    std::optional<Milliseconds> left = rollout_.next_step_in(clock_.monotonic_us());
    if (!left || left->count() == 0 || std::exchange(said_, rollout_.step()) == rollout_.step())
      return;
    say("step " + std::to_string(rollout_.step()) + " has ended well, the next one begins in " +
        format_duration(*left));
  }

  // Only when something is new.
  Status save() {
    SavedRollout now = saved_;
    now.members = rollout_.members();
    if (now == saved_ && written_) return {};
    written_ = true;
    saved_ = std::move(now);
    return save_rollout(request_.state_file, saved_);
  }

  Fleet& fleet_;
  const Clock& clock_;
  const RolloutRequest& request_;
  SavedRollout saved_;
  Rollout rollout_;
  bool written_ = false;
  size_t said_ = 0;
};

Result<SavedRollout> prepared(const Fleet& fleet, const RolloutRequest& request) {
  Result<SavedRollout> saved = load_rollout(request.state_file);
  if (!saved) return saved;
  const std::string hash = hash_of(request.config);
  if (!saved->config_hash.empty() && saved->config_hash != hash)
    return fail(ErrorKind::kUsage,
                request.state_file + ": is of a roll-out of another configuration");
  saved->config_hash = hash;
  if (!saved->members.empty()) say("going on with what " + request.state_file + " says");
  for (const std::string& id : chosen(fleet, request.whom)) saved->members.try_emplace(id);
  if (request.retry_failed)
    for (auto& [id, one] : saved->members)
      if (is_failure(one.progress)) one = {};
  return saved;
}

}  // namespace

std::string hash_of(const std::string& config) {
  std::array<char, 20> out;
  std::snprintf(out.data(), out.size(), "%016llx", static_cast<unsigned long long>(fnv1a(config)));
  return out.data();
}

int list(Fleet& fleet, const Addressed& whom, bool trouble, bool as_json) {
  std::vector<std::vector<std::string>> table = {
      {"GATEWAY", "ONLINE", "VERSION", "CONFIG", "PIPELINES", "TROUBLE"}};
  bool all_well = true;
  for (const std::string& id : chosen(fleet, whom)) {
    auto found = fleet.gateways().find(id);
    const Gateway gateway = found == fleet.gateways().end() ? Gateway{} : found->second;
    const std::string its = trouble_of(gateway.status);
    const bool well = gateway.online && its.empty();
    all_well = all_well && well;
    if (trouble && well) continue;
    if (as_json) {
      json line = gateway.status.is_object() ? gateway.status : json::object();
      line["id"] = id;
      line["online"] = gateway.online;
      print(printed(line));
      continue;
    }
    const json& pipelines = member(gateway.status, "pipelines");
    table.push_back({id, gateway.online ? "yes" : "no", text_of(gateway.status, "version"),
                     config_of(gateway.status), std::to_string(pipelines.size()), its});
  }
  if (!as_json) print_table(table);
  return all_well ? 0 : 1;
}

int exec(Fleet& fleet, const Clock& clock, const ExecRequest& request) {
  std::vector<std::string> gateways = chosen(fleet, request.whom);
  if (gateways.empty()) return complain(nobody(request.whom));
  bool all_well = true;
  auto line = [](const std::string& gateway, const json& body) {
    json out = {{"gateway", gateway}, {"state", text_of(body, "state")}};
    for (const char* name : {"result", "error", "text"})
      if (const json& value = member(body, name); !value.is_null()) out[name] = value;
    print(printed(out));
    std::fflush(stdout);
  };
  Result<std::vector<std::string>> silent = ask(fleet, clock, std::move(gateways),
                                                {.gateway = "",
                                                 .correlation = "",
                                                 .name = request.command,
                                                 .arguments = request.arguments,
                                                 .valid_for = request.patience},
                                                [&](const Answer& answer) {
                                                  all_well =
                                                      all_well && answer.state == "succeeded";
                                                  line(answer.gateway, answer.body);
                                                });
  if (!silent) return complain(silent.error().message());
  for (const std::string& id : *silent) line(id, {{"state", "no answer"}});
  return all_well && silent->empty() ? 0 : 1;
}

int tail(Fleet& fleet) {
  for (;;) {
    Result<std::optional<Answer>> one = fleet.next(Milliseconds{10'000});
    if (!one) return complain(one.error().message());
  }
}

int dry_run(Fleet& fleet, const Clock& clock, const RolloutRequest& request) {
  std::vector<std::string> gateways = chosen(fleet, request.whom);
  if (gateways.empty()) return complain(nobody(request.whom));
  const size_t all = gateways.size();
  std::vector<std::vector<std::string>> table = {{"GATEWAY", "PROBLEM"}};
  std::erase_if(gateways, [&](const std::string& id) {
    auto found = fleet.gateways().find(id);
    const bool away = found == fleet.gateways().end() || !found->second.online;
    if (away) table.push_back({id, "it is away"});
    return away;
  });
  Result<std::vector<std::string>> silent =
      ask(fleet, clock, std::move(gateways),
          {.gateway = "",
           .correlation = "",
           .name = "config.check",
           .arguments = {{"config", request.config}},
           .valid_for = request.steps.patience},
          [&](const Answer& answer) {
            if (answer.state != "succeeded") table.push_back({answer.gateway, problem_of(answer)});
          });
  if (!silent) return complain(silent.error().message());
  for (const std::string& id : *silent) table.push_back({id, "it did not answer"});
  const size_t bad = table.size() - 1;
  if (bad > 0) print_table(table);
  print(format_count(all - bad, "gateway") + " would take it, " + std::to_string(bad) +
        " would not");
  return bad == 0 ? 0 : 1;
}

int roll_out(Fleet& fleet, const Clock& clock, const RolloutRequest& request) {
  Result<SavedRollout> saved = prepared(fleet, request);
  if (!saved) return complain(saved.error().message());
  if (saved->members.empty()) return complain(nobody(request.whom));
  Leader leader(fleet, clock, request, std::move(*saved));
  if (Status status = leader.run(); !status) {
    complain(status.error().message() + "; the same command goes on from here");
    return 2;
  }
  return leader.conclude();
}

}  // namespace leat::fleet
