// leat tap: records of a running pipeline as they pass.

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "cli/agent_call.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/output.h"
#include "control/agent.h"
#include "net/authority.h"

namespace leat {
namespace {

// Prints whole lines, and counts those that are records.
class Printer {
 public:
  explicit Printer(int64_t most) : most_(most) {}

  // False when there were enough, or nobody reads them any more.
  bool take(std::string_view bytes) {
    rest_ += bytes;
    size_t begin = 0;
    for (size_t end; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      if (end == begin) continue;
      print(rest_.substr(begin, end + 1 - begin));
      if (!std::string_view(rest_).substr(begin).starts_with("{\"stage\":")) continue;
      if (++printed_ == most_) return !(enough_ = true);
    }
    rest_.erase(0, begin);
    enough_ = std::fflush(stdout) != 0;
    return !enough_;
  }
  bool enough() const { return enough_; }

 private:
  const int64_t most_;  // 0: all
  int64_t printed_ = 0;
  bool enough_ = false;
  std::string rest_;
};

int tap(const CommandCall& call) {
  std::optional<std::string> data_dir = asked_data_dir(call);
  if (!data_dir) return kExitUsage;
  std::string target = "/api/v1/pipelines/" + percent_encoded(call.word(0)) +
                       "/tap?at=" + percent_encoded(call.options.string("at")) +
                       "&where=" + percent_encoded(call.options.string("where")) +
                       "&rate=" + std::to_string(call.options.integer("rate")) +
                       (call.options.boolean("dropped") ? "&dropped=1" : "");
  Printer printer(call.options.integer("count"));
  Result<AgentAnswer> answer =
      stream_from_agent(call.environment.clock, *data_dir, target,
                        [&printer](std::string_view bytes) { return printer.take(bytes); });
  if (!answer) {
    complain("leat: " + answer.error().message());
    return exit_code_of(answer.error());
  }
  if (answer->status == 200 && printer.enough()) return kExitDelivered;
  if (answer->status == 200) {
    complain("leat: " + call.word(0) + " does not run any more, or its agent has stopped");
    return kExitNotRunning;
  }
  std::fprintf(stderr, "leat: %s", answer->body.c_str());
  return kExitUsage;
}

constexpr Option kOptions[] = {
    kAskedConfigOption,
    kAskedDataDirOption,
    {.name = "at",
     .help = "Behind which stage: its name, or its number from 1, as explain shows them. Default: "
             "the last that gives records."},
    {.name = "where", .help = "Only records for which this SQL expression is true."},
    {.name = "dropped",
     .type = OptionType::kBool,
     .help = "The records that the stage does not give on."},
    {.name = "rate",
     .type = OptionType::kInteger,
     .fallback = "10",
     .help = "At most so many records a second; the rest is skipped, and counted.",
     .min = 1,
     .max = 1000},
    {.name = "count",
     .type = OptionType::kInteger,
     .help = "Ends after so many records.",
     .min = 1}};

}  // namespace

extern constexpr Command kTapCommand{
    .name = "tap",
    .words = kOnePipeline,
    .help =
        "Shows records of a running pipeline as they pass, as JSON lines. It never slows the "
        "pipeline down: what it has no time for is skipped. Needs no restart, goes on over one, "
        "and "
        "costs nothing when nobody looks.",
    .options = kOptions,
    .run = tap};

}  // namespace leat
