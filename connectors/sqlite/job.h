// preSql and postSql of the sink, where the build has them (LEAT_SQLITE_JOBS).
#pragma once

#include <string>
#include <utility>

#include "client.h"
#include "table/job_statements.h"

#ifdef LEAT_SQLITE_JOBS
#include "job_database.h"
#endif

namespace leat::sqlite {

#ifdef LEAT_SQLITE_JOBS
inline constexpr bool kHasJobs = true;

// As table::JobRun.
class Job {
 public:
  Job(Connection& connection, table::JobStatements statements, std::string agent,
      const std::string& pipeline)
      : database_(connection), run_(std::move(statements), database_, std::move(agent), pipeline) {}
  bool begun() const { return run_.begun(); }
  Status begin() { return run_.begin(); }
  Status finish(bool also_empty) { return run_.finish(also_empty); }

 private:
  JobDatabase database_;
  table::JobRun run_;
};
#else
inline constexpr bool kHasJobs = false;

class Job {
 public:
  Job(Connection& /*connection*/, const table::JobStatements& /*statements*/,
      const std::string& /*agent*/, const std::string& /*pipeline*/) {}
  static constexpr bool begun() { return true; }
  static Status begin() { return {}; }
  static Status finish(bool /*also_empty*/) { return {}; }
};
#endif

}  // namespace leat::sqlite
