// A column of the user's table, as the catalog describes it, and what leat knows of its type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat::postgres {

// Values travel as text, which the server's own input functions read. These are the types whose
// text is not simply the value's own.
enum class Kind : uint8_t {
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kFloat,  // real and double precision
  kNumeric,
  kText,  // text, varchar, char, name, enums
  kBytea,
  kDate,
  kTime,       // of day
  kTimestamp,  // with and without time zone: leat's times are UTC
  kUuid,
  kJson,  // and jsonb
  kArray,
  kOther,
};

struct Column {
  std::string name;
  int number = 0;               // pg_attribute.attnum
  uint32_t type = 0;            // pg_type.oid, also of a domain
  std::string type_name;        // "character varying(10)": for messages and the staging table
  Kind kind = Kind::kOther;     // of a domain: of what it is based on
  Kind element = Kind::kOther;  // of an array
  char delimiter = ',';         // between elements; ';' in an array of boxes
  int32_t most_characters = 0;  // of varchar(n) and char(n); 0: no limit
  bool not_null = false;
  bool has_default = false;  // also an identity column
  bool identity_always = false;
  bool generated = false;  // cannot be written
  // Its type was made from values, which later ones may not fit (widening.h): leading zeros of a
  // text are not to be lost in a number.
  bool guessed = false;
};

// A type as the catalog has it, below all domains.
struct CatalogType {
  uint32_t oid = 0;
  int32_t modifier = -1;
  char kind = 'b';      // pg_type.typtype; 'e': an enum
  char category = '-';  // pg_type.typcategory; 'A': an array
};

Kind kind_of(const CatalogType& type);
// 0: no limit.
int32_t most_characters(const CatalogType& type);

}  // namespace leat::postgres
