#include "config/tables.h"

namespace leat {
namespace {

constexpr std::string_view kSpoolModes[] = {"always", "onTrouble", "never"};
constexpr std::string_view kDurabilities[] = {"power", "process"};
constexpr std::string_view kOverflows[] = {"block", "dropOldest", "dropNewest"};
constexpr std::string_view kGuarantees[] = {"atLeastOnce", "exactlyOnce"};

constexpr Option kRetryOptions[] = {
    {.name = "initial",
     .type = OptionType::kDuration,
     .fallback = "500ms",
     .help = "Upper bound of the first wait; it doubles with each failure in a row.",
     .min = 1},
    {.name = "max",
     .type = OptionType::kDuration,
     .fallback = "60s",
     .help = "Upper bound of every wait.",
     .min = 1},
};

constexpr Option kBreakerOptions[] = {
    {.name = "threshold",
     .type = OptionType::kInteger,
     .fallback = "5",
     .help = "Failed attempts in a row after which the sink is left alone.",
     .min = 1,
     .max = 1'000'000},
    {.name = "cooldown",
     .type = OptionType::kDuration,
     .fallback = "30s",
     .help = "How long it is left alone at most before one attempt is made again; after a short "
             "outage half as long as that has lasted, from 1s up.",
     .min = 1},
};

constexpr Option kDeliveryOptions[] = {
    {.name = "guarantee",
     .fallback = "atLeastOnce",
     .help = "What holds after a crash. exactlyOnce needs a sink that stores the position with the "
             "data.",
     .choices = kGuarantees},
    {.name = "spool",
     .help =
         "When records go to the journal before they are delivered. onTrouble: while the sink is "
         "retrying, when the source has waited for an acknowledgement for longer than "
         "maxAckHold, sends nothing more without one, or is slowed down. Default: never for a "
         "source that can be read again from a position, always with exactlyOnce, else "
         "onTrouble: a crash then costs what cannot be given again and is on its way.",
     .choices = kSpoolModes},
    {.name = "durability",
     .fallback = "power",
     .help = "What a spooled record survives before it is acknowledged: power waits for the disk "
             "(fsync), process does not, and so survives a crash of leat but no power cut.",
     .choices = kDurabilities},
    {.name = "maxSpool",
     .type = OptionType::kBytes,
     .fallback = "64MiB",
     .help =
         "Bound of what this pipeline keeps in the journal, as stored (compressed). A row more may "
         "be there, a quarter of it at most, and what was in flight when trouble began.",
     .min = 64 * 1024},
    {.name = "overflow",
     .fallback = "block",
     .help =
         "What happens at maxSpool: block holds the source back, dropOldest and dropNewest lose "
         "records, count them and say so.",
     .choices = kOverflows},
    {.name = "catchUp",
     .type = OptionType::kBytes,
     .fallback = "0",
     .help =
         "Bytes a second, before they are compressed, at which what waited in the spool goes to "
         "the sink after an outage, so that it does not take all of a thin line or a small "
         "server; 0 means no limit. What comes meanwhile waits behind it: less than that must "
         "come, or the spool does not get empty. For what is read again at its source, `limits`."},
    {.name = "maxAckHold",
     .type = OptionType::kDuration,
     .fallback = "5s",
     .help =
         "How long an acknowledgement may wait for the delivery before onTrouble spools, and for "
         "what transforms remember to be saved.",
     .min = 1},
    {.name = "checkpoint",
     .type = OptionType::kDuration,
     .fallback = "30s",
     .help = "How often what transforms remember is saved at least, with the position it covers; "
             "sooner when the source waits for acknowledgements (maxAckHold). A crash has records "
             "since then read again.",
     .min = 100},
    {.name = "retry",
     .type = OptionType::kObject,
     .help = "Waits between attempts when the sink is in trouble: exponential, with full jitter.",
     .fields = kRetryOptions},
    {.name = "breaker",
     .type = OptionType::kObject,
     .help = "The circuit breaker, which stops hammering a sink that keeps failing.",
     .fields = kBreakerOptions},
};

constexpr Option kDeadLetterOptions[] = {
    {.name = "path",
     .help = "File of JSON lines for records that can never be delivered, each with its reason. "
             "Default: dead-letters/<pipeline>.jsonl in dataDir.",
     .path = true},
    {.name = "maxBytes",
     .type = OptionType::kBytes,
     .fallback = "64MiB",
     .help = "Bound of that file. When it is reached, the older half is let go.",
     .min = 4096},
    {.name = "sink",
     .type = OptionType::kObject,
     .help =
         "A sink that gets them as well: its \"type\" names it, and its options stand beside it. "
         "A pipeline of its own, NAME.deadLetters, follows the file. For sources that do not "
         "end."},
};

constexpr Option kLimitOptions[] = {
    {.name = "recordsPerSecond",
     .type = OptionType::kInteger,
     .fallback = "0",
     .help = "Records a second the source is read at; 0 means no limit."},
    {.name = "bytesPerSecond",
     .type = OptionType::kBytes,
     .fallback = "0",
     .help = "Bytes a second the source is read at; 0 means no limit."},
};

constexpr std::string_view kPriorities[] = {"normal", "high"};

constexpr Option kRunRetryOptions[] = {
    {.name = "initial",
     .type = OptionType::kDuration,
     .fallback = "10s",
     .help = "Upper bound of the first wait; it doubles with each failure in a row.",
     .min = 1},
    {.name = "max",
     .type = OptionType::kDuration,
     .fallback = "5m",
     .help = "Upper bound of every wait.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000},
};

constexpr Option kRunBreakerOptions[] = {
    {.name = "threshold",
     .type = OptionType::kInteger,
     .fallback = "5",
     .help = "Failed runs in a row after which it is left alone.",
     .min = 1,
     .max = 1'000'000},
    {.name = "cooldown",
     .type = OptionType::kDuration,
     .fallback = "30m",
     .help = "How long it is left alone before one run is tried again.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000},
};

constexpr Option kScheduleOptions[] = {
    {.name = "every",
     .type = OptionType::kDuration,
     .help = "From the start of a run to that of the next. Either this or `cron`.",
     .min = 1'000,
     .max = int64_t{3650} * 86'400'000,
     .example = "\"5m\""},
    {.name = "cron",
     .help = "Five fields as in a crontab: minute, hour, day of the month, month, day of the week. "
             "Lists (1,15), ranges (mon-fri), steps (*/10) and names are taken.",
     .example = "\"15 2 * * *\""},
    {.name = "timeZone",
     .help = "Of `cron`: \"UTC\", which it is without this, or a name such as \"Europe/Berlin\", "
             "which needs the tz database on this machine (/usr/share/zoneinfo).",
     .example = "\"Europe/Berlin\""},
    {.name = "retry",
     .type = OptionType::kObject,
     .help = "Waits after a failed run whose reason may pass: exponential, with full jitter. Where "
             "the configuration is wrong, or records are bad, the next run comes at its time.",
     .fields = kRunRetryOptions},
    {.name = "breaker",
     .type = OptionType::kObject,
     .help = "The circuit breaker, which stops runs that keep failing.",
     .fields = kRunBreakerOptions},
};

#ifdef LEAT_PARALLEL
constexpr Option kParallelOptions[] = {
    {.name = "max",
     .type = OptionType::kInteger,
     .required = true,
     .help = "So many further loops at most, each with a thread of its own.",
     .min = 1,
     .max = 64},
    {.name = "threshold",
     .type = OptionType::kInteger,
     .fallback = "0",
     .help = "When more batches than these wait for the transforms for 100 ms, while neither the "
             "sink nor the memory holds them up, there are more loops. A source that is read as "
             "fast as its records are taken (file, tables) has one wait at a time.",
     .min = 0,
     .max = 100},
    {.name = "growth",
     .type = OptionType::kInteger,
     .fallback = "2",
     .help = "So many times as many; the first time, one. After 5 s in which fewer would have "
             "done, there are fewer again by the same factor.",
     .min = 2,
     .max = 64},
};
#endif

constexpr Option kPipelineOptions[] = {
    {.name = "name",
     .help = "1 to 64 of the characters A-Z a-z 0-9 . _ -, not beginning with a dot. It is used in "
             "logs and file names, and positions are kept under it. Required when there are "
             "several pipelines; the only one is called \"main\" by default."},
    {.name = "enabled",
     .type = OptionType::kBool,
     .fallback = "true",
     .help =
         "With false, it is checked but does not run; what it has read up to, and what waits in "
         "its spool, is kept."},
    {.name = "mounted",
     .type = OptionType::kBool,
     .fallback = "true",
     .help = "With false, it is there, but nothing of it is opened or run until somebody has "
             "reviewed it, and says `leat mount`; the agent waits for that. That holds by its name "
             "until `leat unmount`."},
    {.name = "maxRuns",
     .type = OptionType::kInteger,
     .fallback = "1",
     .help = "How many runs of it may go on at once that `leat provision` has begun.",
     .min = 1,
     .max = 64},
    {.name = "hardTerminate",
     .type = OptionType::kDuration,
     .fallback = "30m",
     .help = "How long a pipeline that is paused, stopped or unmounted has to deliver what it has "
             "read; then it is ended, and what was not acknowledged is read again later, or lost "
             "where the source cannot give it again. Where something waits for the end (another "
             "configuration, the end of the agent), agent.drainTimeout holds, too.",
     .min = 1},
    {.name = "priority",
     .fallback = "normal",
     .help = "With high, it goes on where agent.limits.budget says onlyPriority.",
     .choices = kPriorities},
#ifdef LEAT_CLUSTER
    {.name = "exclusive",
     .type = OptionType::kBool,
     .fallback = "false",
     .help =
         "It runs on one agent of the group (agent.cluster) at a time, and the others stand by: "
         "when that one is gone, another goes on from where it was. With a schedule, each run "
         "comes once in the group. Of a job with several `tables` each is read by one agent, and "
         "all "
         "of them take part, `concurrency` at once. For sources and positions that all can reach."},
#endif
    {.name = "schedule",
     .type = OptionType::kObject,
     .help =
         "Starts a pipeline whose source ends by itself again and again, one run at a time; the "
         "agent then does not end with it. A run that was missed while the agent was away, or "
         "cut short, is made up once.",
     .fields = kScheduleOptions,
     .only_when_given = true},
    {.name = "delivery",
     .type = OptionType::kObject,
     .help = "What happens between this pipeline and its sink.",
     .fields = kDeliveryOptions},
    {.name = "deadLetters",
     .type = OptionType::kObject,
     .help = "Where records go that can never be delivered.",
     .fields = kDeadLetterOptions},
    {.name = "maxDeadLetters",
     .help = "How many dead letters a source that ends may have before the pipeline fails (exit "
             "code 1): a count, which ends it at once, or a share of the records read (\"0.5%\"), "
             "which is looked at in the end. \"0\" means none at all. Without it, it fails when "
             "nothing but dead letters came of what was read."},
    {.name = "limits",
     .type = OptionType::kObject,
     .help = "How fast the source may be read.",
     .fields = kLimitOptions},
#ifdef LEAT_PARALLEL
    {.name = "parallel",
     .type = OptionType::kObject,
     .help = "Runs its transforms filter, map, sql and explode on further loops while too much "
             "waits for them, in the order of the source. Those that remember something, and "
             "lookup, stay on the pipeline's own.",
     .fields = kParallelOptions,
     .only_when_given = true},
#endif
};

}  // namespace

std::span<const Option> pipeline_options() {
  return kPipelineOptions;
}

}  // namespace leat
