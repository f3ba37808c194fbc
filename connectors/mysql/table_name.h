// Which table an option means.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::mysql {

// `name`: an SQL identifier, whatever is in it.
std::string quoted_name(std::string_view name);
// 'text', where a backslash is one (NO_BACKSLASH_ESCAPES).
std::string quoted_text(std::string_view text);

// Names of columns are compared without regard to case, by the server, too.
bool same_name(std::string_view a, std::string_view b);

// `table`, `database.table`, `` `data.base`.`table` ``.
struct TableName {
  std::string database;  // "": that of the URL
  std::string name;

  static Result<TableName> parse(std::string_view text);  // errors are kUsage
  std::string sql() const;                                // quoted
  // As SQL to compare information_schema's table_schema with.
  std::string database_sql() const {
    return database.empty() ? "DATABASE()" : quoted_text(database);
  }
};

}  // namespace leat::mysql
