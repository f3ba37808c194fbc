#include "table_page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/hex.h"
#include "base/text.h"
#include "columns.h"
#include "record/value.h"
#include "table/sql_text.h"
#include "table/table_list.h"

namespace leat::sqlite {
namespace {

// A page ends behind so many bytes: what one batch or two take.
constexpr size_t kMostBytes = 128 * 1024;
// Instructions of SQLite's between two looks at whether to go on.
constexpr int kInstructions = 10'000;
// SQLite gives no value up that is shorter: it needs them for the schema.
constexpr size_t kLeastLimit = size_t{1} << 20;
constexpr std::string_view kRowid = "rowid";

std::vector<std::string> quoted(const std::vector<std::string>& names, const char* behind = "") {
  std::vector<std::string> out;
  for (const std::string& name : names) out.push_back(quoted_name(name) + behind);
  return out;
}

std::string quoted_text(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += c;
    out += c;
  }
  return out + "'";
}

std::string_view blob_in(sqlite3_stmt* statement, int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement, column))};
}

// As UTF-8, whatever the database's encoding is.
std::string_view text_in(sqlite3_stmt* statement, int column) {
  // The pointer first: asking for it may convert, and change the size.
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement, column))};
}

template <typename T>
void append_raw(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof bytes);
}

template <typename T>
T raw(const std::string& values, size_t& at) {
  T value{};
  std::memcpy(&value, values.data() + at, sizeof value);
  at += sizeof value;
  return value;
}

void append_text(std::string& out, std::string_view text) {
  append_raw(out, static_cast<uint32_t>(text.size()));
  out += text;
}

void append_value(std::string& out, sqlite3_stmt* statement, int column) {
  const int type = sqlite3_column_type(statement, column);
  out += static_cast<char>(type);
  switch (type) {
    case SQLITE_INTEGER:
      return append_raw(out, static_cast<int64_t>(sqlite3_column_int64(statement, column)));
    case SQLITE_FLOAT:
      return append_raw(out, sqlite3_column_double(statement, column));
    case SQLITE_TEXT:
      return append_text(out, text_in(statement, column));
    case SQLITE_BLOB:
      return append_text(out, blob_in(statement, column));
    default:
      return;
  }
}

int cancelled(void* flag) {
  return *static_cast<std::atomic<bool>*>(flag) ? 1 : 0;
}

std::string in_hex(std::string_view bytes) {
  std::string out = "x'";
  append_hex(out, bytes);
  return out + "'";
}

}  // namespace

std::string_view PageRows::key(size_t& at) const {
  const auto size = raw<uint32_t>(values, at);
  at += size;
  return std::string_view(values).substr(at - size, size);
}

