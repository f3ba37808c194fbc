// leat status, top, pause, resume, restart, kick: what is asked of the agent of this machine.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/layout.h"
#include "base/units.h"
#include "cli/agent_call.h"
#include "cli/answer.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "control/agent.h"
#include "net/authority.h"

namespace leat {
namespace {

constexpr std::chrono::milliseconds kShortLook{500};  // between the two samples of a rate
constexpr std::chrono::milliseconds kWatchPeriod{1000};

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
    return format_count(per_second(pipeline, counter));
  }
  int64_t per_second(const cJSON* pipeline, const char* counter) const {
    auto known = before_.find(text(pipeline, "name"));
    int64_t now = number(at(pipeline, "records"), counter);
    int64_t then = known == before_.end() ? 0 : number(known->second, counter);
    if (now < then) then = 0;  // another run
    return std::lround(static_cast<double>(now - then) / seconds_);
  }

 private:
  double seconds_;
  std::map<std::string, const cJSON*> before_;
};

bool any_in_trouble(const Sample& sample) {
  if (at(at(sample.json.get(), "config"), "trouble") != nullptr) return true;
  const cJSON* pipeline = nullptr;
  cJSON_ArrayForEach(pipeline, at(sample.json.get(), "pipelines")) {
    if (cJSON_IsTrue(at(pipeline, "trouble")) != 0) return true;
  }
  return false;
}

using Row = std::vector<std::string>;

// "12s", of a time in seconds; "" when it is not there.
std::string time_of(const cJSON* pipeline, const char* name) {
  const cJSON* time = at(pipeline, name);
  return cJSON_IsNumber(time) ? short_time(time->valuedouble) : "";
}

// "circuit open 12s"
std::string state_of(const cJSON* pipeline) {
  std::string left = time_of(pipeline, "nextAttemptSeconds");
  return text(pipeline, "state") + (left.empty() ? "" : " " + left);
}

std::string spool_of(const cJSON* pipeline) {
  int64_t used = number(pipeline, "spoolBytes");
  int64_t most = number(pipeline, "maxSpoolBytes");
  if (used == 0) return "-";
  std::string out = format_bytes(used);
  if (most > 0) out += " (" + std::to_string(used * 100 / most) + "%)";
  std::string full = time_of(pipeline, "spoolFullSeconds");
  return full.empty() ? out : out + ", full in " + full;
}

// "12 × http (http-400): …", the most frequent ones first, each behind `before`.
std::string dead_letters_of(const cJSON* pipeline, const std::string& before, size_t most) {
  std::vector<const cJSON*> all;
  const cJSON* reason = nullptr;
  cJSON_ArrayForEach(reason, at(pipeline, "deadLetterReasons")) all.push_back(reason);
  std::ranges::stable_sort(
      all, [](auto* a, auto* b) { return number(a, "count") > number(b, "count"); });
  std::string out;
  for (size_t i = 0; i < std::min(all.size(), most); ++i) {
    std::string stage = text(all[i], "stage");
    const std::string code = text(all[i], "code");
    if (!code.empty()) stage += " (" + code + ")";
    out += before + format_count(number(all[i], "count")) + " × " +
           (stage.empty() ? "" : stage + ": ") + text(all[i], "reason") + "\n";
  }
  return out;
}

// What an operator would not see elsewhere: that the agent cannot be commanded from afar, or that
// somebody tries it in vain.
std::string control_of(const cJSON* control) {
  if (control == nullptr) return "";
  std::string out;
  if (cJSON_IsTrue(at(control, "connected")) == 0) out = "agent.control: not connected\n";
  const cJSON* refusal = nullptr;
  cJSON_ArrayForEach(refusal, at(control, "refusals")) out +=
      "agent.control: refused: " + format_count(number(refusal, "count")) + " × " +
      text(refusal, "reason") + "\n";
  return out;
}

// "budget: 160 MiB of 191 MiB (84%) in the month until 2026-12-01"
std::string budget_of(const cJSON* budget) {
  if (budget == nullptr) return "";
  const int64_t used = number(budget, "usedBytes");
  const int64_t most = number(budget, "bytes");
  const std::string until = text(budget, "until").substr(0, 10);
  return "budget: " + format_bytes(used) + " of " + format_bytes(most) + " (" +
         std::to_string(
             static_cast<int64_t>(100.0 * static_cast<double>(used) / static_cast<double>(most))) +
         "%) in the " + text(budget, "per") + (until.empty() ? "" : " until " + until) + "\n";
}

