#include "connectors/postgres/column.h"

namespace leat::postgres {
namespace {

// https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat: the oids of
// built-in types never change.
enum Oid : uint32_t { kBpchar = 1042, kVarchar = 1043 };

struct BuiltinType {
  uint32_t oid;
  Kind kind;
};

constexpr BuiltinType kBuiltinTypes[] = {
    {16, Kind::kBool},         // bool
    {17, Kind::kBytea},        // bytea
    {19, Kind::kText},         // name
    {20, Kind::kInt8},         // int8
    {21, Kind::kInt2},         // int2
    {23, Kind::kInt4},         // int4
    {25, Kind::kText},         // text
    {114, Kind::kJson},        // json
    {700, Kind::kFloat},       // float4
    {701, Kind::kFloat},       // float8
    {kBpchar, Kind::kText},    // char(n)
    {kVarchar, Kind::kText},   // varchar(n)
    {1082, Kind::kDate},       // date
    {1083, Kind::kTime},       // time
    {1114, Kind::kTimestamp},  // timestamp
    {1184, Kind::kTimestamp},  // timestamptz
    {1700, Kind::kNumeric},    // numeric
    {2950, Kind::kUuid},       // uuid
    {3802, Kind::kJson},       // jsonb
    {22, Kind::kOther},        // int2vector and oidvector: of the category of arrays, but without
    {30, Kind::kOther},        // their form
};

}  // namespace

Kind kind_of(const CatalogType& type) {
  if (type.kind == 'e') return Kind::kText;
  for (const BuiltinType& known : kBuiltinTypes)
    if (known.oid == type.oid) return known.kind;
  return type.category == 'A' ? Kind::kArray : Kind::kOther;
}

int32_t most_characters(const CatalogType& type) {
  constexpr int32_t kHeader = 4;  // VARHDRSZ: a type modifier counts it
  bool counted = type.oid == kVarchar || type.oid == kBpchar;
  return counted && type.modifier > kHeader ? type.modifier - kHeader : 0;
}

}  // namespace leat::postgres