Value PageRows::value(size_t column, size_t& at, Arena& arena) const {
  switch (values[at++]) {
    case SQLITE_INTEGER: {
      const auto number = raw<int64_t>(values, at);
      if (truths[column] && (number == 0 || number == 1)) return Value::boolean(number == 1);
      return Value::of_integer(number);
    }
    case SQLITE_FLOAT:
      return Value::of_float(raw<double>(values, at));
    case SQLITE_TEXT: {
      const std::string_view bytes = key(at);
      return Value::of_text(is_utf8(bytes) ? Type::kString : Type::kBytes, arena.copy(bytes));
    }
    case SQLITE_BLOB:
      return Value::of_text(Type::kBytes, arena.copy(key(at)));
    default:
      return Value::null();
  }
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

// So that a position, wherever it was kept, cannot say anything else.
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

// --- the file ---

Status TablePages::open() {
  if (db_ != nullptr) return {};
  const int code = sqlite3_open_v2(config_.path.c_str(), &db_,
                                   SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    Status failed = failure();
    close();
    return failed;
  }
  sqlite3_extended_result_codes(db_, 1);
  // Else a quoted name that no column has would be a string.
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_busy_handler(
      db_,
      [](void* self, int attempts) {
        auto* pages = static_cast<TablePages*>(self);
        return wait_for_lock(attempts, pages->config_.busy_timeout, pages->cancelled_);
      },
      this);
  // What is longer is never read into memory.
  sqlite3_limit(db_, SQLITE_LIMIT_LENGTH,
                static_cast<int>(std::max(config_.table.max_record, kLeastLimit)));
  sqlite3_progress_handler(db_, kInstructions, cancelled, &cancelled_);
  return {};
}

void TablePages::close() {
  statement_.reset();
  sqlite3_close(std::exchange(db_, nullptr));
}

table::Tables TablePages::list(const std::vector<std::string>& names) {
  if (Status opened = open(); !opened) return fail(opened.error());
  std::vector<table::Listed> out;
  for (size_t i = 0; i < names.size(); ++i) {
    auto rows =
        rows_of(table::is_pattern(names[i])
                    ? "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE " +
                          quoted_text(table::like_of(names[i])) +
                          " ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
                          " AND name NOT IN ('leat_positions') ORDER BY 1"
                    : "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name = " +
                          quoted_text(names[i]) + " COLLATE NOCASE");
    if (!rows) return fail(rows.error());
    for (const std::vector<std::string>& row : *rows) out.push_back({i, row.front(), row.front()});
  }
  close();
  return out;
}

// Wrong SQL, names that are not there and a damaged file are a person's to mend; a lock may pass,
// and a journal that only the writer may roll back.
tl::unexpected<Error> TablePages::failure() {
  const int code = db_ == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(db_);
  std::string why = config_.path + ": " + sqlite3_errmsg(db_);
  if (code == SQLITE_READONLY_ROLLBACK || code == SQLITE_READONLY_RECOVERY)
    why += ": the program that writes it was interrupted, and must be started to put it in order";
  if (code == SQLITE_TOOBIG)
    why += ": longer than maxRecord, where nobody can tell which row it is and go on behind it";
  const bool may_pass = kind_of(code) == ErrorKind::kUnavailable;
  return fail(may_pass ? ErrorKind::kUnavailable : ErrorKind::kUsage, why);
}

Result<Statement> TablePages::prepare(const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v2(db_, sql.c_str(), static_cast<int>(sql.size()), &raw, nullptr);
  Statement statement(raw);
  if (code != SQLITE_OK) return failure();
  if (raw == nullptr || sqlite3_stmt_readonly(raw) == 0)
    return fail(ErrorKind::kUsage, config_.path + ": the query is no SELECT");
  return statement;
}

Result<std::vector<std::vector<std::string>>> TablePages::rows_of(const std::string& sql) {
  Result<Statement> statement = prepare(sql);
  if (!statement) return fail(statement.error());
  std::vector<std::vector<std::string>> out;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement->get())) == SQLITE_ROW) {
    std::vector<std::string>& row = out.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement->get()); ++i)
      row.emplace_back(text_in(statement->get(), i));
  }
  if (code != SQLITE_DONE) return failure();
  return out;
}

// --- the table ---

Status TablePages::know_table() {
  columns_.clear();
  primary_key_.clear();
  is_table_ = has_rowid_ = rowid_is_kept_ = false;
  if (!config_.table.query.empty()) return choose_cursor();
  const std::string name = quoted_text(config_.table.table);
  auto rows = rows_of("SELECT name, \"notnull\", pk FROM pragma_table_xinfo(" + name +
                      ") WHERE hidden <> 1 ORDER BY pk");
  if (!rows) return fail(rows.error());
  if (rows->empty())
    return fail(ever_known_ ? ErrorKind::kUnavailable : ErrorKind::kUsage,
                config_.path + ": there is no table " + excerpt(config_.table.table));
  for (const std::vector<std::string>& row : *rows) {
    columns_.push_back({row[0], row[1] == "0"});
    if (row[2] != "0") primary_key_.push_back(row[0]);
  }
  auto kind =
      rows_of("SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = " + name +
              " COLLATE NOCASE");
  if (!kind) return fail(kind.error());
  is_table_ = !kind->empty() && kind->front()[0] == "table";
  const bool without_rowid = is_table_ && kind->front()[1] != "0";
  has_rowid_ = is_table_ && !without_rowid &&
               std::ranges::none_of(
                   columns_, [](const Column& column) { return same_column(column.name, kRowid); });
  if (is_table_ && !without_rowid && primary_key_.size() == 1) {
    // All primary keys but an INTEGER PRIMARY KEY, which is the rowid, have an index.
    auto index = rows_of("SELECT 1 FROM pragma_index_list(" + name + ") WHERE origin = 'pk'");
    if (!index) return fail(index.error());
    rowid_is_kept_ = index->empty();
  }
  // SQLite lets keys be NULL, but for those that are the rowid and those of a table without one.
  for (Column& column : columns_)
    if ((without_rowid || rowid_is_kept_) &&
        std::ranges::find(primary_key_, column.name) != primary_key_.end())
      column.nullable = false;
  return choose_cursor();
}

