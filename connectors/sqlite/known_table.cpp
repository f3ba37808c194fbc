#include "known_table.h"

#include <algorithm>

#include "base/text.h"
#include "columns.h"
#include "literals.h"
#include "table/sql_text.h"

namespace leat::sqlite {
namespace {

constexpr std::string_view kRowid = "rowid";

}  // namespace

bool KnownTable::in_cursor(std::string_view column) const {
  return std::ranges::any_of(
      cursor_, [column](const std::string& name) { return same_column(name, column); });
}

Status KnownTable::look() {
  columns_.clear();
  primary_key_.clear();
  is_table_ = has_rowid_ = rowid_is_kept_ = false;
  if (!settings_.query.empty()) return choose_cursor();
  const std::string name = quoted_text(settings_.table);
  auto rows = file_.rows_of("SELECT name, \"notnull\", pk FROM pragma_table_xinfo(" + name +
                            ") WHERE hidden <> 1 ORDER BY pk");
  if (!rows) return fail(rows.error());
  if (rows->empty())
    return fail(ever_known_ ? ErrorKind::kUnavailable : ErrorKind::kUsage,
                file_.path() + ": there is no table " + excerpt(settings_.table));
  for (const std::vector<std::string>& row : *rows) {
    columns_.push_back({row[0], row[1] == "0"});
    if (row[2] != "0") primary_key_.push_back(row[0]);
  }
  auto kind = file_.rows_of(
      "SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = " + name +
      " COLLATE NOCASE");
  if (!kind) return fail(kind.error());
  is_table_ = !kind->empty() && kind->front()[0] == "table";
  const bool without_rowid = is_table_ && kind->front()[1] != "0";
  has_rowid_ = is_table_ && !without_rowid &&
               std::ranges::none_of(
                   columns_, [](const Column& column) { return same_column(column.name, kRowid); });
  if (is_table_ && !without_rowid && primary_key_.size() == 1) {
    // All primary keys but an INTEGER PRIMARY KEY, which is the rowid, have an index.
    auto index = file_.rows_of("SELECT 1 FROM pragma_index_list(" + name + ") WHERE origin = 'pk'");
    if (!index) return fail(index.error());
    rowid_is_kept_ = index->empty();
  }
  // SQLite lets keys be NULL, but for those that are the rowid and those of a table without one.
  for (Column& column : columns_)
    if ((without_rowid || rowid_is_kept_) &&
        std::ranges::find(primary_key_, column.name) != primary_key_.end())
      column.nullable = false;
  Status chosen = choose_cursor();
  ever_known_ = ever_known_ || chosen.has_value();
  return chosen;
}

Status KnownTable::choose_cursor() {
  cursor_ = settings_.cursor;
  if (cursor_.empty() && settings_.query.empty()) {
    if (has_rowid_)
      cursor_ = {std::string(kRowid)};
    else
      cursor_ = primary_key_;
    const std::string& by = settings_.split_by;
    if (!by.empty() && (cursor_.empty() || !same_column(cursor_.front(), by))) {
      std::erase_if(cursor_, [&by](const std::string& name) { return same_column(name, by); });
      cursor_.insert(cursor_.begin(), by);
    }
  }
  if (cursor_.empty() || !settings_.query.empty()) return {};
  for (const std::string& name : cursor_)
    if (!(has_rowid_ && same_column(name, kRowid)) &&
        std::ranges::none_of(
            columns_, [&name](const Column& column) { return same_column(column.name, name); }))
      return fail(ErrorKind::kUsage, file_.path() + ": the table has no column " + excerpt(name) +
                                         ", which \"cursor\" names");
  if (settings_.mode != table::Mode::kFull && has_rowid_ && !rowid_is_kept_ && in_cursor(kRowid))
    return fail(ErrorKind::kUsage,
                file_.path() +
                    ": VACUUM gives the rows of this table other rowids, and new ones would not be "
                    "read: it needs an INTEGER PRIMARY KEY, or another \"cursor\"");
  Result<bool> good = tells_rows_apart();
  if (!good) return fail(good.error());
  if (*good) return {};
  // A primary key that is there already compares otherwise.
  const bool has_key = std::ranges::all_of(
      primary_key_, [this](const std::string& column) { return in_cursor(column); });
  std::string advice = "it needs a unique index with the collations of its columns";
  if (!has_key)
    advice = "add the columns of a unique index: (" + table::joined(primary_key_) + ")";
  else if (has_rowid_ && settings_.mode == table::Mode::kFull)
    advice = "add the rowid, which is unique";
  return fail(ErrorKind::kUsage,
              file_.path() + ": the cursor (" + table::joined(cursor_) +
                  ") is the same in several rows, of which some would not be read: " + advice);
}

bool KnownTable::ordered_by_number() const {
  return cursor_.size() == 1 &&
         ((has_rowid_ && in_cursor(kRowid)) || (rowid_is_kept_ && in_cursor(primary_key_[0])));
}

Result<bool> KnownTable::tells_rows_apart() {
  if (has_rowid_ && in_cursor(kRowid)) return true;
  if (rowid_is_kept_ && in_cursor(primary_key_[0])) return true;
  auto indexes = file_.rows_of("SELECT name FROM pragma_index_list(" +
                               quoted_text(settings_.table) + ") WHERE \"unique\" AND NOT partial");
  if (!indexes) return fail(indexes.error());
  for (const std::vector<std::string>& index : *indexes) {
    auto columns = file_.rows_of("SELECT name, coll FROM pragma_index_xinfo(" +
                                 quoted_text(index[0]) + ") WHERE key");
    if (!columns) return fail(columns.error());
    if (!columns->empty() && std::ranges::all_of(*columns, [&](const auto& row) {
          // "": an expression
          return !row[0].empty() && in_cursor(row[0]) && tells_apart(row[0], row[1]);
        }))
      return true;
  }
  // Of a view nobody can know.
  return !is_table_;
}

// What is unique by an index's collation may be equal by the column's, by which rows are ordered.
bool KnownTable::tells_apart(const std::string& column, const std::string& collation) const {
  const char* own = nullptr;
  if (sqlite3_table_column_metadata(file_.handle(), "main", settings_.table.c_str(), column.c_str(),
                                    nullptr, &own, nullptr, nullptr, nullptr) != SQLITE_OK)
    return false;
  return own == nullptr || same_column(own, "BINARY") || same_column(own, collation);
}

Status KnownTable::check_cursor() {
  std::string condition;
  for (const Column& column : columns_)
    for (const std::string& name : cursor_)
      if (column.nullable && same_column(column.name, name))
        condition += (condition.empty() ? "" : " OR ") + quoted_name(name) + " IS NULL";
  if (condition.empty()) return {};
  std::string sql = "SELECT 1 FROM " + quoted_name(settings_.table) + " WHERE (" + condition + ")";
  if (!settings_.where.empty()) sql += " AND (" + settings_.where + "\n)";
  auto found = file_.rows_of(sql + " LIMIT 1");
  if (!found) return fail(found.error());
  if (found->empty()) return {};
  return fail(ErrorKind::kUsage,
              file_.path() + ": a row has NULL in the cursor (" + table::joined(cursor_) +
                  "): nobody could go on behind it; leave such rows out by \"where\"");
}

}  // namespace leat::sqlite
