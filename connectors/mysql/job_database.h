// The database as preSql and postSql need it. Of statements that end the transaction they stand in
// (TRUNCATE, ALTER, …) the server says nothing: they are done, and may be done again after a kill.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "connectors/mysql/client.h"
#include "connectors/mysql/table_name.h"
#include "table/job_statements.h"

namespace leat::mysql {

class JobDatabase final : public table::JobDatabase {
 public:
  // Both outlive it; `client` is open when it is used. leat_jobs is in the database of `table`.
  JobDatabase(Client& client, const TableName& table) : client_(client), table_(table) {}

  std::string jobs_table() const override;
  std::string has_jobs_sql() const override;
  std::string create_jobs_sql() const override;
  std::string quoted(std::string_view text) const override { return quoted_text(text); }
  // The server lets go of it when it is at the end of what a session that was killed has asked for.
  Status enter(const std::string& agent, const std::string& pipeline) override;
  void leave() override;
  Status begin() override { return client_.execute("START TRANSACTION"); }
  Status commit() override { return client_.execute("COMMIT"); }
  void roll_back() override;
  Status execute(const std::string& sql) override { return client_.run(sql); }
  Result<std::optional<int64_t>> number(const std::string& sql) override;
  bool must_be_alone(const Error&) const override { return false; }

 private:
  Client& client_;
  const TableName& table_;
  std::string lock_;  // as SQL
};

}  // namespace leat::mysql
