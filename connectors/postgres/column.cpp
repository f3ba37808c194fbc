#include "connectors/postgres/column.h"

namespace leat::postgres {
namespace {

// https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat: the oids of
// built-in types never change.
enum Oid : uint32_t {
  kBool = 16,
  kBytea = 17,
  kName = 19,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kBpchar = 1042,
  kVarchar = 1043,
  kDate = 1082,
  kTime = 1083,
  kTimestamp = 1114,
  kTimestampTz = 1184,
  kNumeric = 1700,
  kUuid = 2950,
  kJsonb = 3802,
};

constexpr int32_t kHeader = 4;  // VARHDRSZ: a type modifier counts it

Kind kind_of(uint32_t type) {
  switch (type) {
    case kBool:
      return Kind::kBool;
    case kBytea:
      return Kind::kBytea;
    case kInt8:
      return Kind::kInt8;
    case kInt2:
      return Kind::kInt2;
    case kInt4:
      return Kind::kInt4;
    case kName:
    case kText:
    case kBpchar:
    case kVarchar:
      return Kind::kText;
    case kJson:
      return Kind::kJson;
    case kFloat4:
      return Kind::kFloat4;
    case kFloat8:
      return Kind::kFloat8;
    case kDate:
      return Kind::kDate;
    case kTime:
      return Kind::kTime;
    case kTimestamp:
      return Kind::kTimestamp;
    case kTimestampTz:
      return Kind::kTimestampTz;
    case kNumeric:
      return Kind::kNumeric;
    case kUuid:
      return Kind::kUuid;
    case kJsonb:
      return Kind::kJsonb;
    default:
      return Kind::kOther;
  }
}

}  // namespace

void set_kind(Column& column, uint32_t type, int32_t modifier, char type_kind, char category) {
  column.kind = kind_of(type);
  if (type_kind == 'e') column.kind = Kind::kText;  // enum_recv reads the label
  if (column.kind == Kind::kOther && category == 'A') column.kind = Kind::kArray;
  if (modifier < kHeader) return;
  if (type == kVarchar || type == kBpchar) column.most_characters = modifier - kHeader;
  if (type == kNumeric) {
    // Precision in the upper 16 bits; the scale below, since PostgreSQL 15 with a sign in 11 bits.
    int32_t precision = (modifier - kHeader) >> 16 & 0xFFFF;
    int32_t scale = ((modifier - kHeader) & 0x7FF) ^ 1024;
    column.integer_digits = precision - (scale - 1024);
    column.bounded_numeric = true;
  }
}

}  // namespace leat::postgres
