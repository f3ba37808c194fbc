// What commands ask of dead letters: the running agent answers, or where none runs the files are
// looked at here.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/agent_call.h"
#include "cli/command.h"
#include "letters/letter_tools.h"
#include "plan/pipeline_config.h"

namespace leat {

class LetterAccess {
 public:
  // Of the call's -c and --data-dir, and of the pipeline that is its first word. Nullptr: the
  // configuration is wrong, which stderr has been told; the exit code is kExitUsage.
  static std::unique_ptr<LetterAccess> of(const CommandCall& call);

  // Which letters are meant, and what else the agent is to know.
  using Parameters = ApiParameters;

  // All below: nullopt: stderr has been told why, and `code` is the exit code.
  std::optional<std::string> list(int& code);
  // Gives the letters line by line until `take` returns false. False as nullopt.
  bool each(const Parameters& which, const std::function<bool(std::string_view)>& take, int& code);
  std::optional<std::string> drop(const Parameters& which, int& code);
  // Only a running agent can. `edited`: in the place of the one that is meant.
  std::optional<std::string> retry(const Parameters& which, const std::string& edited, int& code);

 private:
  LetterAccess(const CommandCall& call, std::string data_dir)
      : call_(call), data_dir_(std::move(data_dir)) {}
  std::optional<std::string> ask(std::string_view method, std::string_view what,
                                 const Parameters& parameters, const std::string& body, int& code);
  std::optional<Result<std::string>> ask_the_agent(std::string_view method, std::string_view what,
                                                   const Parameters& parameters,
                                                   const std::string& body) const;
  Result<std::string> ask_directly(std::string_view what, const Parameters& parameters);

  const CommandCall& call_;
  const std::string data_dir_;
  std::optional<AgentConfig> config_;
  bool direct_ = false;
};

}  // namespace leat
