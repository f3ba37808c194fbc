#include "connectors/postgres/row_text.h"

#include <cstring>

namespace leat::postgres {
namespace {

// Whether one of eight bytes may need an escape: is a control character or a backslash. It says so
// of some others, too, which does no harm.
bool may_need_escape(const char* bytes) {
  constexpr uint64_t kOnes = 0x0101010101010101U;
  constexpr uint64_t kHigh = 0x8080808080808080U;
  uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  uint64_t backslash = word ^ (kOnes * '\\');
  return (((word - kOnes * ' ') | (backslash - kOnes)) & ~word & kHigh) != 0;
}

char* escape(char* at, char c) {
  switch (c) {
    case '\\':
    case '\t':
    case '\n':
    case '\r':
      *at++ = '\\';
      *at++ = c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c;
      return at;
    default:
      *at++ = c;
      return at;
  }
}

// https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2, text format.
void append_field(Buffer& out, std::string_view text) {
  char* start = out.room(2 * text.size());
  char* at = start;
  const char* p = text.data();
  const char* end = p + text.size();
  for (; end - p >= 8; p += 8) {
    if (may_need_escape(p)) {
      for (int i = 0; i < 8; ++i) at = escape(at, p[i]);
    } else {
      std::memcpy(at, p, 8);
      at += 8;
    }
  }
  for (; p != end; ++p) at = escape(at, *p);
  out.take(static_cast<size_t>(at - start));
}

// Of a type that is not known before the column's is: with standard_conforming_strings.
void append_literal(Buffer& out, std::string_view text) {
  char* start = out.room(2 * text.size() + 2);
  char* at = start;
  *at++ = '\'';
  for (char c : text) {
    if (c == '\'') *at++ = c;
    *at++ = c;
  }
  *at++ = '\'';
  out.take(static_cast<size_t>(at - start));
}

}  // namespace

const RowFormat kCopyRow{"", "\t", "\n", "\\N", "\\N", append_field};
const RowFormat kInsertRow{"(", ",", ")", "NULL", "DEFAULT", append_literal};

}  // namespace leat::postgres
