#include "table_page.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "literals.h"
#include "table/sql_text.h"
#include "table/table_list.h"

namespace leat::sqlite {
namespace {

// A page ends behind so many bytes: what one batch or two take.
constexpr size_t kMostBytes = 128 * 1024;
std::vector<std::string> quoted(const std::vector<std::string>& names, const char* behind = "") {
  std::vector<std::string> out;
  for (const std::string& name : names) out.push_back(quoted_name(name) + behind);
  return out;
}

}  // namespace

void TablePages::close() {
  statement_.reset();
  file_.close();
}

table::Tables TablePages::list(const std::vector<std::string>& names) {
  if (Status opened = file_.open(); !opened) return fail(opened.error());
  std::vector<table::Listed> out;
  for (size_t i = 0; i < names.size(); ++i) {
    auto rows = file_.rows_of(
        table::is_pattern(names[i])
            ? "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE " +
                  quoted_text(table::like_of(names[i])) +
                  " ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
                  " AND name NOT IN ('leat_positions', 'leat_jobs') ORDER BY 1"
            : "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name = " +
                  quoted_text(names[i]) + " COLLATE NOCASE");
    if (!rows) return fail(rows.error());
    for (const std::vector<std::string>& row : *rows) out.push_back({i, row.front(), row.front()});
  }
  close();
  return out;
}

// Columns, conditions and queries that mean nothing.
Status TablePages::check_sql(const table::Key& behind) {
  table::Page page;
  page.pass.cursor = known_.cursor();
  if (!config_.table.query.empty()) page.pass.after = behind;
  Result<Statement> statement = file_.prepare(page_sql(page));
  if (!statement) return fail(statement.error());
  return {};
}

Result<table::Look> TablePages::look(const table::Key& behind) {
  Result<table::Look> found = look_now(behind);
  if (!found) close();
  return found;
}

Result<table::Look> TablePages::look_now(const table::Key& behind) {
  Status good = file_.open();
  if (good) good = known_.look();
  if (good) good = check_sql(behind);
  if (good) good = known_.check_cursor();
  if (!good) return fail(good.error());
  const std::vector<std::string>& cursor = known_.cursor();
  table::Look look;
  look.cursor = cursor;
  if (config_.table.mode == table::Mode::kFull) return look;
  std::string sql = "SELECT " + table::joined(quoted(cursor)) + " FROM " + from(behind);
  if (!config_.table.where.empty()) sql += " WHERE (" + config_.table.where + "\n)";
  sql += " ORDER BY " + table::joined(quoted(cursor, " DESC")) + " LIMIT 1";
  Result<Statement> statement = file_.prepare(sql);
  if (!statement) return fail(statement.error());
  const int code = sqlite3_step(statement->get());
  if (code == SQLITE_ROW)
    for (int i = 0; i < sqlite3_column_count(statement->get()); ++i)
      look.last.push_back(literal_of(statement->get(), i));
  else if (code != SQLITE_DONE)
    return file_.failure();
  // With one writer at a time, rows come in the order in which they are numbered.
  look.settle = !known_.ordered_by_number();
  return look;
}

Result<std::vector<table::Key>> TablePages::divide(const std::vector<std::string>& cursor,
                                                   size_t parts) {
  Result<std::vector<table::Key>> found = bounds(cursor, parts);
  close();
  return found;
}

Result<std::vector<table::Key>> TablePages::bounds(const std::vector<std::string>& cursor,
                                                   size_t parts) {
  const std::string& where = config_.table.where;
  auto counted = file_.rows_of("SELECT count(*) FROM " + from({}) +
                               (where.empty() ? "" : " WHERE (" + where + "\n)"));
  if (!counted) return fail(counted.error());
  const uint64_t rows = std::strtoull(counted->front().front().c_str(), nullptr, 10);
  table::Page page;
  page.pass.cursor = cursor;
  std::vector<table::Key> out;
  for (uint64_t part = 1; part < parts; ++part) {
    const uint64_t step = rows * part / parts - rows * (part - 1) / parts;
    if (step == 0) continue;  // there are fewer rows than parts
    Result<Statement> row =
        file_.prepare(page_sql(page, true) + " OFFSET " + std::to_string(step - 1));
    if (!row) return fail(row.error());
    const int code = sqlite3_step(row->get());
    if (code == SQLITE_DONE) break;  // rows were deleted meanwhile
    if (code != SQLITE_ROW) return file_.failure();
    page.pass.after.clear();
    for (size_t i = 0; i < cursor.size(); ++i)
      page.pass.after.push_back(literal_of(row->get(), static_cast<int>(i)));
    out.push_back(page.pass.after);
  }
  return out;
}

// --- a page ---

std::string TablePages::from(const table::Key& behind) const {
  const table::Settings& table = config_.table;
  if (table.query.empty()) return quoted_name(table.table);
  return "(" + table::QueryText(table.query).filled([&](std::string_view parameter) {
    for (size_t i = 0; i < table.cursor.size() && i < behind.size(); ++i)
      if (parameter == "after_" + table.cursor[i]) return behind[i];
    return std::string("NULL");
  }) + "\n)";
}

std::vector<std::string> TablePages::conditions(const table::Page& page) const {
  const table::Settings& table = config_.table;
  const table::TablePosition& pass = page.pass;
  const std::vector<std::string> cursor = quoted(pass.cursor);
  std::vector<std::string> out;
  if (!table.where.empty()) out.push_back("(" + table.where + "\n)");
  if (cursor.empty()) return out;
  if (!pass.after.empty()) out.push_back(table::compared(cursor, ">", pass.after));
  if (table.query.empty() && !table.from.empty())
    out.push_back(cursor.front() + " >= " + literal_of(table.from[0]));
  if (!page.last.empty()) out.push_back(table::compared(cursor, "<=", page.last));
  return out;
}

std::string TablePages::page_sql(const table::Page& page, bool only_keys) const {
  const table::Settings& table = config_.table;
  const std::vector<std::string> cursor = quoted(page.pass.cursor);
  std::string sql = "SELECT ";
  if (!only_keys) sql += table.columns.empty() ? "*" : table::joined(quoted(table.columns));
  for (const std::string& name : cursor)
    sql += (only_keys && name == cursor.front() ? "" : ", ") + name;
  sql += " FROM " + from(page.pass.after);
  const std::vector<std::string> all = conditions(page);
  for (size_t i = 0; i < all.size(); ++i) sql += (i == 0 ? " WHERE " : " AND ") + all[i];
  if (!cursor.empty())
    sql += " ORDER BY " + table::joined(cursor) + " LIMIT " + std::to_string(table.page_size);
  return sql;
}

std::string TablePages::row_sql(const table::Page& page, const table::Key& key) const {
  const table::Settings& table = config_.table;
  const std::vector<std::string> cursor = quoted(page.pass.cursor);
  std::string sql = "SELECT " +
                    (table.columns.empty() ? "*" : table::joined(quoted(table.columns))) + ", " +
                    table::joined(cursor) + " FROM " + from(page.pass.after) + " WHERE " +
                    table::compared(cursor, "=", key);
  if (!table.where.empty()) sql += " AND (" + table.where + "\n)";
  return sql;
}

Status TablePages::begin_page(const table::Page& page) {
  if (Status opened = file_.open(); !opened) return opened;
  if (statement_) return {};
  Result<Statement> statement = file_.prepare(page_sql(page));
  if (!statement) return fail(statement.error());
  statement_ = std::move(*statement);
  return {};
}

table::Key TablePages::first() const {
  table::Key out;
  if (!config_.table.query.empty())
    for (const std::string& value : config_.table.from) out.push_back(literal_of(value));
  return out;
}

Result<PageRows> TablePages::read(table::Page page) {
  // A query's first page has what a person has written.
  if (page.pass.after == config_.table.from)
    for (std::string& value : page.pass.after) value = literal_of(std::string_view(value));
  for (const table::Key* key : {&page.pass.after, &page.last})
    for (const std::string& value : *key)
      if (!is_literal(value))
        return fail(ErrorKind::kUsage,
                    "the saved position has " + excerpt(value) + ", which is no value");
  if (Status begun = begin_page(page); !begun) {
    close();
    // It was good at the last look: the next one says what has become of it.
    return fail(ErrorKind::kUnavailable, begun.error().message());
  }
  sqlite3_stmt* statement = statement_.get();
  PageRows out;
  const size_t keys = page.pass.cursor.size();
  // The first step brings a changed schema in, and with it other columns.
  int code = sqlite3_step(statement);
  for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
    out.append(statement, keys, config_.table.max_record);
    if (out.values.size() >= kMostBytes) break;
  }
  if (code == SQLITE_TOOBIG && keys > 0) {
    statement_.reset();
    if (out.rows > 0) return out;  // the next page begins with the row that is too long
    return read_by_keys(page);
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    Result<PageRows> failed = file_.failure();
    close();
    return failed;
  }
  const bool ended = code == SQLITE_DONE;
  if (keys == 0) {
    out.last = ended;
  } else {
    // The read transaction ends with it.
    statement_.reset();
    out.last = ended && (config_.table.query.empty()
                             ? out.rows < static_cast<size_t>(config_.table.page_size)
                             : out.rows == 0);
  }
  if (out.last) close();
  return out;
}

