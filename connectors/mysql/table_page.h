// The half of a source that blocks: looks at a table, and reads it page by page, each a statement
// of its own, whose rows are taken from the socket as they are wanted.
//
// Thread: one at a time (the source's job thread); cancel() from any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "connectors/mysql/client.h"
#include "connectors/mysql/source_sql.h"
#include "net/tls.h"
#include "table/database.h"

namespace leat::mysql {

// Rows, as they are handed from the job thread to the loop.
struct PageRows {
  std::vector<ReadColumn> columns;
  // Of each value 4 bytes of a size (kNull: it is NULL), and so many of text; behind those of the
  // columns come the key's.
  static constexpr uint32_t kNull = UINT32_MAX;
  std::string values;
  size_t rows = 0;
  // Of these there are only the keys: they are longer than maxRecord. In order.
  struct LongRow {
    size_t row;
    size_t bytes;
  };
  std::vector<LongRow> too_long;
  bool ended = false;  // the page
  bool last = false;   // then: there are no more in this pass

  std::vector<std::string_view> names() const;
  Value value(size_t column, size_t& at, Arena& arena) const;
  std::string_view key(size_t& at) const;  // without data: NULL
};

// See table/page_reader.h.
class TablePages {
 public:
  using PageRows = mysql::PageRows;
  // `tls`: null for none.
  TablePages(ReadConfig config, std::unique_ptr<TlsContext> tls);

  Result<table::Look> look(const table::Key& behind);
  // As Database::list() and divide().
  table::Tables list(const std::vector<std::string>& names);
  Result<std::vector<table::Key>> divide(const std::vector<std::string>& cursor, size_t parts);
  // Some rows of a page, the first; then the others, until it has ended.
  Result<PageRows> read(const table::Page& page);
  Result<PageRows> read_on();
  void close() { client_.close(); }
  // What runs now, and all behind it, fails soon. Any thread.
  void cancel() { client_.cancel(); }

  table::Key first() const;
  std::string found() const;

 private:
  Status know_table(const table::Key& behind);
  Status ask_catalog();
  Status choose_cursor();
  Result<std::vector<ReadColumn>> all_columns();
  Status take_cursor(const std::vector<std::string>& names, const std::vector<ReadColumn>& all);
  bool tells_rows_apart() const;
  bool allows_null(const std::string& column) const;
  Status check_nulls(const table::Key& behind);
  Result<table::Look> look_now(const table::Key& behind);
  Result<PageRows> take_rows();
  void append_row(PageRows& out);
  Result<PageRows> after_loss(const Error& why);
  tl::unexpected<Error> refuse(const std::string& why) const;

  const ReadConfig config_;
  const std::unique_ptr<TlsContext> tls_;
  const SourceSql sql_;
  Client client_;
  bool ever_known_ = false;
  bool is_table_ = false;                         // and no view
  std::vector<std::string> nullable_;             // columns of the table
  std::vector<std::vector<std::string>> unique_;  // columns of each unique index
  std::vector<ReadColumn> columns_;               // that are read
  std::vector<ReadColumn> cursor_;
  table::Page page_;  // that is read
  size_t given_ = 0;  // of its rows
};

}  // namespace leat::mysql
