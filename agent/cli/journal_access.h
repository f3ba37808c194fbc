// What commands ask of the journal: the running agent answers, or where none runs the journal is
// opened here, for as long as this lives. Its lock keeps an agent out meanwhile.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "journal/journal.h"
#include "loop/loop.h"
#include "plan/pipeline_config.h"
#include "tools/operations.h"

namespace leat {

// Where an administrator opens what is the agent's: as its owner, so that what is written there or
// beside it stays the agent's. False: it is not there.
Result<bool> become_owner_of(const std::string& path);
// kUsage: there is none.
Status become_owner_of_journal(const std::string& data_dir);

class JournalAccess {
 public:
  // That of the call's -c and --data-dir. Nullptr: the configuration is wrong, which stderr has
  // been told; the exit code is kExitUsage.
  static std::unique_ptr<JournalAccess> of(const CommandCall& call);
  ~JournalAccess();

  // Nullopt: stderr has been told why, and `code` is the exit code.
  std::optional<std::string> ask(std::string_view operation, OperationRequest request, int& code);
  // No agent runs: it was opened here.
  bool direct() const { return direct_; }

 private:
  JournalAccess(const CommandCall& call, std::string data_dir)
      : call_(call), data_dir_(std::move(data_dir)) {}
  std::optional<Result<std::string>> ask_the_agent(const Operation& operation,
                                                   const OperationRequest& request) const;
  Result<std::string> ask_directly(const Operation& operation, OperationRequest request);
  Status open();

  const CommandCall& call_;
  const std::string data_dir_;
  std::optional<AgentConfig> config_;
  bool direct_ = false;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
};

}  // namespace leat
