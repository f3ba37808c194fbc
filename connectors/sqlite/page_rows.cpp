#include "page_rows.h"

#include <cstdint>
#include <cstring>

#include "base/text.h"
#include "columns.h"
#include "literals.h"

namespace leat::sqlite {
namespace {

template <typename T>
void append_raw(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof bytes);
}

template <typename T>
T raw(const std::string& values, size_t& at) {
  T value{};
  std::memcpy(&value, values.data() + at, sizeof value);
  at += sizeof value;
  return value;
}

void append_text(std::string& out, std::string_view text) {
  append_raw(out, static_cast<uint32_t>(text.size()));
  out += text;
}

void append_value(std::string& out, sqlite3_stmt* statement, int column) {
  const int type = sqlite3_column_type(statement, column);
  out += static_cast<char>(type);
  switch (type) {
    case SQLITE_INTEGER:
      return append_raw(out, static_cast<int64_t>(sqlite3_column_int64(statement, column)));
    case SQLITE_FLOAT:
      return append_raw(out, sqlite3_column_double(statement, column));
    case SQLITE_TEXT:
      return append_text(out, text_in(statement, column));
    case SQLITE_BLOB:
      return append_text(out, blob_in(statement, column));
    default:
      return;
  }
}

}  // namespace

std::string_view PageRows::key(size_t& at) const {
  const auto size = raw<uint32_t>(values, at);
  at += size;
  return std::string_view(values).substr(at - size, size);
}

Value PageRows::value(size_t column, size_t& at, Arena& arena) const {
  switch (values[at++]) {
    case SQLITE_INTEGER: {
      const auto number = raw<int64_t>(values, at);
      if (truths[column] && (number == 0 || number == 1)) return Value::boolean(number == 1);
      return Value::of_integer(number);
    }
    case SQLITE_FLOAT:
      return Value::of_float(raw<double>(values, at));
    case SQLITE_TEXT: {
      const std::string_view bytes = key(at);
      return Value::of_text(is_utf8(bytes) ? Type::kString : Type::kBytes, arena.copy(bytes));
    }
    case SQLITE_BLOB:
      return Value::of_text(Type::kBytes, arena.copy(key(at)));
    default:
      return Value::null();
  }
}

void PageRows::append(sqlite3_stmt* statement, size_t keys, size_t max_record) {
  const int all = sqlite3_column_count(statement);
  const int own = all - static_cast<int>(keys);
  if (columns.empty())
    for (int i = 0; i < own; ++i) {
      columns.emplace_back(sqlite3_column_name(statement, i));
      const char* type = sqlite3_column_decltype(statement, i);
      truths.push_back(type != nullptr &&
                       (same_column(type, "boolean") || same_column(type, "bool")));
    }
  size_t bytes = 0;
  for (int i = 0; i < own; ++i) {
    const int type = sqlite3_column_type(statement, i);
    if (type == SQLITE_BLOB) bytes += blob_in(statement, i).size();
    if (type == SQLITE_TEXT) bytes += text_in(statement, i).size();
  }
  if (bytes > max_record)
    too_long.push_back({rows, bytes});
  else
    for (int i = 0; i < own; ++i) append_value(values, statement, i);
  for (int i = own; i < all; ++i) append_text(values, literal_of(statement, i));
  ++rows;
}

void PageRows::append_too_long(const std::vector<std::string>& key) {
  too_long.push_back({rows++, 0});
  for (const std::string& value : key) append_text(values, value);
}

}  // namespace leat::sqlite
