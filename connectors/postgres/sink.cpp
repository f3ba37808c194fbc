// Writes records to a table of a PostgreSQL database, one transaction for each delivery.
#include "stage/sink.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "connectors/postgres/new_table.h"
#include "connectors/postgres/options.h"
#include "connectors/postgres/probe.h"
#include "connectors/postgres/table_writer.h"
#include "loop/handles.h"
#include "net/tls.h"
#include "options/option_errors.h"
#include "protocols/postgres/connection_settings.h"

namespace leat {
namespace postgres {
namespace {

// Two pieces of COPY data, what arrives, and the streams' own buffers.
constexpr size_t kMemory = 256 * 1024;

class PostgresSink final : public Sink {
 public:
  PostgresSink(ConnectionSettings connection, TableWriterConfig config)
      : connection_(std::move(connection)), config_(std::move(config)) {}

  Status open(SinkContext& context) override {
    if (Status tls = open_tls(tls_, connection_.uses_tls, connection_.tls, context.pipeline(),
                              connection_.verify);
        !tls)
      return tls;
    context_ = &context;
    budget_ = &context.budget();
    budget_->charge(kMemory);
    config_.session.loop = &context.loop();
    config_.session.tls = tls_.get();
    config_.job.agent = context.agent();
    config_.job.pipeline = context.pipeline();
    config_.lane = context.lane();
    config_.fence = context.fence();
    writer_.emplace(config_);
    return {};
  }

  void deliver(const Delivery& delivery, Done done) override {
    writer_->deliver(delivery, std::move(done));
  }

  void load_positions(std::function<void(Result<std::vector<SavedPosition>>)> done) override {
    writer_->load_positions(std::move(done));
  }

  void finish(std::function<void(Status)> done) override {
    writer_->finish(context_->began_anew(), std::move(done));
  }

  void close(std::function<void()> closed) override {
    if (!writer_) return closed();
    writer_.reset();
    budget_->release(kMemory);
    closing_.emplace(*config_.session.loop);
    closing_->start_next_turn(std::move(closed));
  }

