// `filter`: keeps the records for which an expression is true.
#include "transform/types.h"

#include <utility>
#include <vector>

#include "transform/number_comparisons.h"
#include "transform/on_error.h"
#include "transform/sql_engine.h"

namespace leat {
namespace {

class FilterTransform final : public Transform {
 public:
  FilterTransform(const Options& options, std::unique_ptr<SqlEngine> engine, Statement statement)
      : engine_(std::move(engine)),
        statement_(std::move(statement)),
        on_error_(options, "filter"),
        path_(options.path("where")),
        comparisons_(options.string("where"), path_) {}

  Status run(BatchRef& batch, DeadLetters& dead) override {
    std::vector<Record>& records = batch->records;
    if (records.empty()) return {};
    // Kept records move to the front as the scan goes on; it never looks back at what they cover.
    size_t kept = 0;
    size_t next = records.size();  // that this turn does not come to
    auto keep = [&records, &kept](size_t row) -> Status {
      records[kept++] = records[row];
      return {};
    };
    auto give_up = [&, this](size_t row, const std::string& reason) {
      Status status = on_error_.record_failed(*batch, row, reason, dead, dropped_);
      // What a limit has ended fails as a whole: it is not begun anew.
      if (!engine_->sandbox().limit_reached() && batch->may_cut(row + 1) && dead.full()) {
        next = row + 1;
        engine_->stop_scan();
      }
      return status;
    };
    Status status = engine_->scan(statement_.get(), *batch, keep, give_up);
    engine_->report_unseen_columns(path_);
    comparisons_.report(engine_->table());
    if (!status) return status;
    if (next < records.size()) batch->leave_records(next);
    records.resize(kept);
    return {};
  }

  size_t held() const override { return engine_->table().held(); }

 private:
  std::unique_ptr<SqlEngine> engine_;  // before the statement, which is finalized first
  Statement statement_;
  OnError on_error_;
  std::string path_;
  NumberComparisons comparisons_;
};

constexpr Option kOptions[] = {
    {.name = "where",
     .type = OptionType::kString,
     .required = true,
     .help = "An SQL expression over the fields of a record (\"temp > 40 AND state <> 'idle'\"). "
             "Records for which it is true are kept; false and NULL remove them.",
     .example = "\"temp > 40\""},
    kOnErrorOption,
    kMaxStepsOption};

Result<std::unique_ptr<Transform>> make(const Options& options) {
  const std::string& where = options.string("where");
  std::string path = options.path("where");
  auto engine = SqlEngine::open(SqlEngine::Scope::kRecord, options.integer("maxSteps"));
  if (!engine) return fail(engine.error());
  auto checked = (*engine)->check_expression(where, path);
  if (!checked) return fail(checked.error());
  std::string before = "SELECT 1" + (*engine)->from_clause() + " WHERE (\n";
  auto statement =
      (*engine)->prepare({.before = before, .user = where, .after = "\n)", .path = path});
  if (!statement) return fail(statement.error());
  return std::make_unique<FilterTransform>(options, std::move(*engine), std::move(*statement));
}

}  // namespace

const TransformType kFilterTransform{
    .name = "filter",
    .help = "Keeps the records for which an SQL expression is true.",
    .options = kOptions,
    .make = make,
    .parallel = [](const Options&) { return true; }};

}  // namespace leat
