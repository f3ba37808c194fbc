// preSql and postSql against the server: at most once each for a job (job.h).
#pragma once

#include "connectors/postgres/job.h"
#include "connectors/postgres/session.h"
#include "connectors/postgres/step.h"

namespace leat::postgres {

class JobRun {
 public:
  // Both outlive this.
  JobRun(const Job& job, Session& session) : job_(job), session_(session) {}

  // Nothing is left to be done before the first record.
  bool begun() const { return begun_ || !job_.any(); }
  void begin(StepEnd end);
  // postSql, if the job has begun; else nothing, or with `also_empty` preSql, after which it is to
  // be called again. Goes on behind what an earlier try has done.
  void finish(bool also_empty, StepEnd end);

 private:
  void finish_empty(bool also_empty, StepEnd end);
  void run_pre_sql(StepEnd end);
  void run_post_sql(StepEnd end);

  const Job& job_;
  Session& session_;
  bool begun_ = false;
  size_t post_sql_done_ = 0;
};

}  // namespace leat::postgres