// "cache recipes: 12 records (3.1 KiB), 120 hits, 3 misses, 4 expired, 0 evicted"
std::string caches_of(const cJSON* caches) {
  std::string out;
  const cJSON* cache = nullptr;
  cJSON_ArrayForEach(cache, caches) {
    out += "cache " + text(cache, "name") + ": " +
           format_count(static_cast<uint64_t>(number(cache, "records")), "record") + " (" +
           format_bytes(number(cache, "bytes")) + ")";
    for (const char* counter : {"hits", "misses", "expired", "evicted"})
      out += ", " + format_count(number(cache, counter)) + " " + counter;
    out += "\n";
  }
  return out;
}

std::string overview(const Sample& before, const Sample& now, bool by_rate) {
  Rates rates(before, now);
  std::vector<Row> rows = {
      {"PIPELINE", "STATE", "IN/s", "OUT/s", "WAITING", "SPOOL", "DEAD", "LAST"}};
  std::vector<const cJSON*> all;
  const cJSON* pipeline = nullptr;
  cJSON_ArrayForEach(pipeline, at(now.json.get(), "pipelines")) all.push_back(pipeline);
  const std::string control = budget_of(at(now.json.get(), "budget")) +
                              control_of(at(now.json.get(), "control")) +
                              caches_of(at(now.json.get(), "caches"));
  if (all.empty()) return "no pipelines\n" + control;
  if (by_rate)
    std::ranges::stable_sort(all, [&rates](auto* a, auto* b) {
      return rates.per_second(a, "read") > rates.per_second(b, "read");
    });
  std::string reasons;
  for (const cJSON* one : all) {
    const cJSON* records = at(one, "records");
    std::string name = text(one, "name");
    std::string last = time_of(one, "lastReadSeconds");
    rows.push_back({name, state_of(one), rates.of(one, "read"), rates.of(one, "delivered"),
                    format_count(number(records, "waiting")), spool_of(one),
                    format_count(number(records, "deadLetters")), last.empty() ? "-" : last});
    for (const char* why : {"reason", "refused"})
      if (at(one, why) != nullptr) reasons += name + ": " + text(one, why) + "\n";
    reasons += dead_letters_of(one, name + ": dead letters since its start: ", 3);
  }
  reasons += control;
  return columns(rows, 2) + (reasons.empty() ? "" : "\n" + reasons);
}

// What each stage does with the records.
std::string stages_of(const cJSON* pipeline) {
  std::vector<Row> rows = {{"STAGE", "IN", "OUT", "FILTERED", "FAILED", "µs/RECORD", "MEMORY"}};
  const cJSON* stage = nullptr;
  cJSON_ArrayForEach(stage, at(pipeline, "stages")) {
    auto count = [stage](const char* name) { return format_count(number(stage, name)); };
    std::string took = "-";
    if (const cJSON* measured = at(stage, "microsecondsPerRecord")) {
      char digits[24];
      std::snprintf(digits, sizeof digits, "%.2f", measured->valuedouble);
      took = digits;
    }
    int64_t held = number(stage, "memoryBytes");
    rows.push_back({text(stage, "name"), count("in"), count("out"), count("filtered"),
                    count("failed"), took, held == 0 ? "-" : format_bytes(held)});
  }
  return rows.size() == 1 ? "" : "\n" + columns(rows, 1);
}