// A page in which a row is too long, and none before it: SQLite does not say which. All of it
// within one transaction.
Result<PageRows> TablePages::read_by_keys(const table::Page& page) {
  sqlite3_exec(file_.handle(), "BEGIN", nullptr, nullptr, nullptr);
  Result<PageRows> rows = rows_by_keys(page);
  if (rows)
    sqlite3_exec(file_.handle(), "COMMIT", nullptr, nullptr, nullptr);
  else
    close();
  return rows;
}

Result<PageRows> TablePages::rows_by_keys(const table::Page& page) {
  const size_t columns = page.pass.cursor.size();
  Result<Statement> keys = file_.prepare(page_sql(page, true));
  if (!keys) return fail(keys.error());
  std::vector<table::Key> found;
  int code = sqlite3_step(keys->get());
  for (size_t bytes = 0; code == SQLITE_ROW && bytes < kMostBytes;
       code = sqlite3_step(keys->get())) {
    table::Key& key = found.emplace_back();
    for (size_t i = 0; i < columns; ++i) {
      key.push_back(literal_of(keys->get(), static_cast<int>(i)));
      bytes += key.back().size();
    }
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE) return file_.failure();
  const bool all = code == SQLITE_DONE;
  PageRows out;
  size_t tried = 0;
  for (; tried < found.size() && out.values.size() < kMostBytes; ++tried) {
    Result<Statement> row = file_.prepare(row_sql(page, found[tried]));
    if (!row) return fail(row.error());
    code = sqlite3_step(row->get());
    if (code == SQLITE_ROW) {
      out.append(row->get(), columns, config_.table.max_record);
    } else if (code == SQLITE_TOOBIG) {
      out.append_too_long(found[tried]);
    } else if (code != SQLITE_DONE) {
      return file_.failure();
    }
  }
  if (!found.empty() && out.rows == 0)
    return fail(ErrorKind::kUsage,
                config_.path + ": a row is longer than maxRecord, and the cursor (" +
                    table::joined(page.pass.cursor) + ") does not find it again");
  out.last =
      all && tried == found.size() &&
      (config_.table.query.empty() ? found.size() < static_cast<size_t>(config_.table.page_size)
                                   : found.empty());
  return out;
}

}  // namespace leat::sqlite
