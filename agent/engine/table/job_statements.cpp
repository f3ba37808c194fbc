#include "table/job_statements.h"

#include <utility>

#include "base/log.h"

namespace leat::table {
namespace {

// Whatever is wrong with a statement of the user's is not a record's fault.
Status failure_of(std::string_view option, const Error& error) {
  const bool may_pass = error.kind() == ErrorKind::kUnavailable;
  return fail(may_pass ? ErrorKind::kUnavailable : ErrorKind::kFatal,
              std::string(option) + ": " + error.message());
}

}  // namespace

JobStatements JobStatements::from(const Options& options) {
  return {options.strings("preSql"), options.strings("postSql")};
}

JobRun::JobRun(JobStatements statements, JobDatabase& database, std::string agent,
               std::string pipeline)
    : statements_(std::move(statements)),
      database_(database),
      agent_(std::move(agent)),
      pipeline_(std::move(pipeline)) {}

std::string JobRun::condition() const {
  return " WHERE agent = " + database_.quoted(agent_) +
         " AND pipeline = " + database_.quoted(pipeline_);
}

std::string JobRun::count_sql(size_t done) const {
  return "UPDATE " + database_.jobs_table() + " SET post_sql_done = " + std::to_string(done) +
         condition();
}

Result<std::optional<int64_t>> JobRun::done() const {
  return database_.number("SELECT post_sql_done FROM " + database_.jobs_table() + condition());
}

Status JobRun::begin() {
  if (Status entered = database_.enter(agent_, pipeline_); !entered) return entered;
  Status begun = database_.execute(database_.create_jobs_sql());
  begun = begun ? begin_alone() : failure_of("leat_jobs", begun.error());
  database_.leave();
  return begun;
}

// Records that come behind a part of postSql, after a kill, have all of it run behind them.
Status JobRun::begin_alone() {
  if (Status begun = database_.begin(); !begun) return begun;
  std::string_view at = "leat_jobs";
  Status written = [&]() -> Status {
    Result<std::optional<int64_t>> known = done();
    if (!known) return fail(known.error());
    if (*known) return database_.execute(count_sql(0));
    at = "preSql";
    for (const std::string& statement : statements_.pre)
      if (Status ran = database_.execute(statement); !ran) return ran;
    return database_.execute("INSERT INTO " + database_.jobs_table() +
                             " (agent, pipeline) VALUES (" + database_.quoted(agent_) + ", " +
                             database_.quoted(pipeline_) + ")");
  }();
  if (written) written = database_.commit();
  begun_ = written.has_value();
  if (begun_) return {};
  database_.roll_back();
  return failure_of(at, written.error());
}

Status JobRun::finish(bool also_empty) {
  if (!statements_.any()) return {};
  if (Status entered = database_.enter(agent_, pipeline_); !entered) return entered;
  Status finished = finish_alone(also_empty);
  database_.leave();
  return finished;
}

Status JobRun::finish_alone(bool also_empty) {
  Result<std::optional<int64_t>> known = database_.number(database_.has_jobs_sql());
  const bool has_table = known && known->value_or(0) > 0;
  if (has_table) known = done();
  if (!known) return failure_of("leat_jobs", known.error());
  size_t count = 0;
  if (has_table && *known) {
    count = static_cast<size_t>(**known);
  } else {
    // The row is gone, and the answer was lost; or a run that goes on behind an earlier one found
    // nothing, and must not empty what that has brought.
    if (begun_ || !also_empty) return {};
    // A copy of an empty table is empty.
    log::info(pipeline_, std::string(kEmptyJob));  // words elsewhere
    Status begun = database_.execute(database_.create_jobs_sql());
    begun = begun ? begin_alone() : failure_of("leat_jobs", begun.error());
    if (!begun) return begun;
  }
  begun_ = true;
  for (; count < statements_.post.size(); ++count)
    if (Status ran = do_and_count(statements_.post[count], count + 1); !ran)
      return failure_of("postSql", ran.error());
  if (Status ended = database_.execute("DELETE FROM " + database_.jobs_table() + condition());
      !ended)
    return failure_of("leat_jobs", ended.error());
  return {};
}

// In one transaction where the database can hold the statement in one; else the count comes behind
// it, since done twice is better than not at all.
Status JobRun::do_and_count(const std::string& statement, size_t done) {
  if (Status begun = database_.begin(); !begun) return begun;
  Status ran = database_.execute(statement);
  const bool alone = !ran && database_.must_be_alone(ran.error());
  if (alone) {
    database_.roll_back();
    ran = database_.execute(statement);
  }
  if (ran) ran = database_.execute(count_sql(done));
  if (ran && !alone) ran = database_.commit();
  if (!ran && !alone) database_.roll_back();
  return ran;
}

}  // namespace leat::table
