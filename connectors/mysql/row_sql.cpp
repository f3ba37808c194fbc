#include "connectors/mysql/row_sql.h"

#include <cmath>
#include <optional>
#include <string_view>

#include "base/hex.h"
#include "base/text.h"
#include "base/time_format.h"
#include "connectors/mysql/table_name.h"
#include "record/json_walker.h"
#include "record/whole_number.h"

namespace leat::mysql {
namespace {

tl::unexpected<Error> refuse(std::string why) {
  return fail(ErrorKind::kData, std::move(why));
}

// "2026-01-02T03:04:05.678Z" as the server has it; the session is in UTC.
std::string time_text(int64_t us) {
  std::string out = rfc3339(us);
  out[out.find('T')] = ' ';
  out.pop_back();
  return out;
}

// For a column of integers: 44.0 is 44, and what is not whole the server would round.
Status append_whole(std::string& out, std::string_view number) {
  std::string digits;
  switch (whole_number(number, digits)) {
    case WholeNumber::kWhole:
      out += digits;
      return {};
    case WholeNumber::kFraction:
      return refuse(std::string(number) + " is not whole");
    case WholeNumber::kTooLong:
      break;
  }
  // BIGINT UNSIGNED has one digit more; the server says whether it fits.
  if (number.find_first_of(".eE") != std::string_view::npos)
    return refuse(std::string(number) + " is beyond 64 bits");
  out += number;
  return {};
}

Status append_number(std::string& out, const ReadColumn& column, const Value& value) {
  std::string text;
  if (value.type == Type::kFloat && value.form == Form::kPlain && !std::isfinite(value.real))
    return refuse("there is no such number in MySQL");
  append_text(text, value);
  if (column.is_text()) {
    out += quoted_text(text);
    return {};
  }
  const bool whole = column.kind == Kind::kBit || column.kind == Kind::kBool ||
                     (column.kind == Kind::kNumber && !column.decimal);
  if (whole) return append_whole(out, text);
  out += text;
  return {};
}

// As JSON where it is an object or an array, else as a string of JSON's.
void append_json_text(std::string& out, std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  const bool nested = first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
  out += quoted_text(nested && is_json(text) ? std::string(text) : json_quoted(text));
}

Status append_string(std::string& out, const ReadColumn& column, std::string_view text) {
  if (column.kind == Kind::kJson) {
    append_json_text(out, text);
    return {};
  }
  const bool bits = column.kind == Kind::kBit || column.kind == Kind::kBool;
  if (bits && (text == "true" || text == "false")) {
    out += text == "true" ? '1' : '0';
    return {};
  }
  const bool number = bits || (column.kind == Kind::kNumber && !column.decimal);
  if (number && !text.empty() && json_number_length(text) == text.size())
    return append_whole(out, text);
  // The server would take its characters for the bits.
  if (bits) return refuse(excerpt(text) + " is no number");
  out += quoted_text(text);
  return {};
}

void append_bool(std::string& out, const ReadColumn& column, bool value) {
  const char* word = value ? "true" : "false";
  if (column.is_text())
    out += "'" + std::string(word) + "'";
  else if (column.kind == Kind::kJson)
    out += quoted_text(word);
  else
    out += value ? "1" : "0";
}

}  // namespace

Status append_sql(std::string& out, const ReadColumn& column, const Value& value) {
  switch (value.type) {
    case Type::kAbsent:
      out += "DEFAULT";
      return {};
    case Type::kNull:
      out += "NULL";
      return {};
    case Type::kBool:
      append_bool(out, column, value.integer != 0);
      return {};
    case Type::kInteger:
    case Type::kFloat:
    case Type::kDecimal:
      if (column.kind == Kind::kJson) break;
      return append_number(out, column, value);
    case Type::kString: {
      std::string text;
      append_text(text, value);
      return append_string(out, column, text);
    }
    case Type::kBytes:
      out += "x'";
      append_hex(out, value.view());
      out += '\'';
      return {};
    case Type::kTime:
      if (column.kind == Kind::kJson) break;
      out += '\'' + time_text(value.integer) + '\'';
      return {};
    case Type::kJson:
      break;
  }
  std::string json;
  append_json(json, value);
  out += quoted_text(json);
  return {};
}

}  // namespace leat::mysql
