// The one table of commands.
#include <algorithm>
#include <iterator>

#include "control/commands/command.h"
#include "control/commands/functions.h"

namespace leat::control {
namespace {

using Type = Parameter::Type;

constexpr Parameter kPipeline{.name = "pipeline", .required = true, .help = "Its name."};
constexpr Parameter kOnePipeline[] = {kPipeline};
constexpr Parameter kStop[] = {kPipeline,
                               {.name = "now",
                                .type = Type::kFlag,
                                .help = "It is not drained: what was not acknowledged is read "
                                        "again later, or lost."}};
constexpr Parameter kPerhapsPipeline[] = {
    {.name = "pipeline", .help = "Only this one; without it, all."}};
constexpr Parameter kVersion[] = {
    {.name = "version", .type = Type::kWhole, .required = true, .help = "Its number."}};
constexpr Parameter kConfig[] = {
    {.name = "config", .type = Type::kConfig, .required = true, .help = "A configuration, whole."}};
constexpr Parameter kTo[] = {{.name = "to",
                              .type = Type::kWhole,
                              .help = "The number of a version; without it, the last that was "
                                      "good before that which runs."}};
constexpr Parameter kPatch[] = {
    kPipeline,
    {.name = "config",
     .type = Type::kConfig,
     .help = "What it is to be, in the place of what it is, or beside the others."},
    {.name = "remove", .type = Type::kFlag, .help = "It is not to be any more."}};
constexpr Parameter kLevel[] = {
    {.name = "level", .help = "debug, info, warn or error; without it, it stays as it is."}};
constexpr Parameter kTail[] = {
    {.name = "lines", .type = Type::kWhole, .help = "How many; without it, all that are kept."}};
constexpr Parameter kTap[] = {
    kPipeline,
    {.name = "at", .help = "The stage behind which records are shown, by name or number."},
    {.name = "where", .help = "Only records for which this SQL expression is true."},
    {.name = "dropped",
     .type = Type::kFlag,
     .help = "What the stage does not give on, in the place of what it does."},
    {.name = "rate", .type = Type::kWhole, .help = "Records a second at most, up to 1000."},
    {.name = "seconds",
     .type = Type::kWhole,
     .help = "How long, up to 60; without it 10. Over HTTP until the client goes."},
    {.name = "records",
     .type = Type::kWhole,
     .help = "How many at most, up to 1000; without it 100. Over HTTP there is no end."}};
#ifdef LEAT_TOOLS
constexpr Parameter kProvision[] = {
    kPipeline,
    {.name = "parameters",
     .type = Type::kConfig,
     .help = "What stands for each ${param:…} of its configuration: an object of texts."}};
constexpr Parameter kRecords[] = {
    kPipeline, {.name = "from", .type = Type::kWhole, .help = "The number of the first record."}};
constexpr Parameter kDrop[] = {
    kPipeline,
    {.name = "all", .type = Type::kFlag, .help = "All of them."},
    {.name = "before",
     .type = Type::kWhole,
     .help = "What arrived before that time, in microseconds since 1970 (UTC)."}};
constexpr Parameter kReset[] = {kPipeline,
                                {.name = "file", .help = "Only that of this file."},
                                {.name = "to", .help = "start, end, or an offset in bytes."}};
constexpr Parameter kIds{.name = "ids",
                         .help = "Those with these ids, of 16 digits, with commas between."};
constexpr Parameter kStage{.name = "stage", .help = "Those that failed at this stage."};
constexpr Parameter kReason{.name = "reason", .help = "Those whose reason has this in it."};
constexpr Parameter kBefore{
    .name = "before",
    .type = Type::kWhole,
    .help = "Those from before that time, in microseconds since 1970 (UTC)."};
constexpr Parameter kLetters[] = {
    kPipeline,
    kIds,
    kStage,
    kReason,
    kBefore,
    {.name = "from", .help = "Where the answer before has ended, as its last line says (next)."},
    {.name = "most", .type = Type::kWhole, .help = "At most so many."},
    {.name = "all", .type = Type::kFlag, .help = "Those, too, that are done or dropped."}};
constexpr Parameter kAll{.name = "all",
                         .type = Type::kFlag,
                         .help = "All of them, where none of the others says which."};
constexpr Parameter kLettersMeant[] = {kPipeline, kIds, kStage, kReason, kBefore, kAll};
constexpr Parameter kRetry[] = {
    kPipeline,
    kIds,
    kStage,
    kReason,
    kBefore,
    kAll,
    {.name = "at",
     .help = "start or stage: where they enter the pipeline; without it, the start where what the "
             "source gave is still there."},
    {.name = "edited",
     .type = Type::kConfig,
     .help = "In the place of the one with the id: a letter as it is shown, changed."}};
#endif

constexpr Command kCommands[] = {
    // --- what it is like ---
    {.name = "status",
     .help = "The state of everything, or of one pipeline.",
     .parameters = kPerhapsPipeline,
     .http = {"GET", "/api/v1/status"},
     .run = show_status,
     .gives = "status"},
#ifdef LEAT_ADMIN
    {.name = "stats",
     .help = "What was counted since the agent was started.",
     .http = {"GET", "/api/v1/stats"},
     .run = show_stats,
     .gives = "stats"},
    {.name = "pipeline.list",
     .help = "What the pipelines are made of.",
     .http = {"GET", "/api/v1/pipelines"},
     .run = list_pipelines,
     .gives = "pipelines"},
#endif

    {.name = "ping",
     .help = "Whether the agent is there.",
     .http = {"GET", "/api/v1/ping"},
     .run = ping,
     .gives = "ping"},

    // --- the configuration ---
    {.name = "config.get",
     .help = "The configuration that runs, with all defaults and without secrets.",
     .http = {"GET", "/api/v1/config"},
     .run = show_config,
     .gives = "config",
     .contents = true},
    {.name = "config.get",
     .help = "One that was kept, with all defaults and without secrets.",
     .parameters = kVersion,
     .http = {"GET", "/api/v1/config/versions/{version}"},
     .run = show_config,
     .gives = "config",
     .contents = true},
    {.name = "config.history",
     .help = "The configurations that ran, the newest first.",
     .http = {"GET", "/api/v1/config/versions"},
     .run = list_configs,
     .gives = "configHistory",
     .contents = true},
    {.name = "config.check",
     .role = Role::kConfigure,
     .help = "Says what is wrong in a configuration; nothing changes.",
     .parameters = kConfig,
     .http = {"POST", "/api/v1/config/check"},
     .run = check_config,
     .gives = "check"},
    {.name = "config.set",
     .role = Role::kConfigure,
     .help = "Takes a configuration over, on probation.",
     .parameters = kConfig,
     .http = {"PUT", "/api/v1/config"},
     .run = set_config,
     .gives = "configChange",
     .begins = true},
    {.name = "config.patch",
     .role = Role::kConfigure,
     .help = "Takes the configuration that runs over with one pipeline changed, on probation.",
     .parameters = kPatch,
     .http = {"PATCH", "/api/v1/config/pipelines/{pipeline}"},
     .run = patch_config,
     .gives = "configChange",
     .begins = true},
    {.name = "config.reload",
     .role = Role::kOperate,
     .help = "Reads the file again, as SIGHUP does.",
     .http = {"POST", "/api/v1/config/reload"},
     .run = reload_config},
    {.name = "config.rollback",
     .role = Role::kConfigure,
     .help = "Takes an earlier configuration over, on probation.",
     .parameters = kTo,
     .http = {"POST", "/api/v1/config/rollback"},
     .run = roll_back_config,
     .gives = "configChange",
     .begins = true},

    // --- one pipeline ---
    {.name = "pipeline.pause",
     .role = Role::kOperate,
     .help = "It delivers what it has read, and stays so until it is resumed.",
     .parameters = kOnePipeline,
     .http = {"POST", "/api/v1/pipelines/{pipeline}/pause"},
     .run = tell_pipeline},
    {.name = "pipeline.start",
     .role = Role::kOperate,
     .help = "It runs again, after it was stopped or has ended.",
     .parameters = kOnePipeline,
     .http = {"POST", "/api/v1/pipelines/{pipeline}/start"},
     .run = tell_pipeline},
    {.name = "pipeline.stop",
     .role = Role::kOperate,
     .help = "It delivers what it has read, and stays so until it is started.",
     .parameters = kStop,
     .http = {"POST", "/api/v1/pipelines/{pipeline}/stop"},
     .run = tell_pipeline},
    {.name = "pipeline.mount",
     .role = Role::kOperate,
     .help = "It runs, though its configuration says that it is to be reviewed first.",
     .parameters = kOnePipeline,
     .http = {"POST", "/api/v1/pipelines/{pipeline}/mount"},
     .run = tell_pipeline},
    {.name = "pipeline.unmount",
     .role = Role::kOperate,
     .help = "It delivers what it has read, and nothing but mounting it runs it again.",
     .parameters = kOnePipeline,
     .http = {"POST", "/api/v1/pipelines/{pipeline}/unmount"},
     .run = tell_pipeline},
    {.name = "pipeline.resume",
     .role = Role::kOperate,
     .help = "It goes on after a pause.",
     .parameters = kOnePipeline,
     .http = {"POST", "/api/v1/pipelines/{pipeline}/resume"},
     .run = tell_pipeline},
    {.name = "pipeline.restart",
     .role = Role::kOperate,
     .help = "It is opened anew, and started in the place of what runs.",
     .parameters = kOnePipeline,
     .http = {"POST", "/api/v1/pipelines/{pipeline}/restart"},
     .run = tell_pipeline},
    {.name = "pipeline.kick",
     .role = Role::kOperate,
     .help = "What it waits for is tried now: its sink, or, when it has failed, itself.",
     .parameters = kOnePipeline,
     .http = {"POST", "/api/v1/pipelines/{pipeline}/kick"},
     .run = tell_pipeline},
    {.name = "tap",
     .help = "Records behind a stage, as they pass.",
     .parameters = kTap,
     .http = {"GET", "/api/v1/pipelines/{pipeline}/tap"},
     .run = tap_for_a_while,
     .gives = "tap",
     .contents = true,
     .lines = true,
     .stream = true},

    // --- the process ---
    {.name = "log.level",
     .role = Role::kOperate,
     .help = "From now on, until the agent ends, what is less than this is not logged.",
     .parameters = kLevel,
     .http = {"POST", "/api/v1/log/level"},
     .run = set_log_level,
     .gives = "logLevel"},
    {.name = "log.tail",
     .role = Role::kOperate,
     .help = "The last lines of the log, as many as are kept while there is agent.control.",
     .parameters = kTail,
     .http = {"GET", "/api/v1/log/tail"},
     .run = show_log,
     .gives = "logTail",
     .contents = true},
    {.name = "restart",
     .role = Role::kOperate,
     .help = "The agent ends in good order, and begins anew as the same process.",
     .http = {"POST", "/api/v1/restart"},
     .run = restart_agent,
     .begins = true},
    {.name = "shutdown",
     .role = Role::kOperate,
     .help = "The agent ends in good order, as with SIGTERM.",
     .http = {"POST", "/api/v1/shutdown"},
     .run = shut_down_agent,
     .begins = true},

#ifdef LEAT_TOOLS
    // --- runs ---
    {.name = "tasks",
     .help =
         "The tasks of jobs (the tables of a source of several), of the run that goes on, or of "
         "the last since the agent was started. Of more than 1000 those that failed or run "
         "come first.",
     .parameters = kPerhapsPipeline,
     .http = {"GET", "/api/v1/tasks"},
     .run = list_tasks,
     .gives = "tasks"},
    {.name = "runs",
     .help = "What pipelines ran, the newest first.",
     .parameters = kPerhapsPipeline,
     .http = {"GET", "/api/v1/runs"},
     .run = list_runs,
     .gives = "runs"},
    {.name = "pipeline.provision",
     .role = Role::kOperate,
     .help = "One more run of it begins, which ends by itself.",
     .parameters = kProvision,
     .http = {"POST", "/api/v1/pipelines/{pipeline}/provision"},
     .run = provision,
     .gives = "provision"},

    // --- the journal ---
    {.name = "spool.list",
     .help = "What each pipeline has in its spool.",
     .parameters = kPerhapsPipeline,
     .http = {"GET", "/api/v1/spool"},
     .run = work_on_journal,
     .gives = "spool",
     .contents = true},
    {.name = "spool.records",
     .help = "The records of one spooled batch, the oldest first.",
     .parameters = kRecords,
     .http = {"GET", "/api/v1/spool/records"},
     .run = work_on_journal,
     .gives = "spoolRecord",
     .contents = true,
     .lines = true},
    {.name = "spool.drop",
     .role = Role::kOperate,
     .help = "These records are lost.",
     .parameters = kDrop,
     .http = {"POST", "/api/v1/spool/drop"},
     .run = work_on_journal,
     .gives = "spoolDrop"},
    {.name = "positions.list",
     .help = "How far sources have been delivered.",
     .parameters = kPerhapsPipeline,
     .http = {"GET", "/api/v1/positions"},
     .run = work_on_journal,
     .gives = "positions",
     .contents = true},
    {.name = "positions.reset",
     .role = Role::kOperate,
     .help = "The source goes on from another place: records come twice, or are skipped.",
     .parameters = kReset,
     .http = {"POST", "/api/v1/positions/reset"},
     .run = work_on_journal,
     .gives = "positionsReset"},
    {.name = "journal.verify",
     .role = Role::kOperate,
     .help = "Reads the whole journal, and says what is damaged.",
     .http = {"GET", "/api/v1/journal/verify"},
     .run = work_on_journal,
     .gives = "journalVerify"},
    {.name = "journal.compact",
     .role = Role::kOperate,
     .help = "Writes the journal anew, as small as it can be.",
     .http = {"POST", "/api/v1/journal/compact"},
     .run = work_on_journal,
     .gives = "journalCompact"},

    // --- dead letters ---
    {.name = "deadLetters.list",
     .help = "How many there are, by pipeline, stage and reason.",
     .parameters = kPerhapsPipeline,
     .http = {"GET", "/api/v1/dead-letters"},
     .run = list_dead_letters,
     .gives = "deadLetters",
     .contents = true},
    {.name = "deadLetters.show",
     .help = "Those that are open, the oldest first; the last line says where to go on.",
     .parameters = kLetters,
     .http = {"GET", "/api/v1/dead-letters/letters"},
     .run = show_dead_letters,
     .gives = "deadLetter",
     .contents = true,
     .lines = true},
    {.name = "deadLetters.drop",
     .role = Role::kOperate,
     .help = "These are marked as dealt with.",
     .parameters = kLettersMeant,
     .http = {"POST", "/api/v1/dead-letters/drop"},
     .run = drop_dead_letters,
     .gives = "deadLettersDrop"},
    {.name = "deadLetters.retry",
     .role = Role::kOperate,
     .help = "These go through the running pipeline once more; answered when it is done.",
     .parameters = kRetry,
     .http = {"POST", "/api/v1/dead-letters/retry"},
     .run = retry_dead_letters,
     .gives = "deadLettersRetry"},
#endif
};

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

const Command* find_command(std::string_view name) {
  const auto* found = std::ranges::find(kCommands, name, &Command::name);
  return found == std::end(kCommands) ? nullptr : found;
}

}  // namespace leat::control