std::string details(const cJSON* pipeline, const Rates& rates) {
  const cJSON* records = at(pipeline, "records");
  auto count = [&](const char* name) { return format_count(number(records, name)); };
  auto bytes = [&](const char* name) { return format_bytes(number(pipeline, name)); };
  std::vector<Row> rows = {
      {"state", state_of(pipeline)},
      {"running for", time_of(pipeline, "runningSeconds")},
      {"schedule", text(pipeline, "schedule")},
      {"next run", text(pipeline, "nextRun")},
      {"read", count("read") + " (" + rates.of(pipeline, "read") + "/s), " + bytes("bytesRead")},
      {"delivered", count("delivered") + " (" + rates.of(pipeline, "delivered") + "/s)"},
      {"filtered", count("filtered")},
      {"dropped", count("dropped")},
      {"dead letters", count("deadLetters")},
      {"waiting", count("waiting")},
      {"spool", bytes("spoolBytes") + " of " + bytes("maxSpoolBytes") + ", " +
                    format_count(static_cast<uint64_t>(number(records, "spooled")), "record") +
                    " went through it"},
      {"dropped there", count("spoolDropped")},
      {"lost there", count("spoolLost")},
      {"retries", format_count(number(pipeline, "retries"))},
      {"keys evicted", format_count(number(pipeline, "keysEvicted"))},
      {"memory", bytes("memoryBytes") + " of " + bytes("memoryLimitBytes") + ", at most " +
                     bytes("memoryPeakBytes")}};
  if (const cJSON* parallel = at(pipeline, "parallel"); parallel != nullptr)
    rows.push_back({"parallel",
                    format_count(static_cast<uint64_t>(number(parallel, "loops")), "further loop") +
                        " now, " + parallel_words(parallel)});
  auto add_time = [&](const char* words, const char* name) {
    if (std::string time = time_of(pipeline, name); !time.empty()) rows.push_back({words, time});
  };
  add_time("last read before", "lastReadSeconds");
  add_time("oldest waits for", "oldestUndeliveredSeconds");
  add_time("spool full in", "spoolFullSeconds");
  if (at(pipeline, "reason") != nullptr)
    rows.insert(rows.begin() + 1, {"because", text(pipeline, "reason")});
  if (at(pipeline, "refused") != nullptr)
    rows.push_back({"with its old configuration", text(pipeline, "refused")});
  if (const int64_t failed = number(pipeline, "failedRuns"); failed > 0)
    rows.push_back({"failed runs", std::to_string(failed) + " in a row"});
  std::erase_if(rows, [](const Row& row) { return row[1].empty(); });
  std::string dead = dead_letters_of(pipeline, "  ", SIZE_MAX);
  return text(pipeline, "name") + "\n" + columns(rows, 2) + stages_of(pipeline) +
         (dead.empty() ? "" : "\ndead letters since its start\n" + dead);
}

std::string head(const cJSON* agent) {
  std::string out = "leat " + text(agent, "version") + ", " + text(agent, "id") + ", up " +
                    time_of(agent, "uptimeSeconds");
  if (std::string file = text(agent, "configFile"); !file.empty()) out += ", " + file;
  if (std::string loaded = text(agent, "configLoaded"); !loaded.empty()) out += " of " + loaded;
  if (at(agent, "flashLifeSeconds") != nullptr)
    out += ", at this rate the flash lasts " + long_time(number(agent, "flashLifeSeconds"));
  if (cJSON_IsTrue(at(agent, "stopping")) != 0) out += ", stopping";
  if (std::string trouble = text(at(agent, "config"), "trouble"); !trouble.empty())
    out += "\n" + trouble;
  return out + "\n";
}

struct StatusRequest {
  const Clock& clock;
  std::string data_dir;
  std::string pipeline = {};  // "" for all
  bool json = false;          // as the agent says it
  bool watch = false;         // anew each second, until a signal ends the process
  bool by_rate = false;       // the busiest first
};

int sample(const StatusRequest& request, std::string& body, Sample& out) {
  std::string target = "/api/v1/status";
  if (!request.pipeline.empty()) target += "?pipeline=" + percent_encoded(request.pipeline);
  if (int code = ask_or_complain(request.clock, request.data_dir, "GET", target, body); code != 0)
    return code;
  out.json.reset(cJSON_Parse(body.c_str()));
  out.taken_us = request.clock.monotonic_us();
  return 0;
}

