#include "task/field_types.h"

#include <cmath>

#include "base/text.h"
#include "record/whole_number.h"

namespace leat {
namespace {

constexpr double kExact = 9007199254740992.0;  // 2^53: whole doubles below are one integer each

bool is_number(Type type) {
  return type == Type::kInteger || type == Type::kFloat || type == Type::kDecimal;
}

std::string_view keep_text(const Value& value, Arena& arena) {
  std::string text;
  append_text(text, value);
  return arena.copy(text);
}

}  // namespace

FieldTypes::FieldTypes(const std::vector<std::pair<std::string, Type>>& declared) {
  for (const auto& [name, type] : declared) fields_.push_back({name, type});
}

bool FieldTypes::apply(const Record& record, Arena& arena) {
  if (record.shape != shape_) {
    shape_ = record.shape;
    for (Field& field : fields_) field.place = shape_->find(field.name);
  }
  for (const Field& field : fields_) {
    if (field.place < 0) continue;
    Value& value = record.values[field.place];
    const Value was = value;
    if (fit(field.type, value, arena)) continue;
    value = was;
    std::string text;
    append_text(text, was);
    problem_ = excerpt(field.name) + ": '" + excerpt(text) + "' is no " + type_name(field.type);
    return false;
  }
  return true;
}

bool FieldTypes::fit(Type type, Value& value, Arena& arena) {
  if (value.type == type || value.type == Type::kNull || value.type == Type::kAbsent) return true;
  if (type == Type::kString) {
    if (value.type == Type::kBytes) return false;
    value = Value::of_text(Type::kString, keep_text(value, arena));
    return true;
  }
  if (value.type == Type::kString && value.form == Form::kPlain) {
    if (!fit_text(type, value)) return false;
    return fit(type, value, arena);
  }
  if (type == Type::kBool) {
    if (value.type != Type::kInteger) return false;
    int64_t number = integer_of(value);
    if (number != 0 && number != 1) return false;
    value = Value::boolean(number == 1);
    return true;
  }
  if (!is_number(type) || !is_number(value.type)) return false;
  if (type == Type::kInteger && value.is_text()) {
    std::optional<int64_t> whole = whole_int64(value.view(), digits_);
    if (!whole) return false;
    value = Value::of_integer(*whole);
  } else if (type == Type::kInteger) {
    double real = real_of(value);
    if (std::fabs(real) >= kExact || real != std::floor(real)) return false;
    value = Value::of_integer(static_cast<int64_t>(real));
  } else if (type == Type::kFloat && !std::isfinite(real_of(value))) {
    return false;
  } else if (value.form == Form::kText || value.type == Type::kDecimal) {
    value = Value::of_text(type, value.view(), Form::kText);  // the text stays as it is
  } else if (type == Type::kFloat) {
    value = Value::of_float(real_of(value));
  } else {
    if (value.type == Type::kFloat && !std::isfinite(value.real)) return false;
    value = Value::of_text(Type::kDecimal, keep_text(value, arena), Form::kText);
  }
  return true;
}

// What the text says, of whichever type it says that.
bool FieldTypes::fit_text(Type type, Value& value) {
  const std::string_view text = value.view();
  if (is_number(type)) {
    const bool negative = text.starts_with('-');
    const double beyond = text == "NaN"                                 ? NAN
                          : text.substr(negative ? 1 : 0) == "Infinity" ? INFINITY
                                                                        : 0;
    if (type == Type::kFloat && beyond != 0) {  // as append_json() writes them
      value = Value::of_float(negative ? -beyond : beyond);
      return true;
    }
    if (text.empty() || json_number_length(text) != text.size()) return false;
    value = number_from_text(text);
    return true;
  }
  if (type == Type::kBool) {
    if (text != "true" && text != "false") return false;
    value = Value::boolean(text == "true");
    return true;
  }
  if (type != Type::kTime) return false;
  std::optional<int64_t> time = rfc3339_.read(text);
  if (time) value = Value::of_time(*time);
  return time.has_value();
}

}  // namespace leat
