#include "connectors/postgres/job_run.h"

#include <utility>

#include "base/log.h"

namespace leat::postgres {

void JobRun::begin(StepEnd end) {
  session_.ask("leat_jobs", Job::exists_sql(), [this, end](const Reply& there) {
    if (!there.says_true())
      return session_.create("creating the table leat_jobs", Job::create_sql(),
                             [this, end] { run_pre_sql(end); });
    session_.ask("leat_jobs", job_.begun_sql(), [this, end](const Reply& begun) {
      if (begun.rows.empty()) return run_pre_sql(end);
      begun_ = true;
      end({});
    });
  });
}

void JobRun::run_pre_sql(StepEnd end) {
  session_.ask("preSql", job_.begin_sql(), [this, end](const Reply& reply) {
    if (reply.in_transaction || reply.tags.empty() || reply.tags.back() != "COMMIT")
      return end(Answer::failed("preSql must not begin or end transactions"));
    begun_ = true;
    end({});
  });
}

void JobRun::finish(bool also_empty, StepEnd end) {
  session_.ask("leat_jobs", Job::exists_sql(), [this, also_empty, end](const Reply& there) {
    if (!there.says_true()) return finish_empty(also_empty, end);
    session_.ask("leat_jobs", job_.begun_sql(), [this, also_empty, end](const Reply& begun) {
      if (begun.rows.empty()) return finish_empty(also_empty, end);
      run_post_sql(end);
    });
  });
}

// A copy of an empty table is empty. But a run that goes on behind an earlier one, and finds
// nothing, must not TRUNCATE what that has brought.
void JobRun::finish_empty(bool also_empty, StepEnd end) {
  if (!also_empty) return end(Answer::delivered());
  log::info(job_.pipeline, "there was no record at all: preSql and postSql run for an empty job");
  begin(std::move(end));
}

// Each by itself: some statements (VACUUM) do not run in a transaction.
void JobRun::run_post_sql(StepEnd end) {
  if (post_sql_done_ == job_.post_sql.size())
    return session_.ask("leat_jobs", job_.end_sql(),
                        [end](const Reply&) { end(Answer::delivered()); });
  session_.ask("postSql", job_.post_sql[post_sql_done_], [this, end](const Reply& reply) {
    if (reply.in_transaction)
      return end(Answer::failed("postSql must not leave a transaction open"));
    ++post_sql_done_;
    run_post_sql(end);
  });
}

}  // namespace leat::postgres
