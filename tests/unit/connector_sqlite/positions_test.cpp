// exactlyOnce: the position is stored in the transaction of the records it stands for.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "failing_disk.h"
#include "sqlite_fixture.h"

namespace leat::testing {
namespace {

Row row(int64_t id) {
  return {{"id", Value::of_integer(id)}};
}

class SqlitePositions : public SqliteSinkTest {
 protected:
  // "partition=value …" in the order of partitions, as the sink gives them on start.
  std::string loaded() {
    if (!harness_) open();
    Result<std::vector<SavedPosition>> positions = harness_->load_positions();
    if (!positions) return positions.error().message();
    std::sort(positions->begin(), positions->end(),
              [](const auto& a, const auto& b) { return a.partition < b.partition; });
    std::string out;
    for (const SavedPosition& position : *positions)
      out += (out.empty() ? "" : " ") + position.partition + "=" + position.value;
    return out;
  }

  // Delivers in another process that is killed when SQLite is about to commit.
  void deliver_and_die_before_commit(int64_t id, const std::string& position) {
    harness_.reset();
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      sqlite3_auto_extension(reinterpret_cast<void (*)()>(die_on_commit));
      (void)deliver({row(id)}, {{"a", position}});
      _exit(1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "the child ended before the commit: " << status;
  }

 private:
  static int die_on_commit(sqlite3* db, char** /*error*/, const void* /*api*/) {
    sqlite3_commit_hook(
        db, [](void*) { return kill(getpid(), SIGKILL); }, nullptr);
    return SQLITE_OK;
  }
};

TEST_F(SqlitePositions, new_database_has_none) {
  EXPECT_EQ(loaded(), "");
}

TEST_F(SqlitePositions, are_stored_with_the_records_and_replaced_by_the_next) {
  expect_delivered({row(1)}, {{"a", "10"}, {"b", "5"}});
  expect_delivered({row(2)}, {{"a", "20"}});
  close();
  EXPECT_EQ(loaded(), "a=20 b=5");
  EXPECT_EQ(query("SELECT * FROM t"), (Rows{"1", "2"}));
}

TEST_F(SqlitePositions, move_without_any_record) {
  expect_delivered({}, {{"a", "10"}});
  EXPECT_EQ(loaded(), "a=10");
  EXPECT_EQ(query("SELECT count(*) FROM sqlite_schema WHERE name = 't'"), Rows{"0"});
}

TEST_F(SqlitePositions, of_another_pipeline_are_left_alone) {
  expect_delivered({row(1)}, {{"a", "10"}});
  execute("INSERT INTO leat_positions VALUES ('gw-1', 'line-2', 'a', '99')");
  expect_delivered({row(2)}, {{"a", "20"}});
  EXPECT_EQ(loaded(), "a=20");
  EXPECT_EQ(query("SELECT value FROM leat_positions WHERE pipeline = 'line-2'"), Rows{"99"});
}

TEST_F(SqlitePositions, of_the_same_pipeline_of_another_agent_are_left_alone) {
  expect_delivered({row(1)}, {{"a", "10"}});
  const std::string pipeline = query("SELECT DISTINCT pipeline FROM leat_positions").at(0);
  EXPECT_EQ(query("SELECT DISTINCT agent FROM leat_positions"), Rows{"gw-1"});
  execute("INSERT INTO leat_positions VALUES ('gw-2', '" + pipeline + "', 'a', '99')");
  close();
  EXPECT_EQ(loaded(), "a=10");
  expect_delivered({row(2)}, {{"a", "20"}});
  EXPECT_EQ(query("SELECT value FROM leat_positions WHERE agent = 'gw-2'"), Rows{"99"});
}

// As it was made before it had agents.
class SqliteOldPositions : public SqlitePositions {
 protected:
  SqliteOldPositions() {
    execute(
        "CREATE TABLE leat_positions (pipeline TEXT NOT NULL, \"partition\" TEXT NOT NULL, value "
        "TEXT NOT NULL, PRIMARY KEY (pipeline, \"partition\")); CREATE TABLE t (id INTEGER);"
        "INSERT INTO leat_positions VALUES ('" +
        pipeline_ + "', 'a', '10'), ('" + pipeline_ + "', 'b', '5'), ('" + pipeline_ +
        "', '', '77/3'), ('line-2', 'a', '99')");
  }
  const std::string pipeline_ = "line-1";
};

TEST_F(SqliteOldPositions, are_gone_on_from_and_nothing_is_changed_by_reading_them) {
  EXPECT_EQ(loaded(), "a=10 b=5");
  close();
  EXPECT_EQ(query("SELECT count(*) FROM pragma_table_info('leat_positions')"), Rows{"3"});
}

TEST_F(SqliteOldPositions, become_those_of_the_agent_that_goes_on_from_them) {
  EXPECT_EQ(loaded(), "a=10 b=5");
  expect_delivered({row(1)}, {{"a", "20"}});
  close();
  EXPECT_EQ(loaded(), "a=20 b=5");
  EXPECT_EQ(query("SELECT agent, pipeline, \"partition\", value FROM leat_positions WHERE "
                  "\"partition\" <> '' ORDER BY agent, \"partition\""),
            (Rows{"|line-2|a|99", "gw-1|" + pipeline_ + "|a|20", "gw-1|" + pipeline_ + "|b|5"}))
      << "those of another pipeline wait for their agent";
  EXPECT_EQ(query("SELECT name FROM sqlite_schema WHERE name LIKE '%old%'"), Rows{});
}

TEST_F(SqliteOldPositions, are_there_as_before_after_a_kill_in_the_middle) {
  deliver_and_die_before_commit(1, "20");
  EXPECT_EQ(loaded(), "a=10 b=5");
  expect_delivered({row(1)}, {{"a", "20"}});
  EXPECT_EQ(loaded(), "a=20 b=5");
}

TEST_F(SqliteOldPositions, are_changed_again_when_the_first_delivery_was_rejected) {
  execute("DROP TABLE t; CREATE TABLE t (id INTEGER CHECK (id < 10))");
  EXPECT_EQ(deliver({row(11)}, {{"a", "20"}}).outcome, Outcome::kRejected);
  EXPECT_EQ(loaded(), "a=10 b=5");
  expect_delivered({row(1)}, {{"a", "20"}});
  EXPECT_EQ(loaded(), "a=20 b=5");
}

TEST_F(SqliteOldPositions, are_changed_once_when_the_commit_failed_after_it_was_written) {
  FailingDisk disk;
  EXPECT_EQ(loaded(), "a=10 b=5");
  FailingDisk::syncs_to_fail = 2;
  Answer answer = deliver({row(1)}, {{"a", "20"}});
  for (int tries = 0; tries < 20 && answer.outcome == Outcome::kRetry; ++tries)
    answer = deliver({row(1)}, {{"a", "20"}});
  EXPECT_EQ(answer.outcome, Outcome::kDelivered) << answer.reason;
  EXPECT_EQ(loaded(), "a=20 b=5");
  EXPECT_EQ(query("SELECT * FROM t"), Rows{"1"});
}

TEST_F(SqlitePositions, rejected_delivery_moves_nothing) {
  execute("CREATE TABLE t (id INTEGER CHECK (id < 10))");
  expect_delivered({row(1)}, {{"a", "10"}});
  EXPECT_EQ(deliver({row(2), row(11)}, {{"a", "20"}}).outcome, Outcome::kRejected);
  EXPECT_EQ(loaded(), "a=10");
  EXPECT_EQ(query("SELECT * FROM t"), Rows{"1"});
}

TEST_F(SqlitePositions, killed_between_insert_and_commit_neither_record_nor_position_is_there) {
  for (const char* mode : {"wal", "delete"}) {
    SCOPED_TRACE(mode);
    harness_.reset();
    unlink(path_.c_str());
    execute(std::string("PRAGMA journal_mode=") + mode + "; CREATE TABLE t (id INTEGER)");
    expect_delivered({row(1)}, {{"a", "10"}});
    deliver_and_die_before_commit(2, "20");
    EXPECT_EQ(loaded(), "a=10");
    EXPECT_EQ(query("SELECT * FROM t"), Rows{"1"});
    // The engine resumes at 10 and delivers record 2 again.
    expect_delivered({row(2)}, {{"a", "20"}});
    EXPECT_EQ(loaded(), "a=20");
    EXPECT_EQ(query("SELECT * FROM t"), (Rows{"1", "2"}));
  }
}

TEST_F(SqlitePositions, killed_while_it_creates_the_table_nothing_is_there) {
  deliver_and_die_before_commit(1, "10");
  EXPECT_EQ(loaded(), "");
  EXPECT_EQ(query("SELECT count(*) FROM sqlite_schema"), Rows{"0"});
  expect_delivered({row(1)}, {{"a", "10"}});
  EXPECT_EQ(query("SELECT * FROM t"), Rows{"1"});
}

TEST_F(SqlitePositions, dropped_sink_leaves_what_was_delivered) {
  expect_delivered({row(1)}, {{"a", "10"}});
  harness_->kill();
  harness_.reset();
  EXPECT_EQ(loaded(), "a=10");
  EXPECT_EQ(query("SELECT * FROM t"), Rows{"1"});
}

// The frames of the transaction are in the log, and the next one to open the database finds them.
TEST_F(SqlitePositions, commit_whose_fsync_failed_is_not_repeated) {
  FailingDisk disk;
  expect_delivered({row(1)}, {{"a", "10"}});
  for (int failures : {1, 2, 3, 6}) {
    SCOPED_TRACE(failures);
    FailingDisk::syncs_to_fail = failures;
    std::string position = std::to_string(10 * failures);
    // What a source says of one place may change: its file was renamed between the attempts.
    Answer answer = deliver({row(failures)}, {{"a", position + " in app.log"}});
    EXPECT_EQ(answer.outcome, Outcome::kRetry) << answer.reason;
    for (int tries = 0; tries < 20 && answer.outcome == Outcome::kRetry; ++tries)
      answer = deliver({row(failures)}, {{"a", position + " in app.log.1"}});
    EXPECT_EQ(answer.outcome, Outcome::kDelivered) << answer.reason;
    EXPECT_EQ(FailingDisk::syncs_to_fail, 0);
  }
  EXPECT_TRUE(loaded().starts_with("a=60 in app.log")) << loaded();
  EXPECT_EQ(query("SELECT * FROM t"), (Rows{"1", "1", "2", "3", "6"}));
}

TEST_F(SqlitePositions, commit_that_could_not_be_written_is_tried_again) {
  FailingDisk disk;
  expect_delivered({row(1)}, {{"a", "10"}});
  FailingDisk::writes_to_fail = 1;
  EXPECT_EQ(deliver({row(2)}, {{"a", "20"}}).outcome, Outcome::kRetry);
  EXPECT_EQ(loaded(), "a=10");
  expect_delivered({row(2)}, {{"a", "20"}});
  EXPECT_EQ(loaded(), "a=20");
  EXPECT_EQ(query("SELECT * FROM t"), (Rows{"1", "2"}));
}

// Frames that never reached the disk would end the log at a power cut, and hide those behind them.
TEST_F(SqlitePositions, nothing_is_confirmed_behind_frames_whose_fsync_failed) {
  FailingDisk disk;
  options_.set("busyTimeout", int64_t{0});
  expect_delivered({row(1)});
  Database reader(path_);
  reader.execute("BEGIN");
  EXPECT_EQ(reader.query("SELECT * FROM t"), Rows{"1"});
  FailingDisk::syncs_to_fail = 1;
  EXPECT_EQ(deliver({row(2)}).outcome, Outcome::kRetry);
  Answer answer = deliver({row(2)});
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_NE(answer.reason.find("the write-ahead log must begin anew"), std::string::npos)
      << answer.reason;
  reader.execute("COMMIT");
  expect_delivered({row(2)});
}

TEST_F(SqlitePositions, loading_from_a_missing_folder_may_be_tried_again) {
  options_.set("path", dir_ / "later/out.db");
  open();
  Result<std::vector<SavedPosition>> positions = harness_->load_positions();
  ASSERT_FALSE(positions);
  EXPECT_EQ(positions.error().kind(), ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace leat::testing
