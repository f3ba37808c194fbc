// Inserts or upserts records into a table of a SQLite database. The work is done on a job thread
// (transaction_writer.h), since SQLite blocks; this file is what stands on the loop.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/folder.h"
#include "connectors/sqlite/probe.h"
#include "loop/job_thread.h"
#include "options/option_errors.h"
#include "stage/sink.h"
#include "table/job_finish.h"
#include "transaction_writer.h"

namespace leat {
namespace {

constexpr std::string_view kSynchronousChoices[] = {"full", "normal"};

constexpr Option kOptions[] = {
    {.name = "path",
     .required = true,
     .help = "The database file. It is created when there is none; its folder is not.",
     .path = true,
     .example = "\"/var/lib/leat/data.db\""},
    {.name = "table",
     .required = true,
     .help = "The table that records go to.",
     .example = "\"telemetry\""},
    {.name = "key",
     .type = OptionType::kStrings,
     .help = "Fields that identify a row: a record whose key is there already updates that row. "
             "Without it every record is inserted."},
    {.name = "createTable",
     .type = OptionType::kBool,
     .fallback = "true",
     .help = "Create the table from the first records, and columns for fields that appear later."},
    {.name = "busyTimeout",
     .type = OptionType::kDuration,
     .fallback = "5s",
     .help = "How long to wait for another program that has the database locked, before the "
             "delivery is put off.",
     .max = 3'600'000},
    {.name = "synchronous",
     .fallback = "full",
     .help = "What delivered records survive: full: a power cut; normal: only the end of the "
             "process, with fewer fsyncs.",
     .choices = kSynchronousChoices},
#ifdef LEAT_SQLITE_JOBS
    table::kPreSqlOption,
    table::kPostSqlOption,
#endif
};

class SqliteSink final : public Sink {
 public:
  SqliteSink(sqlite::Connection::Settings connection, sqlite::Table::Settings table,
             table::JobStatements job)
      : connection_(std::move(connection)), table_(std::move(table)), job_(std::move(job)) {}

  ~SqliteSink() override {
    if (writer_) writer_->cancel();
  }

  Status open(SinkContext& context) override {
    // Pages that SQLite keeps count against the budget, but must not eat up a small one.
    budget_ = &context.budget();
    charge_ = Charge(*budget_);
    connection_.cache_bytes = take_cache();
    table_.pipeline = context.pipeline();
    writer_ = std::make_unique<sqlite::TransactionWriter>(connection_, table_, context.agent(),
                                                          context.pipeline(), job_);
    context_ = &context;
    finish_.emplace(context.loop(), context.pipeline());
    thread_ = std::make_unique<JobThread>(context.loop(), "leat-sqlite", kMaxJobs);
    return {};
  }

  void deliver(const Delivery& delivery, Done done) override {
    int64_t cache = take_cache();  // what it may be follows the limit
    thread_->submit_for(
        [this, &delivery, cache] {
          writer_->set_cache(cache);
          return writer_->write(delivery);
        },
        [this, done = std::move(done)](Answer answer) {
          if (!closing_) done(std::move(answer));
        });
  }

  void load_positions(std::function<void(Result<std::vector<SavedPosition>>)> done) override {
    thread_->submit_for([this] { return writer_->load_positions(); },
                        [this, done = std::move(done)](Result<std::vector<SavedPosition>> loaded) {
                          if (!closing_) done(std::move(loaded));
                        });
  }

  void finish(std::function<void(Status)> done) override {
    if (!sqlite::kHasJobs || !job_.any()) return done({});
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

  // The database is closed on the job thread: the last one to leave a WAL copies it into the file.
  void close(std::function<void()> closed) override {
    closing_ = true;
    finish_.reset();
    if (!thread_) return closed();
    writer_->cancel();
    thread_->submit([this] { writer_->close(); },
                    [this, closed = std::move(closed)] {
                      charge_.set(0);
                      // Frees this sink's handle; the copy outlives the sink, should it go now.
                      thread_.reset();
                      closed();
                    });
  }

 private:
  static constexpr int64_t kCacheBytes = 1 << 20;
  int64_t take_cache() {
    int64_t bytes = std::min<int64_t>(kCacheBytes, static_cast<int64_t>(budget_->limit() / 8));
    charge_.set(static_cast<size_t>(bytes));
    return bytes;
  }

  static constexpr size_t kMaxJobs = 4;  // a delivery, the positions, and the close

  sqlite::Connection::Settings connection_;
  sqlite::Table::Settings table_;
  const table::JobStatements job_;
  SinkContext* context_ = nullptr;
  Budget* budget_ = nullptr;
  Charge charge_;  // the cache
  bool closing_ = false;
  std::unique_ptr<sqlite::TransactionWriter> writer_;
  std::optional<table::JobFinish> finish_;
  std::unique_ptr<JobThread> thread_;  // last: its destructor waits for a job that uses the rest
};

Result<std::unique_ptr<Sink>> make(const Options& options) {
  sqlite::Connection::Settings connection;
  connection.path = options.string("path");
  connection.busy_timeout = options.duration("busyTimeout");
  connection.survive_power_cut = options.string("synchronous") == "full";

  sqlite::Table::Settings table;
  table.name = options.string("table");
  table.key = options.strings("key");
  table.create = options.boolean("createTable");

  OptionErrors errors;
  if (connection.path.empty() || connection.path == ":memory:")
    errors.add(options, "path", "must name a file");
  // SQLite keeps names with this for itself; a table could never be made.
  constexpr std::string_view kReserved = "sqlite_";
  if (table.name.empty())
    errors.add(options, "table", "is empty");
  else if (sqlite::same_column(table.name, sqlite::kPositionsTable))
    errors.add(options, "table", "leat_positions is where exactlyOnce keeps positions");
  else if (sqlite::same_column(std::string_view(table.name).substr(0, kReserved.size()), kReserved))
    errors.add(options, "table", "names that begin with sqlite_ are SQLite's own");
  for (size_t i = 0; i < table.key.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (sqlite::same_column(table.key[i], table.key[j]))
        errors.add(options, path_of_index("key", i), "\"" + table.key[i] + "\" is named twice",
                   Problem::Kind::kTwice);
  if (Status status = errors.status(); !status) return fail(status.error());
  return std::make_unique<SqliteSink>(
      std::move(connection), std::move(table),
      sqlite::kHasJobs ? table::JobStatements::from(options) : table::JobStatements());
}

// Not the database: it is another's to lock.
Status check_files(const Options& options) {
  Status fit = check_folder_of(options.string("path"));
  return fit ? fit : fail_option(options, "path", fit.error().message());
}

}  // namespace

extern constexpr SinkType kSqliteSink{
    .name = "sqlite",
    .help =
        "Inserts or upserts records into a table of a SQLite database, one transaction for "
        "each delivery.",
    .consumes = Consumes::kRecords,
    .options = kOptions,
    .batch = {.records = 5000, .bytes = 1024 * 1024, .linger = Milliseconds{500}},
    .stores_positions = true,
    .make = make,
    .check_files = check_files,
#ifdef LEAT_TOOLS
    .probe = sqlite::probe,
#endif
};

}  // namespace leat
