// leat status, pause, resume, restart: what is asked of the agent of this machine.

#include <cjson/cJSON.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/layout.h"
#include "base/units.h"
#include "cli/agent_call.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/output.h"
#include "control/agent.h"

namespace leat {
namespace {

using Json = std::unique_ptr<cJSON, void (*)(cJSON*)>;

constexpr std::chrono::milliseconds kShortLook{500};  // between the two samples of a rate
constexpr std::chrono::milliseconds kWatchPeriod{1000};

const cJSON* at(const cJSON* node, const char* name) {
  return cJSON_GetObjectItemCaseSensitive(node, name);
}
std::string text(const cJSON* node, const char* name) {
  const char* value = cJSON_GetStringValue(at(node, name));
  return value == nullptr ? "" : value;
}
int64_t number(const cJSON* node, const char* name) {
  const cJSON* value = at(node, name);
  return cJSON_IsNumber(value) ? static_cast<int64_t>(value->valuedouble) : 0;
}

struct Sample {
  Json json{nullptr, cJSON_Delete};
  int64_t taken_us = 0;  // monotonic
};

// What was read and delivered a moment ago, for rates.
class Rates {
 public:
  explicit Rates(const Sample& before, const Sample& now)
      : seconds_(static_cast<double>(now.taken_us - before.taken_us) / 1e6) {
    const cJSON* pipeline = nullptr;
    cJSON_ArrayForEach(pipeline, at(before.json.get(), "pipelines"))
        before_[text(pipeline, "name")] = at(pipeline, "records");
  }
  // "1,204", of a counter in `records` of the pipeline.
  std::string of(const cJSON* pipeline, const char* counter) const {
    auto known = before_.find(text(pipeline, "name"));
    int64_t now = number(at(pipeline, "records"), counter);
    int64_t then = known == before_.end() ? 0 : number(known->second, counter);
    if (now < then) then = 0;  // another run
    return format_count(std::lround(static_cast<double>(now - then) / seconds_));
  }

