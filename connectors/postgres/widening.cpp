#include "connectors/postgres/widening.h"

#include <algorithm>

#include "base/fnv.h"
#include "protocols/postgres/wire.h"

namespace leat::postgres {
namespace {

constexpr std::string_view kBigint = "bigint";
constexpr std::string_view kDouble = "double precision";
constexpr std::string_view kNumeric = "numeric";

Kind number_kind(std::string_view type) {
  return type == kBigint ? Kind::kInt8 : type == kDouble ? Kind::kFloat : Kind::kNumeric;
}

}  // namespace

// What a person has made differently stays.
bool is_guess(const Column& column) {
  return column.type_name == kBigint || column.type_name == kDouble || column.type_name == kNumeric;
}

NumberType::NumberType(std::string_view type, Hashes others)
    : type_(type), others_(std::move(others)) {
  column_.type_name = type;
  column_.guessed = is_guess(column_);
  column_.kind = number_kind(type);
}

void NumberType::take(const Value& value, FieldText& text) {
  if (!column_.guessed || value.type == Type::kNull || value.type == Type::kAbsent) return;
  std::string_view ignored;
  switch (text.of(column_, value, ignored)) {
    case ConversionError::kFraction:
    case ConversionError::kRange:
      type_ = large_ || value.type == Type::kDecimal ? kNumeric : kDouble;
      break;
    case ConversionError::kRounded:
      type_ = kNumeric;
      break;
    case ConversionError::kZeros:
      type_ = "text";
      break;
    case ConversionError::kType:
    case ConversionError::kSyntax:
      take_other(value);
      break;
    default:
      break;
  }
  large_ = large_ || is_large_integer(value);
  if (type_ != column_.type_name) {
    const bool large = large_;
    *this = NumberType(type_, std::move(others_));
    large_ = large;
  }
}

void NumberType::take_other(const Value& value) {
  std::string text;
  append_text(text, value);
  const uint64_t hash = fnv1a(text);
  if (std::find(others_.begin(), others_.end(), hash) != others_.end()) return;
  others_.push_back(hash);
  if (others_.size() >= kManyOthers) type_ = "text";
}

std::vector<Widening> widenings_for(Target& target, FieldText& text, const Delivery& delivery,
                                    std::map<std::string, Hashes>& others) {
  const std::vector<Column>& columns = target.layout.columns;
  std::vector<NumberType> types;
  for (const Column& column : columns)
    types.emplace_back(column.guessed ? std::string_view(column.type_name) : "",
                       column.guessed ? others[column.name] : Hashes());
  for (const Part& part : delivery.parts) {
    for (uint32_t r = 0; r < part.count; ++r) {
      const Record& record = part.batch->records[part.first + r];
      const ShapePlan& plan = target.mapping->plan(*part.batch, *record.shape);
      for (size_t i = 0; i < columns.size(); ++i)
        if (plan.field_of[i] >= 0 && columns[i].guessed)
          types[i].take(record.value(static_cast<size_t>(plan.field_of[i])), text);
    }
  }
  std::vector<Widening> out;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!columns[i].guessed) continue;
    others[columns[i].name] = types[i].others();
    if (types[i].type() != columns[i].type_name)
      out.push_back({columns[i].name, columns[i].type_name, std::string(types[i].type())});
  }
  return out;
}

std::string has_large_sql(const std::string& table, const std::vector<Widening>& widenings) {
  std::string bound = std::to_string(int64_t{1} << 53);
  std::string sql;
  for (const Widening& widening : widenings) {
    std::string name = quoted_name(widening.column);
    bool asked = widening.from == kBigint && widening.to == kDouble;
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
    const std::string name = quoted_name(widening.column);
    sql += (first ? " ALTER COLUMN " : ", ALTER COLUMN ") + name + " TYPE " + widening.to;
    // The server's own way from one to the other ends behind 15 digits.
    if (widening.from == kDouble && widening.to == kNumeric)
      sql += " USING " + name + "::text::numeric";
    first = false;
  }
  return sql;
}

}  // namespace leat::postgres
