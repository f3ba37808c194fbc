// The names of the tables that a pattern means ("orders_%"), asked of the database when a run
// begins.
//
// Thread: the loop's. Lifetime: as of a Database, which it owns.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loop/timer.h"
#include "table/attempts.h"
#include "table/database.h"

namespace leat::table {

// `%` stands for any text, and all else, `_` too, for itself. What is quoted is a name.
bool is_pattern(std::string_view table);
// The same for SQL's LIKE … ESCAPE '\'.
std::string like_of(std::string_view pattern);

// For people, who have asked what it means; an error where that is none.
Result<std::string> found(const std::string& pattern,
                          const Result<std::vector<std::string>>& names);

class TableList {
 public:
  using Done = std::function<void(Result<std::vector<std::string>>)>;

  // `database` is of a table that is called as the pattern.
  TableList(std::unique_ptr<Database> database, std::string pattern);

  // `done` comes from the loop, once. Errors are those of Source::open().
  Status open(SourceContext& context, Done done);
  void close(std::function<void()> closed);

 private:
  void ask();
  void listed(Result<std::vector<std::string>> names);

  const std::unique_ptr<Database> database_;
  const std::string pattern_;
  SourceContext* context_ = nullptr;
  std::optional<Timer> timer_;  // none before open() and after close()
  Attempts attempts_{true};
  Done done_;
};

}  // namespace leat::table