Status TablePages::choose_cursor() {
  cursor_ = config_.table.cursor;
  if (cursor_.empty() && config_.table.query.empty()) {
    if (has_rowid_)
      cursor_ = {std::string(kRowid)};
    else
      cursor_ = primary_key_;
    const std::string& by = config_.table.split_by;
    if (!by.empty() && (cursor_.empty() || !same_column(cursor_.front(), by))) {
      std::erase_if(cursor_, [&by](const std::string& name) { return same_column(name, by); });
      cursor_.insert(cursor_.begin(), by);
    }
  }
  if (cursor_.empty() || !config_.table.query.empty()) return {};
  for (const std::string& name : cursor_)
    if (!(has_rowid_ && same_column(name, kRowid)) &&
        std::ranges::none_of(
            columns_, [&name](const Column& column) { return same_column(column.name, name); }))
      return fail(ErrorKind::kUsage, config_.path + ": the table has no column " + excerpt(name) +
                                         ", which \"cursor\" names");
  if (config_.table.mode != table::Mode::kFull && has_rowid_ && !rowid_is_kept_ &&
      std::ranges::any_of(cursor_,
                          [](const std::string& name) { return same_column(name, kRowid); }))
    return fail(ErrorKind::kUsage,
                config_.path +
                    ": VACUUM gives the rows of this table other rowids, and new ones would not be "
                    "read: it needs an INTEGER PRIMARY KEY, or another \"cursor\"");
  Result<bool> good = tells_rows_apart();
  if (!good) return fail(good.error());
  if (*good) return {};
  // A primary key that is there already compares otherwise.
  const bool has_key = std::ranges::all_of(primary_key_, [this](const std::string& column) {
    return std::ranges::any_of(
        cursor_, [&column](const std::string& name) { return same_column(name, column); });
  });
  std::string advice = "it needs a unique index with the collations of its columns";
  if (!has_key)
    advice = "add the columns of a unique index: (" + table::joined(primary_key_) + ")";
  else if (has_rowid_ && config_.table.mode == table::Mode::kFull)
    advice = "add the rowid, which is unique";
  return fail(ErrorKind::kUsage,
              config_.path + ": the cursor (" + table::joined(cursor_) +
                  ") is the same in several rows, of which some would not be read: " + advice);
}

