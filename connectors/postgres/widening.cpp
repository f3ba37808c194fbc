#include "connectors/postgres/widening.h"

#include <algorithm>

#include "connectors/postgres/new_table.h"
#include "protocols/postgres/wire.h"

namespace leat::postgres {
namespace {

bool may_change(const Column& column, const std::vector<std::string>& key) {
  return column.guessed && std::find(key.begin(), key.end(), column.name) == key.end();
}

// The type that a value needs which the column does not take; "": no other would help.
std::string_view needed_for(ConversionError error, const Value& value) {
  switch (error) {
    case ConversionError::kFraction:
    case ConversionError::kRange:
      return value.type == Type::kDecimal ? "numeric" : "double precision";
    case ConversionError::kZeros:
      return "text";
    default:
      return "";
  }
}

}  // namespace

// What a person has made differently stays.
bool is_guess(const Column& column) {
  return column.type_name == "bigint" || column.type_name == "double precision" ||
         column.type_name == "numeric";
}

std::vector<Widening> widenings_for(Target& target, FieldText& text, const Delivery& delivery) {
  const std::vector<Column>& columns = target.layout.columns;
  std::vector<std::string_view> needed(columns.size());
  std::vector<bool> exact(columns.size());
  for (const Part& part : delivery.parts) {
    for (uint32_t r = 0; r < part.count; ++r) {
      const Record& record = part.batch->records[part.first + r];
      const ShapePlan& plan = target.mapping->plan(*part.batch, *record.shape);
      for (size_t i = 0; i < columns.size(); ++i) {
        if (plan.field_of[i] < 0 || !may_change(columns[i], target.config->key)) continue;
        const Value& value = record.value(static_cast<size_t>(plan.field_of[i]));
        if (value.type == Type::kNull || value.type == Type::kAbsent) continue;
        std::string_view ignored;
        needed[i] = wider_type(needed[i], needed_for(text.of(columns[i], value, ignored), value));
        if (loses_digits_in_double(value)) exact[i] = true;
      }
    }
  }
  std::vector<Widening> out;
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string_view to = wider_type(columns[i].type_name, needed[i]);
    if (needed[i].empty() || to == columns[i].type_name) continue;
    if (to == "double precision" && exact[i]) to = "numeric";
    out.push_back({columns[i].name, columns[i].type_name, std::string(to)});
  }
  return out;
}

std::string has_large_sql(const std::string& table, const std::vector<Widening>& widenings) {
  std::string bound = std::to_string(kExactInDouble);
  std::string sql;
  for (const Widening& widening : widenings) {
    std::string name = quoted_name(widening.column);
    bool asked = widening.from == "bigint" && widening.to == "double precision";
    sql += "SELECT " + (asked ? "EXISTS (SELECT FROM " + table + " WHERE " + name + " > " + bound +
                                    " OR " + name + " < -" + bound + ");"
                              : "false;");
  }
  return sql;
}

std::string widen_sql(const std::string& table, const std::vector<Widening>& widenings) {
  std::string sql = "ALTER TABLE " + table;
  bool first = true;
  for (const Widening& widening : widenings) {
    sql += (first ? " ALTER COLUMN " : ", ALTER COLUMN ") + quoted_name(widening.column) +
           " TYPE " + widening.to;
    first = false;
  }
  return sql;
}

}  // namespace leat::postgres
