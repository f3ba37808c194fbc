// Reads a table, or the rows of a query, from a PostgreSQL database.
#include "stage/source.h"

#include <memory>
#include <utility>

#include "connectors/postgres/options.h"
#include "connectors/postgres/table_reader.h"
#include "options/option_errors.h"
#include "protocols/postgres/connection_settings.h"
#include "table/probes.h"
#include "table/table_group.h"

namespace leat {
namespace postgres {
namespace {

constexpr std::string_view kLates[] = {"snapshot", "delay"};
constexpr Option kOwnOptions[] = {
    kUrlOption,
    {.name = "late",
     .help = "How rows are found whose transaction was open for long. snapshot: by the numbers of "
             "transactions, all of them; delay: those that were committed within "
             "`consistencyDelay`. Without it, snapshot where that is possible.",
     .choices = kLates},
    {.name = "lookBack",
     .type = OptionType::kDuration,
     .fallback = "1h",
     .help =
         "With snapshot, and a cursor that begins with a time: how much older than the first "
         "write of its transaction the time in a row may be. It lets an index find what is new.",
     .max = 366LL * 86'400'000},
    kConnectTimeoutOption,
    {.name = "timeout",
     .type = OptionType::kDuration,
     .fallback = "60s",
     .help = "How long the server may take for a statement, or wait for a lock, before it is tried "
             "again.",
     .min = 1,
     .max = 86'400'000},
    kTlsOption,
};
constexpr auto kOptions = table::with_options(kOwnOptions);

Result<ReadPlan> plan_of(const Options& options) {
  OptionErrors errors;
  Result<ConnectionSettings> connection = ConnectionSettings::from(options);
  (void)errors.good(connection);
  ReadPlan plan;
  if (Result<table::Settings> table = table::Settings::from_options(options); errors.good(table))
    plan.read.table = std::move(*table);
  if (!options.string("table").empty()) {
    if (Result<TableName> name = TableName::parse(options.string("table")))
      plan.read.name = std::move(*name);
    else
      errors.add(options, "table", name.error());
  }
  const std::string& late = options.string("late");
  plan.read.late = late.empty() ? Late::kBest : late == kLates[0] ? Late::kSnapshot : Late::kDelay;
  plan.read.look_back = options.duration("lookBack");
  if (plan.read.late == Late::kSnapshot && options.has("query"))
    errors.add(options, "late", "a query does not tell which transaction has written a row");
  if (Status status = errors.status(); !status) return fail(status.error());
  plan.session.url = connection->url;
  plan.session.sslmode = connection->sslmode;
  plan.session.connect_timeout = connection->connect_timeout;
  plan.session.timeout = options.duration("timeout");
  plan.connection = std::move(*connection);
  return plan;
}

Result<std::unique_ptr<table::Database>> make_database(const Options& options) {
  Result<ReadPlan> plan = plan_of(options);
  if (!plan) return fail(plan.error());
  return std::make_unique<TableReader>(std::move(*plan));
}

Result<std::unique_ptr<Source>> make(const Options& options) {
  return table::TableGroup::make(options, make_database);
}

#ifdef LEAT_TOOLS
std::unique_ptr<PeerProbe> probe(const Options& options, const ProbeContext& context, Probed done) {
  return table::probe(options, make_database, context, std::move(done));
}

std::unique_ptr<PeerProbe> ask_tasks(const Options& options, const ProbeContext& context,
                                     Probed done) {
  return table::ask_tasks(options, make_database, context, std::move(done));
}
#endif

}  // namespace
}  // namespace postgres

extern constexpr SourceType kPostgresSource{
    .name = "postgres",
    .help =
        "Reads a table, or the rows of a query, from a PostgreSQL database: once, or for ever "
        "what is new in it.",
    .produces = Produces::kRecords,
    .replay = replays<Replay::kFromPosition>,
    .options = postgres::kOptions,
    .bounded = table::Settings::is_bounded,
    .begins_anew = table::Settings::is_full,
    .at_once = table::TableGroup::at_once,
    .make = postgres::make,
    .warn = postgres::warn_of_connection,
    .check_files = postgres::check_connection_files,
#ifdef LEAT_TOOLS
    .probe = postgres::probe,
    .tasks = table::told_tasks,
    .ask_tasks = postgres::ask_tasks,
#endif
    .rows = postgres::kBinaryRows,
    .looks_into_rows = table::Settings::names_table,
};

}  // namespace leat
