// A column of the user's table, as the catalog describes it, and what leat knows of its type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat::postgres {

// Types whose binary form (the …_recv functions of the server) leat can write. Everything else goes
// as text.
enum class Kind : uint8_t {
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kFloat4,
  kFloat8,
  kNumeric,
  kText,  // text, varchar, char, name, xml, citext, enums: the binary form is the text itself
  kBytea,
  kDate,
  kTime,         // of day
  kTimestamp,    // without time zone: leat's times are UTC
  kTimestampTz,  // the same microseconds
  kUuid,
  kJson,
  kJsonb,
  kArray,  // as text
  kOther,  // as text
};

inline bool has_binary_form(Kind kind) {
  return kind != Kind::kArray && kind != Kind::kOther;
}

struct Column {
  std::string name;
  int number = 0;               // pg_attribute.attnum
  uint32_t type = 0;            // pg_type.oid, also of a domain
  std::string type_name;        // "character varying(10)": for messages and the staging table
  Kind kind = Kind::kOther;     // of a domain: of what it is based on
  int32_t most_characters = 0;  // of varchar(n) and char(n); 0: no limit
  int32_t integer_digits = 0;   // numeric(p, s): p - s
  bool bounded_numeric = false;
  bool not_null = false;
  bool has_default = false;  // also an identity column
  bool identity_always = false;
  bool generated = false;  // cannot be written
};

// `type` is the oid and `modifier` the typmod of the type that a domain is based on, or of the
// column's own. Enums: `type_kind` 'e'. Arrays: `category` 'A'.
void set_kind(Column& column, uint32_t type, int32_t modifier, char type_kind, char category);

}  // namespace leat::postgres
