// Rows of a page, as they are handed from the job thread to the loop.
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "memory/arena.h"
#include "record/value.h"

namespace leat::sqlite {

struct PageRows {
  std::vector<std::string> columns;
  std::vector<bool> truths;  // of the columns: declared as BOOLEAN
  // Of each value its type (SQLITE_INTEGER, …), then 8 bytes of a number, or 4 bytes of a size and
  // so many of text; behind those of the names come the key's, as SQL.
  std::string values;
  size_t rows = 0;
  // Of these there are only the keys: they are longer than maxRecord. In order.
  struct LongRow {
    size_t row;
    size_t bytes;  // 0: nobody knows
  };
  std::vector<LongRow> too_long;
  bool last = false;  // there are no more in this pass
  static constexpr bool ended = true;

  std::vector<std::string_view> names() const { return {columns.begin(), columns.end()}; }
  Value value(size_t column, size_t& at, Arena& arena) const;
  std::string_view key(size_t& at) const;

  // The row at which the statement stands, whose last `keys` columns are the key. One whose values
  // are longer than `max_record` bytes together goes among the long ones.
  void append(sqlite3_stmt* statement, size_t keys, size_t max_record);
  // One that was too long to be looked at.
  void append_too_long(const std::vector<std::string>& key);
};

}  // namespace leat::sqlite
