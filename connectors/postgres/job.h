// preSql and postSql: what is to be done once before a job's first row, and once after its last.
//
// A job is what one run of a bounded pipeline delivers, also when it is killed and goes on later.
// So a row in leat_jobs, written in the transaction of preSql, says that the job has begun: a
// restart in the middle must not TRUNCATE what is there already. It counts the statements of
// postSql, each in its own transaction: none runs twice but those that no transaction can hold.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace leat::postgres {

struct Job {
  std::string agent;
  std::string pipeline;
  std::vector<std::string> pre_sql;
  std::vector<std::string> post_sql;

  bool any() const { return !pre_sql.empty() || !post_sql.empty(); }
  static std::string columns_sql();  // of leat_jobs, one row: "0" when there is no such table
  static std::string create_sql();   // or what an older leat has made gets what it lacks
  std::string begun_sql() const;     // one row when it has begun: how many of postSql are done
  // A transaction in two parts. Several sessions may come with it at the same time: who has a row
  // from the first part is the first of them, and all others wait there for its end.
  std::string begin_sql() const;
  std::string pre_sql_sql(bool is_first) const;
  std::string done_sql(size_t count) const;
  std::string end_sql() const;
};

}  // namespace leat::postgres
