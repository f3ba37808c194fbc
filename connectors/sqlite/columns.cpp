#include "columns.h"

#include <algorithm>
#include <utility>

#include "client.h"

namespace leat::sqlite {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string join(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + quoted_name(name);
  return out;
}

}  // namespace

bool same_column(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::vector<std::string> columns_of(const Delivery& delivery, size_t most) {
  std::vector<std::string> columns;
  std::vector<bool> known;  // of each field of `shape`: it has its column
  const Shape* shape = nullptr;
  delivery.each_record([&](const Record& record) {
    if (record.shape != shape) {
      shape = record.shape;
      known.assign(shape->size(), false);
    }
    const size_t before = columns.size();
    std::vector<size_t> added;  // fields
    for (size_t i = 0; i < shape->size(); ++i) {
      if (record.value(i).type == Type::kAbsent || known[i]) continue;
      known[i] = true;
      added.push_back(i);
      bool there = std::any_of(columns.begin(), columns.end(), [&](const std::string& column) {
        return same_column(column, shape->name(i));
      });
      if (!there) columns.emplace_back(shape->name(i));
    }
    if (columns.size() <= most) return;
    columns.resize(before);
    for (size_t field : added) known[field] = false;
  });
  return columns;
}

std::string create_table_sql(std::string_view table, const std::vector<std::string>& columns,
                             const std::vector<std::string>& key) {
  std::string sql = "CREATE TABLE " + quoted_name(table) + " (" + join(columns);
  if (!key.empty()) sql += ", PRIMARY KEY (" + join(key) + ")";
  return sql + ")";
}

std::string add_column_sql(std::string_view table, std::string_view column) {
  return "ALTER TABLE " + quoted_name(table) + " ADD COLUMN " + quoted_name(column);
}

std::string insert_sql(std::string_view table, const std::vector<std::string_view>& names,
                       const std::vector<std::string>& key) {
  std::string columns;
  std::string marks;
  std::string updates;
  for (std::string_view name : names) {
    std::string column = quoted_name(name);
    columns += (columns.empty() ? "" : ", ") + column;
    marks += marks.empty() ? "?" : ", ?";
    bool in_key = std::any_of(key.begin(), key.end(),
                              [name](const std::string& part) { return same_column(part, name); });
    if (!in_key) updates += (updates.empty() ? "" : ", ") + column + " = excluded." + column;
  }
  std::string sql = "INSERT INTO " + quoted_name(table);
  if (names.empty()) return sql + " DEFAULT VALUES";
  sql += " (" + columns + ") VALUES (" + marks + ")";
  if (key.empty()) return sql;
  sql += " ON CONFLICT (" + join(key) + ") DO ";
  return sql + (updates.empty() ? "NOTHING" : "UPDATE SET " + updates);
}

}  // namespace leat::sqlite
