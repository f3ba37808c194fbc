#include "transform/sql_value.h"

#include <cmath>
#include <string_view>

#include "base/swar.h"
#include "base/text.h"
#include "base/time_format.h"
#include "codec/text/json_scanner.h"

namespace leat {
namespace {

// SQLite's mark on text that its JSON functions made, and that they take as JSON when it is nested
// into more JSON (JSON_SUBTYPE in its source, "J").
constexpr unsigned kJsonSubtype = 74;

// Marks of our own, on integers; SQLite carries them on and looks at none of them.
constexpr unsigned kBoolSubtype = 'b';
constexpr unsigned kTimeSubtype = 't';

constexpr size_t kShownJson = 40;

// The largest and smallest double that an int64 conversion may be given.
constexpr double kInt64Limit = 9223372036854774784.0;

// In JSON: the escape of a NUL, and not that of a backslash with "u0000" behind it.
bool has_escaped_nul(std::string_view json) {
  constexpr std::string_view kNul = "\\u0000";
  for (size_t at = json.find(kNul); at != std::string_view::npos; at = json.find(kNul, at + 1)) {
    size_t first = at;
    while (first > 0 && json[first - 1] == '\\') --first;
    if ((at - first) % 2 == 0) return true;
  }
  return false;
}

// Text that a JSON function may be given.
bool looks_like_json(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

const char* problem_of(std::string_view text, bool json) {
  const char* const end = text.data() + text.size();
  if (swar::find_either(text.data(), end, '\0', '\\') == end) return nullptr;  // as nearly all
  if (text.find('\0') != std::string_view::npos)
    return "a NUL character, at which text ends in SQL";
  if (has_escaped_nul(text) && (json || looks_like_json(text)))
    return "JSON with a NUL character (\\u0000), at which text ends in SQL";
  return nullptr;
}

const char* set_text(sqlite3_context* context, const Value& value) {
  // A null pointer would mean NULL.
  const char* text = value.text != nullptr ? value.text : "";
  if (const char* problem = problem_of({text, value.size}, value.type == Type::kJson))
    return problem;
  sqlite3_result_text64(context, text, value.size, SQLITE_STATIC, SQLITE_UTF8);
  return nullptr;
}

const char* set_string(sqlite3_context* context, const Value& value, std::string& scratch) {
  if (value.form == Form::kPlain) return set_text(context, value);
  scratch.clear();
  append_unescaped(scratch, value.view());
  if (const char* problem = problem_of(scratch, false)) return problem;
  sqlite3_result_text64(context, scratch.data(), scratch.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return nullptr;
}

// JSON text as the value that it means: what JSON functions return stays JSON and keeps its types
// ("true" becomes a bool, which SQL itself does not have). An infinite REAL in it is no JSON as
// SQLite 3.40 writes it (Inf), and is as 3.46 does (9.0e+999): neither is a value.
Result<Value> checked_json(std::string_view text) {
  Result<Value> value = value_of_json(text, Numbers::kDoubles);
  if (value) return value;
  return fail(ErrorKind::kData,
              "a JSON function made " + value.error().message() + ": " + excerpt(text, kShownJson));
}

// Not sqlite3_value_text(): that would copy the text once more to put a NUL behind it.
std::string_view bytes_of(sqlite3_value* result) {
  auto* data = static_cast<const char*>(sqlite3_value_blob(result));
  return {data, data == nullptr ? 0 : static_cast<size_t>(sqlite3_value_bytes(result))};
}

}  // namespace

const char* set_result(sqlite3_context* context, const Value& value, std::string& scratch) {
  switch (value.type) {
    case Type::kAbsent:
    case Type::kNull:
      break;  // NULL is what a context holds at first
    case Type::kBool:
    case Type::kTime:
      sqlite3_result_int64(context, value.integer);
      sqlite3_result_subtype(context, value.type == Type::kBool ? kBoolSubtype : kTimeSubtype);
      break;
    case Type::kInteger:
      sqlite3_result_int64(context, integer_of(value));
      break;
    case Type::kFloat:
    case Type::kDecimal:
      sqlite3_result_double(context, real_of(value));
      break;
    case Type::kString:
      return set_string(context, value, scratch);
    case Type::kBytes:
      sqlite3_result_blob64(context, value.text != nullptr ? value.text : "", value.size,
                            SQLITE_STATIC);
      break;
    case Type::kJson:
      if (const char* problem = set_text(context, value)) return problem;
      sqlite3_result_subtype(context, kJsonSubtype);
      break;
  }
  return nullptr;
}

Result<Value> read_result(sqlite3_value* result, Arena& arena) {
  switch (sqlite3_value_type(result)) {
    case SQLITE_INTEGER:
      return Value::of_integer(sqlite3_value_int64(result));
    case SQLITE_FLOAT:
      return Value::of_float(sqlite3_value_double(result));
    case SQLITE_TEXT: {
      bool json = sqlite3_value_subtype(result) == kJsonSubtype;
      std::string_view text = arena.copy(bytes_of(result));
      // SQLite checks neither: json_array(1e999) is no JSON, CAST(x'FF' AS TEXT) no text.
      if (json) return checked_json(text);
      if (!is_utf8(text)) return fail(ErrorKind::kData, "a text that is not UTF-8");
      return Value::of_text(Type::kString, text);
    }
    case SQLITE_BLOB:
      return Value::of_text(Type::kBytes, arena.copy(bytes_of(result)));
    default:
      return Value::null();
  }
}

Type type_given(sqlite3_value* result) {
  if (sqlite3_value_type(result) != SQLITE_INTEGER) return Type::kAbsent;
  const unsigned subtype = sqlite3_value_subtype(result);
  return subtype == kBoolSubtype   ? Type::kBool
         : subtype == kTimeSubtype ? Type::kTime
                                   : Type::kAbsent;
}

std::optional<int64_t> event_time_of(const Value& value) {
  std::optional<int64_t> time;
  if (value.type == Type::kInteger || value.type == Type::kTime) time = integer_of(value);
  if (value.type == Type::kFloat) {
    double number = real_of(value);  // avg(_time) is one
    if (std::fabs(number) <= kInt64Limit) time = static_cast<int64_t>(number);
  }
  return time && can_be_written(*time) ? time : std::nullopt;
}

}  // namespace leat
