// preSql and postSql of sinks whose database client blocks: what is to be done once before a job's
// first row, and once after its last.
//
// A job is what one run of a bounded pipeline delivers, also when it is killed and goes on later.
// So a row in leat_jobs, in the database itself, says that the job has begun: a restart in the
// middle must not empty what is there already. It counts the statements of postSql.
//
// Thread: one at a time (the sink's job thread).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "options/options.h"

namespace leat::table {

struct JobStatements {
  std::vector<std::string> pre;
  std::vector<std::string> post;

  static JobStatements from(const Options& options);  // of preSql and postSql
  bool any() const { return !pre.empty() || !post.empty(); }
};

inline constexpr Option kPreSqlOption{
    .name = "preSql",
    .type = OptionType::kStrings,
    .help = "Statements to run once before the first record of a job, in one transaction."};
inline constexpr Option kPostSqlOption{
    .name = "postSql",
    .type = OptionType::kStrings,
    .help =
        "Statements to run once after the last record of a job, when the source ends by itself; "
        "each in a transaction of its own."};

inline constexpr std::string_view kEmptyJob =
    "there was no record at all: preSql and postSql run for an empty job";  // logged: info

// The database, as far as it is needed here. Errors: kUnavailable where trying again may help.
class JobDatabase {
 public:
  virtual ~JobDatabase() = default;

  // leat_jobs as SQL, whether there is such a table (one row, 0 or more), and what makes it: with
  // the columns agent, pipeline, and post_sql_done, a number.
  virtual std::string jobs_table() const = 0;
  virtual std::string has_jobs_sql() const = 0;
  virtual std::string create_jobs_sql() const = 0;
  virtual std::string quoted(std::string_view text) const = 0;

  // Between the two nobody else does a part of the same job.
  virtual Status enter(const std::string& agent, const std::string& pipeline) = 0;
  virtual void leave() = 0;

  virtual Status begin() = 0;
  virtual Status commit() = 0;
  virtual void roll_back() = 0;
  virtual Status execute(const std::string& sql) = 0;
  // Of the first row; nothing where there is none.
  virtual Result<std::optional<int64_t>> number(const std::string& sql) = 0;
  // What execute() said of a statement that no transaction can hold.
  virtual bool must_be_alone(const Error& error) const = 0;
};

class JobRun {
 public:
  // `database` outlives it.
  JobRun(JobStatements statements, JobDatabase& database, std::string agent, std::string pipeline);

  // Nothing is left to be done before the first record.
  bool begun() const { return begun_ || !statements_.any(); }
  // Not within a transaction. Errors are kUnavailable or kFatal.
  Status begin();
  // postSql, if the job has begun; else nothing, or with `also_empty` preSql before it. Goes on
  // behind what an earlier try, or run, has done.
  Status finish(bool also_empty);

 private:
  Status begin_alone();
  Status finish_alone(bool also_empty);
  Status do_and_count(const std::string& statement, size_t done);
  Result<std::optional<int64_t>> done() const;
  std::string condition() const;
  std::string count_sql(size_t done) const;

  const JobStatements statements_;
  JobDatabase& database_;
  const std::string agent_;
  const std::string pipeline_;
  bool begun_ = false;
};

}  // namespace leat::table
