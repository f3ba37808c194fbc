#include "cli/journal_access.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "cli/agent_call.h"
#include "cli/answer.h"
#include "cli/config_file.h"
#include "cli/output.h"
#include "control/agent.h"
#include "plan/planner.h"

namespace leat {

std::unique_ptr<JournalAccess> JournalAccess::of(const CommandCall& call) {
  std::optional<std::string> data_dir = asked_data_dir(call);
  if (!data_dir) return nullptr;
  std::unique_ptr<JournalAccess> access(new JournalAccess(call, *std::move(data_dir)));
  // For what pipelines may have; without it the journal can be asked all the same.
  Problems problems;
  if (!call.options.string("config").empty()) access->config_ = load_config_of(call, problems);
  return access;
}

JournalAccess::~JournalAccess() {
  client_.reset();
  journal_.reset();
  if (loop_ != nullptr) (void)loop_->close();
}

std::optional<std::string> JournalAccess::ask(std::string_view operation, OperationRequest request,
                                              int& code) {
  const Operation& found = *find_operation(operation);
  std::optional<Result<std::string>> answer;
  if (!direct_) answer = ask_the_agent(found, request);
  if (!answer) answer = ask_directly(found, std::move(request));
  if (*answer) return std::move(**answer);
  complain("leat: " + answer->error().message());
  code = answer->error().kind() == ErrorKind::kUsage ? kExitUsage : kExitFailed;
  return std::nullopt;
}

// Nullopt: none runs.
std::optional<Result<std::string>> JournalAccess::ask_the_agent(
    const Operation& operation, const OperationRequest& request) const {
  ApiParameters parameters;
  if (!request.pipeline.empty()) parameters.emplace_back("pipeline", request.pipeline);
  parameters.insert(parameters.end(), request.parameters.begin(), request.parameters.end());
  constexpr Milliseconds kPatience{600'000};  // a large journal is written anew
  return ask_api(call_.environment.clock, data_dir_, operation.changes ? "POST" : "GET",
                 operation.name, parameters, "", kPatience);
}

Result<bool> become_owner_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return fail_errno("open " + path, errno);
  }
  if (::geteuid() == 0 && (::setegid(info.st_gid) != 0 || ::seteuid(info.st_uid) != 0))
    return fail_errno("become the owner of " + path, errno);
  return true;
}

Status become_owner_of_journal(const std::string& data_dir) {
  Result<bool> there = become_owner_of(data_dir + "/journal.db");
  if (!there) return fail(there.error());
  if (*there) return {};
  return fail(ErrorKind::kUsage,
              "there is neither an agent nor a journal in the data folder " + data_dir);
}

Status JournalAccess::open() {
  const std::string path = data_dir_ + "/journal.db";
  if (Status owner = become_owner_of_journal(data_dir_); !owner) return owner;
  if (std::exchange(direct_, true)) return {};
  complain("leat: no agent runs here: reading " + path);
  const std::string& config = call_.options.string("config");
  if (!config.empty() && !config_)
    complain("leat: what is configured is not known: leat check -c " + config + " says why");
  return {};
}

Result<std::string> JournalAccess::ask_directly(const Operation& operation,
                                                OperationRequest request) {
  if (Status status = open(); !status) return fail(status.error());
  const std::string path = data_dir_ + "/journal.db";
  const Clock& clock = call_.environment.clock;
  if (operation.name == "journal/verify") {
    // To open it as an agent does would mend what is damaged.
    Result<std::unique_ptr<JournalDatabase>> look = JournalDatabase::open_to_look(path, clock);
    return look ? verify_journal(**look) : fail(look.error());
  }
  if (journal_ == nullptr) {
    Result<std::unique_ptr<Journal>> journal = Journal::open(path, clock);
    if (!journal) return fail(journal.error());
    journal_ = std::move(*journal);
    loop_ = std::make_unique<Loop>(clock);
    client_ = journal_->make_client(*loop_);
  }
  request.at_once = true;
  request.now_us = clock.unix_us();
  if (config_)
    for (const PipelineConfig& one : config_->pipelines)
      request.configured[one.name] = configured_delivery(one.delivery, source_has_place(one));
  Result<std::string> out = fail(ErrorKind::kUnavailable, path + ": no answer");
  client_->work_on(
      operation.transaction,
      [&operation, &request](std::unique_ptr<JournalDatabase>& journal) {
        return operation.run(journal, request);
      },
      [&out](Result<std::string> answer) { out = std::move(answer); });
  journal_->serve_all();
  uv_run(loop_->uv(), UV_RUN_DEFAULT);
  return out;
}

}  // namespace leat
