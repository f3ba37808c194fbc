#include "connectors/mysql/table_page.h"

#include <mysqld_error.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "base/units.h"
#include "table/sql_text.h"
#include "table/table_list.h"

namespace leat::mysql {
namespace {

// What a session has, whoever has set up the server: times in UTC, strings in which a backslash is
// one, as QueryText reads them, and which are not NULL when they are empty, as a key may be; all
// rows of a SELECT, and no writing. A page that waits for the sink may be long in coming.
constexpr const char* kReadSession[] = {
    "SET SESSION time_zone = '+00:00',"
    " sql_mode = CONCAT_WS(',', NULLIF(REPLACE(@@sql_mode, 'EMPTY_STRING_IS_NULL', ''), ''),"
    " 'NO_BACKSLASH_ESCAPES'),"
    " sql_select_limit = 18446744073709551615, net_write_timeout = 600",
    "SET SESSION TRANSACTION READ ONLY",
};

// Of rows that are handed to the loop at once.
constexpr size_t kMostBytes = size_t{128} * 1024;
// Beside a row's text: its columns' sizes, and what is no row.
constexpr size_t kPacketRoom = size_t{1} << 20;

void append_text(std::string& out, std::string_view text) {
  const auto size = text.data() == nullptr ? PageRows::kNull : static_cast<uint32_t>(text.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out.append(text);
}

std::vector<std::string> column_names(std::span<const ReadColumn> columns) {
  std::vector<std::string> out;
  for (const ReadColumn& column : columns) out.push_back(column.name);
  return out;
}

auto find(const std::vector<ReadColumn>& columns, std::string_view name) {
  return std::ranges::find_if(
      columns, [name](const ReadColumn& column) { return same_name(column.name, name); });
}

bool is_among(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::any_of(names,
                             [name](const std::string& one) { return same_name(one, name); });
}

}  // namespace

std::vector<std::string_view> PageRows::names() const {
  std::vector<std::string_view> out;
  for (const ReadColumn& column : columns) out.emplace_back(column.name);
  return out;
}

Value PageRows::value(size_t column, size_t& at, Arena& arena) const {
  const std::string_view text = key(at);
  if (text.data() == nullptr) return Value::null();
  return columns[column].value({const_cast<char*>(arena.copy(text).data()), text.size()});
}

std::string_view PageRows::key(size_t& at) const {
  uint32_t size = 0;
  std::memcpy(&size, values.data() + at, sizeof size);
  at += sizeof size;
  if (size == kNull) return {};
  at += size;
  return {values.data() + at - size, size};
}

TablePages::TablePages(ReadConfig config, std::unique_ptr<TlsContext> tls)
    : config_(std::move(config)),
      tls_(std::move(tls)),
      sql_(config_),
      client_(config_.connection, tls_.get(), kReadSession,
              config_.table.max_record + kPacketRoom) {}

tl::unexpected<Error> TablePages::refuse(const std::string& why) const {
  return fail(ErrorKind::kUsage, config_.connection.url.shown() + ": " + why);
}

table::Key TablePages::first() const {
  return config_.table.query.empty() ? table::Key() : config_.table.from;
}

std::string TablePages::found() const {
  return config_.table.name() + " with " + format_count(columns_.size(), "column") +
         (cursor_.empty() ? "" : ", read by (" + table::joined(column_names(cursor_)) + ")");
}

table::Tables TablePages::list(const std::vector<std::string>& names) {
  if (Status opened = client_.open(); !opened) return fail(opened.error());
  std::vector<table::Listed> out;
  for (size_t i = 0; i < names.size(); ++i) {
    auto rows = client_.rows_of(SourceSql::listed(names[i]));
    if (!rows) return fail(rows.error());
    for (const TextRow& row : *rows) {
      const TableName name{row[0].value_or(""), row[1].value_or("")};
      // Within the URL's database it is called by its own name alone.
      const bool here = row[2] == "1";
      out.push_back({.asked = i,
                     .name = here ? quoted_name(name.name) : name.sql(),
                     .identity = name.sql(),
                     .rows = std::strtoull(row[3].value_or("").c_str(), nullptr, 10)});
    }
  }
  return out;
}

// --- a look ---

Result<table::Look> TablePages::look(const table::Key& behind) {
  Result<table::Look> found = look_now(behind);
  if (!found) client_.close();
  return found;
}

Result<table::Look> TablePages::look_now(const table::Key& behind) {
  Status good = client_.open();
  if (good) good = know_table(behind);
  if (good) good = check_nulls(behind);
  if (!good) return fail(good.error());
  ever_known_ = true;
  table::Look look;
  look.cursor = column_names(cursor_);
  if (config_.table.mode == table::Mode::kFull) return look;
  Result<std::string> sql = sql_.last(cursor_, behind);
  if (!sql) return fail(sql.error());
  auto rows = client_.rows_of(*sql);
  if (!rows) return fail(rows.error());
  if (!rows->empty())
    for (std::optional<std::string>& value : rows->front())
      look.last.push_back(std::move(value).value_or(""));
  // Numbers are given when rows are written, and rows are seen when they are committed.
  look.settle = true;
  return look;
}

Status TablePages::know_table(const table::Key& behind) {
  if (config_.table.query.empty())
    if (Status known = ask_catalog(); !known) return known;
  Result<std::string> sql = sql_.describe(cursor_, behind);
  if (!sql) return fail(sql.error());
  Result<std::vector<ReadColumn>> columns = client_.columns_of(*sql);
  if (!columns) {
    // A table may be away for a moment while another takes its name.
    if (ever_known_ && client_.error_number() == ER_NO_SUCH_TABLE)
      return fail(ErrorKind::kUnavailable, columns.error().message());
    return fail(columns.error());
  }
  columns_ = std::move(*columns);
  return choose_cursor();
}

Status TablePages::ask_catalog() {
  auto kind = client_.rows_of(sql_.kind());
  if (!kind) return fail(kind.error());
  is_table_ = !kind->empty() && kind->front()[0] != "VIEW";
  auto nullable = client_.rows_of(sql_.nullable_columns());
  if (!nullable) return fail(nullable.error());
  nullable_.clear();
  for (const TextRow& row : *nullable) nullable_.push_back(row[0].value_or(""));
  auto keys = client_.rows_of(sql_.unique_keys());
  if (!keys) return fail(keys.error());
  unique_.clear();
  std::string index;
  for (const TextRow& row : *keys) {
    if (unique_.empty() || row[0] != index) unique_.emplace_back();
    index = row[0].value_or("");
    unique_.back().push_back(row[1].value_or(""));  // "": an expression
  }
  return {};
}

bool TablePages::allows_null(const std::string& column) const {
  return is_among(nullable_, column);
}

// Of a table, also those that are not read.
Result<std::vector<ReadColumn>> TablePages::all_columns() {
  if (!config_.table.query.empty() || config_.table.columns.empty()) return columns_;
  return client_.columns_of("SELECT * FROM " + config_.name.sql() + " LIMIT 0");
}

Status TablePages::choose_cursor() {
  std::vector<std::string> names = config_.table.cursor;
  Result<std::vector<ReadColumn>> all = all_columns();
  if (!all) return fail(all.error());
  if (names.empty() && config_.table.query.empty()) {
    for (const std::vector<std::string>& key : unique_) {
      const bool good = std::ranges::none_of(key, [this, &all](const std::string& name) {
        const auto known = find(*all, name);
        return name.empty() || allows_null(name) || (known != all->end() && !known->ordered());
      });
      if (!good) continue;
      names = key;
      break;
    }
    const std::string& by = config_.table.split_by;
    if (!by.empty() && (names.empty() || !same_name(names.front(), by))) {
      std::erase_if(names, [&by](const std::string& name) { return same_name(name, by); });
      names.insert(names.begin(), by);
    }
  }
  if (Status taken = take_cursor(names, *all); !taken) return taken;
  if (cursor_.empty() || !config_.table.query.empty() || tells_rows_apart()) return {};
  std::string advice = "it needs a unique index, and \"cursor\" its columns";
  if (!unique_.empty())
    advice = "add the columns of a unique index: (" + table::joined(unique_.front()) + ")";
  return refuse("the cursor (" + table::joined(names) +
                ") is the same in several rows, of which some would not be read: " + advice);
}

Status TablePages::take_cursor(const std::vector<std::string>& names,
                               const std::vector<ReadColumn>& all) {
  cursor_.clear();
  for (const std::string& name : names) {
    const auto known = find(all, name);
    if (known == all.end())
      return refuse("there is no column " + excerpt(name) + ", which \"" +
                    (name == config_.table.split_by ? "split" : "cursor") + "\" names");
    if (!known->ordered())
      return refuse("column " + excerpt(name) +
                    " is ordered otherwise than it is compared, and can be in no cursor");
    if (is_table_ && allows_null(name))
      return refuse("column " + excerpt(name) +
                    " of the cursor can be NULL, and such a row would never be read: declare it "
                    "NOT NULL, or take another column");
    cursor_.push_back(*known);
  }
  return {};
}

bool TablePages::tells_rows_apart() const {
  if (!is_table_) return true;  // of a view nobody can know
  const std::vector<std::string> names = column_names(cursor_);
  return std::ranges::any_of(unique_, [&names](const std::vector<std::string>& key) {
    return std::ranges::all_of(key,
                               [&names](const std::string& name) { return is_among(names, name); });
  });
}

// A table's columns cannot be NULL there. Of others no comparison with the cursor finds such rows.
Status TablePages::check_nulls(const table::Key& behind) {
  if (cursor_.empty() || (is_table_ && config_.table.query.empty())) return {};
  Result<std::string> sql = sql_.null_in(cursor_, behind);
  if (!sql) return fail(sql.error());
  auto found = client_.rows_of(*sql);
  if (!found) return fail(found.error());
  if (found->empty()) return {};
  return refuse("a row has NULL in the cursor (" + table::joined(column_names(cursor_)) +
                "): nobody could go on behind it; leave such rows out");
}

// Through the index, from bound to bound.
Result<std::vector<table::Key>> TablePages::divide(const std::vector<std::string>& /*cursor*/,
                                                   size_t parts) {
  if (Status opened = client_.open(); !opened) return fail(opened.error());
  auto counted = client_.rows_of(sql_.count());
  if (!counted) return fail(counted.error());
  const uint64_t rows =
      counted->empty() ? 0 : std::strtoull((*counted)[0][0].value_or("").c_str(), nullptr, 10);
  table::Page page;
  std::vector<table::Key> out;
  for (uint64_t part = 1; part < parts; ++part) {
    const uint64_t step = rows * part / parts - rows * (part - 1) / parts;
    if (step == 0) continue;  // there are fewer rows than parts
    Result<std::string> sql = sql_.key_at({}, cursor_, page, step);
    if (!sql) return fail(sql.error());
    auto row = client_.rows_of(*sql);
    if (!row) return fail(row.error());
    if (row->empty()) break;  // rows were deleted meanwhile
    page.pass.after.clear();
    for (size_t i = 0; i < cursor_.size(); ++i)
      page.pass.after.push_back(row->front()[i].value_or(""));
    out.push_back(page.pass.after);
  }
  return out;
}

// --- a page ---

Result<PageRows> TablePages::read(const table::Page& page) {
  page_ = page;
  given_ = 0;
  if (Status opened = client_.open(); !opened) return fail(opened.error());
  Result<std::string> sql = sql_.page(columns_, cursor_, page_);
  if (!sql) return fail(sql.error());
  if (Status begun = client_.begin(*sql); !begun)
    // It was good at the last look: the next one says what has become of it.
    return fail(ErrorKind::kUnavailable, begun.error().message());
  return take_rows();
}

Result<PageRows> TablePages::read_on() {
  Result<PageRows> rows = take_rows();
  if (rows || cursor_.empty()) return rows;
  // The next page goes on behind what was given.
  client_.close();
  PageRows ended;
  ended.ended = true;
  return ended;
}

Result<PageRows> TablePages::take_rows() {
  PageRows out;
  out.columns = columns_;
  if (client_.columns() != columns_.size() + cursor_.size()) {
    client_.close();
    return fail(ErrorKind::kUnavailable, config_.table.name() + ": its columns have changed");
  }
  while (out.values.size() < kMostBytes) {
    Result<bool> more = client_.next();
    if (!more) {
      // What was read of it is good.
      if (out.rows > 0 && !cursor_.empty()) {
        out.ended = true;
        return out;
      }
      if (client_.is_open()) return fail(more.error());
      return after_loss(more.error());
    }
    if (!*more) {
      client_.end_rows();
      out.ended = true;
      // A query may have a LIMIT of its own.
      out.last = cursor_.empty() || (config_.table.query.empty()
                                         ? given_ < static_cast<size_t>(config_.table.page_size)
                                         : given_ == 0);
      return out;
    }
    append_row(out);
  }
  return out;
}

void TablePages::append_row(PageRows& out) {
  const size_t all = client_.columns();
  size_t bytes = 0;
  for (size_t i = 0; i < columns_.size(); ++i) bytes += client_.value(i).size();
  const bool too_long = bytes > config_.table.max_record;
  if (too_long) out.too_long.push_back({out.rows, bytes});
  for (size_t i = too_long ? columns_.size() : 0; i < all; ++i)
    append_text(out.values, client_.value(i));
  ++out.rows;
  ++given_;
  page_.pass.after.clear();
  for (size_t i = columns_.size(); i < all; ++i) page_.pass.after.emplace_back(client_.value(i));
}

// It may have been a row that the library does not take: it says no more of it, and not which.
Result<PageRows> TablePages::after_loss(const Error& why) {
  if (Status opened = client_.open(); !opened) return fail(opened.error());
  Result<std::string> sql =
      cursor_.empty() ? sql_.longest(columns_, page_) : sql_.key_at(columns_, cursor_, page_, 1);
  if (!sql) return fail(sql.error());
  auto row = client_.rows_of(*sql);
  if (!row) return fail(row.error());
  const size_t bytes =
      row->empty() ? 0 : std::strtoull(row->front().back().value_or("").c_str(), nullptr, 10);
  if (bytes <= config_.table.max_record) return fail(why);
  if (cursor_.empty())
    return refuse("a row is longer than maxRecord, and there is no cursor to go on behind it");
  PageRows out;
  out.columns = columns_;
  out.ended = true;
  out.rows = 1;
  out.too_long.push_back({0, bytes});
  for (size_t i = 0; i < cursor_.size(); ++i) append_text(out.values, row->front()[i].value_or(""));
  return out;
}

}  // namespace leat::mysql
