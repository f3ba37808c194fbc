// The statements that a source asks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.h"
#include "connectors/postgres/column.h"
#include "connectors/postgres/layout.h"
#include "table/database.h"
#include "table/settings.h"

namespace leat::postgres {

enum class Late : uint8_t { kBest, kSnapshot, kDelay };

struct ReadConfig {
  table::Settings table;
  TableName name;  // of the table; none with a query
  Late late = Late::kBest;
  Milliseconds look_back{0};
};

// What is read, as the server describes it.
struct ReadColumn {
  std::string name;
  uint32_t type = 0;
  Kind kind = Kind::kOther;
};

class SourceSql {
 public:
  // It outlives this.
  explicit SourceSql(const ReadConfig& config) : config_(config) {}

  // The tables that these names and patterns mean, none of leat's own, by what Listed has of each:
  // with the schema where it was given, else those that are found without.
  static std::string listed(const std::vector<std::string>& names);
  // No row, but the description of all. `behind` is for a query's parameters.
  std::string describe(const table::Key& behind) const;
  // Of the types of these.
  static std::string types(const std::vector<ReadColumn>& columns);
  // Now, and which transactions are finished. `columns`, here and below: more SQL to select.
  static std::string snapshot(const std::string& columns);
  // The consistencyDelay before now, as a value for a column of times.
  std::string delayed(const std::string& columns) const;
  // The last row's key.
  std::string last(const std::vector<std::string>& cursor, const table::Key& behind) const;
  // Keys that divide the rows, in order; the last row's, too. `sampled`: of a large table only some
  // blocks are looked at.
  std::string bounds(const std::vector<std::string>& cursor, size_t parts, bool sampled) const;
  // A row that has NULL in the cursor.
  std::string null_in(const std::vector<std::string>& cursor, const table::Key& behind) const;
  // Another text when the table has other columns (with `all`), or others inherit from it.
  static std::string columns_of(uint32_t oid, bool all);
  // `hidden`: cursor columns that are not among `columns`; they come behind them. With `binary`,
  // all are hidden, and come first, as text. `first_type`: of the first cursor column.
  std::string page(const std::vector<ReadColumn>& columns, const std::vector<std::string>& hidden,
                   bool binary, uint32_t first_type, const table::Page& page) const;

  static bool is_time(uint32_t type);

 private:
  std::string from(const table::Key& behind) const;
  std::string written_by(uint64_t low, const std::string& count, const std::string& since,
                         const std::string& first, uint32_t first_type) const;

  const ReadConfig& config_;
};

}  // namespace leat::postgres
