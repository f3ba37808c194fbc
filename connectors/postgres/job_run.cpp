#include "connectors/postgres/job_run.h"

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

void JobRun::finish(StepEnd end) {
  session_.ask("leat_jobs", Job::exists_sql(), [this, end](const Reply& there) {
    if (!there.says_true()) return end(Answer::delivered());
    session_.ask("leat_jobs", job_.begun_sql(), [this, end](const Reply& begun) {
      if (begun.rows.empty()) return end(Answer::delivered());
      run_post_sql(end);
    });
  });
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
