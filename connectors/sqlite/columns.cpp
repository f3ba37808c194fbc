#include "columns.h"

#include <algorithm>
#include <utility>

#include "client.h"

namespace leat::sqlite {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view column_type(const Value& value) {
  switch (value.type) {
    case Type::kAbsent:
    case Type::kNull:
      return "";
    case Type::kBool:
    case Type::kInteger:
      return "INTEGER";
    case Type::kFloat:
      return "REAL";
    case Type::kDecimal:
    case Type::kString:
    case Type::kTime:
    case Type::kJson:
      return "TEXT";
    case Type::kBytes:
      return "BLOB";
  }
  return "";
}

bool is_number(std::string_view type) {
  return type == "INTEGER" || type == "REAL";
}

struct Guess {
  Column column;
  bool mixed = false;

  void add(const Value& value) {
    std::string_view type = column_type(value);
    if (type.empty() || type == column.type) return;
    if (column.type.empty()) {
      column.type = type;
    } else if (is_number(type) && is_number(column.type)) {
      column.type = "REAL";
    } else {
      mixed = true;
    }
  }
};

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

std::vector<Column> columns_of(const Delivery& delivery, size_t most) {
  std::vector<Guess> guesses;
  std::vector<size_t> of_field;  // which guess each field of `shape` adds to
  const Shape* shape = nullptr;
  delivery.each_record([&](const Record& record) {
    if (record.shape != shape) {
      shape = record.shape;
      of_field.assign(shape->size(), SIZE_MAX);
    }
    const size_t before = guesses.size();
    for (size_t i = 0; i < shape->size(); ++i) {
      if (record.value(i).type == Type::kAbsent || of_field[i] != SIZE_MAX) continue;
      auto known = std::find_if(guesses.begin(), guesses.end(), [&](const Guess& guess) {
        return same_column(guess.column.name, shape->name(i));
      });
      of_field[i] = static_cast<size_t>(known - guesses.begin());
      if (known == guesses.end()) guesses.push_back({{std::string(shape->name(i)), ""}});
    }
    if (guesses.size() > most) {
      guesses.resize(before);
      for (size_t& guess : of_field)
        if (guess >= before) guess = SIZE_MAX;
      return;
    }
    for (size_t i = 0; i < shape->size(); ++i)
      if (record.value(i).type != Type::kAbsent) guesses[of_field[i]].add(record.value(i));
  });
  std::vector<Column> columns;
  for (Guess& guess : guesses) {
    if (guess.mixed) guess.column.type.clear();
    columns.push_back(std::move(guess.column));
  }
  return columns;
}

std::string create_table_sql(std::string_view table, const std::vector<Column>& columns,
                             const std::vector<std::string>& key) {
  std::string sql = "CREATE TABLE " + quoted_name(table) + " (";
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) sql += ", ";
    sql += quoted_name(columns[i].name);
    if (!columns[i].type.empty()) sql += " " + columns[i].type;
  }
  if (!key.empty()) sql += ", PRIMARY KEY (" + join(key) + ")";
  return sql + ")";
}

std::string add_column_sql(std::string_view table, const Column& column) {
  std::string sql = "ALTER TABLE " + quoted_name(table) + " ADD COLUMN " + quoted_name(column.name);
  if (!column.type.empty()) sql += " " + column.type;
  return sql;
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
