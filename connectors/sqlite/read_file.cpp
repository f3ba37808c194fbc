#include "read_file.h"

#include <algorithm>
#include <utility>

#include "literals.h"

namespace leat::sqlite {
namespace {

// Instructions of SQLite's between two looks at whether to go on.
constexpr int kInstructions = 10'000;
// SQLite gives no value up that is shorter: it needs them for the schema.
constexpr size_t kLeastLimit = size_t{1} << 20;

int cancelled(void* flag) {
  return *static_cast<std::atomic<bool>*>(flag) ? 1 : 0;
}

}  // namespace

Status ReadFile::open() {
  if (db_ != nullptr) return {};
  const int code =
      sqlite3_open_v2(path_.c_str(), &db_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    Status failed = failure();
    close();
    return failed;
  }
  sqlite3_extended_result_codes(db_, 1);
  // Else a quoted name that no column has would be a string.
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_busy_handler(
      db_,
      [](void* self, int attempts) {
        auto* file = static_cast<ReadFile*>(self);
        return wait_for_lock(attempts, file->busy_timeout_, file->cancelled_);
      },
      this);
  sqlite3_limit(db_, SQLITE_LIMIT_LENGTH, static_cast<int>(std::max(longest_, kLeastLimit)));
  sqlite3_progress_handler(db_, kInstructions, cancelled, &cancelled_);
  return {};
}

void ReadFile::close() {
  sqlite3_close(std::exchange(db_, nullptr));
}

// Wrong SQL, names that are not there and a damaged file are a person's to mend; a lock may pass,
// and a journal that only the writer may roll back.
tl::unexpected<Error> ReadFile::failure() {
  const int code = db_ == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(db_);
  std::string why = path_ + ": " + sqlite3_errmsg(db_);
  if (code == SQLITE_READONLY_ROLLBACK || code == SQLITE_READONLY_RECOVERY)
    why += ": the program that writes it was interrupted, and must be started to put it in order";
  if (code == SQLITE_TOOBIG)
    why += ": longer than maxRecord, where nobody can tell which row it is and go on behind it";
  const bool may_pass = kind_of(code) == ErrorKind::kUnavailable;
  return fail(may_pass ? ErrorKind::kUnavailable : ErrorKind::kUsage, why);
}

Result<Statement> ReadFile::prepare(const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v2(db_, sql.c_str(), static_cast<int>(sql.size()), &raw, nullptr);
  Statement statement(raw);
  if (code != SQLITE_OK) return failure();
  if (raw == nullptr || sqlite3_stmt_readonly(raw) == 0)
    return fail(ErrorKind::kUsage, path_ + ": the query is no SELECT");
  return statement;
}

Result<std::vector<std::vector<std::string>>> ReadFile::rows_of(const std::string& sql) {
  Result<Statement> statement = prepare(sql);
  if (!statement) return fail(statement.error());
  std::vector<std::vector<std::string>> out;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement->get())) == SQLITE_ROW) {
    std::vector<std::string>& row = out.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement->get()); ++i)
      row.emplace_back(text_in(statement->get(), i));
  }
  if (code != SQLITE_DONE) return failure();
  return out;
}

}  // namespace leat::sqlite
