// preSql and postSql against the server: at most once each for a job (job.h).
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

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
  // be called again. Goes on behind what an earlier try, or run, has done.
  void finish(bool also_empty, StepEnd end);

 private:
  // Where the job's row stands, if it has begun: how many of postSql are done.
  using Look = std::function<void(std::optional<size_t> done)>;

  void look(bool make_table, Look then);
  void look_at_row(Look then);
  void finish_empty(bool also_empty, StepEnd end);
  void run_pre_sql(StepEnd end);
  void run_post_sql(size_t number, StepEnd end);
  void run_by_itself(size_t number, StepEnd end);

  const Job& job_;
  Session& session_;
  bool begun_ = false;
};

}  // namespace leat::postgres
