// `sql`: replaces the records of a batch by the rows of a query over them.
#include "transform/number_comparisons.h"
#include "transform/on_error.h"
#include "transform/sql_query.h"
#include "transform/types.h"

namespace leat {
namespace {

class SqlTransform final : public Transform {
 public:
  SqlTransform(const Options& options, std::unique_ptr<SqlQuery> query)
      : query_(std::move(query)),
        on_error_(options, "sql"),
        path_(options.path("query")),
        comparisons_(options.string("query"), path_) {}

  Status run(BatchRef& batch, DeadLetters& dead) override {
    if (batch->records.empty()) return {};
    SqlEngine& engine = query_->engine();
    engine.sandbox().start_work(batch->pool().budget().limit());
    if (Status status = query_->follow_fields(*batch); !status)
      return fail_all(*batch, status.error().message(), dead);
    Result<BatchRef> rows = query_->run(*batch, 0, batch->records.size());
    while (!rows && query_->too_large() && cut_in_half(*batch)) {
      engine.sandbox().start_work(batch->pool().budget().limit());
      rows = query_->run(*batch, 0, batch->records.size());
    }
    if (!rows && rows.error().kind() == ErrorKind::kData && !engine.sandbox().limit_reached()) {
      if (Status status = remove_failing(*batch, dead); !status) return status;
      if (batch->records.empty()) return {};
      rows = query_->run(*batch, 0, batch->records.size());
    }
    engine.report_unseen_columns(path_);
    comparisons_.report(engine.table());
    if (!rows) {
      if (rows.error().kind() != ErrorKind::kData) return fail(rows.error());
      return fail_all(*batch, rows.error().message(), dead);
    }
    batch = std::move(*rows);
    return {};
  }

  size_t held() const override { return query_->engine().table().held(); }

 private:
  // A query of which a whole batch makes too much gets fewer records at once: how many are in a
  // batch is chance anyway. False when it cannot be cut.
  static bool cut_in_half(Batch& batch) {
    size_t middle = batch.records.size() / 2;
    size_t at = middle;
    while (at > 0 && !batch.may_cut(at)) --at;
    for (size_t i = middle; at == 0 && i < batch.records.size(); ++i)
      if (batch.may_cut(i)) at = i;
    if (at > 0) batch.leave_records(at);
    return at > 0;
  }

  // A query may look at any record any number of times, so where it was when it failed says little.
  // The guilty records are those over which it fails alone: one short run each, hence no more than
  // linear, and counted to the batch's steps.
  Status remove_failing(Batch& batch, DeadLetters& dead) {
    std::vector<Record>& records = batch.records;
    size_t kept = 0;
    size_t row = 0;
    for (; row < records.size(); ++row) {
      Result<BatchRef> alone = query_->run(batch, row, row + 1);
      if (alone || alone.error().kind() != ErrorKind::kData) {
        records[kept++] = records[row];
      } else if (query_->engine().sandbox().limit_reached()) {
        break;
      } else if (Status status =
                     on_error_.record_failed(batch, row, alone.error().message(), dead, dropped_);
                 !status) {
        return status;
      }
    }
    // Out of steps: what has not been looked at stays, and fails with the rest in the next run.
    for (; row < records.size(); ++row) records[kept++] = records[row];
    records.resize(kept);
    return {};
  }

  Status fail_all(Batch& batch, const std::string& reason, DeadLetters& dead) {
    for (size_t i = 0; i < batch.records.size(); ++i) {
      Status status = on_error_.record_failed(batch, i, reason, dead, dropped_);
      if (!status) return status;
    }
    batch.records.clear();
    return {};
  }

  std::unique_ptr<SqlQuery> query_;
  OnError on_error_;
  std::string path_;
  NumberComparisons comparisons_;
};

constexpr Option kOptions[] = {
    {.name = "query",
     .type = OptionType::kString,
     .required = true,
     .help = "One SELECT over the table `input`, the records of a batch (\"SELECT device, "
             "avg(temp) AS temp FROM input GROUP BY device\"). Each row becomes a record; a column "
             "\"_time\" is its event time, else the latest of the batch is.",
     .example = "\"SELECT device, avg(temp) AS temp FROM input GROUP BY device\""},
    kOnErrorOption,
    kMaxStepsOption};

Result<std::unique_ptr<Transform>> make(const Options& options) {
  auto query =
      SqlQuery::make(options.string("query"), options.path("query"), options.integer("maxSteps"));
  if (!query) return fail(query.error());
  return std::make_unique<SqlTransform>(options, std::move(*query));
}

// What `*` means depends on the records of all batches before.
bool follows_no_names(const Options& options) {
  auto query =
      SqlQuery::make(options.string("query"), options.path("query"), options.integer("maxSteps"));
  return query && !(*query)->has_star();
}

}  // namespace

const TransformType kSqlTransform{
    .name = "sql",
    .help = "Replaces the records of each batch by the rows of an SQL query over them.",
    .options = kOptions,
    .make = make,
    .parallel = follows_no_names};

}  // namespace leat
