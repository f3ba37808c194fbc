// The names of the tables that a pattern means ("orders_%"), asked of the database when a run
// begins.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "table/question.h"

namespace leat::table {

// `%` stands for any text, and all else, `_` too, for itself. What is quoted is a name.
bool is_pattern(std::string_view table);
// The same for SQL's LIKE … ESCAPE '\'.
std::string like_of(std::string_view pattern);

// For people, who have asked what it means; an error where that is none.
Result<std::string> found(const std::string& pattern,
                          const Result<std::vector<std::string>>& names);

class TableList final : public Question {
 public:
  using Done = std::function<void(Result<std::vector<std::string>>)>;

  // `database` is of a table that is called as the pattern. `done` comes once.
  TableList(std::unique_ptr<Database> database, std::string pattern, Done done);

 private:
  void ask() override;
  void listed(Result<std::vector<std::string>> names);

  const std::string pattern_;
  const Done done_;
};

}  // namespace leat::table
