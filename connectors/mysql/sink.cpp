// Writes records to a table of a MySQL or MariaDB database. The work is done on a job thread
// (table_writer.h), since the library blocks; this file is what stands on the loop.
#include "stage/sink.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "connectors/mysql/options.h"
#include "connectors/mysql/table_writer.h"
#include "loop/job_thread.h"
#include "memory/budget.h"
#include "net/tls.h"
#include "options/option_errors.h"
#include "table/job_finish.h"

namespace leat {
namespace mysql {
namespace {

constexpr std::string_view kWriteModes[] = {"insert", "upsert", "replace"};
constexpr std::string_view kUnknownFields[] = {"ignore", "reject"};

constexpr Option kSinkOptions[] = {
    kUrlOption,
    {.name = "table",
     .required = true,
     .help = "The table that records go to: \"table\" or \"database.table\".",
     .example = "\"telemetry\""},
    {.name = "writeMode",
     .fallback = "insert",
     .help = "insert: a row for each record; upsert: a record whose key (of any unique index) is "
             "there already updates that row in the columns it has; replace: it takes that row's "
             "place, and columns it has not get their defaults.",
     .choices = kWriteModes},
    {.name = "columns",
     .type = OptionType::kMap,
     .help =
         "Fields and the columns they go to; other fields are left out. Without it, every field "
         "goes into the column of its name."},
    {.name = "unknownFields",
     .fallback = "ignore",
     .help = "What becomes of fields that have no column: ignore: they are left out, and the log "
             "says so once; reject: the record becomes a dead letter.",
     .choices = kUnknownFields},
    table::kPreSqlOption,
    table::kPostSqlOption,
    kConnectTimeoutOption,
    {.name = "timeout",
     .type = OptionType::kDuration,
     .fallback = "60s",
     .help = "How long the server may be silent, as while it waits for a lock, before the delivery "
             "is put off.",
     .min = 1000,
     .max = 86'400'000},
    kTlsOption,
};

// A statement, the library's packet, and the records' rows as SQL.
constexpr size_t kMemory = size_t{2} << 20;

class MysqlSink final : public Sink {
 public:
  explicit MysqlSink(WriteConfig config) : config_(std::move(config)) {}
  ~MysqlSink() override {
    if (writer_) writer_->cancel();
  }

  Status open(SinkContext& context) override {
    Client::begin_library();
    const ConnectionSettings& connection = config_.connection;
    if (Status tls = open_tls(tls_, connection.uses_tls, connection.tls, context.pipeline(),
                              connection.verify);
        !tls)
      return tls;
    writer_ = std::make_unique<TableWriter>(config_, tls_.get(), context.agent(),
                                            context.pipeline(), statement_bytes(context.budget()));
    context_ = &context;
    finish_.emplace(context.loop(), context.pipeline());
    charge_ = Charge(context.budget(), 2 * statement_bytes(context.budget()));
    thread_ = std::make_unique<JobThread>(context.loop(), "leat-mysql", kMaxJobs);
    return {};
  }

  void deliver(const Delivery& delivery, Done done) override {
    thread_->submit_for([this, &delivery] { return writer_->write(delivery); },
                        [this, done = std::move(done)](Answer answer) {
                          if (!closing_) done(std::move(answer));
                        });
  }

  void finish(std::function<void(Status)> done) override {
    if (!config_.job.any()) return done({});
    finish_->start(
        [this](table::JobFinish::Done end) {
          thread_->submit_for(
              [this, also_empty = context_->began_anew()] { return writer_->finish(also_empty); },
              [this, end = std::move(end)](const Status& finished) {
                if (!closing_) end(finished);
              });
        },
        std::move(done));
  }

  void close(std::function<void()> closed) override {
    closing_ = true;
    finish_.reset();
    if (!thread_) return closed();
    writer_->cancel();
    thread_->submit([this] { writer_->close(); },
                    [this, closed = std::move(closed)] {
                      charge_.set(0);
                      // Frees this sink's handle; the copy outlives the sink, should it go now.
                      auto call = closed;
                      thread_.reset();
                      call();
                    });
  }

 private:
  static size_t statement_bytes(const Budget& budget) {
    return std::min(kMemory / 2, budget.limit() / 8);
  }

