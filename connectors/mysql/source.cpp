// Reads a table, or the rows of a query, from a MySQL or MariaDB database.
#include "stage/source.h"

#include <memory>
#include <utility>

#include "connectors/mysql/options.h"
#include "connectors/mysql/table_reader.h"
#include "options/option_errors.h"
#include "table/probes.h"
#include "table/table_group.h"

namespace leat {
namespace mysql {
namespace {

constexpr Option kOwnOptions[] = {
    kUrlOption,
    kConnectTimeoutOption,
    {.name = "timeout",
     .type = OptionType::kDuration,
     .fallback = "10m",
     .help = "How long the server may be silent, as while it looks for a page's first row, before "
             "the connection is given up and the page is asked for again.",
     .min = 1000,
     .max = 86'400'000},
    kTlsOption,
};
constexpr auto kOptions = table::with_options(kOwnOptions);

Result<ReadConfig> config_of(const Options& options) {
  OptionErrors errors;
  ReadConfig config;
  if (Result<ConnectionSettings> connection = ConnectionSettings::from(options);
      errors.good(connection))
    config.connection = std::move(*connection);
  if (Result<table::Settings> table = table::Settings::from_options(options); errors.good(table))
    config.table = std::move(*table);
  if (!options.string("table").empty()) {
    if (Result<TableName> name = TableName::parse(options.string("table")))
      config.name = std::move(*name);
    else
      errors.add(options, "table", name.error());
  }
  if (Status status = errors.status(); !status) return fail(status.error());
  return config;
}

Result<std::unique_ptr<table::Database>> make_database(const Options& options) {
  Result<ReadConfig> config = config_of(options);
  if (!config) return fail(config.error());
  return std::make_unique<TableReader>(std::move(*config));
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
}  // namespace mysql

extern constexpr SourceType kMysqlSource{
    .name = "mysql",
    .help =
        "Reads a table, or the rows of a query, from a MySQL or MariaDB database: once, or for "
        "ever what is new in it.",
    .produces = Produces::kRecords,
    .replay = replays<Replay::kFromPosition>,
    .options = mysql::kOptions,
    .bounded = table::Settings::is_bounded,
    .begins_anew = table::Settings::is_full,
    .at_once = table::TableGroup::at_once,
    .make = mysql::make,
    .warn = mysql::warn_of_connection,
    .check_files = mysql::check_connection_files,
#ifdef LEAT_TOOLS
    .probe = mysql::probe,
    .tasks = table::told_tasks,
    .ask_tasks = mysql::ask_tasks,
#endif
};

}  // namespace leat
