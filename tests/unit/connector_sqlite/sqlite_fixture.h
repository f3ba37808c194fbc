// A sqlite sink on a database in a temporary folder, and a second connection to look into it.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <string>
#include <vector>

#include "support/sink_harness.h"
#include "support/temp_dir.h"

namespace leat {

extern const SinkType kSqliteSink;

namespace testing {

// Another program that uses the database.
class Database {
 public:
  explicit Database(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &db_), SQLITE_OK);
    sqlite3_busy_timeout(db_, 10'000);
  }
  ~Database() { sqlite3_close(db_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const std::string& sql) {
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK)
        << sql << ": " << (message == nullptr ? "" : message);
    sqlite3_free(message);
  }

  // Each row as its values joined by '|', as the sqlite3 shell prints them; null is "NULL".
  std::vector<std::string> query(const std::string& sql) {
    std::vector<std::string> rows;
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sql << ": " << sqlite3_errmsg(db_);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      std::string row;
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        auto* value = static_cast<const char*>(sqlite3_column_blob(statement, i));
        if (i > 0) row += '|';
        if (sqlite3_column_type(statement, i) == SQLITE_NULL) {
          row += "NULL";
          continue;
        }
        value = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
        row.append(value, static_cast<size_t>(sqlite3_column_bytes(statement, i)));
      }
      rows.push_back(row);
    }
    sqlite3_finalize(statement);
    return rows;
  }

 private:
  sqlite3* db_ = nullptr;
};

class SqliteSinkTest : public ::testing::Test {
 protected:
  using Rows = std::vector<std::string>;

  SqliteSinkTest() : options_(kSqliteSink.options, "pipelines[0].sink") {
    options_.set("path", path_);
    options_.set("table", std::string("t"));
  }

  void open() {
    harness_ = std::make_unique<SinkHarness>();
    Status opened = harness_->start(kSqliteSink, options_);
    ASSERT_TRUE(opened) << opened.error().message();
  }
  Answer deliver(const std::vector<Row>& rows, std::vector<SavedPosition> positions = {}) {
    if (!harness_) open();
    Delivery delivery = harness_->records(rows);
    delivery.positions = std::move(positions);
    return harness_->deliver(delivery);
  }
  void expect_delivered(const std::vector<Row>& rows, std::vector<SavedPosition> positions = {}) {
    Answer answer = deliver(rows, std::move(positions));
    EXPECT_EQ(answer.outcome, Outcome::kDelivered) << answer.reason;
  }
  void close() {
    harness_->close();
    harness_.reset();
  }
  Rows query(const std::string& sql) { return Database(path_).query(sql); }
  void execute(const std::string& sql) { Database(path_).execute(sql); }

  TempDir dir_;
  std::string path_ = dir_ / "out.db";
  Options options_;
  std::unique_ptr<SinkHarness> harness_;
};

}  // namespace testing
}  // namespace leat
