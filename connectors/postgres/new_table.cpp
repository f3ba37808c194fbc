#include "connectors/postgres/new_table.h"

#include <algorithm>

#include "base/text.h"
#include "protocols/postgres/wire.h"

namespace leat::postgres {
namespace {

std::string_view type_for(const Value& value) {
  switch (value.type) {
    case Type::kAbsent:
    case Type::kNull:
      return "";
    case Type::kBool:
      return "boolean";
    case Type::kInteger:
      return "bigint";
    case Type::kFloat:
      return "double precision";
    case Type::kDecimal:
      return "numeric";
    case Type::kString:
      return "text";
    case Type::kTime:
      return "timestamp with time zone";
    case Type::kJson:
      return "jsonb";
    case Type::kBytes:
      return "bytea";
  }
  return "";
}

// Numbers, each of which can hold what those before it hold.
int number_rank(std::string_view type) {
  static constexpr std::string_view kRanks[] = {"bigint", "double precision", "numeric"};
  for (int i = 0; i < 3; ++i)
    if (kRanks[i] == type) return i;
  return -1;
}

// The type that takes both.
std::string_view wider(std::string_view a, std::string_view b) {
  if (a.empty() || a == b) return b;
  if (b.empty()) return a;
  int x = number_rank(a);
  int y = number_rank(b);
  if (x >= 0 && y >= 0) return x > y ? a : b;
  return "text";
}

// "": it gets no column.
std::string name_for(const MappingConfig& config, std::string_view field) {
  if (config.columns.empty()) return impossible_column(field).empty() ? std::string(field) : "";
  for (const auto& [from, column] : config.columns)
    if (from == field) return column;
  return "";
}

}  // namespace

std::string_view impossible_column(std::string_view name) {
  constexpr size_t kLongestName = 63;  // NAMEDATALEN - 1; longer ones are cut
  // https://www.postgresql.org/docs/current/ddl-system-columns.html
  static constexpr std::string_view kSystem[] = {"tableoid", "xmin", "cmin",
                                                 "xmax",     "cmax", "ctid"};
  if (name.empty()) return "its name is empty";
  if (name.size() > kLongestName) return "its name has more than 63 bytes";
  if (!is_utf8(name) || name.find('\0') != std::string_view::npos)
    return "its name is no text for PostgreSQL";
  if (std::find(std::begin(kSystem), std::end(kSystem), name) != std::end(kSystem))
    return "every table has a system column of that name";
  return "";
}

std::vector<NewColumn> columns_for(const MappingConfig& config, const Delivery& delivery) {
  std::vector<NewColumn> columns;
  std::vector<size_t> of_field;  // index of each field's column; kNone: it has none
  constexpr size_t kUnknown = SIZE_MAX;
  constexpr size_t kNone = SIZE_MAX - 1;
  const Shape* shape = nullptr;
  delivery.each_record([&](const Record& record) {
    if (record.shape != shape) {
      shape = record.shape;
      of_field.assign(shape->size(), kUnknown);
    }
    for (size_t i = 0; i < shape->size(); ++i) {
      const Value& value = record.value(i);
      if (value.type == Type::kAbsent || of_field[i] == kNone) continue;
      if (of_field[i] == kUnknown) {
        std::string name = name_for(config, shape->name(i));
        auto known = std::find_if(columns.begin(), columns.end(),
                                  [&name](const NewColumn& c) { return c.name == name; });
        of_field[i] = name.empty() ? kNone : static_cast<size_t>(known - columns.begin());
        if (of_field[i] == kNone) continue;
        if (known == columns.end()) columns.push_back({name, ""});
      }
      std::string& type = columns[of_field[i]].type;
      std::string_view wide = wider(type, type_for(value));
      if (wide != type) type = std::string(wide);
    }
  });
  for (NewColumn& column : columns)
    if (column.type.empty()) column.type = "text";  // nothing but nulls so far
  return columns;
}

std::string create_table_sql(const TableName& table, const std::vector<NewColumn>& columns,
                             const std::vector<std::string>& key) {
  std::string sql = "CREATE TABLE IF NOT EXISTS " + table.sql() + " (";
  for (size_t i = 0; i < columns.size(); ++i)
    sql += (i == 0 ? "" : ", ") + quoted_name(columns[i].name) + " " + columns[i].type;
  for (size_t i = 0; i < key.size(); ++i)
    sql += (i == 0 ? ", PRIMARY KEY (" : ", ") + quoted_name(key[i]);
  return sql + (key.empty() ? ")" : "))");
}

std::string add_columns_sql(const TableName& table, const std::vector<NewColumn>& columns) {
  std::string sql = "ALTER TABLE " + table.sql();
  for (size_t i = 0; i < columns.size(); ++i)
    sql += (i == 0 ? " " : ", ") + std::string("ADD COLUMN IF NOT EXISTS ") +
           quoted_name(columns[i].name) + " " + columns[i].type;
  return sql;
}

}  // namespace leat::postgres
