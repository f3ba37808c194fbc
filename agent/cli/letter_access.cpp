#include "cli/letter_access.h"

#include <algorithm>
#include <cstdlib>

#include "base/folder.h"
#include "cli/agent_call.h"
#include "cli/answer.h"
#include "cli/config_file.h"
#include "cli/journal_access.h"
#include "cli/output.h"
#include "control/agent.h"

namespace leat {
namespace {

std::string_view value_of(const LetterAccess::Parameters& parameters, std::string_view name) {
  for (const auto& [known, value] : parameters)
    if (known == name) return value;
  return {};
}

}  // namespace

std::unique_ptr<LetterAccess> LetterAccess::of(const CommandCall& call) {
  std::optional<AgentConfig> config;
  if (!call.options.string("config").empty()) {
    Problems problems;
    config = load_config_of(call, problems);
    if (!config) {
      for (const std::string& line : problem_lines(call.options.string("config"), problems))
        complain(line);
      return nullptr;
    }
  }
  std::string data_dir = config ? config->data_dir : *asked_data_dir(call);
  std::unique_ptr<LetterAccess> access(new LetterAccess(call, std::move(data_dir)));
  access->config_ = std::move(config);
  return access;
}

std::optional<std::string> LetterAccess::list(int& code) {
  return ask("GET", "", {}, "", code);
}

bool LetterAccess::each(const Parameters& which, const std::function<bool(std::string_view)>& take,
                        int& code) {
  std::string from;
  do {
    Parameters parameters = which;
    parameters.emplace_back("from", std::exchange(from, {}));
    std::optional<std::string> lines = ask("GET", "letters", parameters, "", code);
    if (!lines) return false;
    std::string_view rest = *lines;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      if (!rest.empty()) {
        if (!take(line)) return true;
        continue;
      }
      Json last(cJSON_Parse(std::string(line).c_str()), cJSON_Delete);
      from = text(last.get(), "next");
    }
  } while (!from.empty());
  return true;
}

std::optional<std::string> LetterAccess::drop(const Parameters& which, int& code) {
  return ask("POST", "drop", which, "", code);
}

std::optional<std::string> LetterAccess::retry(const Parameters& which, const std::string& edited,
                                               int& code) {
  return ask("POST", "retry", which, edited, code);
}

std::optional<std::string> LetterAccess::ask(std::string_view method, std::string_view what,
                                             const Parameters& parameters, const std::string& body,
                                             int& code) {
  std::optional<Result<std::string>> answer;
  if (!direct_) answer = ask_the_agent(method, what, parameters, body);
  if (!answer && what == "retry") {
    complain("leat: no agent runs with the data folder " + data_dir_ +
             ": dead letters are retried through the pipeline, so start it first (leat run)");
    code = kExitNotRunning;
    return std::nullopt;
  }
  if (!answer) answer = ask_directly(what, parameters);
  if (*answer) return std::move(**answer);
  complain("leat: " + answer->error().message());
  code = answer->error().kind() == ErrorKind::kUsage ? kExitUsage : kExitFailed;
  return std::nullopt;
}

// Nullopt: none runs.
std::optional<Result<std::string>> LetterAccess::ask_the_agent(std::string_view method,
                                                               std::string_view what,
                                                               const Parameters& parameters,
                                                               const std::string& body) const {
  ApiParameters all = {{"pipeline", call_.word(0)}};
  all.insert(all.end(), parameters.begin(), parameters.end());
  constexpr Milliseconds kPatience{3'600'000};  // a sink that is away holds a retry up
  return ask_api(call_.environment.clock, data_dir_, method,
                 "dead-letters" + (what.empty() ? "" : "/" + std::string(what)), all, body,
                 kPatience);
}

Result<std::string> LetterAccess::ask_directly(std::string_view what,
                                               const Parameters& parameters) {
  Result<std::vector<LetterBox>> boxes = letter_boxes(
      config_ ? config_->pipelines : std::vector<PipelineConfig>(), data_dir_, call_.word(0));
  if (!boxes) return fail(boxes.error());
  if (!std::exchange(direct_, true))
    complain("leat: no agent runs here: reading the files of " + data_dir_);
  Result<LetterFilter> filter =
      letter_filter([&parameters](std::string_view name) { return value_of(parameters, name); });
  if (!filter) return fail(filter.error());
  if (what.empty()) return list_letters(*boxes);
  const LetterBox& box = boxes->front();
  if (Result<bool> there = become_owner_of(folder_of(box.path)); !there) return fail(there.error());
  if (what == "drop") return drop_letters(box, *filter);
  const std::string most(value_of(parameters, "most"));
  return some_letters(box, *filter, value_of(parameters, "from"),
                      most.empty() ? UINT64_MAX : std::strtoull(most.c_str(), nullptr, 10),
                      value_of(parameters, "all") == "1");
}

}  // namespace leat
