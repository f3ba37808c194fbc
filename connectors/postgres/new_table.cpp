#include "connectors/postgres/new_table.h"

#include <algorithm>

#include "base/text.h"
#include "connectors/postgres/widening.h"
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

bool is_number(std::string_view type) {
  return type == "bigint" || type == "double precision" || type == "numeric";
}

bool same_kind(std::string_view a, std::string_view b) {
  return a == b || (is_number(a) && is_number(b));
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
  bool has_values() const { return !first_.empty(); }
  void add(const Value& value, FieldText& text) {
    const std::string_view type = type_for(value);
    if (type.empty()) return;
    if (first_.empty()) {
      first_ = type;
      alone_ = !has_leading_zeros(value);
      all_ = NumberType(type);
      all_.take(value, text);
      return;
    }
    if (others_.empty()) {
      others_ = type;
      rest_ = NumberType(type);
    }
    alone_ = alone_ && !same_kind(type, first_) && same_kind(type, others_);
    ++count_;
    all_.take(value, text);
    rest_.take(value, text);
  }
  std::string_view type() const {
    constexpr size_t kMany = 10;
    if (first_.empty()) return "text";
    return alone_ && count_ >= kMany ? rest_.type() : all_.type();
  }

 private:
  std::string name_;
  std::string_view first_;   // what type_for() says of the first value
  std::string_view others_;  // and of the second
  bool alone_ = false;       // all but the first are of the second's kind, and not of the first's
  size_t count_ = 0;         // of those behind the first
  NumberType all_;
  NumberType rest_;  // without the first
};

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

std::vector<NewColumn> columns_for(const MappingConfig& config, const Delivery& delivery,
                                   bool also_nulls) {
  FieldText text;
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
      guesses[of_field[i]].add(value, text);
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
