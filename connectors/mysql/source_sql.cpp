#include "connectors/mysql/source_sql.h"

#include <algorithm>
#include <utility>

#include "table/sql_text.h"
#include "table/table_list.h"

namespace leat::mysql {
namespace {

constexpr const char* kOfLeat = "('leat_positions', 'leat_jobs')";

std::string names_of(std::span<const ReadColumn> columns, const char* behind = "") {
  std::vector<std::string> out;
  for (const ReadColumn& column : columns) out.push_back(quoted_name(column.name) + behind);
  return table::joined(out);
}

std::string keys_of(std::span<const ReadColumn> cursor) {
  std::vector<std::string> out;
  for (const ReadColumn& column : cursor) out.push_back(column.key_sql());
  return table::joined(out);
}

Result<std::vector<std::string>> literals(std::span<const ReadColumn> cursor,
                                          const table::Key& key) {
  std::vector<std::string> out;
  for (size_t i = 0; i < cursor.size() && i < key.size(); ++i) {
    Result<std::string> literal = cursor[i].literal(key[i]);
    if (!literal) return fail(literal.error());
    out.push_back(std::move(*literal));
  }
  if (out.size() != cursor.size())
    return fail(ErrorKind::kUsage, "the saved position has not a value for each cursor column");
  return out;
}

// (a, b) > (x, y), written out: for a comparison of rows MySQL goes through all of the index.
Result<std::string> compared(std::span<const ReadColumn> cursor, const char* how,
                             const table::Key& key) {
  Result<std::vector<std::string>> values = literals(cursor, key);
  if (!values) return fail(values.error());
  const std::string strictly = std::string(" ") + how[0] + " ";
  std::string out;
  for (size_t i = cursor.size(); i-- > 0;) {
    const std::string name = quoted_name(cursor[i].name);
    const std::string& value = (*values)[i];
    if (out.empty())
      out = name + " " + how + " " + value;
    else
      out = "(" + name + strictly + value + " OR (" + name + " = " + value + " AND " + out + "))";
  }
  return out;
}

// Of the text of a row, about.
std::string length_of(std::span<const ReadColumn> columns) {
  std::string out = "0";
  for (const ReadColumn& column : columns)
    out += " + IFNULL(OCTET_LENGTH(" + quoted_name(column.name) + "), 0)";
  return out;
}

}  // namespace

std::string SourceSql::listed(const std::string& name) {
  const TableName asked = TableName::parse(name).value_or(TableName{"", name});
  const bool pattern = table::is_pattern(name);
  const auto is = [pattern](const std::string& column, const std::string& text) {
    if (!pattern) return column + " = " + quoted_text(text);
    // A backslash is one in strings, too.
    return column + " LIKE " + quoted_text(table::like_of(text)) + " ESCAPE '\\'";
  };
  std::string sql =
      "SELECT table_schema, table_name, table_schema = DATABASE(), coalesce(table_rows, 0)"
      " FROM information_schema.tables WHERE " +
      (asked.database.empty() ? "table_schema = DATABASE()" : is("table_schema", asked.database)) +
      " AND " + is("table_name", asked.name);
  if (pattern)
    sql += std::string(" AND table_type = 'BASE TABLE' AND table_name NOT IN ") + kOfLeat +
           " AND table_schema NOT IN"
           " ('mysql', 'sys', 'information_schema', 'performance_schema')";
  return sql + " ORDER BY 1, 2";
}

std::string SourceSql::kind() const {
  return "SELECT table_type FROM information_schema.tables WHERE table_schema = " +
         config_.name.database_sql() + " AND table_name = " + quoted_text(config_.name.name);
}

std::string SourceSql::nullable_columns() const {
  return "SELECT column_name FROM information_schema.columns WHERE table_schema = " +
         config_.name.database_sql() + " AND table_name = " + quoted_text(config_.name.name) +
         " AND is_nullable = 'YES'";
}

std::string SourceSql::unique_keys() const {
  return "SELECT index_name, column_name FROM information_schema.statistics WHERE table_schema = " +
         config_.name.database_sql() + " AND table_name = " + quoted_text(config_.name.name) +
         " AND non_unique = 0 ORDER BY index_name <> 'PRIMARY', index_name, seq_in_index";
}

Result<std::string> SourceSql::from(std::span<const ReadColumn> cursor,
                                    const table::Key& behind) const {
  const table::Settings& table = config_.table;
  if (table.query.empty()) return config_.name.sql();
  std::vector<std::string> values;
  if (!cursor.empty() && !behind.empty()) {
    Result<std::vector<std::string>> known = literals(cursor, behind);
    if (!known) return fail(known.error());
    values = std::move(*known);
  }
  const std::string filled = table::QueryText(table.query).filled([&](std::string_view parameter) {
    for (size_t i = 0; i < values.size(); ++i)
      if (parameter == "after_" + cursor[i].name) return values[i];
    return std::string("NULL");
  });
  // A comment at its end must not hide what follows.
  return "(" + filled + "\n) AS leat_query";
}

Result<std::string> SourceSql::where(std::span<const ReadColumn> cursor,
                                     const table::Page& page) const {
  const table::Settings& table = config_.table;
  std::string out;
  const auto add = [&out](const std::string& condition) {
    out += (out.empty() ? " WHERE " : " AND ") + condition;
  };
  if (!table.where.empty()) add("(" + table.where + "\n)");
  if (cursor.empty()) return out;
  for (const auto& [key, how] : {std::pair(&page.pass.after, ">"), std::pair(&page.last, "<=")}) {
    if (key->empty()) continue;
    Result<std::string> condition = compared(cursor, how, *key);
    if (!condition) return fail(condition.error());
    add(*condition);
  }
  if (table.query.empty() && !table.from.empty()) {
    Result<std::string> first = compared(cursor.first(1), ">=", {table.from[0]});
    if (!first) return fail(first.error());
    add(*first);
  }
  return out;
}

Result<std::string> SourceSql::describe(std::span<const ReadColumn> cursor,
                                        const table::Key& behind) const {
  const std::vector<std::string>& columns = config_.table.columns;
  std::vector<std::string> quoted;
  for (const std::string& name : columns) quoted.push_back(quoted_name(name));
  Result<std::string> of = from(cursor, behind);
  if (!of) return fail(of.error());
  return "SELECT " + (columns.empty() ? "*" : table::joined(quoted)) + " FROM " + *of + " LIMIT 0";
}

Result<std::string> SourceSql::last(std::span<const ReadColumn> cursor,
                                    const table::Key& behind) const {
  Result<std::string> of = from(cursor, behind);
  if (!of) return fail(of.error());
  const std::string& where = config_.table.where;
  return "SELECT " + keys_of(cursor) + " FROM " + *of +
         (where.empty() ? "" : " WHERE (" + where + "\n)") + " ORDER BY " +
         names_of(cursor, " DESC") + " LIMIT 1";
}

Result<std::string> SourceSql::null_in(std::span<const ReadColumn> cursor,
                                       const table::Key& behind) const {
  Result<std::string> of = from(cursor, behind);
  if (!of) return fail(of.error());
  std::string condition;
  for (const ReadColumn& column : cursor)
    condition += (condition.empty() ? "" : " OR ") + quoted_name(column.name) + " IS NULL";
  const std::string& where = config_.table.where;
  return "SELECT 1 FROM " + *of + " WHERE (" + condition + ")" +
         (where.empty() ? "" : " AND (" + where + "\n)") + " LIMIT 1";
}

std::string SourceSql::count() const {
  const std::string& where = config_.table.where;
  return "SELECT COUNT(*) FROM " + config_.name.sql() +
         (where.empty() ? "" : " WHERE (" + where + "\n)");
}

Result<std::string> SourceSql::page(std::span<const ReadColumn> columns,
                                    std::span<const ReadColumn> cursor,
                                    const table::Page& page) const {
  Result<std::string> of = from(cursor, page.pass.after);
  if (!of) return fail(of.error());
  Result<std::string> conditions = where(cursor, page);
  if (!conditions) return fail(conditions.error());
  std::string sql = "SELECT ";
  for (const ReadColumn& column : columns) sql += column.sql() + ", ";
  if (cursor.empty()) return sql.substr(0, sql.size() - 2) + " FROM " + *of + *conditions;
  return sql + keys_of(cursor) + " FROM " + *of + *conditions + " ORDER BY " + names_of(cursor) +
         " LIMIT " + std::to_string(config_.table.page_size);
}

Result<std::string> SourceSql::key_at(std::span<const ReadColumn> columns,
                                      std::span<const ReadColumn> cursor, const table::Page& page,
                                      uint64_t behind) const {
  Result<std::string> of = from(cursor, page.pass.after);
  if (!of) return fail(of.error());
  Result<std::string> conditions = where(cursor, page);
  if (!conditions) return fail(conditions.error());
  return "SELECT " + keys_of(cursor) + ", " + length_of(columns) + " FROM " + *of + *conditions +
         " ORDER BY " + names_of(cursor) + " LIMIT 1 OFFSET " + std::to_string(behind - 1);
}

Result<std::string> SourceSql::longest(std::span<const ReadColumn> columns,
                                       const table::Page& page) const {
  Result<std::string> of = from({}, page.pass.after);
  if (!of) return fail(of.error());
  Result<std::string> conditions = where({}, page);
  if (!conditions) return fail(conditions.error());
  return "SELECT MAX(" + length_of(columns) + ") FROM " + *of + *conditions;
}

}  // namespace leat::mysql