Result<bool> TablePages::tells_rows_apart() {
  auto in_cursor = [this](const std::string& column) {
    return std::ranges::any_of(
        cursor_, [&column](const std::string& name) { return same_column(name, column); });
  };
  if (has_rowid_ && in_cursor(std::string(kRowid))) return true;
  if (rowid_is_kept_ && in_cursor(primary_key_[0])) return true;
  auto indexes = rows_of("SELECT name FROM pragma_index_list(" + quoted_text(config_.table.table) +
                         ") WHERE \"unique\" AND NOT partial");
  if (!indexes) return fail(indexes.error());
  for (const std::vector<std::string>& index : *indexes) {
    auto columns = rows_of("SELECT name, coll FROM pragma_index_xinfo(" + quoted_text(index[0]) +
                           ") WHERE key");
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
bool TablePages::tells_apart(const std::string& column, const std::string& collation) const {
  const char* own = nullptr;
  if (sqlite3_table_column_metadata(db_, "main", config_.table.table.c_str(), column.c_str(),
                                    nullptr, &own, nullptr, nullptr, nullptr) != SQLITE_OK)
    return false;
  return own == nullptr || same_column(own, "BINARY") || same_column(own, collation);
}

// Columns, conditions and queries that mean nothing.
Status TablePages::check_sql(const table::Key& behind) {
  table::Page page;
  page.pass.cursor = cursor_;
  if (!config_.table.query.empty()) page.pass.after = behind;
  Result<Statement> statement = prepare(page_sql(page));
  if (!statement) return fail(statement.error());
  return {};
}

// Rows with NULL in the cursor would never be read.
Status TablePages::check_cursor() {
  std::string condition;
  for (const Column& column : columns_)
    for (const std::string& name : cursor_)
      if (column.nullable && same_column(column.name, name))
        condition += (condition.empty() ? "" : " OR ") + quoted_name(name) + " IS NULL";
  if (condition.empty()) return {};
  std::string sql =
      "SELECT 1 FROM " + quoted_name(config_.table.table) + " WHERE (" + condition + ")";
  if (!config_.table.where.empty()) sql += " AND (" + config_.table.where + "\n)";
  auto found = rows_of(sql + " LIMIT 1");
  if (!found) return fail(found.error());
  if (found->empty()) return {};
  return fail(ErrorKind::kUsage,
              config_.path + ": a row has NULL in the cursor (" + table::joined(cursor_) +
                  "): nobody could go on behind it; leave such rows out by \"where\"");
}

Result<table::Look> TablePages::look(const table::Key& behind) {
  Result<table::Look> found = look_now(behind);
  if (!found) close();
  return found;
}

Result<table::Look> TablePages::look_now(const table::Key& behind) {
  Status good = open();
  if (good) good = know_table();
  if (good) good = check_sql(behind);
  if (good) good = check_cursor();
  if (!good) return fail(good.error());
  ever_known_ = true;
  table::Look look;
  look.cursor = cursor_;
  const bool only_rowid =
      cursor_.size() == 1 && ((has_rowid_ && same_column(cursor_[0], kRowid)) ||
                              (rowid_is_kept_ && same_column(cursor_[0], primary_key_[0])));
  if (config_.table.mode == table::Mode::kFull) return look;
  std::string sql = "SELECT " + table::joined(quoted(cursor_)) + " FROM " + from(behind);
  if (!config_.table.where.empty()) sql += " WHERE (" + config_.table.where + "\n)";
  sql += " ORDER BY " + table::joined(quoted(cursor_, " DESC")) + " LIMIT 1";
  Result<Statement> statement = prepare(sql);
  if (!statement) return fail(statement.error());
  const int code = sqlite3_step(statement->get());
  if (code == SQLITE_ROW)
    for (int i = 0; i < sqlite3_column_count(statement->get()); ++i)
      look.last.push_back(literal_of(statement->get(), i));
  else if (code != SQLITE_DONE)
    return failure();
  // With one writer at a time, rows come in the order in which they are numbered.
  look.settle = !only_rowid;
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
  auto counted = rows_of("SELECT count(*) FROM " + from({}) +
                         (where.empty() ? "" : " WHERE (" + where + "\n)"));
  if (!counted) return fail(counted.error());
  const uint64_t rows = std::strtoull(counted->front().front().c_str(), nullptr, 10);
  table::Page page;
  page.pass.cursor = cursor;
  std::vector<table::Key> out;
  for (uint64_t part = 1; part < parts; ++part) {
    const uint64_t step = rows * part / parts - rows * (part - 1) / parts;
    if (step == 0) continue;  // there are fewer rows than parts
    Result<Statement> row = prepare(page_sql(page, true) + " OFFSET " + std::to_string(step - 1));
    if (!row) return fail(row.error());
    const int code = sqlite3_step(row->get());
    if (code == SQLITE_DONE) break;  // rows were deleted meanwhile
    if (code != SQLITE_ROW) return failure();
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
  if (Status opened = open(); !opened) return opened;
  if (statement_) return {};
  Result<Statement> statement = prepare(page_sql(page));
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
    append_row(out, statement, keys);
    if (out.values.size() >= kMostBytes) break;
  }
  if (code == SQLITE_TOOBIG && keys > 0) {
    statement_.reset();
    if (out.rows > 0) return out;  // the next page begins with the row that is too long
    return read_by_keys(page);
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    Result<PageRows> failed = failure();
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

void TablePages::append_row(PageRows& out, sqlite3_stmt* statement, size_t keys) const {
  const int all = sqlite3_column_count(statement);
  const int columns = all - static_cast<int>(keys);
  if (out.columns.empty())
    for (int i = 0; i < columns; ++i) {
      out.columns.emplace_back(sqlite3_column_name(statement, i));
      const char* type = sqlite3_column_decltype(statement, i);
      out.truths.push_back(type != nullptr &&
                           (same_column(type, "boolean") || same_column(type, "bool")));
    }
  size_t bytes = 0;
  for (int i = 0; i < columns; ++i) {
    const int type = sqlite3_column_type(statement, i);
    if (type == SQLITE_BLOB) bytes += blob_in(statement, i).size();
    if (type == SQLITE_TEXT) bytes += text_in(statement, i).size();
  }
  if (bytes > config_.table.max_record)
    out.too_long.push_back({out.rows, bytes});
  else
    for (int i = 0; i < columns; ++i) append_value(out.values, statement, i);
  for (int i = columns; i < all; ++i) append_text(out.values, literal_of(statement, i));
  ++out.rows;
}

// A page in which a row is too long, and none before it: SQLite does not say which. All of it
// within one transaction.
Result<PageRows> TablePages::read_by_keys(const table::Page& page) {
  sqlite3_exec(db_, "BEGIN", nullptr, nullptr, nullptr);
  Result<PageRows> rows = rows_by_keys(page);
  if (rows)
    sqlite3_exec(db_, "COMMIT", nullptr, nullptr, nullptr);
  else
    close();
  return rows;
}

Result<PageRows> TablePages::rows_by_keys(const table::Page& page) {
  const size_t columns = page.pass.cursor.size();
  Result<Statement> keys = prepare(page_sql(page, true));
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
  if (code != SQLITE_ROW && code != SQLITE_DONE) return failure();
  const bool all = code == SQLITE_DONE;
  PageRows out;
  size_t tried = 0;
  for (; tried < found.size() && out.values.size() < kMostBytes; ++tried) {
    Result<Statement> row = prepare(row_sql(page, found[tried]));
    if (!row) return fail(row.error());
    code = sqlite3_step(row->get());
    if (code == SQLITE_ROW) {
      append_row(out, row->get(), columns);
    } else if (code == SQLITE_TOOBIG) {
      out.too_long.push_back({out.rows++, 0});
      for (const std::string& value : found[tried]) append_text(out.values, value);
    } else if (code != SQLITE_DONE) {
      return failure();
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
