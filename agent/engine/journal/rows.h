// A query of the tools (queries.h), row by row.
//
// Thread: the journal's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "journal/database.h"

struct sqlite3_stmt;

namespace leat {

class Rows {
 public:
  // `pipeline` is ?1.
  Rows(JournalDatabase& journal, const char* sql, std::string_view pipeline = {});
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  bool next();
  int64_t number(int column) const;
  // Until next().
  std::string_view bytes(int column) const;
  std::string text(int column) const { return std::string(bytes(column)); }
  // After next() was false: whether that was the end.
  Status end();

 private:
  JournalDatabase& journal_;
  sqlite3_stmt* statement_ = nullptr;
  int code_ = 0;
};

}  // namespace leat
