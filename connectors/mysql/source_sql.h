// The statements that a source asks.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "connectors/mysql/columns.h"
#include "connectors/mysql/settings.h"
#include "connectors/mysql/table_name.h"
#include "table/database.h"
#include "table/settings.h"

namespace leat::mysql {

struct ReadConfig {
  ConnectionSettings connection;
  table::Settings table;
  TableName name;  // of the table; none with a query
};

class SourceSql {
 public:
  // It outlives this.
  explicit SourceSql(const ReadConfig& config) : config_(config) {}

  // The tables that a name or pattern means, none of leat's own: database, name.
  static std::string listed(const std::string& name);
  // Whether it is a table, or a view.
  std::string kind() const;
  std::string nullable_columns() const;
  // Name and column of each unique index, the primary key first.
  std::string unique_keys() const;

  // No row, but the description of all. `cursor`: as it is known; with the row behind it that a
  // query's parameters say. Errors here and below are kUsage: a key has what is no value.
  Result<std::string> describe(std::span<const ReadColumn> cursor, const table::Key& behind) const;
  // The last row's key.
  Result<std::string> last(std::span<const ReadColumn> cursor, const table::Key& behind) const;
  // A row that has NULL in the cursor.
  Result<std::string> null_in(std::span<const ReadColumn> cursor, const table::Key& behind) const;
  std::string count() const;
  // The columns, and behind them the key's.
  Result<std::string> page(std::span<const ReadColumn> columns, std::span<const ReadColumn> cursor,
                           const table::Page& page) const;
  // The key of the row that is `behind` that of the page, from 1, and how long that row is.
  Result<std::string> key_at(std::span<const ReadColumn> columns,
                             std::span<const ReadColumn> cursor, const table::Page& page,
                             uint64_t behind) const;
  // How long its longest row is, for a page without a cursor.
  Result<std::string> longest(std::span<const ReadColumn> columns, const table::Page& page) const;

 private:
  Result<std::string> from(std::span<const ReadColumn> cursor, const table::Key& behind) const;
  Result<std::string> where(std::span<const ReadColumn> cursor, const table::Page& page) const;

  const ReadConfig& config_;
};

}  // namespace leat::mysql
