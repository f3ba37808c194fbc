#include "columns.h"

#include <algorithm>
#include <utility>

#include "client.h"

namespace leat::sqlite {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string folded(std::string_view name) {
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
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

bool can_be_named(std::string_view column) {
  return column.find('\0') == std::string_view::npos;
}

bool ColumnIndex::add(std::string_view name, size_t at) {
  return at_.emplace(folded(name), at).second;
}

size_t ColumnIndex::find(std::string_view name) const {
  auto found = at_.find(folded(name));
  return found == at_.end() ? kNone : found->second;
}

void ColumnIndex::erase(std::string_view name) {
  at_.erase(folded(name));
}

std::vector<std::string> columns_of(const Delivery& delivery, size_t most,
                                    const ColumnIndex& known) {
  std::vector<std::string> columns;
  ColumnIndex there;
  std::vector<bool> seen;  // of each field of `shape`: it has its column
  const Shape* shape = nullptr;
  delivery.each_record([&](const Record& record) {
    if (record.shape != shape) {
      shape = record.shape;
      seen.assign(shape->size(), false);
    }
    const size_t before = columns.size();
    std::vector<size_t> added;  // fields
    for (size_t i = 0; i < shape->size(); ++i) {
      if (record.value(i).type == Type::kAbsent || seen[i]) continue;
      seen[i] = true;
      added.push_back(i);
      std::string_view name = shape->name(i);
      if (can_be_named(name) && known.find(name) == ColumnIndex::kNone &&
          there.add(name, columns.size()))
        columns.emplace_back(name);
    }
    if (columns.size() <= most) return;
    for (size_t i = before; i < columns.size(); ++i) there.erase(columns[i]);
    columns.resize(before);
    for (size_t field : added) seen[field] = false;
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
