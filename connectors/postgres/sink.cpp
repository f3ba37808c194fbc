// Writes records to a table of a PostgreSQL database, one transaction for each delivery.
#include "stage/sink.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "connectors/postgres/new_table.h"
#include "connectors/postgres/options.h"
#include "connectors/postgres/settings.h"
#include "connectors/postgres/writer.h"
#include "loop/handles.h"
#include "net/tls.h"

namespace leat {
namespace postgres {
namespace {

// Two pieces of COPY data, what arrives, and the streams' own buffers.
constexpr size_t kMemory = 256 * 1024;

class PostgresSink final : public Sink {
 public:
  PostgresSink(ConnectionSettings connection, WriterConfig config)
      : connection_(std::move(connection)), config_(std::move(config)) {}

  Status open(SinkContext& context) override {
    if (connection_.uses_tls) {
      auto tls = TlsContext::open(connection_.tls, context.pipeline(), connection_.verify);
      if (!tls) return fail(tls.error());
      tls_ = std::move(*tls);
    }
    std::string warning = connection_.warning();
    if (!warning.empty()) log::warn(context.pipeline(), "postgres: " + warning);
    budget_ = &context.budget();
    budget_->charge(kMemory);
    config_.session.loop = context.loop();
    config_.session.tls = tls_.get();
    config_.job.agent = context.agent();
    config_.job.pipeline = context.pipeline();
    writer_.emplace(config_);
    return {};
  }

  void deliver(const Delivery& delivery, Done done) override {
    writer_->deliver(delivery, std::move(done));
  }

  void load_positions(std::function<void(Result<std::vector<SavedPosition>>)> done) override {
    writer_->load_positions(std::move(done));
  }

  void finish(std::function<void(Status)> done) override { writer_->finish(std::move(done)); }

  void close(std::function<void()> closed) override {
    if (!writer_) return closed();
    uv_loop_t* loop = config_.session.loop;
    writer_.reset();
    budget_->release(kMemory);
    // One turn of the loop later the socket is closed, too.
    closing_.emplace(loop);
    closing_->start(Milliseconds{0}, std::move(closed));
  }

 private:
  const ConnectionSettings connection_;
  WriterConfig config_;
  Budget* budget_ = nullptr;
  std::unique_ptr<TlsContext> tls_;  // outlives the writer
  std::optional<Writer> writer_;
  std::optional<Timer> closing_;
};

WriteMode mode_of(const std::string& name) {
  for (size_t i = 0; i < std::size(kWriteModes); ++i)
    if (name == kWriteModes[i]) return static_cast<WriteMode>(i);
  return WriteMode::kCopy;
}

Status check_mode(const Options& options, const MappingConfig& mapping) {
  auto bad = [&options](const char* option, std::string why) {
    return fail(ErrorKind::kUsage, options.path(option) + ": " + std::move(why));
  };
  bool upsert = mapping.mode == WriteMode::kUpsert;
  bool merge = mapping.mode == WriteMode::kMerge;
  if (upsert && mapping.key.empty()) return bad("key", "writeMode upsert needs it");
  if (!upsert && !mapping.key.empty() && !mapping.create)
    return bad("key", "is for writeMode upsert");
  if (merge && !options.has("mergeSql")) return bad("mergeSql", "writeMode merge needs it");
  if (!merge && options.has("mergeSql")) return bad("mergeSql", "is for writeMode merge");
  if (merge && mapping.create)
    return bad("createTable", "does not go with writeMode merge: mergeSql needs columns it knows");
  if (mapping.create && mapping.reject_unknown)
    return bad("unknownFields", "with createTable no field is unknown");
  return {};
}

Status check_columns(const Options& options, const MappingConfig& mapping) {
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    if (mapping.columns[i].second.empty())
      return fail(ErrorKind::kUsage, options.path("columns") + ": the column of field \"" +
                                         mapping.columns[i].first + "\" is empty");
    std::string_view why = impossible_column(mapping.columns[i].second);
    if (!why.empty() && mapping.mode != WriteMode::kMerge)
      return fail(ErrorKind::kUsage, options.path("columns") + ": the table cannot have a column " +
                                         excerpt(mapping.columns[i].second) + ": " +
                                         std::string(why));
    for (size_t j = 0; j < i; ++j)
      if (mapping.columns[i].second == mapping.columns[j].second)
        return fail(ErrorKind::kUsage, options.path("columns") + ": two fields, \"" +
                                           mapping.columns[j].first + "\" and \"" +
                                           mapping.columns[i].first + "\", go into column \"" +
                                           mapping.columns[i].second + "\"");
  }
  for (size_t i = 0; i < mapping.key.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (mapping.key[i] == mapping.key[j])
        return fail(ErrorKind::kUsage,
                    options.path("key") + ": \"" + mapping.key[i] + "\" is named twice");
  return {};
}

Result<std::unique_ptr<Sink>> make(const Options& options) {
  Result<ConnectionSettings> connection = ConnectionSettings::from(options);
  if (!connection) return fail(connection.error());
  Result<TableName> table = TableName::parse(options.string("table"));
  if (!table)
    return fail(ErrorKind::kUsage, options.path("table") + ": " + table.error().message());
  if (table->name == Positions::kTable)
    return fail(ErrorKind::kUsage,
                options.path("table") + ": leat_positions is where exactlyOnce keeps positions");

  WriterConfig config;
  config.session.url = connection->url;
  config.session.sslmode = connection->sslmode;
  config.session.connect_timeout = connection->connect_timeout;
  config.session.timeout = options.duration("timeout");
  config.table.name = std::move(*table);
  config.table.mapping.columns = options.map("columns");
  config.table.mapping.key = options.strings("key");
  config.table.mapping.mode = mode_of(options.string("writeMode"));
  config.table.mapping.create = options.boolean("createTable");
  config.table.mapping.reject_unknown = options.string("unknownFields") == "reject";
  config.table.merge_sql = options.string("mergeSql");
  config.job.pre_sql = options.strings("preSql");
  config.job.post_sql = options.strings("postSql");
  if (Status status = check_mode(options, config.table.mapping); !status)
    return fail(status.error());
  if (Status status = check_columns(options, config.table.mapping); !status)
    return fail(status.error());
  return std::make_unique<PostgresSink>(std::move(*connection), std::move(config));
}

}  // namespace
}  // namespace postgres

extern const SinkType kPostgresSink;
const SinkType kPostgresSink{
    .name = "postgres",
    .help =
        "Writes records to a table of a PostgreSQL database with COPY, INSERT, an upsert or SQL of "
        "your own, one transaction for each delivery.",
    .takes = Takes::kRecords,
    .options = postgres::kSinkOptions,
    .batch = {.records = 5000, .bytes = 4 * 1024 * 1024, .linger = Milliseconds{200}},
    .stores_positions = true,
    .make = postgres::make,
};

}  // namespace leat