int show_status(const StatusRequest& request) {
  std::string body;
  Sample before;  // for the rates, which JSON leaves to its reader
  if (!request.json)
    if (int code = sample(request, body, before); code != 0) return code;
  Screen screen;
  while (true) {
    if (!request.json) screen.wait(request.watch ? kWatchPeriod : kShortLook);
    Sample now;
    if (int code = sample(request, body, now); code != 0) return code;
    std::string out;
    if (request.json) {
      out = body;
    } else if (request.pipeline.empty()) {
      out = head(now.json.get()) + overview(before, now, request.by_rate);
    } else {
      out = details(at(now.json.get(), "pipelines")->child, Rates(before, now));
    }
    if (request.watch && !request.json)
      screen.show(std::move(out));
    else
      print(out);
    if (!request.watch) return any_in_trouble(now) ? 1 : 0;
    if (std::fflush(stdout) != 0) return kExitFailed;  // nobody reads it any more
    if (request.json) screen.wait(kWatchPeriod);
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

int top(const CommandCall& call) {
  std::optional<std::string> data_dir = asked_data_dir(call);
  if (!data_dir) return kExitUsage;
  return show_status({.clock = call.environment.clock,
                      .data_dir = *std::move(data_dir),
                      .watch = true,
                      .by_rate = true});
}

// pause, stop, mount …: the commands are called as the agent calls them.
int tell_pipeline(const CommandCall& call) {
  std::optional<std::string> data_dir = asked_data_dir(call);
  if (!data_dir) return kExitUsage;
  std::string body;
  std::string target =
      "/api/v1/pipelines/" + percent_encoded(call.word(0)) + "/" + std::string(call.command->name);
  if (call.command->name == "stop" && call.options.boolean("now")) target += "?now=1";
  int code = ask_or_complain(call.environment.clock, *data_dir, "POST", target, body);
  print(body);
  return code;
}

constexpr Option kTellOptions[] = {kAskedConfigOption, kAskedDataDirOption};
constexpr Option kStopOptions[] = {
    kAskedConfigOption,
    kAskedDataDirOption,
    {.name = "now",
     .type = OptionType::kBool,
     .help = "Without draining it: what was not acknowledged is read again later, or lost where "
             "the source cannot give it again."}};
constexpr Option kStatusOptions[] = {
    kAskedConfigOption,
    kAskedDataDirOption,
    {.name = "watch", .type = OptionType::kBool, .help = "Again each second."},
    kJsonOption};

}  // namespace

extern constexpr Command kStatusCommand{
    .name = "status",
    .words = kAnyPipeline,
    .help =
        "Shows how the agent of this machine does, or one of its pipelines: state, rates, what "
        "waits and why. Exit code 1 when a pipeline is in trouble, 3 when no agent runs. All "
        "counts are since the pipeline's start; the dead letters that are open: `leat "
        "dead-letters`.",
    .options = kStatusOptions,
    .run = status};

extern constexpr Command kTopCommand{
    .name = "top",
    .help = "Shows all pipelines of the running agent again each second, the busiest first.",
    .options = kTellOptions,
    .run = top};

extern constexpr Command kPauseCommand{
    .name = "pause",
    .words = kOnePipeline,
    .help =
        "Drains one pipeline of the running agent, until it is told to resume. This, and to be "
        "stopped or unmounted, holds when the agent or the machine starts anew, too.",
    .options = kTellOptions,
    .run = tell_pipeline};

extern constexpr Command kResumeCommand{.name = "resume",
                                        .words = kOnePipeline,
                                        .help = "Starts a paused pipeline again.",
                                        .options = kTellOptions,
                                        .run = tell_pipeline};

extern constexpr Command kStartCommand{
    .name = "start",
    .words = kOnePipeline,
    .help = "Starts a pipeline again that was stopped, or has ended.",
    .options = kTellOptions,
    .run = tell_pipeline};

extern constexpr Command kStopCommand{
    .name = "stop",
    .words = kOnePipeline,
    .help = "Drains one pipeline of the running agent, until it is told to start.",
    .options = kStopOptions,
    .run = tell_pipeline};

extern constexpr Command kMountCommand{
    .name = "mount",
    .words = kOnePipeline,
    .help = "Lets a pipeline run that is there with `\"mounted\": false`, or was unmounted.",
    .options = kTellOptions,
    .run = tell_pipeline};

extern constexpr Command kUnmountCommand{
    .name = "unmount",
    .words = kOnePipeline,
    .help = "Drains one pipeline of the running agent, and lets nothing but `leat mount` run it.",
    .options = kTellOptions,
    .run = tell_pipeline};

extern constexpr Command kRestartCommand{.name = "restart",
                                         .words = kOnePipeline,
                                         .help = "Drains one pipeline, and starts it anew.",
                                         .options = kTellOptions,
                                         .run = tell_pipeline};

extern constexpr Command kKickCommand{
    .name = "kick",
    .words = kOnePipeline,
    .help =
        "Tries now what one pipeline waits to try again: its sink, or to start after a failure.",
    .options = kTellOptions,
    .run = tell_pipeline};

}  // namespace leat
