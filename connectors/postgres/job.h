// preSql and postSql: what is to be done once before a job's first row, and once after its last.
//
// A job is what one run of a bounded pipeline delivers, also when it is killed and goes on later.
// So a row in leat_jobs, written in the transaction of preSql, says that the job has begun: a
// restart in the middle must not TRUNCATE what is there already.
#pragma once

#include <string>
#include <vector>

namespace leat::postgres {

struct Job {
  std::string agent;
  std::string pipeline;
  std::vector<std::string> pre_sql;
  std::vector<std::string> post_sql;

  bool any() const { return !pre_sql.empty() || !post_sql.empty(); }
  static std::string exists_sql();
  static std::string create_sql();
  std::string begun_sql() const;  // one row when it has begun
  std::string begin_sql() const;  // a whole transaction
  std::string end_sql() const;
};

}  // namespace leat::postgres
