#include "connectors/postgres/conversion_error.h"

#include "base/text.h"

namespace leat::postgres {

std::string reason_of(ConversionError error, const Value& value, std::string_view field,
                      const Column& column) {
  std::string out = field.empty() ? "" : "field " + excerpt(field) + ": ";
  std::string type = type_name(value.type);
  std::string target = column.type_name + " (column " + excerpt(column.name) + ")";
  switch (error) {
    case ConversionError::kNone:
      break;
    case ConversionError::kType:
      return out + "a value of type " + type + " does not go into " + target;
    case ConversionError::kSyntax:
      return out + "this " + type + " is no valid " + target;
    case ConversionError::kRange:
      return out + "this " + type + " is out of range for " + target;
    case ConversionError::kFraction:
      return out + "this " + type + " is not a whole number, as " + target + " needs it";
    case ConversionError::kNul:
      return out + "PostgreSQL cannot store text with a NUL character in it, " + target;
    case ConversionError::kUtf8:
      return out + "this " + type + " is not UTF-8, " + target;
    case ConversionError::kTooLong:
      return out + "this " + type + " is too long for " + target;
    case ConversionError::kZeros:
      return out + "the leading zeros of this " + type + " would be lost in " + target;
    case ConversionError::kRounded:
      return out + "this " + type + " would be rounded in " + target;
    case ConversionError::kNull:
      return out + (value.type == Type::kNull ? "null" : "absent") + ", but column " +
             excerpt(column.name) + " is NOT NULL";
  }
  return out;
}

}  // namespace leat::postgres
