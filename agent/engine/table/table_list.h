// Which tables several names and patterns ("orders_%") mean, asked of the database when a run
// begins. Only the database knows when two of them mean the same.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "table/question.h"

namespace leat::table {

// `%` stands for any text, and all else, `_` too, for itself. What is quoted is a name.
bool is_pattern(std::string_view table);
// The same for SQL's LIKE … ESCAPE '\'.
std::string like_of(std::string_view pattern);

// For people, who have asked what it means; an error where that is none.
Result<std::string> found(const std::string& pattern, const Tables& tables);
// What is to be read of `listed`: each table once, under the name by which it was read before where
// `was_read` knows one. A name that means none stays, for its own failure; a pattern is an error.
Result<std::vector<std::string>> each_once(const std::vector<std::string>& names,
                                           const std::vector<Listed>& listed,
                                           const std::set<std::string_view>& was_read);

class TableList final : public Question {
 public:
  using Done = std::function<void(Tables)>;

  // `done` comes once. `names` outlives this.
  TableList(std::unique_ptr<Database> database, const std::vector<std::string>& names, Done done);

 private:
  void ask() override;

  const std::vector<std::string>& names_;
  const Done done_;
};

}  // namespace leat::table
