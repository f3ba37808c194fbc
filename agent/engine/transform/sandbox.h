// A private in-memory SQLite connection that can compute and nothing else: no file, no write, no
// ATTACH, no PRAGMA, and an end to its steps and its memory.
//
// Thread: the pipeline's loop thread. Nothing else uses the connection, so it is opened without
// SQLite's mutex.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat {

// What the statement prepared last looks at, as the authorizer saw it.
struct SqlUsage {
  bool functions = false;  // any function: what it gives may differ from row to row
  bool table = false;      // the input table
  bool columns = false;    // columns of the input table
  bool star = false;       // `*` over the input table (see InputTable::kStarColumn)
  std::string denied;      // why preparing was refused, for people; "" when it was not
};

class Sandbox {
 public:
  // Reading `table` is allowed; it need not exist yet.
  static Result<std::unique_ptr<Sandbox>> open(std::string table, int64_t max_steps);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  sqlite3* handle() { return db_; }

  // Declaring a virtual table writes to the schema, inside SQLite; so the authorizer looks away
  // while one of these is alive.
  class Unguarded {
   public:
    explicit Unguarded(Sandbox& sandbox) : sandbox_(sandbox) { sandbox_.guarded_ = false; }
    ~Unguarded() { sandbox_.guarded_ = true; }

   private:
    Sandbox& sandbox_;
  };

  // Clears what is known about the statement prepared last.
  void forget_usage() { usage_ = {}; }
  const SqlUsage& usage() const { return usage_; }

  // Starts the work on one batch: steps and memory are counted from here. `budget` is what the
  // pipeline may hold in all.
  void start_work(size_t budget = SIZE_MAX);
  // True when the work was cut short because it took too many steps or too much memory.
  bool limit_reached() const { return limit_ != Limit::kNone; }
  bool memory_limit_reached() const { return limit_ == Limit::kMemory; }
  // One line for people about the last error of the connection.
  std::string error_text() const;

 private:
  enum class Limit { kNone, kSteps, kMemory };

  Sandbox(sqlite3* db, std::string table, int64_t max_steps)
      : db_(db), table_(std::move(table)), max_steps_(max_steps) {}
  Status lock_down();
  void set_limits();

  static int authorize(void* self, int action, const char* first, const char* second,
                       const char* database, const char* trigger);
  bool allows(int action, std::string_view first, std::string_view second);
  bool allows_read(std::string_view table, std::string_view column);
  bool allows_function(std::string_view name);
  static int check_progress(void* self);

  sqlite3* db_;
  const std::string table_;
  const int64_t max_steps_;
  bool guarded_ = true;
  SqlUsage usage_;
  int64_t steps_ = 0;
  int64_t memory_at_start_ = 0;
  int64_t max_memory_ = 0;
  Limit limit_ = Limit::kNone;
};

}  // namespace leat
