// The database as preSql and postSql need it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "client.h"
#include "table/job_statements.h"

namespace leat::sqlite {

class JobDatabase final : public table::JobDatabase {
 public:
  // `connection` outlives it, and is open when it is used.
  explicit JobDatabase(Connection& connection) : connection_(connection) {}

  std::string jobs_table() const override { return "leat_jobs"; }
  std::string has_jobs_sql() const override;
  std::string create_jobs_sql() const override;
  std::string quoted(std::string_view text) const override;
  // A transaction locks out everybody else by itself.
  Status enter(const std::string&, const std::string&) override { return {}; }
  void leave() override {}
  Status begin() override { return connection_.begin(); }
  Status commit() override;
  void roll_back() override;
  Status execute(const std::string& sql) override { return connection_.execute(sql); }
  Result<std::optional<int64_t>> number(const std::string& sql) override;
  bool must_be_alone(const Error& error) const override;

 private:
  Connection& connection_;
};

}  // namespace leat::sqlite
