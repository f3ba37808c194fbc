// Reads a table, or the rows of a query, from a SQLite database that another program may write.
#include "stage/source.h"

#include <memory>
#include <utility>

#include "options/option_errors.h"
#include "table/probes.h"
#include "table/table_group.h"
#include "table_reader.h"

namespace leat {
namespace sqlite {
namespace {

constexpr Option kOwnOptions[] = {
    {.name = "path",
     .required = true,
     .help = "The database file, which is only read; another program may write it meanwhile.",
     .path = true,
     .example = "\"/var/lib/plant/plant.db\""},
    {.name = "busyTimeout",
     .type = OptionType::kDuration,
     .fallback = "5s",
     .help =
         "How long to wait for another program that has the database locked, before it is tried "
         "again later.",
     .max = 3'600'000},
};
constexpr auto kOptions = table::with_options(kOwnOptions);

Result<ReadConfig> config_of(const Options& options) {
  OptionErrors errors;
  ReadConfig config;
  config.path = options.string("path");
  config.busy_timeout = options.duration("busyTimeout");
  if (config.path.empty() || config.path == ":memory:")
    errors.add(options, "path", "must name a file");
  if (Result<table::Settings> table = table::Settings::from_options(options); errors.good(table))
    config.table = std::move(*table);
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
std::unique_ptr<PeerProbe> probe_source(const Options& options, const ProbeContext& context,
                                        Probed done) {
  return table::probe(options, make_database, context, std::move(done));
}

std::unique_ptr<PeerProbe> ask_tasks(const Options& options, const ProbeContext& context,
                                     Probed done) {
  return table::ask_tasks(options, make_database, context, std::move(done));
}
#endif

}  // namespace
}  // namespace sqlite

extern constexpr SourceType kSqliteSource{
    .name = "sqlite",
    .help =
        "Reads a table, or the rows of a query, from a SQLite database that another program may "
        "write meanwhile: once, or for ever what is new in it.",
    .produces = Produces::kRecords,
    .replay = replays<Replay::kFromPosition>,
    .options = sqlite::kOptions,
    .bounded = table::Settings::is_bounded,
    .begins_anew = table::Settings::is_full,
    .at_once = table::TableGroup::at_once,
    .make = sqlite::make,
#ifdef LEAT_TOOLS
    .probe = sqlite::probe_source,
    .tasks = table::told_tasks,
    .ask_tasks = sqlite::ask_tasks,
#endif
};

}  // namespace leat