 private:
  const ConnectionSettings connection_;
  TableWriterConfig config_;
  SinkContext* context_ = nullptr;
  Budget* budget_ = nullptr;
  std::unique_ptr<TlsContext> tls_;  // outlives the writer
  std::optional<TableWriter> writer_;
  std::optional<Timer> closing_;
};

WriteMode mode_of(const std::string& name) {
  for (size_t i = 0; i < std::size(kWriteModes); ++i)
    if (name == kWriteModes[i]) return static_cast<WriteMode>(i);
  return WriteMode::kCopy;
}

Status check_mode(const Options& options, const MappingConfig& mapping) {
  OptionErrors errors;
  bool upsert = mapping.mode == WriteMode::kUpsert;
  bool merge = mapping.mode == WriteMode::kMerge;
  if (upsert && mapping.key.empty()) errors.add(options, "key", "writeMode upsert needs it");
  if (!upsert && !mapping.key.empty() && !mapping.create)
    errors.add(options, "key", "is for writeMode upsert");
  if (merge && !options.has("mergeSql"))
    errors.add(options, "mergeSql", "writeMode merge needs it");
  if (!merge && options.has("mergeSql")) errors.add(options, "mergeSql", "is for writeMode merge");
  if (merge && mapping.create)
    errors.add(options, "createTable",
               "does not go with writeMode merge: mergeSql needs columns it knows");
  if (mapping.create && mapping.reject_unknown)
    errors.add(options, "unknownFields", "with createTable no field is unknown");
  if (mapping.by_position && (mapping.create || !mapping.columns.empty()))
    errors.add(options, "match",
               "position goes neither with \"columns\" nor with createTable, which go by names");
  return errors.status();
}

Status check_columns(const Options& options, const MappingConfig& mapping) {
  OptionErrors errors;
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    const auto& [field, column] = mapping.columns[i];
    if (column.empty()) {
      errors.add(options, path_of_key("columns", field),
                 "the column of field \"" + field + "\" is empty");
      continue;
    }
    std::string_view why = impossible_column(column);
    if (!why.empty() && mapping.mode != WriteMode::kMerge)
      errors.add(options, path_of_key("columns", field),
                 "the table cannot have a column " + excerpt(column) + ": " + std::string(why));
    for (size_t j = 0; j < i; ++j)
      if (column == mapping.columns[j].second)
        errors.add(options, path_of_key("columns", field),
                   "two fields, \"" + mapping.columns[j].first + "\" and \"" + field +
                       "\", go into column \"" + column + "\"");
  }
  for (size_t i = 0; i < mapping.key.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (mapping.key[i] == mapping.key[j])
        errors.add(options, path_of_index("key", i), "\"" + mapping.key[i] + "\" is named twice",
                   Problem::Kind::kTwice);
  return errors.status();
}

Result<SinkPlan> plan_of(const Options& options) {
  OptionErrors errors;
  Result<ConnectionSettings> connection = ConnectionSettings::from(options);
  (void)errors.good(connection);
  TableWriterConfig config;
  if (Result<TableName> table = TableName::parse(options.string("table"))) {
    if (table->name == Positions::kTable)
      errors.add(options, "table", "leat_positions is where exactlyOnce keeps positions");
    config.table.name = std::move(*table);
  } else {
    errors.add(options, "table", table.error());
  }
  config.table.mapping.columns = options.map("columns");
  config.table.mapping.key = options.strings("key");
  config.table.mapping.mode = mode_of(options.string("writeMode"));
  config.table.mapping.create = options.boolean("createTable");
  config.table.mapping.reject_unknown = options.string("unknownFields") == "reject";
  config.table.mapping.by_position = options.string("match") == "position";
  config.table.merge_sql = options.string("mergeSql");
  config.job.pre_sql = options.strings("preSql");
  config.job.post_sql = options.strings("postSql");
  (void)errors.good(check_mode(options, config.table.mapping));
  (void)errors.good(check_columns(options, config.table.mapping));
  if (Status status = errors.status(); !status) return fail(status.error());
  config.session.url = connection->url;
  config.session.sslmode = connection->sslmode;
  config.session.connect_timeout = connection->connect_timeout;
  config.session.timeout = options.duration("timeout");
  return SinkPlan{std::move(*connection), std::move(config)};
}

Result<std::unique_ptr<Sink>> make(const Options& options) {
  Result<SinkPlan> plan = plan_of(options);
  if (!plan) return fail(plan.error());
  return std::make_unique<PostgresSink>(std::move(plan->connection), std::move(plan->writer));
}

// What makes a table, or makes it wider, waits for no other; and whether SQL of the user's may run
// beside itself, only the user knows.
bool may_have_lanes(const Options& options) {
  return !options.boolean("createTable") &&
         mode_of(options.string("writeMode")) != WriteMode::kMerge;
}

#ifdef LEAT_TOOLS
std::unique_ptr<PeerProbe> probe_sink(const Options& options, const ProbeContext& context,
                                      Probed done) {
  return probe(plan_of(options), context, std::move(done));
}
#endif

}  // namespace
}  // namespace postgres

extern constexpr SinkType kPostgresSink{
    .name = "postgres",
    .help =
        "Writes records to a table of a PostgreSQL database with COPY, INSERT, an upsert or SQL of "
        "your own, one transaction for each delivery.",
    .consumes = Consumes::kRecords,
    .options = postgres::kSinkOptions,
    // A transaction costs the server an fsync, however small: with this spacing there are never
    // more of them than with the linger alone, but what comes after a quiet moment goes at once.
    .batch = {.records = 5000,
              .bytes = 4 * 1024 * 1024,
              .linger = Milliseconds{200},
              .spacing = Milliseconds{200}},
    .stores_positions = true,
    .lanes = postgres::may_have_lanes,
    .make = postgres::make,
    .warn = postgres::warn_of_connection,
    .check_files = postgres::check_connection_files,
#ifdef LEAT_TOOLS
    .probe = postgres::probe_sink,
#endif
    .rows = postgres::kBinaryRows,
};

}  // namespace leat
