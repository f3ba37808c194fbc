#include "connectors/mysql/columns.h"

#include <optional>

#include "base/hex.h"
#include "base/text.h"
#include "connectors/mysql/table_name.h"
#include "record/json_walker.h"
#include "record/sql_time.h"

namespace leat::mysql {
namespace {

constexpr unsigned kBinaryCharset = 63;

Kind kind_of(const MYSQL_FIELD& field) {
  switch (field.type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR:
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
      return Kind::kNumber;
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
      return Kind::kFloat;
    case MYSQL_TYPE_BIT:
      return field.length == 1 ? Kind::kBool : Kind::kBit;
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
      return Kind::kTime;
    case MYSQL_TYPE_JSON:
      return Kind::kJson;
    case MYSQL_TYPE_GEOMETRY:
      return Kind::kBytes;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
      return Kind::kDate;
    case MYSQL_TYPE_TIME:
    case MYSQL_TYPE_NULL:
      return Kind::kText;
    default:
      break;
  }
  // MariaDB's JSON is text that it knows to be so.
  MARIADB_CONST_STRING format{};
  if (mariadb_field_attr(&format, &field, MARIADB_FIELD_ATTR_FORMAT_NAME) == 0 &&
      std::string_view(format.str, format.length) == "json")
    return Kind::kJson;
  if ((field.flags & (ENUM_FLAG | SET_FLAG)) != 0) return Kind::kList;
  return field.charsetnr == kBinaryCharset ? Kind::kBytes : Kind::kText;
}

// ZEROFILL: "00042" is no number of JSON's.
std::string_view without_zeros(std::string_view text) {
  while (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9')
    text.remove_prefix(1);
  return text;
}

// On one line, as leat's JSON is: what ends one can only stand between its parts. MariaDB's own
// check lets pass what is none ({"path": "C:\xampp"}), and that is text.
Value json_of(std::span<char> text) {
  if (!is_json({text.data(), text.size()}))
    return Value::of_text(Type::kString, {text.data(), text.size()});
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return Value::of_text(Type::kJson, {text.data(), text.size()});
}

// "2026-01-02", "2026-01-02 03:04:05.123", whatever the day; zeros are among what a column may
// have. The server takes any other text for such a day, or for one long ago.
bool is_time(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-dd dd:dd:dd.dddddd";
  constexpr size_t kDay = 10;
  constexpr size_t kSecond = 19;
  if (text.size() != kDay && (text.size() < kSecond || text.size() > kForm.size())) return false;
  for (size_t i = 0; i < text.size(); ++i)
    if (kForm[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != kForm[i]) return false;
  const auto at = [text](size_t place) { return (text[place] - '0') * 10 + text[place + 1] - '0'; };
  if (at(5) > 12 || at(8) > 31) return false;
  return text.size() == kDay || (at(11) < 24 && at(14) < 60 && at(17) < 60);
}

bool is_number(std::string_view text) {
  return !text.empty() && json_number_length(text) == text.size();
}

}  // namespace

ReadColumn ReadColumn::of(const MYSQL_FIELD& field) {
  ReadColumn out;
  out.name.assign(field.name, field.name_length);
  out.kind = kind_of(field);
  out.decimal = field.type == MYSQL_TYPE_NEWDECIMAL || field.type == MYSQL_TYPE_DECIMAL;
  out.single = field.type == MYSQL_TYPE_FLOAT;
  constexpr unsigned long kSorted = 1024;  // max_sort_length where nobody has set it
  out.by_beginning = (field.flags & BLOB_FLAG) != 0 && field.length > kSorted;
  return out;
}

std::string ReadColumn::sql() const {
  const std::string quoted = quoted_name(name);
  // A number, since of 64 bits nobody could tell whether the first is a sign.
  if (kind == Kind::kBit) return quoted + " + 0 AS " + quoted;
  // As a double: else FLOAT comes rounded to six digits.
  return single ? quoted + " + 0e0 AS " + quoted : quoted;
}

std::string ReadColumn::key_sql() const {
  const std::string quoted = quoted_name(name);
  if (kind == Kind::kBytes) return "LOWER(HEX(" + quoted + "))";
  if (kind == Kind::kBit || kind == Kind::kBool) return quoted + " + 0";
  return single ? quoted + " + 0e0" : quoted;
}

Result<std::string> ReadColumn::literal(std::string_view text) const {
  const auto bad = [&](const char* what) {
    return fail(ErrorKind::kUsage,
                "column " + excerpt(name) + ": " + excerpt(text) + " is no " + what);
  };
  switch (kind) {
    case Kind::kNumber:
    case Kind::kBit:
    case Kind::kBool:
    case Kind::kFloat: {
      const std::string_view number = without_zeros(text);
      if (!is_number(number)) return bad("number");
      // With an exponent it is a double; else it would be a decimal, and compared as one.
      const bool plain = number.find_first_of("eE") == std::string_view::npos;
      return std::string(number) + (kind == Kind::kFloat && plain ? "e0" : "");
    }
    case Kind::kBytes:
      for (char c : text)
        if (hex_value(c) < 0) return bad("hexadecimal number");
      if (text.size() % 2 != 0) return bad("hexadecimal number");
      return "x'" + std::string(text) + "'";
    case Kind::kTime:
    case Kind::kDate:
      if (!is_time(text)) return bad("time such as 2026-01-02 03:04:05, in UTC, or a day");
      return quoted_text(text);
    default:
      return quoted_text(text);
  }
}

Value ReadColumn::value(std::span<char> bytes) const {
  const std::string_view text(bytes.data(), bytes.size());
  switch (kind) {
    case Kind::kNumber: {
      const std::string_view number = without_zeros(text);
      if (!is_number(number)) break;
      if (decimal) return Value::of_text(Type::kDecimal, number, Form::kText);
      return number_from_text(number);  // BIGINT UNSIGNED goes beyond an int64
    }
    case Kind::kBit:
      if (!is_number(text)) break;
      return number_from_text(text);
    case Kind::kFloat:
      if (!is_number(text)) break;
      return Value::of_text(Type::kFloat, text, Form::kText);
    case Kind::kBool:
      return Value::boolean(text.find_first_not_of('\0') != std::string_view::npos);
    case Kind::kTime:
      if (std::optional<int64_t> time = read_sql_time(text)) return Value::of_time(*time);
      break;
    case Kind::kBytes:
      return Value::of_text(Type::kBytes, text);
    case Kind::kJson:
      return json_of(bytes);
    case Kind::kDate:
    case Kind::kText:
    case Kind::kList:
      break;
  }
  return Value::of_text(Type::kString, text);
}

}  // namespace leat::mysql
