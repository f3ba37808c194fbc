// preSql and postSql, whatever fails in between: each is done exactly once, and before the first
// record or behind the last.
#include "table/job_statements.h"

#include <gtest/gtest.h>

#include "connectors/sqlite/job_database.h"
#include "sqlite_fixture.h"

namespace leat::testing {
namespace {

// The server goes away at the call with this number: before it is done, or when only its answer
// would still be missing.
class FailingDatabase final : public table::JobDatabase {
 public:
  FailingDatabase(sqlite::Connection& connection, int fail_at, bool done)
      : real_(connection), left_(fail_at), done_(done) {}

  bool has_failed() const { return left_ <= 0; }

  std::string jobs_table() const override { return real_.jobs_table(); }
  std::string has_jobs_sql() const override { return real_.has_jobs_sql(); }
  std::string create_jobs_sql() const override { return real_.create_jobs_sql(); }
  std::string quoted(std::string_view text) const override { return real_.quoted(text); }
  Status enter(const std::string& agent, const std::string& pipeline) override {
    return once([&] { return real_.enter(agent, pipeline); });
  }
  void leave() override { real_.leave(); }
  Status begin() override {
    return once([&] { return real_.begin(); });
  }
  Status commit() override {
    return once([&] { return real_.commit(); });
  }
  void roll_back() override { real_.roll_back(); }
  Status execute(const std::string& sql) override {
    return once([&] { return real_.execute(sql); });
  }
  Result<std::optional<int64_t>> number(const std::string& sql) override {
    if (--left_ == 0) return away();
    return real_.number(sql);
  }
  bool must_be_alone(const Error& error) const override { return real_.must_be_alone(error); }

 private:
  static tl::unexpected<Error> away() { return fail(ErrorKind::kUnavailable, "away"); }
  template <typename Call>
  Status once(Call call) {
    if (--left_ != 0) return call();
    if (done_) (void)call();
    return away();
  }

  sqlite::JobDatabase real_;
  int left_;
  const bool done_;
};

class JobStatementsTest : public ::testing::Test {
 protected:
  static table::JobStatements statements() {
    return {{"DELETE FROM t", "INSERT INTO log VALUES ('pre')"},
            {"INSERT INTO log VALUES ('first')", "INSERT INTO log VALUES ('second')"}};
  }

  // A run that is killed where `database` fails, and another one behind it.
  void run_twice(FailingDatabase& database) {
    for (int run = 0; run < 2; ++run) {
      connection_.close();
      ASSERT_TRUE(connection_.open());
      table::JobRun job(statements(), database, "agent", "p");
      if (row_count() == 0) {  // else it is delivered, and nothing is left to come
        if (!job.begin()) continue;
        ASSERT_TRUE(job.begun());
        execute("INSERT INTO t VALUES (1)");
      }
      if (!job.finish(false)) continue;
      return;
    }
    FAIL() << "the second run has failed, too";
  }

  int64_t row_count() {
    return sqlite::JobDatabase(connection_).number("SELECT count(*) FROM t WHERE id = 1")->value();
  }
  void execute(const std::string& sql) {
    Status done = connection_.execute(sql);
    ASSERT_TRUE(done) << done.error().message();
  }
  void begin_anew() {
    execute(
        "DROP TABLE IF EXISTS t; DROP TABLE IF EXISTS log; DROP TABLE IF EXISTS leat_jobs;"
        "CREATE TABLE t (id INTEGER); CREATE TABLE log (what TEXT); INSERT INTO t VALUES (99)");
  }

  TempDir dir_;
  const std::string path_ = dir_ / "jobs.db";
  sqlite::Connection connection_{{.path = path_}};
};

TEST_F(JobStatementsTest, each_is_done_once_wherever_the_database_goes_away_and_comes_back) {
  ASSERT_TRUE(connection_.open());
  for (const bool done : {false, true}) {
    int steps = 0;
    for (bool failed = true; failed; ++steps) {
      SCOPED_TRACE("call " + std::to_string(steps + 1) + (done ? ", done" : ", not done"));
      begin_anew();
      FailingDatabase database(connection_, steps + 1, done);
      run_twice(database);
      if (HasFatalFailure()) return;
      failed = database.has_failed();
      Database looked(path_);
      using Rows = std::vector<std::string>;
      EXPECT_EQ(looked.query("SELECT what FROM log"), (Rows{"pre", "first", "second"}));
      EXPECT_EQ(looked.query("SELECT * FROM t"), (Rows{"1"}));
      EXPECT_EQ(looked.query("SELECT * FROM leat_jobs"), Rows{});
    }
    EXPECT_GT(steps, 15);
  }
}

TEST_F(JobStatementsTest, what_no_transaction_can_hold_runs_by_itself) {
  ASSERT_TRUE(connection_.open());
  begin_anew();
  sqlite::JobDatabase database(connection_);
  table::JobRun job(
      {{}, {"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)", "INSERT INTO log VALUES ('behind')"}},
      database, "agent", "p");
  ASSERT_TRUE(job.begin());
  Status finished = job.finish(false);
  ASSERT_TRUE(finished) << finished.error().message();
  EXPECT_EQ(Database(path_).query("SELECT what FROM log"), std::vector<std::string>{"behind"});
}

}  // namespace
}  // namespace leat::testing
