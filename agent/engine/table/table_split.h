// Divides one table into ranges of its key, by keys that the database finds in it: so ranges have
// about as many rows each, whatever the keys look like. They are fixed once: a run that goes on
// where another was cut short reads the same ones.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stage/source.h"
#include "table/position.h"
#include "table/question.h"

namespace leat::table {

// What is saved of it, among the positions of the source.
class SavedSplit {
 public:
  // `table` outlives this.
  explicit SavedSplit(const std::string& table) : table_(table) {}

  std::string partition() const { return "ranges of table " + table_; }
  // The ranges that were fixed; without a cursor: the whole table, since a read that began as one
  // goes on as one. nullopt: nothing has been read. kUsage where only positions of ranges are left.
  // `shared`: what was noted for all agents of a group, which holds.
  Result<std::optional<Division>> find(SourceContext& context,
                                       const std::vector<SavedPosition>& shared) const;

 private:
  const std::string& table_;
};

// Of a table that cannot be divided.
Error no_key();

class TableSplit final : public Question {
 public:
  using Done = std::function<void(Result<Division>)>;

  // `done` comes once.
  TableSplit(std::unique_ptr<Database> database, const std::string& table, size_t parts, Done done);

 private:
  void ask() override;
  void looked(Result<Look> look);
  void trouble(const Error& error);

  const size_t parts_;
  const Done done_;
  Division division_;
};

}  // namespace leat::table
