#include "connectors/mysql/job_database.h"

#include <cstdlib>

namespace leat::mysql {

std::string JobDatabase::jobs_table() const {
  return TableName{table_.database, "leat_jobs"}.sql();
}

std::string JobDatabase::has_jobs_sql() const {
  return "SELECT count(*) FROM information_schema.tables WHERE table_schema = " +
         table_.database_sql() + " AND table_name = 'leat_jobs'";
}

std::string JobDatabase::create_jobs_sql() const {
  const std::string name = " VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, ";
  return "CREATE TABLE IF NOT EXISTS " + jobs_table() + " (agent" + name + "pipeline" + name +
         "began TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,"
         " post_sql_done INT NOT NULL DEFAULT 0, PRIMARY KEY (agent, pipeline)) ENGINE = InnoDB";
}

Status JobDatabase::enter(const std::string& agent, const std::string& pipeline) {
  // A name of at most 64 characters (MySQL manual, "Locking Functions").
  lock_ = "CONCAT('leat ', MD5(" + quoted_text(agent + "\n" + pipeline) + "))";
  constexpr const char* kSeconds = "10";
  Result<std::optional<int64_t>> taken = number("SELECT GET_LOCK(" + lock_ + ", " + kSeconds + ")");
  if (!taken) return fail(taken.error());
  if (taken->value_or(0) == 1) return {};
  return fail(ErrorKind::kUnavailable,
              "another session of this job still runs a statement of preSql or postSql");
}

void JobDatabase::leave() {
  if (client_.is_open()) (void)number("SELECT RELEASE_LOCK(" + lock_ + ")");
}

void JobDatabase::roll_back() {
  if (client_.is_open()) (void)client_.execute("ROLLBACK");
}

Result<std::optional<int64_t>> JobDatabase::number(const std::string& sql) {
  auto rows = client_.rows_of(sql);
  if (!rows) return fail(rows.error());
  if (rows->empty() || !rows->front()[0]) return std::nullopt;
  return std::strtoll(rows->front()[0]->c_str(), nullptr, 10);
}

}  // namespace leat::mysql
