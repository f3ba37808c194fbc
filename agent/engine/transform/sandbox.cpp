#include "transform/sandbox.h"

#include <algorithm>

#include "base/units.h"
#include "transform/input_table.h"
#ifdef LEAT_PARALLEL
#include "transform/sql_memory.h"
#endif

namespace leat {
namespace {

// Largest text, blob or row: also what a single step of the machine can allocate.
constexpr int kMaxLength = 1 << 20;

// Between two looks at the limits, at most this many steps are made. At 1 MiB a step can allocate,
// and a few steps for each such allocation, memory can overshoot by some MiB in the worst case.
constexpr int kStepsPerCheck = 64;

// What a query may hold beside the batch: sorts, groups, materialized subqueries. Half of the
// budget, between these.
constexpr size_t kMaxMemory = 16 << 20;
constexpr size_t kMinMemory = 1 << 20;

// Functions that look outside of the data. Most of them are not in our build; a different SQLite
// must not open a door.
constexpr std::string_view kDeniedFunctions[] = {
    "load_extension", "readfile", "writefile",        "edit",      "fts3_tokenizer",
    "fsdir",          "lsmode",   "sqlite_source_id", "sqlite_log"};

#ifndef LEAT_PARALLEL
// SQLite counts for the whole process; what the journal allocates meanwhile is small.
int64_t sql_memory_used() {
  return sqlite3_memory_used();
}
#endif

bool starts_with_any_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         sqlite3_strnicmp(text.data(), prefix.data(), static_cast<int>(prefix.size())) == 0;
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && starts_with_any_case(a, b);
}

// Messages quote the user's text and data, whatever is in them.
std::string one_line(std::string text) {
  constexpr size_t kLongest = 300;
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "…";
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return text;
}

}  // namespace

Result<std::unique_ptr<Sandbox>> Sandbox::open(std::string table, int64_t max_steps) {
#ifdef LEAT_PARALLEL
  count_sql_memory_by_thread();
#endif
  sqlite3* db = nullptr;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY |
              SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  int code = sqlite3_open_v2(":memory:", &db, flags, nullptr);
  std::unique_ptr<Sandbox> sandbox(new Sandbox(db, std::move(table), max_steps));
  if (code != SQLITE_OK)
    return fail(ErrorKind::kFatal, std::string("open SQL engine: ") + sqlite3_errstr(code));
  if (Status status = sandbox->lock_down(); !status) return fail(status.error());
  return sandbox;
}

Sandbox::~Sandbox() {
  sqlite3_close_v2(db_);
}

Status Sandbox::lock_down() {
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  // Otherwise a misspelt "name" would quietly be a text.
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  const char* kept_modules[] = {"json_each", "json_tree", nullptr};
  sqlite3_drop_modules(db_, kept_modules);
  // The first query connects json_each and json_tree, before the authorizer is there (see
  // Unguarded). Sorts stay in memory: a spill would be a write to the disk.
  int code = sqlite3_exec(db_,
                          "PRAGMA temp_store = MEMORY;"
                          "SELECT 1 FROM json_each('[]'), json_tree('[]')",
                          nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(ErrorKind::kFatal, "open SQL engine: " + error_text());
  set_limits();
  sqlite3_set_authorizer(db_, authorize, this);
  sqlite3_progress_handler(db_, kStepsPerCheck, check_progress, this);
  return {};
}

void Sandbox::set_limits() {
  sqlite3_limit(db_, SQLITE_LIMIT_LENGTH, kMaxLength);
  sqlite3_limit(db_, SQLITE_LIMIT_SQL_LENGTH, 256 << 10);
  sqlite3_limit(db_, SQLITE_LIMIT_COLUMN, static_cast<int>(InputTable::kMaxColumns) + 100);
  sqlite3_limit(db_, SQLITE_LIMIT_EXPR_DEPTH, 200);
  sqlite3_limit(db_, SQLITE_LIMIT_COMPOUND_SELECT, 100);
  sqlite3_limit(db_, SQLITE_LIMIT_VDBE_OP, 100'000);
  sqlite3_limit(db_, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000);
  sqlite3_limit(db_, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(db_, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
  sqlite3_limit(db_, SQLITE_LIMIT_WORKER_THREADS, 0);
}

void Sandbox::start_work(size_t budget) {
  max_memory_ = static_cast<int64_t>(std::clamp(budget / 2, kMinMemory, kMaxMemory));
  steps_ = 0;
  limit_ = Limit::kNone;
  memory_at_start_ = sql_memory_used();
}

std::string Sandbox::error_text() const {
  switch (limit_) {
    case Limit::kSteps:
      return "step limit of " + std::to_string(max_steps_) + " reached (maxSteps)";
    case Limit::kMemory:
      return "more than " + format_bytes(max_memory_) + " of memory needed";
    case Limit::kNone:
      break;
  }
  return one_line(sqlite3_errmsg(db_));
}

int Sandbox::authorize(void* self, int action, const char* first, const char* second, const char*,
                       const char*) {
  auto text = [](const char* s) { return s == nullptr ? std::string_view() : std::string_view(s); };
  auto& sandbox = *static_cast<Sandbox*>(self);
  if (!sandbox.guarded_) return SQLITE_OK;
  return sandbox.allows(action, text(first), text(second)) ? SQLITE_OK : SQLITE_DENY;
}

bool Sandbox::allows(int action, std::string_view first, std::string_view second) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
      return true;
    case SQLITE_READ:
      return allows_read(first, second);
    case SQLITE_FUNCTION:
      return allows_function(second);
    default:
      usage_.denied = "only SELECT is allowed in a transform";
      return false;
  }
}

bool Sandbox::allows_read(std::string_view table, std::string_view column) {
  if (same_name(table, table_)) {
    usage_.table = true;
    if (!column.empty()) usage_.columns = true;
    if (column == InputTable::kStarColumn) usage_.star = true;
    return true;
  }
  if (same_name(table, "json_each") || same_name(table, "json_tree")) return true;
  // Without a column it may be the name of a common table expression (as in `SELECT count(*) FROM
  // t`); SQLite's own tables cannot be named by one.
  bool own = starts_with_any_case(table, "sqlite_") || starts_with_any_case(table, "pragma_");
  if (column.empty() && !own) return true;
  usage_.denied = "reading from " + std::string(table) + " is not allowed in a transform";
  return false;
}

bool Sandbox::allows_function(std::string_view name) {
  usage_.functions = true;
  for (std::string_view denied : kDeniedFunctions) {
    if (!same_name(name, denied)) continue;
    usage_.denied = "function " + std::string(denied) + "() is not allowed in a transform";
    return false;
  }
  return true;
}

int Sandbox::check_progress(void* self) {
  auto& sandbox = *static_cast<Sandbox*>(self);
  sandbox.steps_ += kStepsPerCheck;
  if (sandbox.steps_ > sandbox.max_steps_) {
    sandbox.limit_ = Limit::kSteps;
  } else if (sql_memory_used() - sandbox.memory_at_start_ > sandbox.max_memory_) {
    sandbox.limit_ = Limit::kMemory;
  }
  return sandbox.limit_ == Limit::kNone ? 0 : 1;
}

}  // namespace leat