  static constexpr size_t kMaxJobs = 4;  // a delivery, and the close

  const WriteConfig config_;
  SinkContext* context_ = nullptr;
  Charge charge_;                    // a statement, and its rows
  std::unique_ptr<TlsContext> tls_;  // used on the thread; outlives writer_
  bool closing_ = false;
  std::unique_ptr<TableWriter> writer_;
  std::optional<table::JobFinish> finish_;
  std::unique_ptr<JobThread> thread_;  // last: its destructor waits for a job that uses the rest
};

Result<WriteConfig> config_of(const Options& options) {
  OptionErrors errors;
  WriteConfig config;
  if (Result<ConnectionSettings> connection = ConnectionSettings::from(options);
      errors.good(connection))
    config.connection = std::move(*connection);
  if (Result<TableName> name = TableName::parse(options.string("table")))
    config.table = std::move(*name);
  else
    errors.add(options, "table", name.error());
  for (size_t i = 0; i < std::size(kWriteModes); ++i)
    if (options.string("writeMode") == kWriteModes[i]) config.mode = static_cast<WriteMode>(i);
  config.columns = options.map("columns");
  for (size_t i = 0; i < config.columns.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (const auto& [field, column] = config.columns[i];
          same_name(column, config.columns[j].second))
        errors.add(options, path_of_key("columns", field),
                   "two fields, \"" + config.columns[j].first + "\" and \"" + field +
                       "\", go into column \"" + column + "\"");
  config.job = table::JobStatements::from(options);
  config.reject_unknown = options.string("unknownFields") == kUnknownFields[1];
  if (Status status = errors.status(); !status) return fail(status.error());
  return config;
}

Result<std::unique_ptr<Sink>> make(const Options& options) {
  Result<WriteConfig> config = config_of(options);
  if (!config) return fail(config.error());
  return std::make_unique<MysqlSink>(std::move(*config));
}

#ifdef LEAT_TOOLS
class SinkProbe final : public PeerProbe {
 public:
  SinkProbe(WriteConfig config, const ProbeContext& context, Probed done)
      : config_(std::move(config)), done_(std::move(done)), loop_(context.loop) {}
  ~SinkProbe() override {
    if (writer_) writer_->cancel();
  }
  Status begin(const std::string& pipeline) {
    Client::begin_library();
    const ConnectionSettings& connection = config_.connection;
    if (Status tls =
            open_tls(tls_, connection.uses_tls, connection.tls, pipeline, connection.verify);
        !tls)
      return tls;
    writer_ = std::make_unique<TableWriter>(config_, tls_.get(), "", pipeline, kMemory / 2);
    thread_ = std::make_unique<JobThread>(loop_, "leat-mysql", 1);
    thread_->submit_for([this] { return writer_->look(); },
                        [this](Result<std::string> found) { done_(std::move(found)); });
    return {};
  }

 private:
  const WriteConfig config_;
  const Probed done_;
  Loop& loop_;
  std::unique_ptr<TlsContext> tls_;
  std::unique_ptr<TableWriter> writer_;
  std::unique_ptr<JobThread> thread_;  // last, as above
};

std::unique_ptr<PeerProbe> probe(const Options& options, const ProbeContext& context, Probed done) {
  Result<WriteConfig> config = config_of(options);
  if (!config) return probe_that_failed(context.loop, config.error(), std::move(done));
  auto probe = std::make_unique<SinkProbe>(std::move(*config), context, done);
  if (Status begun = probe->begin(context.pipeline); !begun)
    return probe_that_failed(context.loop, begun.error(), std::move(done));
  return probe;
}
#endif

}  // namespace
}  // namespace mysql

extern constexpr SinkType kMysqlSink{
    .name = "mysql",
    .help =
        "Inserts, upserts or replaces rows of a table in a MySQL or MariaDB database, one "
        "transaction for each delivery.",
    .consumes = Consumes::kRecords,
    .options = mysql::kSinkOptions,
    .batch = {.records = 1000, .bytes = 1024 * 1024, .linger = Milliseconds{200}},
    .make = mysql::make,
    .warn = mysql::warn_of_connection,
    .check_files = mysql::check_connection_files,
#ifdef LEAT_TOOLS
    .probe = mysql::probe,
#endif
};

}  // namespace leat
