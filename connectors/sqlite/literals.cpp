#include "literals.h"

#include <cmath>
#include <cstdio>

#include "base/hex.h"
#include "base/in_quotes.h"
#include "base/text.h"
#include "record/value.h"

namespace leat::sqlite {
namespace {

std::string in_hex(std::string_view bytes) {
  std::string out = "x'";
  append_hex(out, bytes);
  return out + "'";
}

}  // namespace

std::string quoted_text(std::string_view text) {
  return in_quotes(text, '\'');
}

std::string_view blob_in(sqlite3_stmt* statement, int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement, column))};
}

std::string_view text_in(sqlite3_stmt* statement, int column) {
  // The pointer first: asking for it may convert, and change the size.
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement, column))};
}

std::string literal_of(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return std::to_string(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT: {
      const double number = sqlite3_column_double(statement, column);
      if (std::isinf(number)) return number > 0 ? "9e999" : "-9e999";
      char text[32];
      const int size = std::snprintf(text, sizeof text, "%.17g", number);
      std::string out(text, static_cast<size_t>(size));
      // Else it would be an integer, which sorts the same but is another literal.
      return out.find_first_of(".e") == std::string::npos ? out + ".0" : out;
    }
    case SQLITE_TEXT: {
      const std::string_view text = text_in(statement, column);
      if (is_utf8(text) && text.find('\0') == std::string_view::npos) return quoted_text(text);
      return "CAST(" + in_hex(text) + " AS TEXT)";
    }
    case SQLITE_BLOB:
      return in_hex(blob_in(statement, column));
    default:
      return "NULL";
  }
}

std::string literal_of(std::string_view written) {
  if (!written.empty() && json_number_length(written) == written.size())
    return std::string(written);
  return quoted_text(written);
}

bool is_literal(std::string_view text) {
  constexpr std::string_view kCast = "CAST(";
  constexpr std::string_view kAsText = " AS TEXT)";
  if (text.starts_with(kCast) && text.ends_with(kAsText)) {
    text.remove_prefix(kCast.size());
    text.remove_suffix(kAsText.size());
  }
  if (!text.empty() && json_number_length(text) == text.size()) return true;
  const bool blob = text.starts_with("x'");
  if (blob) text.remove_prefix(1);
  if (text.size() < 2 || text.front() != '\'' || text.back() != '\'') return false;
  text = text.substr(1, text.size() - 2);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'' && (i + 1 == text.size() || text[++i] != '\'')) return false;
    if (text[i] == '\0') return false;
  }
  return !blob || text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace leat::sqlite
