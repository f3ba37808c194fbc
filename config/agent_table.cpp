#include "config/tables.h"

#include "config/notify.h"
#include "net/tls.h"
#include "plan/role.h"
#include "protocols/mqtt/connection_options.h"
#include "protocols/postgres/connection_options.h"

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

}  // namespace

std::span<const Option> agent_options() {
  return kAgentOptions;
}

}  // namespace leat
