#include "config/tables.h"

#include <algorithm>

#include "config/notify.h"
#include "config/wording.h"
#include "net/tls.h"
#include "plan/role.h"
#include "protocols/mqtt/connection_options.h"
#include "protocols/postgres/connection_options.h"
#include "stage/format.h"

namespace leat {
namespace {

constexpr Option kJournalOptions[] = {
    {.name = "commitEvery",
     .type = OptionType::kDuration,
     .fallback = "10s",
     .help =
         "How often the positions of sources that can be read again (files) are committed, those "
         "of all pipelines at once; more often soon after the start, and at the end. After a "
         "crash, what was delivered since comes again. 0ms: after each delivery, which costs "
         "flash 1.1 kB each time.",
     .max = 3'600'000},
};

constexpr Option kTokenOptions[] = {
    {.name = "token",
     .required = true,
     .secret = true,
     .help = "The token itself, of at least 16 characters."},
    {.name = "id",
     .help = "Who has it, for the history of configurations and the log: 1 to 64 of the characters "
             "A-Z a-z 0-9 . _ -."},
    {.name = "role",
     .required = true,
     .help =
         "What it lets do: read looks, also at the configuration without its secrets and at "
         "records; operate also starts and stops, and changes what the journal keeps; configure "
         "also changes the configuration.",
     .choices = kRoleNames},
};

constexpr Option kAdminOptions[] = {
    {.name = "listen",
     .fallback = "127.0.0.1:8480",
     .help = "IP address and port. One that other machines can reach needs `tls` and `tokens`."},
    {.name = "tokens",
     .type = OptionType::kObjects,
     .secret = true,
     .help = "Who asks must have one of these (Authorization: Bearer …). One that is given as a "
             "string may everything, as with the role configure. Without tokens nothing can be "
             "changed, only status and metrics be seen.",
     .fields = kTokenOptions},
    {.name = "tls",
     .type = OptionType::kObject,
     .help = "The server's certificate: https in the place of http.",
     .fields = kTlsServerOptions,
     .only_when_given = true},
};

constexpr std::string_view kAlgorithms[] = {"HS256", "ES256"};

constexpr Option kControlKeyOptions[] = {
    {.name = "id",
     .required = true,
     .help = "Its name, which signed commands give as `kid`: 1 to 64 of the characters A-Z a-z 0-9 "
             ". _ -."},
    {.name = "algorithm",
     .help = "Which of the two below it is. Without this, what is given says so.",
     .choices = kAlgorithms},
    {.name = "secret",
     .secret = true,
     .help = "For HS256: a secret of at least 32 characters, which are used as they stand. Who has "
             "it can sign, and so each of the agents that have it."},
    {.name = "publicKey",
     .help = "For ES256: the public half of a P-256 key in PEM format, such as "
             "\"${file:/etc/leat/fleet.pub}\". No agent can sign with that."},
    {.name = "role",
     .required = true,
     .help = "What its commands may: read looks; operate also starts and stops, and changes what "
             "the journal keeps; configure also changes the configuration.",
     .choices = kRoleNames},
};

constexpr Option kControlOptions[] = {
    mqtt::kUrl,
    {.name = "keys",
     .type = OptionType::kObjects,
     .required = true,
     .help = "By whom commands must be signed (leat keygen, leat sign).",
     .fields = kControlKeyOptions},
    {.name = "groups",
     .type = OptionType::kStrings,
     .help = "Names of groups whose commands are for this agent, too: those at PREFIX/GROUP/cmd."},
    {.name = "prefix",
     .fallback = "leat",
     .help = "What its topics begin with: PREFIX/ID/cmd, reply, status, events."},
    {.name = "maxReply",
     .type = OptionType::kBytes,
     .fallback = "256KiB",
     .help = "A longer answer comes in numbered parts; and so does one that is longer than the "
             "broker takes.",
     .min = 1024,
     .max = 16 << 20},
    mqtt::kVersionOption,
    {.name = "clientId",
     .help =
         "Name of the client at the broker, which must be no other client's. Without it: leat-, "
         "the agent's id and -control."},
    mqtt::kUserOption,
    mqtt::kPasswordOption,
    mqtt::kKeepAliveOption,
    mqtt::kConnectTimeoutOption,
    mqtt::kTimeoutOption,
    mqtt::kTlsOption,
};

constexpr std::string_view kPolicies[] = {"newest", "file", "remote"};

constexpr std::string_view kBudgetPeriods[] = {"month", "week", "day"};
constexpr std::string_view kBudgetActions[] = {"warn", "onlyPriority", "pause"};

constexpr Option kBudgetOptions[] = {
    {.name = "bytes",
     .type = OptionType::kBytes,
     .required = true,
     .help = "How many there are, such as \"200MB\". The headers of TCP and IP are not counted: "
             "leave a tenth of what is paid for.",
     .min = 1},
    {.name = "per",
     .fallback = "month",
     .help = "For how long, in UTC.",
     .choices = kBudgetPeriods},
    {.name = "firstDay",
     .type = OptionType::kInteger,
     .fallback = "1",
     .help = "The day of a month on which it begins.",
     .min = 1,
     .max = 28},
    {.name = "at80",
     .fallback = "warn",
     .help = "What happens at 80 % of it. warn: it is said, in the log and to agent.notify. "
             "onlyPriority: nothing is delivered, either, but by pipelines with \"priority\": "
             "\"high\". pause: nothing is. Sinks without a url go on; what cannot be delivered "
             "waits in the spool or at its source, until the next period or another budget.",
     .choices = kBudgetActions},
    {.name = "at100",
     .fallback = "pause",
     .help = "The same at all of it.",
     .choices = kBudgetActions},
    {.name = "interfaces",
     .type = OptionType::kStrings,
     .help = "The network interfaces that count, such as [\"wwan0\"]. Default: all but loopback."},
};

constexpr Option kAgentLimitOptions[] = {
    {.name = "budget",
     .type = OptionType::kObject,
     .help = "What may go over the network, both ways, on the wire: of all pipelines together, and "
             "agent.control and agent.admin, which go on when it is used up.",
     .fields = kBudgetOptions,
     .only_when_given = true},
};

#ifdef LEAT_CLUSTER
constexpr Option kClusterOptions[] = {
    postgres::kUrlOption,
    {.name = "group",
     .required = true,
     .help = "The name of the group. Agents of one group have the same `exclusive` pipelines, and "
             "each its own `id`.",
     .example = "\"etl\""},
    {.name = "lease",
     .type = OptionType::kDuration,
     .fallback = "30s",
     .help = "How long an agent that does not answer any more has what it runs; then another goes "
             "on. Renewed each third of it; an agent that cannot renew it ends what it runs a "
             "sixth of it before it is over.",
     .min = 1'000,
     .max = 3'600'000},
    postgres::kConnectTimeoutOption,
    postgres::kTlsOption,
};
#endif

constexpr Option kAgentOptions[] = {
    {.name = "id",
     .help = "The name of this agent; give each its own, since it is part of the keys by which "
             "receivers "
             "recognise what was sent twice. Default: the host name."},
    {.name = "dataDir",
     .help = "Folder of the journal and the dead letters; created when missing. Required, unless "
             "--data-dir is given on the command line, which wins.",
     .path = true,
     .example = "\"/var/lib/leat\""},
    {.name = "workers",
     .type = OptionType::kInteger,
     .fallback = "1",
     .help =
         "Event loops, each on a thread of its own, that share the pipelines. Those that meet in "
         "channels and caches are all on the first.",
     .min = 1,
     .max = 64},
    {.name = "memory",
     .type = OptionType::kBytes,
     .fallback = "8MiB",
     .help = "What all pipelines together may hold of records in memory, at least 1MiB for each. "
             "When it is used up, sources are slowed down.",
     .min = 1 << 20},
    {.name = "drainTimeout",
     .type = OptionType::kDuration,
     .fallback = "30s",
     .help = "How long SIGTERM and SIGINT wait for what is in flight."},
    {.name = "heartbeat",
     .type = OptionType::kDuration,
     .fallback = "5m",
     .help = "How often the log says how pipelines do that have no end, when anything has happened "
             "in them; 0s: never."},
    {.name = "journal",
     .type = OptionType::kObject,
     .help = "The file in dataDir that keeps what must survive: positions and spooled records.",
     .fields = kJournalOptions},
    {.name = "limits",
     .type = OptionType::kObject,
     .help = "Of all that this agent does.",
     .fields = kAgentLimitOptions},
    {.name = "flashEndurance",
     .type = OptionType::kBytes,
     .help = "What the flash with dataDir may be written in all (its \"TBW\"), such as \"20TiB\": "
             "status and metrics then say how long it lasts at the present rate."},
    {.name = "config",
     .fallback = "newest",
     .help = "Which configuration runs when the agent starts. newest: the file, unless another one "
             "was taken over from afar since the file changed last; file: always the file; remote: "
             "what came from afar, also when the file has changed since. Only that of the file "
             "counts.",
     .choices = kPolicies},
    {.name = "probation",
     .type = OptionType::kDuration,
     .fallback = "60s",
     .help = "How long a configuration that replaces this one must do before it counts as good. "
             "When a pipeline that it changes fails, or delivers nothing any more, or the agent "
             "dies, this one returns. 0s: it counts at once.",
     .max = 86'400'000},
    {.name = "notify",
     .type = OptionType::kObjects,
     .help =
         "Who is told what happens: a pipeline that fails or recovers, a circuit that opens or "
         "closes, a spool over 80 % of its bound, records dropped, dead letters, a configuration "
         "taken back, the clock put forward or back, a disk nearly full, a certificate that "
         "ends within 14 days.",
     .fields = kNotifyOptions},
    {.name = "admin",
     .type = OptionType::kObject,
     .help =
         "Status, metrics and commands over HTTP on a TCP address, too, as over leat.sock, and a "
         "page for browsers; only when this is given.",
     .fields = kAdminOptions,
     .only_when_given = true},
    {.name = "control",
     .type = OptionType::kObject,
     .help = "Signed commands from afar, over an MQTT broker; only when this is given.",
     .fields = kControlOptions,
     .only_when_given = true},
#ifdef LEAT_CLUSTER
    {.name = "cluster",
     .type = OptionType::kObject,
     .help = "The group of agents to which this one belongs: what is `exclusive` runs on one of "
             "them. Who that is, is agreed on in a PostgreSQL database; only when this is given.",
     .fields = kClusterOptions,
     .only_when_given = true},
#endif
};

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

constexpr std::string_view kTimeOnError[] = {"arrival", "deadLetter"};

constexpr Option kTimeOptions[] = {
    {.name = "field", .required = true, .help = "The field that holds the event time."},
    {.name = "format",
     .fallback = "rfc3339",
     .help = "How it is written: rfc3339, unix, unixMs, unixUs, unixNs, or a pattern such as "
             "\"%Y-%m-%d %H:%M:%S.%f %z\" (read as UTC without %z)."},
    {.name = "onError",
     .fallback = "arrival",
     .help = "A record without a time that can be read: it gets the time of its arrival, or is a "
             "dead letter.",
     .choices = kTimeOnError},
};

bool can_append(const WriteFormat& format) {
  return format.close.empty();
}

// The default first.
template <typename Format>
std::vector<std::string_view> names_of(std::span<const Format* const> formats,
                                       std::string_view first) {
  std::vector<std::string_view> out;
  for (const Format* format : formats) out.push_back(format->name);
  auto found = std::ranges::find(out, first);
  if (found != out.end()) std::rotate(out.begin(), found, found + 1);
  return out;
}

// `format`, whose choices are `names`, and the objects that hold options of formats, each once.
template <typename Format>
void add_formats(std::span<const std::string_view> names, std::string_view help,
                 const Format* (*find)(std::string_view), std::vector<Option>& out) {
  out.push_back({.name = "format", .fallback = names[0], .help = help, .choices = names});
  for (std::string_view name : names) {
    const Format* format = find(name);
    if (format->options_name.empty()) continue;
    auto same = [format](const Option& o) { return o.name == format->options_name; };
    if (std::ranges::any_of(out, same)) continue;
    out.push_back({.name = format->options_name,
                   .type = OptionType::kObject,
                   .help = "Options of this format, when it is the one in use.",
                   .fields = format->options});
  }
}

}  // namespace

std::span<const Option> agent_options() {
  return kAgentOptions;
}

std::span<const Option> pipeline_options() {
  return kPipelineOptions;
}

SourceOptions::SourceOptions(const SourceType& type) {
  if (type.produces != Produces::kRecords) {
    formats_ = names_of(read_formats(), type.default_format);
    add_formats(formats_, "How the bytes are read as records.", find_read_format, added_);
  }
  added_.push_back({.name = "fieldTypes",
                    .type = OptionType::kMap,
                    .help =
                        "Types of fields, by name: bool, integer, float, decimal, string or time "
                        "(rfc3339). Where nothing is lost by it a value becomes of its type "
                        "(\"21\" a float); any other makes its record a dead letter. Null is of "
                        "any type."});
  added_.push_back({.name = "time",
                    .type = OptionType::kObject,
                    .help = "Where a record holds its event time. Without it: the time of arrival.",
                    .fields = kTimeOptions});
}

namespace {

std::string linger_help(const BatchLimits& batch) {
  std::string help = "How long a record waits for more, when there are fewer.";
  if (batch.spacing.count() == 0) return help;
  return help + " At this default an idle sink gets at once what there is, " +
         format_duration(batch.spacing) +
         " or more after the last delivery; any other linger is kept in full.";
}

}  // namespace

SinkOptions::SinkOptions(const SinkType& type) {
  batch_ = {
      {.name = "records",
       .type = OptionType::kInteger,
       .fallback = keep(std::to_string(type.batch.records)),
       .help = "At most so many records.",
       .min = 1,
       .max = 1'000'000},
      {.name = "bytes",
       .type = OptionType::kBytes,
       .fallback = keep(exact_bytes(type.batch.bytes)),
       .help = "At most so many bytes; a larger record goes alone.",
       .min = 1},
      {.name = "linger",
       .type = OptionType::kDuration,
       .fallback = keep(exact_duration(type.batch.linger)),
       .help = keep(linger_help(type.batch))},
  };
  if (type.consumes == Consumes::kSlices) {
    formats_ = names_of(write_formats(), type.default_format);
    if (type.appends)
      std::erase_if(formats_, [](auto name) { return !can_append(*find_write_format(name)); });
    add_formats(formats_, "How the records are written.", find_write_format, added_);
  }
  added_.push_back({.name = "batch",
                    .type = OptionType::kObject,
                    .help = "What is delivered at once.",
                    .fields = batch_});
  if (type.max_in_flight > 1 && type.channel.empty())
    added_.push_back({.name = "inFlight",
                      .type = OptionType::kInteger,
                      .fallback = keep(std::to_string(type.default_in_flight)),
                      .help = type.keeps_order
                                  ? "Batches that may be under way at once, in order."
                                  : "Batches that may be under way at once; 1 keeps their order.",
                      .min = 1,
                      .max = type.max_in_flight});
}

std::string_view SinkOptions::keep(std::string text) {
  return texts_.emplace_back(std::move(text));
}

}  // namespace leat
