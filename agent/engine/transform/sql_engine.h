// SQL over batches: a sandboxed connection, the batch as its table, statements that find the
// columns they need by themselves, and scans that go on behind a record that failed.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "record/batch.h"
#include "transform/input_table.h"
#include "transform/sandbox.h"

namespace leat {

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// A statement around what a person wrote, so that messages can say where in their text it is wrong.
struct SqlText {
  std::string_view before;
  std::string_view user;
  std::string_view after;
  std::string path;  // of the option: "pipelines[0].transforms[1].where"
};

class SqlEngine {
 public:
  enum class Scope {
    kRecord,  // expressions: they see one record. No subquery can name the table
    kBatch,   // queries over the table `input`
  };
  static Result<std::unique_ptr<SqlEngine>> open(Scope scope, int64_t max_steps);

  // Fields are named by whatever records bring, so a name that is no column yet becomes one.
  // kUsage: the text is wrong; the message says where. No other statement may be alive.
  Result<Statement> prepare(const SqlText& text);
  // Whether a query says `*`: then its columns are those of the records.
  Result<bool> has_star(const SqlText& query);

  struct Expression {
    bool constant = false;              // the same for all records
    std::optional<std::string> column;  // it is this column and nothing else
  };
  // Checks that `user` is one expression over a record (Scope::kRecord). `path` is the option's.
  Result<Expression> check_expression(std::string_view user, const std::string& path);
  // "SELECT … FROM the table" for expressions: the table under the name `input`.
  std::string from_clause() const;

  // Runs a statement once over no records: finds what fails whatever the records are.
  Status dry_run(sqlite3_stmt* statement, const std::string& path);

  // Runs an expression statement over all records of the batch. `on_row(row)` is called for each
  // record that the statement gives a row for, in order; `on_failed(row, reason)` for each that
  // makes it fail; both return a Status that ends the scan when it is an error. Nothing is done
  // twice: the scan goes on behind the failed record. When a limit is reached, the rest fails.
  // Either may call stop_scan(): the scan ends behind that record.
  template <typename OnRow, typename OnFailed>
  Status scan(sqlite3_stmt* statement, const Batch& batch, OnRow&& on_row, OnFailed&& on_failed);

  void stop_scan() { stop_ = true; }

  // Says once, after the first batch, which fields a statement names that no record has: a text in
  // double quotes or a misspelt name would otherwise go unnoticed.
  void report_unseen_columns(const std::string& path);

  // The table has other columns than the statements know: it is attached again with the next one.
  void columns_changed() { attached_ = false; }

  InputTable& table() { return table_; }
  Sandbox& sandbox() { return *sandbox_; }

 private:
  SqlEngine(Scope scope, std::unique_ptr<Sandbox> sandbox);

  Status attach_table();
  bool add_missing_column(const std::string& name, std::optional<std::string>& tried_for,
                          size_t& tried);
  tl::unexpected<Error> syntax_error(const SqlText& text);
  bool is_blank(const char* sql);

  InputTable table_;  // before sandbox_: the connection refers to it until it is closed
  std::unique_ptr<Sandbox> sandbox_;
  bool attached_ = false;
  bool stop_ = false;
  bool unseen_reported_ = false;
};

template <typename OnRow, typename OnFailed>
Status SqlEngine::scan(sqlite3_stmt* statement, const Batch& batch, OnRow&& on_row,
                       OnFailed&& on_failed) {
  size_t count = batch.records.size();
  sandbox_->start_work(batch.pool().budget().limit());
  stop_ = false;
  Status status;
  for (size_t from = 0; from < count && status && !stop_;) {
    table_.show(batch, from, count);
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
      if (status = on_row(table_.row()); !status || stop_) break;
    }
    std::string reason = code == SQLITE_ROW || code == SQLITE_DONE ? "" : sandbox_->error_text();
    size_t failed = table_.row();
    sqlite3_reset(statement);
    if (code == SQLITE_DONE || !status || stop_) break;
    if (code == SQLITE_NOMEM) return fail(ErrorKind::kFatal, "out of memory in an expression");
    from = failed;
    do {
      status = on_failed(from++, reason);
    } while (sandbox_->limit_reached() && from < count && status);
  }
  table_.hide();
  return status;
}

}  // namespace leat
