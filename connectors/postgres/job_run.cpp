#include "connectors/postgres/job_run.h"

#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "table/job_statements.h"

namespace leat::postgres {

void JobRun::look(bool make_table, Look then) {
  session_.ask("leat_jobs", Job::columns_sql(), [this, make_table, then](const Reply& columns) {
    const std::string known =
        columns.rows.empty() || columns.rows[0].empty() ? "" : columns.rows[0][0].value_or("");
    if (known == "2") return look_at_row(then);
    if (known == "0" && !make_table) return then(std::nullopt);
    session_.create("creating the table leat_jobs", Job::create_sql(),
                    [this, then] { look_at_row(then); });
  });
}

void JobRun::look_at_row(Look then) {
  session_.ask("leat_jobs", job_.begun_sql(), [then](const Reply& begun) {
    if (begun.rows.empty() || begun.rows[0].empty()) return then(std::nullopt);
    then(std::strtoul(begun.rows[0][0].value_or("").c_str(), nullptr, 10));
  });
}

// Records that come behind a part of postSql, after a kill, have all of it run behind them.
void JobRun::begin(StepEnd end) {
  look(true, [this, end](std::optional<size_t> done) {
    if (!done) return run_pre_sql(end);
    begun_ = true;
    if (*done == 0) return end({});
    session_.ask("leat_jobs", job_.done_sql(0), [end](const Reply&) { end({}); });
  });
}

// The sessions of a job may come here together: all but one wait at the row, until that one's
// preSql is committed, or has failed.
void JobRun::run_pre_sql(StepEnd end) {
  session_.ask("preSql", job_.begin_sql(), [this, end](const Reply& reply) {
    const bool is_first = !reply.rows.empty();
    session_.ask("preSql", job_.pre_sql_sql(is_first), [this, end](const Reply& done) {
      if (done.in_transaction || done.tags.empty() || done.tags.back() != "COMMIT")
        return end(Answer::failed("preSql must not begin or end transactions"));
      begun_ = true;
      end({});
    });
  });
}

void JobRun::finish(bool also_empty, StepEnd end) {
  look(false, [this, also_empty, end](std::optional<size_t> done) {
    if (done) {
      begun_ = true;  // by another lane, perhaps
      return run_post_sql(*done, end);
    }
    // The row is gone, and the answer was lost.
    if (begun_) return end(Answer::delivered());
    finish_empty(also_empty, end);
  });
}

// A copy of an empty table is empty. But a run that goes on behind an earlier one, and finds
// nothing, must not TRUNCATE what that has brought.
void JobRun::finish_empty(bool also_empty, StepEnd end) {
  if (!also_empty) return end(Answer::delivered());
  log::info(job_.pipeline, std::string(table::kEmptyJob));  // words elsewhere
  begin(std::move(end));
}

// Count and statement are one transaction, as the server takes several statements that come
// together. The count first: whoever goes on after a kill waits at the row for what the server
// still has in hand, and then sees what has become of it.
void JobRun::run_post_sql(size_t number, StepEnd end) {
  if (number >= job_.post_sql.size())
    return session_.ask("leat_jobs", job_.end_sql(),
                        [end](const Reply&) { end(Answer::delivered()); });
  session_.ask(
      "postSql", job_.done_sql(number + 1) + ";" + job_.post_sql[number],
      [this, number, end](const Reply& reply) {
        if (reply.in_transaction)
          return end(Answer::failed("postSql must not leave a transaction open"));
        run_post_sql(number + 1, end);
      },
      [this, number, end](const ServerError& error) {
        // VACUUM and its like; a procedure that commits.
        const bool must_be_alone = error.sqlstate == "25001" || error.sqlstate == "2D000";
        if (must_be_alone) run_by_itself(number, end);
        return must_be_alone;
      });
}

void JobRun::run_by_itself(size_t number, StepEnd end) {
  session_.ask("postSql", job_.post_sql[number], [this, number, end](const Reply& reply) {
    if (reply.in_transaction)
      return end(Answer::failed("postSql must not leave a transaction open"));
    session_.ask("leat_jobs", job_.done_sql(number + 1),
                 [this, number, end](const Reply&) { run_post_sql(number + 1, end); });
  });
}

}  // namespace leat::postgres
