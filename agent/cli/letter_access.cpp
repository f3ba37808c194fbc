#include "cli/letter_access.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "cli/agent_call.h"
#include "cli/answer.h"
#include "cli/config_file.h"
#include "cli/output.h"
#include "control/agent.h"

namespace leat {
namespace {

std::string_view value_of(const LetterAccess::Parameters& parameters, std::string_view name) {
  for (const auto& [known, value] : parameters)
    if (known == name) return value;
  return {};
}

// What is written beside a file must stay its owner's, though an administrator asks.
Status become_owner_of(const std::string& folder) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0)
    return errno == ENOENT ? Status{} : fail_errno(folder, errno);
  if (::geteuid() == 0 && (::setegid(info.st_gid) != 0 || ::seteuid(info.st_uid) != 0))
    return fail_errno("become the owner of " + folder, errno);
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
  std::string target = "/api/v1/dead-letters" + (what.empty() ? "" : "/" + std::string(what)) +
                       "?pipeline=" + percent_encoded(call_.word(0));
  for (const auto& [name, value] : parameters) target += "&" + name + "=" + percent_encoded(value);
  constexpr Milliseconds kPatience{3'600'000};  // a sink that is away holds a retry up
  Result<AgentAnswer> answer =
      ask_agent(call_.environment.clock, data_dir_, method, target, body, kPatience);
  if (!answer && answer.error().kind() == ErrorKind::kUnavailable) return std::nullopt;
  if (!answer) return Result<std::string>(fail(answer.error()));
  if (answer->status < 300) return Result<std::string>(std::move(answer->body));
  std::string why = answer->body.substr(0, answer->body.find('\n'));
  return Result<std::string>(
      fail(answer->status < 500 ? ErrorKind::kUsage : ErrorKind::kUnavailable, std::move(why)));
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
  if (Status owner = become_owner_of(box.path.substr(0, box.path.rfind('/'))); !owner)
    return fail(owner.error());
  if (what == "drop") return drop_letters(box, *filter);
  const std::string most(value_of(parameters, "most"));
  return some_letters(box, *filter, value_of(parameters, "from"),
                      most.empty() ? UINT64_MAX : std::strtoull(most.c_str(), nullptr, 10),
                      value_of(parameters, "all") == "1");
}

}  // namespace leat
