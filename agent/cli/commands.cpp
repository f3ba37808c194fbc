#include "cli/command.h"

namespace leat {

extern const Command kRunCommand;
extern const Command kCheckCommand;
extern const Command kExplainCommand;
extern const Command kConfigCommand;
extern const Command kConfigApplyCommand;
extern const Command kConfigHistoryCommand;
extern const Command kConfigShowCommand;
extern const Command kConfigDiffCommand;
extern const Command kConfigRollbackCommand;
extern const Command kNewCommand;
extern const Command kTryCommand;
extern const Command kImportCommand;
extern const Command kSqlCommand;
extern const Command kTestCommand;
extern const Command kStatusCommand;
extern const Command kTopCommand;
extern const Command kTapCommand;
extern const Command kPauseCommand;
extern const Command kResumeCommand;
extern const Command kStartCommand;
extern const Command kStopCommand;
extern const Command kMountCommand;
extern const Command kUnmountCommand;
extern const Command kRestartCommand;
extern const Command kKickCommand;
extern const Command kTasksCommand;
extern const Command kRunsCommand;
extern const Command kProvisionCommand;
extern const Command kSpoolCommand;
extern const Command kSpoolShowCommand;
extern const Command kSpoolExportCommand;
extern const Command kSpoolDropCommand;
extern const Command kDeadLettersCommand;
extern const Command kDeadLettersShowCommand;
extern const Command kDeadLettersExportCommand;
extern const Command kDeadLettersEditCommand;
extern const Command kDeadLettersRetryCommand;
extern const Command kDeadLettersDropCommand;
extern const Command kPositionsCommand;
extern const Command kPositionsResetCommand;
extern const Command kJournalVerifyCommand;
extern const Command kJournalCompactCommand;
extern const Command kKeygenCommand;
extern const Command kSealCommand;
extern const Command kSignCommand;
extern const Command kPortsCommand;
extern const Command kListCommand;
extern const Command kHelpCommand;
extern const Command kVersionCommand;

namespace {

// A line each:
// clang-format off
constexpr const Command* kCommands[] = {
    &kRunCommand,
    &kCheckCommand,
    &kExplainCommand,
#ifdef LEAT_TOOLS
    &kConfigCommand,
    &kConfigApplyCommand,
    &kConfigHistoryCommand,
    &kConfigShowCommand,
    &kConfigDiffCommand,
    &kConfigRollbackCommand,
    &kNewCommand,
    &kTryCommand,
    &kSqlCommand,
    &kTestCommand,
#endif
#ifdef LEAT_IMPORT
    &kImportCommand,
#endif
    &kStatusCommand,
    &kTopCommand,
    &kTapCommand,
    &kPauseCommand,
    &kResumeCommand,
    &kStartCommand,
    &kStopCommand,
    &kMountCommand,
    &kUnmountCommand,
    &kRestartCommand,
    &kKickCommand,
#ifdef LEAT_TOOLS
    &kTasksCommand,
    &kRunsCommand,
    &kProvisionCommand,
    &kSpoolCommand,
    &kSpoolShowCommand,
    &kSpoolExportCommand,
    &kSpoolDropCommand,
    &kDeadLettersCommand,
    &kDeadLettersShowCommand,
    &kDeadLettersExportCommand,
    &kDeadLettersEditCommand,
    &kDeadLettersRetryCommand,
    &kDeadLettersDropCommand,
    &kPositionsCommand,
    &kPositionsResetCommand,
    &kJournalVerifyCommand,
    &kJournalCompactCommand,
#endif
#ifdef LEAT_CONTROL_TOPIC
    &kKeygenCommand,
    &kSignCommand,
    &kSealCommand,
#endif
    &kPortsCommand,
    &kListCommand,
    &kHelpCommand,
    &kVersionCommand,
};

constexpr Spelling kSpellings[] = {
    {"config", 'c', "FILE"},
    {"datax", '\0', "FILE", "config"},
    {"data-dir", '\0', "DIR"},
    {"log-level", '\0', "LEVEL"},
    {"log-format", '\0', "FORMAT"},
    {"tests", '\0', "FILE"},
    {"pipeline", '\0', "NAME"},
    {"topic", '\0', "TOPIC"},
    {"at", '\0', "STAGE"},
    {"stage", '\0', "STAGE"},
    {"reason", '\0', "TEXT"},
    {"id", '\0', "ID"},
    {"where", '\0', "SQL"},
    {"rate", '\0', "N"},
    {"param", '\0', "NAME=VALUE"},
    {"count", 'n', "N"},
    {"before", '\0', "TIME"},
    {"file", '\0', "FILE"},
    {"to", '\0', "PLACE"},
    {"timeout", '\0', "TIME"},
    {"key", '\0', "FILE"},
    {"kid", '\0', "NAME"},
    {"arguments", '\0', "JSON|FILE"},
    {"valid-for", '\0', "TIME"},
    {"algorithm", '\0', "NAME"},
};
// clang-format on

}  // namespace

std::span<const Command* const> commands() {
  return kCommands;
}

const Spelling* spelling_of(const Option& option) {
  for (const Spelling& spelling : kSpellings)
    if (spelling.name == option.name) return &spelling;
  return nullptr;
}

}  // namespace leat
