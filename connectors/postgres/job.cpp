#include "connectors/postgres/job.h"

#include "protocols/postgres/wire.h"

namespace leat::postgres {
namespace {

std::string condition(const Job& job) {
  return " WHERE agent = " + quoted_text(job.agent) +
         " AND pipeline = " + quoted_text(job.pipeline);
}

}  // namespace

std::string Job::columns_sql() {
  return "SELECT count(*) FROM pg_catalog.pg_attribute WHERE attrelid ="
         " pg_catalog.to_regclass('leat_jobs') AND attname IN ('agent', 'post_sql_done')";
}

std::string Job::create_sql() {
  return "CREATE TABLE IF NOT EXISTS leat_jobs (agent text NOT NULL, pipeline text NOT NULL,"
         " began timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (agent, pipeline));"
         " ALTER TABLE leat_jobs ADD COLUMN IF NOT EXISTS post_sql_done int NOT NULL DEFAULT 0";
}

std::string Job::begun_sql() const {
  return "SELECT post_sql_done FROM leat_jobs" + condition(*this) + " FOR UPDATE";
}

std::string Job::done_sql(size_t count) const {
  return "UPDATE leat_jobs SET post_sql_done = " + std::to_string(count) + condition(*this);
}

std::string Job::begin_sql() const {
  return "BEGIN; INSERT INTO leat_jobs (agent, pipeline) VALUES (" + quoted_text(agent) + ", " +
         quoted_text(pipeline) + ") ON CONFLICT DO NOTHING RETURNING 1";
}

std::string Job::pre_sql_sql(bool is_first) const {
  std::string sql;
  // A statement of the user's may end in a comment.
  if (is_first)
    for (const std::string& statement : pre_sql) sql += statement + "\n;";
  return sql + "COMMIT";
}

std::string Job::end_sql() const {
  return "DELETE FROM leat_jobs" + condition(*this);
}

}  // namespace leat::postgres
