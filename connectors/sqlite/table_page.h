// The half of a source that blocks: looks at another program's table, and reads it page by page.
// Nothing is held between two of them: no transaction, and behind the last page of a pass not even
// the file, so that the other program's checkpoints find no reader in their way.
//
// Thread: one at a time (the source's job thread); cancel() from any.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "connectors/sqlite/client.h"
#include "connectors/sqlite/known_table.h"
#include "connectors/sqlite/page_rows.h"
#include "connectors/sqlite/read_file.h"
#include "table/database.h"
#include "table/settings.h"

namespace leat::sqlite {

struct ReadConfig {
  std::string path;
  Milliseconds busy_timeout{5000};
  table::Settings table;
};

// See table/page_reader.h.
class TablePages {
 public:
  using PageRows = sqlite::PageRows;
  explicit TablePages(ReadConfig config)
      : config_(std::move(config)),
        file_(config_.path, config_.busy_timeout, config_.table.max_record),
        known_(config_.table, file_) {}
  ~TablePages() { close(); }
  TablePages(const TablePages&) = delete;
  TablePages& operator=(const TablePages&) = delete;

  Result<table::Look> look(const table::Key& behind);
  // As Database::list().
  table::Tables list(const std::vector<std::string>& names);
  // All of a page at once.
  Result<PageRows> read(table::Page page);
  Result<PageRows> read_on() { return PageRows{}; }
  // As Database::divide(): each bound within a transaction of its own.
  Result<std::vector<table::Key>> divide(const std::vector<std::string>& cursor, size_t parts);
  void close();
  // What runs now, and all behind it, fails soon. Any thread.
  void cancel() { file_.cancel(); }

  // As SQL.
  table::Key first() const;
  std::string found() const { return config_.path + ": " + config_.table.name() + " can be read"; }

 private:
  Status check_sql(const table::Key& behind);
  std::string from(const table::Key& behind) const;
  std::vector<std::string> conditions(const table::Page& page) const;
  std::string page_sql(const table::Page& page, bool only_keys = false) const;
  std::string row_sql(const table::Page& page, const table::Key& key) const;
  Result<table::Look> look_now(const table::Key& behind);
  Result<std::vector<table::Key>> bounds(const std::vector<std::string>& cursor, size_t parts);
  Status begin_page(const table::Page& page);
  Result<PageRows> read_by_keys(const table::Page& page);
  Result<PageRows> rows_by_keys(const table::Page& page);

  const ReadConfig config_;
  ReadFile file_;
  KnownTable known_;
  Statement statement_;  // of a read without a cursor, which goes on; else of a page under way
};

}  // namespace leat::sqlite
