#include "connectors/postgres/new_table.h"

#include <algorithm>

#include "base/text.h"
#include "connectors/postgres/implausible.h"
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

// "": it gets no column.
std::string name_for(const MappingConfig& config, std::string_view field) {
  std::string_view name = Mapping::column_name(field);
  if (config.columns.empty()) return impossible_column(name).empty() ? std::string(name) : "";
  for (const auto& [from, column] : config.columns)
    if (from == field) return column;
  return "";
}

// What a field's values have been so far.
class ColumnGuess {
 public:
  explicit ColumnGuess(std::string column) : name_(std::move(column)) {}

  const std::string& name() const { return name_; }
  bool has_values() const { return values_ > 0; }
  void add(const Value& value) {
    std::string_view type = type_for(value);
    values_ += type.empty() ? 0 : 1;
    if (value.type == Type::kString && is_implausible(Kind::kNumeric, value.view()))
      ++odd_;
    else
      type_ = wider_type(type_, type);
    exact_ = exact_ || loses_digits_in_double(value);
  }
  // Among many numbers, one text that is none ("N/A") does not make them texts.
  std::string_view type() const {
    constexpr size_t kMany = 10;
    bool stray = odd_ == 1 && values_ > kMany && number_rank(type_) >= 0;
    if ((odd_ > 0 && !stray) || type_.empty()) return "text";
    return exact_ && type_ == "double precision" ? "numeric" : type_;
  }

 private:
  std::string name_;
  std::string_view type_;  // of all but the odd ones
  bool exact_ = false;
  size_t values_ = 0;
  size_t odd_ = 0;
};

}  // namespace

std::string_view wider_type(std::string_view a, std::string_view b) {
  if (a.empty() || a == b) return b;
  if (b.empty()) return a;
  int x = number_rank(a);
  int y = number_rank(b);
  if (x >= 0 && y >= 0) return x > y ? a : b;
  return "text";
}

bool loses_digits_in_double(const Value& value) {
  if (value.type != Type::kInteger) return false;
  int64_t number = integer_of(value);
  return number > kExactInDouble || number < -kExactInDouble;
}

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

std::vector<NewColumn> columns_for(const MappingConfig& config, const Delivery& delivery,
                                   bool also_nulls) {
  std::vector<ColumnGuess> guesses;
  std::vector<size_t> of_field;  // index of each field's guess; kNone: it has none
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
        auto known = std::find_if(guesses.begin(), guesses.end(),
                                  [&name](const ColumnGuess& c) { return c.name() == name; });
        of_field[i] = name.empty() ? kNone : static_cast<size_t>(known - guesses.begin());
        if (of_field[i] == kNone) continue;
        if (known == guesses.end()) guesses.emplace_back(name);
      }
      guesses[of_field[i]].add(value);
    }
  });
  std::vector<NewColumn> columns;
  also_nulls |= !config.columns.empty();
  for (const ColumnGuess& guess : guesses)
    if (also_nulls || guess.has_values())
      columns.push_back({guess.name(), std::string(guess.type())});
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
