// What the database says of the table that is read, and by which columns its rows are ordered.
//
// Thread: one at a time (the source's job thread).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connectors/sqlite/read_file.h"
#include "table/settings.h"

namespace leat::sqlite {

class KnownTable {
 public:
  // Both outlive it.
  KnownTable(const table::Settings& settings, ReadFile& file) : settings_(settings), file_(file) {}

  // Asks anew, and chooses the cursor. The file is open. kUsage: a person must change something.
  Status look();
  // That no row has NULL in the cursor: such rows would never be read.
  Status check_cursor();

  const std::vector<std::string>& cursor() const { return cursor_; }  // empty: there is none
  // The cursor is the number of the row alone: no row comes before one that is there.
  bool ordered_by_number() const;

 private:
  struct Column {
    std::string name;
    bool nullable = true;
  };

  Status choose_cursor();
  Result<bool> tells_rows_apart();
  bool tells_apart(const std::string& column, const std::string& collation) const;
  bool in_cursor(std::string_view column) const;

  const table::Settings& settings_;
  ReadFile& file_;
  bool ever_known_ = false;
  std::vector<Column> columns_;  // of the table; none of a query
  std::vector<std::string> primary_key_;
  bool is_table_ = false;       // and no view
  bool has_rowid_ = false;      // under that name
  bool rowid_is_kept_ = false;  // it is the INTEGER PRIMARY KEY, which VACUUM leaves as it is
  std::vector<std::string> cursor_;
};

}  // namespace leat::sqlite
