// What a column is read as: its kind, the SQL that asks for it, and the value of its text.
#pragma once

#include <mysql.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "record/value.h"

namespace leat::mysql {

enum class Kind : uint8_t {
  kNumber,  // integers of any width, YEAR, DECIMAL
  kFloat,   // FLOAT, DOUBLE
  kBit,     // BIT(2) to BIT(64): a number
  kBool,    // BIT(1)
  kTime,    // DATETIME, TIMESTAMP
  kDate,    // text
  kText,    // also TIME
  kBytes,   // also GEOMETRY
  kJson,
  kList,  // ENUM, SET: text, that is ordered otherwise
};

struct ReadColumn {
  std::string name;
  Kind kind = Kind::kText;
  bool decimal = false;  // of kNumber
  bool single = false;   // of kFloat: the server would write six digits of it
  // TEXT, BLOB: the server may order them by no more than their beginning (max_sort_length).
  bool by_beginning = false;

  static ReadColumn of(const MYSQL_FIELD& field);
  bool operator==(const ReadColumn&) const = default;

  // In a SELECT.
  std::string sql() const;
  // The same as a part of a key: text that literal() takes.
  std::string key_sql() const;
  // Rows are ordered by it as values are compared.
  bool ordered() const { return kind != Kind::kJson && kind != Kind::kList && !by_beginning; }
  // What is written into it is text, whatever it was.
  bool is_text() const { return kind == Kind::kText || kind == Kind::kDate || kind == Kind::kList; }
  // What key_sql() gave, as SQL. Errors are kUsage: it is none.
  Result<std::string> literal(std::string_view text) const;
  // Of what the server writes, which stays where it is.
  Value value(std::span<char> bytes) const;
};

}  // namespace leat::mysql
