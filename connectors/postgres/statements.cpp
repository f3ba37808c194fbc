#include "connectors/postgres/statements.h"

#include <algorithm>

#include "protocols/postgres/wire.h"

namespace leat::postgres {
namespace {

const Column& at(const Layout& layout, int index) {
  return layout.columns[static_cast<size_t>(index)];
}

std::string in_staging() {
  return "pg_temp." + quoted_name(kStaging);
}

// A column GENERATED ALWAYS AS IDENTITY that a field goes into, as COPY does it without being told.
std::string overriding(const Layout& layout, const std::vector<int>& columns) {
  bool any = std::any_of(columns.begin(), columns.end(),
                         [&layout](int i) { return at(layout, i).identity_always; });
  return any ? " OVERRIDING SYSTEM VALUE" : "";
}

}  // namespace

std::string column_list(const Layout& layout, const std::vector<int>& columns) {
  std::string out;
  for (int i : columns) out += (out.empty() ? "" : ", ") + quoted_name(at(layout, i).name);
  return out;
}

bool names_row_number(std::string_view sql) {
  auto same = [](char a, char b) { return a == b || (a | 0x20) == b; };
  return std::search(sql.begin(), sql.end(), kRowColumn.begin(), kRowColumn.end(), same) !=
         sql.end();
}

std::string copy_sql(const std::string& table, const Layout& layout,
                     const std::vector<int>& columns, bool numbered, bool binary) {
  std::string list = column_list(layout, columns);
  if (numbered) list += (list.empty() ? "" : ", ") + quoted_name(kRowColumn);
  return "COPY " + (table.empty() ? in_staging() : table) + " (" + list + ") FROM STDIN" +
         (binary ? " (FORMAT binary)" : "");
}

// Without constraints, so that a column that no field goes into stays null. ON COMMIT DELETE ROWS:
// the next delivery finds it empty.
std::string staging_sql(const Layout& layout, bool numbered) {
  std::string columns;
  for (const Column& column : layout.columns)
    columns += (columns.empty() ? "" : ", ") + quoted_name(column.name) + " " + column.type_name;
  if (numbered) columns += (columns.empty() ? "" : ", ") + quoted_name(kRowColumn) + " bigint";
  return "DROP TABLE IF EXISTS " + in_staging() + "; CREATE TEMPORARY TABLE " +
         quoted_name(kStaging) + " (" + columns + ") ON COMMIT DELETE ROWS";
}

std::string upsert_sql(const std::string& table, const Layout& layout,
                       const std::vector<int>& columns, const std::vector<std::string>& key) {
  std::string keys;
  for (const std::string& name : key) keys += (keys.empty() ? "" : ", ") + quoted_name(name);
  std::string updates;
  for (int i : columns) {
    const Column& column = at(layout, i);
    if (std::find(key.begin(), key.end(), column.name) != key.end()) continue;
    if (column.identity_always) continue;  // a row that is there keeps its own
    updates += (updates.empty() ? "" : ", ") + quoted_name(column.name) + " = excluded." +
               quoted_name(column.name);
  }
  std::string list = column_list(layout, columns);
  return "INSERT INTO " + table + " (" + list + ")" + overriding(layout, columns) +
         " SELECT DISTINCT ON (" + keys + ") " + list + " FROM " + in_staging() + " ORDER BY " +
         keys + ", " + quoted_name(kRowColumn) + " DESC ON CONFLICT (" + keys + ") DO " +
         (updates.empty() ? "NOTHING" : "UPDATE SET " + updates);
}

std::string insert_nothing_sql(const std::string& table, const Layout& layout,
                               const std::vector<int>& columns) {
  std::string nulls;
  for (size_t i = 0; i < columns.size(); ++i) nulls += i == 0 ? "NULL" : ", NULL";
  return "INSERT INTO " + table + " (" + column_list(layout, columns) + ")" +
         overriding(layout, columns) + " SELECT " + nulls + " WHERE false";
}

std::string insert_sql(const std::string& table, const Layout& layout,
                       const std::vector<int>& columns) {
  return "INSERT INTO " + table + " (" + column_list(layout, columns) + ")" +
         overriding(layout, columns) + " VALUES ";
}

}  // namespace leat::postgres