 private:
  double seconds_;
  std::map<std::string, const cJSON*> before_;
};

bool any_in_trouble(const Sample& sample) {
  const cJSON* pipeline = nullptr;
  cJSON_ArrayForEach(pipeline, at(sample.json.get(), "pipelines")) {
    if (cJSON_IsTrue(at(pipeline, "trouble")) != 0) return true;
  }
  return false;
}

using Row = std::vector<std::string>;

std::string spool_of(const cJSON* pipeline) {
  int64_t used = number(pipeline, "spoolBytes");
  int64_t most = number(pipeline, "maxSpoolBytes");
  if (used == 0) return "-";
  std::string out = format_bytes(used);
  return most == 0 ? out : out + " (" + std::to_string(used * 100 / most) + "%)";
}

std::string overview(const Sample& before, const Sample& now) {
  Rates rates(before, now);
  std::vector<Row> rows = {{"PIPELINE", "STATE", "IN/s", "OUT/s", "WAITING", "SPOOL", "DEAD"}};
  std::string reasons;
  const cJSON* pipeline = nullptr;
  cJSON_ArrayForEach(pipeline, at(now.json.get(), "pipelines")) {
    const cJSON* records = at(pipeline, "records");
    std::string name = text(pipeline, "name");
    rows.push_back({name, text(pipeline, "state"), rates.of(pipeline, "read"),
                    rates.of(pipeline, "delivered"), format_count(number(records, "waiting")),
                    spool_of(pipeline), format_count(number(records, "deadLetters"))});
    for (const char* why : {"reason", "refused"})
      if (at(pipeline, why) != nullptr) reasons += name + ": " + text(pipeline, why) + "\n";
  }
  if (rows.size() == 1) return "no pipelines\n";
  return columns(rows, 2) + (reasons.empty() ? "" : "\n" + reasons);
}

std::string details(const cJSON* pipeline, const Rates& rates) {
  const cJSON* records = at(pipeline, "records");
  auto count = [&](const char* name) { return format_count(number(records, name)); };
  auto bytes = [&](const char* name) { return format_bytes(number(pipeline, name)); };
  std::vector<Row> rows = {
      {"state", text(pipeline, "state")},
      {"running for", format_duration(Milliseconds(number(pipeline, "runningSeconds") * 1000))},
      {"read", count("read") + " (" + rates.of(pipeline, "read") + "/s), " + bytes("bytesRead")},
      {"delivered", count("delivered") + " (" + rates.of(pipeline, "delivered") + "/s)"},
      {"filtered", count("filtered")},
      {"dropped", count("dropped")},
      {"dead letters", count("deadLetters")},
      {"waiting", count("waiting")},
      {"spool", bytes("spoolBytes") + " of " + bytes("maxSpoolBytes") + ", " + count("spooled") +
                    " records went through it"},
      {"dropped there", count("spoolDropped")},
      {"lost there", count("spoolLost")},
      {"retries", format_count(number(pipeline, "retries"))},
      {"memory", bytes("memoryBytes") + " of " + bytes("memoryLimitBytes") + ", at most " +
                     bytes("memoryPeakBytes")}};
  if (at(pipeline, "reason") != nullptr)
    rows.insert(rows.begin() + 1, {"because", text(pipeline, "reason")});
  if (at(pipeline, "refused") != nullptr)
    rows.push_back({"in its old form", text(pipeline, "refused")});
  return text(pipeline, "name") + "\n" + columns(rows, 2);
}

std::string head(const cJSON* agent) {
  std::string out = "leat " + text(agent, "version") + ", " + text(agent, "id") + ", up " +
                    format_duration(Milliseconds(number(agent, "uptimeSeconds") * 1000));
  if (std::string file = text(agent, "configFile"); !file.empty()) out += ", " + file;
  if (cJSON_IsTrue(at(agent, "stopping")) != 0) out += ", stopping";
  return out + "\n";
}

// For a path or a query, whatever is in it (RFC 3986 section 2.1).
std::string percent_encoded(const std::string& text) {
  std::string out;
  for (char c : text) {
    char code[4];
    std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned char>(c));
    out += code;
  }
  return out;
}

// Asks once; the exit code when there is no good answer, and why on stderr.
int ask(const Clock& clock, const std::string& data_dir, std::string_view method,
        const std::string& target, std::string& body) {
  Result<AgentAnswer> answer = ask_agent(clock, data_dir, method, target);
  if (!answer) {
    std::fprintf(stderr, "leat: %s\n", answer.error().message().c_str());
    return answer.error().kind() == ErrorKind::kUnavailable ? kExitNotRunning : kExitUsage;
  }
  if (answer->status >= 300) {
    std::fprintf(stderr, "leat: %s", answer->body.c_str());
    return 2;
  }
  body = std::move(answer->body);
  return 0;
}

struct StatusRequest {
  const Clock& clock;
  std::string data_dir;
  std::string pipeline;  // "" for all
  bool json = false;     // as the agent says it
  bool watch = false;    // anew each second, until a signal ends the process
};

int sample(const StatusRequest& request, std::string& body, Sample& out) {
  std::string target = "/api/v1/status";
  if (!request.pipeline.empty()) target += "?pipeline=" + percent_encoded(request.pipeline);
  if (int code = ask(request.clock, request.data_dir, "GET", target, body); code != 0) return code;
  out.json.reset(cJSON_Parse(body.c_str()));
  out.taken_us = request.clock.monotonic_us();
  return 0;
}

int show_status(const StatusRequest& request) {
  std::string body;
  Sample before;  // for the rates, which JSON leaves to its reader
  if (!request.json)
    if (int code = sample(request, body, before); code != 0) return code;
  while (true) {
    if (!request.json) std::this_thread::sleep_for(request.watch ? kWatchPeriod : kShortLook);
    Sample now;
    if (int code = sample(request, body, now); code != 0) return code;
    std::string out;
    if (request.json) {
      out = body;
    } else if (request.pipeline.empty()) {
      out = head(now.json.get()) + overview(before, now);
    } else {
      out = details(at(now.json.get(), "pipelines")->child, Rates(before, now));
    }
    if (request.watch && !request.json)
      out = "\x1b[H\x1b[J" + out;  // to the upper left, and clear from there
    std::fwrite(out.data(), 1, out.size(), stdout);
    std::fflush(stdout);
    if (!request.watch) return any_in_trouble(now) ? 1 : 0;
    if (request.json) std::this_thread::sleep_for(kWatchPeriod);
    before = std::move(now);
  }
}

int status(const CommandCall& call) {
  std::optional<std::string> data_dir = asked_data_dir(call);
  if (!data_dir) return kExitUsage;
  return show_status({.clock = call.environment.clock,
                      .data_dir = *std::move(data_dir),
                      .pipeline = call.word(0),
                      .json = call.options.boolean("json"),
                      .watch = call.options.boolean("watch")});
}

// pause, resume, restart: the commands are called as the agent calls them.
int tell_pipeline(const CommandCall& call) {
  std::optional<std::string> data_dir = asked_data_dir(call);
  if (!data_dir) return kExitUsage;
  std::string body;
  std::string target =
      "/api/v1/pipelines/" + percent_encoded(call.word(0)) + "/" + std::string(call.command->name);
  int code = ask(call.environment.clock, *data_dir, "POST", target, body);
  print(body);
  return code;
}

constexpr Positional kAny[] = {{"PIPELINE", false}};
constexpr Positional kOne[] = {{"PIPELINE"}};
constexpr Option kTellOptions[] = {kAskedConfigOption, kAskedDataDirOption};
constexpr Option kStatusOptions[] = {
    kAskedConfigOption,
    kAskedDataDirOption,
    {.name = "watch", .type = OptionType::kBool, .help = "Again each second."},
    {.name = "json", .type = OptionType::kBool, .help = "As data, for programs."}};

}  // namespace

extern const Command kStatusCommand;
constexpr Command kStatusCommand{
    .name = "status",
    .words = kAny,
    .help =
        "Shows how the agent of this machine does, or one of its pipelines: state, rates, what "
        "waits and why. Exit code 1 when a pipeline is in trouble, 3 when no agent runs.",
    .options = kStatusOptions,
    .run = status};

extern const Command kPauseCommand;
constexpr Command kPauseCommand{
    .name = "pause",
    .words = kOne,
    .help = "Drains one pipeline of the running agent, until it is told to resume.",
    .options = kTellOptions,
    .run = tell_pipeline};

extern const Command kResumeCommand;
constexpr Command kResumeCommand{.name = "resume",
                                 .words = kOne,
                                 .help = "Starts a paused pipeline again.",
                                 .options = kTellOptions,
                                 .run = tell_pipeline};

extern const Command kRestartCommand;
constexpr Command kRestartCommand{.name = "restart",
                                  .words = kOne,
                                  .help = "Drains one pipeline, and starts it anew.",
                                  .options = kTellOptions,
                                  .run = tell_pipeline};

}  // namespace leat
