#include "job_database.h"

#include "literals.h"

namespace leat::sqlite {

std::string JobDatabase::has_jobs_sql() const {
  return "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'leat_jobs'";
}

std::string JobDatabase::create_jobs_sql() const {
  return "CREATE TABLE IF NOT EXISTS leat_jobs (agent TEXT NOT NULL, pipeline TEXT NOT NULL,"
         " began TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,"
         " post_sql_done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (agent, pipeline))";
}

std::string JobDatabase::quoted(std::string_view text) const {
  return quoted_text(text);
}

Status JobDatabase::commit() {
  if (!connection_.in_transaction())
    return fail(ErrorKind::kUsage, "the statements must not end the transaction that they run in");
  return connection_.commit();
}

void JobDatabase::roll_back() {
  if (connection_.in_transaction()) (void)connection_.execute("ROLLBACK");
}

Result<std::optional<int64_t>> JobDatabase::number(const std::string& sql) {
  Result<Statement> query = connection_.prepare(sql);
  if (!query) return fail(query.error());
  Result<bool> row = connection_.next_row(query->get());
  if (!row) return fail(row.error());
  if (!*row) return std::nullopt;
  return sqlite3_column_int64(query->get(), 0);
}

// "cannot VACUUM from within a transaction"; ATTACH and DETACH say "within transaction", a
// checkpoint "database table is locked" (another process would be "database is locked"). There is
// no code for it.
bool JobDatabase::must_be_alone(const Error& error) const {
  const auto says = [&error](std::string_view words) {
    return error.message().find(words) != std::string::npos;
  };
  return says("from within a transaction") || says("within transaction") ||
         says("database table is locked");
}

}  // namespace leat::sqlite
