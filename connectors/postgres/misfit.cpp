#include "connectors/postgres/misfit.h"

#include "base/text.h"

namespace leat::postgres {

std::string reason_of(Misfit misfit, const Value& value, std::string_view field,
                      const Column& column) {
  std::string out = field.empty() ? "" : "field " + excerpt(field) + ": ";
  std::string type = type_name(value.type);
  std::string target = column.type_name + " (column " + excerpt(column.name) + ")";
  switch (misfit) {
    case Misfit::kNone:
      break;
    case Misfit::kType:
      return out + "a value of type " + type + " does not go into " + target;
    case Misfit::kSyntax:
      return out + "this " + type + " is no valid " + target;
    case Misfit::kRange:
      return out + "this " + type + " is out of range for " + target;
    case Misfit::kFraction:
      return out + "this " + type + " is not a whole number, as " + target + " needs it";
    case Misfit::kNul:
      return out + "PostgreSQL cannot store text with a NUL character in it, " + target;
    case Misfit::kUtf8:
      return out + "this " + type + " is not UTF-8, " + target;
    case Misfit::kTooLong:
      return out + "this " + type + " is too long for " + target;
    case Misfit::kZeros:
      return out + "the leading zeros of this " + type + " would be lost in " + target;
    case Misfit::kNull:
      return out + (value.type == Type::kNull ? "null" : "absent") + ", but column " +
             excerpt(column.name) + " is NOT NULL";
  }
  return out;
}

}  // namespace leat::postgres
