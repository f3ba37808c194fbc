// What the catalog says about the user's table, and the SQL that asks it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connectors/postgres/column.h"
#include "protocols/postgres/server_message.h"

namespace leat::postgres {

// `table`, `schema.table`, `"Schema"."Table"`: as in SQL, what is not in quotes is in lower case.
struct TableName {
  std::string schema;  // "": found by search_path
  std::string name;

  static Result<TableName> parse(std::string_view text);  // errors are kUsage
  std::string sql() const;                                // quoted
};

struct Layout {
  uint32_t oid = 0;
  std::string name;  // without schema, as errors' contexts show it
  char kind = 'r';   // pg_class.relkind
  // A BEFORE INSERT trigger may put something in the place of nulls.
  bool before_insert_trigger = false;
  bool has_children = false;  // by INHERITS: unique keys do not hold for their rows
  std::vector<Column> columns;
  std::vector<std::vector<int>> unique_keys;      // numbers of columns, of each unique index
  std::vector<std::vector<int>> deferrable_keys;  // the same; ON CONFLICT cannot use them
  // Of both, those by which no two rows are equal: not with an index that compares otherwise than
  // its columns do (COLLATE).
  std::vector<std::vector<int>> telling_keys;

  bool same_columns(const Layout& other) const;
  const Column* find(std::string_view name) const;
  bool has_unique_key(const std::vector<std::string>& names) const {
    return is_among(unique_keys, names);
  }
  bool has_deferrable_key(const std::vector<std::string>& names) const {
    return is_among(deferrable_keys, names);
  }

 private:
  bool is_among(const std::vector<std::vector<int>>& keys,
                const std::vector<std::string>& names) const;
};

std::string layout_sql(const TableName& table);
// nullopt: there is no such table.
Result<std::optional<Layout>> read_layout(const std::vector<Row>& rows);

// Fails the transaction it stands in with kLayoutChanged when one of the columns marked is not any
// more what `layout` says. To be run when COPY holds its lock on the table: an int4 column that
// became a float4 would take the same four bytes for another number.
inline constexpr std::string_view kLayoutChanged = "leat:columns";
std::string layout_check_sql(const Layout& layout, const std::vector<bool>& columns);

}  // namespace leat::postgres
