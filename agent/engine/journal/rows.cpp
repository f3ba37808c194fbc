#include "journal/rows.h"

#include <sqlite3.h>

#include "journal/sqlite_error.h"

namespace leat {

Rows::Rows(JournalDatabase& journal, const char* sql, std::string_view pipeline)
    : journal_(journal) {
  code_ = sqlite3_prepare_v2(journal.handle(), sql, -1, &statement_, nullptr);
  if (code_ == SQLITE_OK && sqlite3_bind_parameter_count(statement_) > 0)
    sqlite3_bind_text(statement_, 1, pipeline.data(), static_cast<int>(pipeline.size()),
                      SQLITE_TRANSIENT);
}

Rows::~Rows() {
  sqlite3_finalize(statement_);
}

bool Rows::next() {
  if (code_ != SQLITE_OK && code_ != SQLITE_ROW) return false;
  code_ = sqlite3_step(statement_);
  return code_ == SQLITE_ROW;
}

int64_t Rows::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Rows::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string_view() : std::string_view(data, size);
}

Status Rows::end() {
  if (code_ == SQLITE_DONE) return {};
  return fail(sqlite_error(journal_.handle(), journal_.path()));
}

}  // namespace leat
