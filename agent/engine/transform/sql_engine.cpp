#include "transform/sql_engine.h"

#include <algorithm>

#include "base/log.h"
#include "options/option_errors.h"

namespace leat {
namespace {

// The name that SQLite misses, when its message says so: `no such column: a.b`, and of a name in
// double quotes in newer versions (3.46, not 3.40)
// `no such column: "my field" - should this be a string literal in single-quotes?`
std::optional<std::string> missing_name(std::string_view message) {
  constexpr std::string_view kMissing = "no such column: ";
  constexpr std::string_view kAdvice = "\" - should this be a string literal in single-quotes?";
  if (!message.starts_with(kMissing)) return std::nullopt;
  message.remove_prefix(kMissing.size());
  if (message.starts_with('"') && message.ends_with(kAdvice)) {
    message.remove_suffix(kAdvice.size());
    message.remove_prefix(1);
  }
  return std::string(message);
}

// What is wrong is said in terms of the person's own text: "(at line 2, character 5)".
std::string place_in(std::string_view text, size_t offset) {
  std::string_view before = text.substr(0, offset);
  auto lines = std::count(before.begin(), before.end(), '\n');
  size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  std::string_view line = before.substr(line_start);
  auto starts_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  auto characters = std::count_if(line.begin(), line.end(), starts_character) + 1;
  std::string character = "character " + std::to_string(characters);
  if (text.find('\n') == std::string_view::npos) return " (at " + character + ")";
  return " (at line " + std::to_string(lines + 1) + ", " + character + ")";
}

}  // namespace

Result<std::unique_ptr<SqlEngine>> SqlEngine::open(Scope scope, int64_t max_steps) {
  // In an expression `input` is only an alias of the one record, which a subquery cannot select
  // from; this name of the table is not for people.
  const char* table = scope == Scope::kBatch ? "input" : "this record";
  auto sandbox = Sandbox::open(table, max_steps);
  if (!sandbox) return fail(sandbox.error());
  return std::unique_ptr<SqlEngine>(new SqlEngine(scope, std::move(*sandbox)));
}

SqlEngine::SqlEngine(Scope scope, std::unique_ptr<Sandbox> sandbox)
    : table_(scope == Scope::kBatch ? "input" : "this record", scope == Scope::kBatch),
      sandbox_(std::move(sandbox)) {}

std::string SqlEngine::from_clause() const {
  return " FROM " + quoted_identifier(table_.name()) + " AS input";
}

Status SqlEngine::attach_table() {
  if (table_.column_count() > InputTable::kMaxColumns)
    return fail(ErrorKind::kUsage,
                "more than " + std::to_string(InputTable::kMaxColumns) + " different field names");
  Sandbox::Unguarded unguarded(*sandbox_);
  if (table_.attach(sandbox_->handle()) != SQLITE_OK)
    return fail(ErrorKind::kUsage, sandbox_->error_text());
  attached_ = true;
  return {};
}

// Makes a column of the name that SQLite misses. It reports `input.a` and `"input.a"` alike, so the
// whole is tried as a name first and then what is behind each dot; and a name that is looked for
// behind a `*` must be shown by it. False when nothing is left to try for this name.
bool SqlEngine::add_missing_column(const std::string& name, std::optional<std::string>& tried_for,
                                   size_t& tried) {
  auto next_dot = [&name, &tried] {
    tried = name.find('.', tried);
    return tried++ != std::string::npos;
  };
  if (name == tried_for) {  // the column added last did not help
    if (table_.show_last_column()) return true;
    table_.remove_last_column();
    if (!next_dot()) return false;
  } else {
    tried_for = name;
    tried = 0;
  }
  while (table_.has_column(std::string_view(name).substr(tried)))
    if (!next_dot()) return false;
  table_.add_hidden_column(std::string_view(name).substr(tried));
  return true;
}

Result<Statement> SqlEngine::prepare(const SqlText& text) {
  if (text.user.find('\0') != std::string_view::npos)
    return fail_option(text.path, "a NUL character in it");
  std::string sql = std::string(text.before) + std::string(text.user) + std::string(text.after);
  std::optional<std::string> tried_for;
  size_t tried = 0;
  for (;;) {
    if (!attached_) {
      if (Status status = attach_table(); !status)
        return fail_option(text.path, status.error().message());
    }
    sandbox_->forget_usage();
    sandbox_->start_work();
    sqlite3_stmt* prepared = nullptr;
    const char* rest = nullptr;
    int code = sqlite3_prepare_v3(sandbox_->handle(), sql.c_str(), static_cast<int>(sql.size()) + 1,
                                  SQLITE_PREPARE_PERSISTENT, &prepared, &rest);
    Statement statement(prepared);
    if (code == SQLITE_OK) {
      if (prepared == nullptr) return fail_option(text.path, "no SQL in it");
      if (sqlite3_stmt_isexplain(prepared) != 0)
        return fail_option(text.path, "only SELECT is allowed in a transform");
      if (sqlite3_bind_parameter_count(prepared) > 0)
        return fail_option(text.path, "there are no parameters (?, :name, @name)");
      if (!is_blank(rest)) return fail_option(text.path, "more than one statement");
      return statement;
    }
    std::optional<std::string> missing = missing_name(sqlite3_errmsg(sandbox_->handle()));
    if (!missing || !add_missing_column(*missing, tried_for, tried)) return syntax_error(text);
    attached_ = false;
  }
}

tl::unexpected<Error> SqlEngine::syntax_error(const SqlText& text) {
  const std::string& denied = sandbox_->usage().denied;
  std::string out = denied.empty() ? sandbox_->error_text() : denied;
  int offset = sqlite3_error_offset(sandbox_->handle());
  attached_ = false;  // a column that did not help may have been taken back
  if (offset < 0 || static_cast<size_t>(offset) < text.before.size())
    return fail_option(text.path, out);
  size_t in_user = static_cast<size_t>(offset) - text.before.size();
  if (in_user <= text.user.size()) out += place_in(text.user, in_user);
  return fail_option(text.path, out);
}

bool SqlEngine::is_blank(const char* sql) {
  if (sql == nullptr || *sql == '\0') return true;
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(sandbox_->handle(), sql, -1, &statement, nullptr);
  Statement owner(statement);
  return code == SQLITE_OK && statement == nullptr;
}

Result<bool> SqlEngine::has_star(const SqlText& query) {
  table_.probe_for_star(true);
  attached_ = false;
  Result<Statement> statement = prepare(query);
  bool star = sandbox_->usage().star;
  table_.probe_for_star(false);
  attached_ = false;
  if (!statement) return fail(statement.error());
  return star;
}

Result<SqlEngine::Expression> SqlEngine::check_expression(std::string_view user,
                                                          const std::string& path) {
  // First where aggregates and windows are errors, which make no sense over one record; this also
  // finds unbalanced parentheses. Then in parentheses, where a second clause would be one.
  std::string from = from_clause();
  std::string condition = "SELECT 1" + from + " WHERE\n";
  std::string column_end = "\n)" + from;
  auto as_condition = prepare({.before = condition, .user = user, .after = "\n", .path = path});
  if (!as_condition) return fail(as_condition.error());
  as_condition->reset();
  auto as_column =
      prepare({.before = "SELECT (\n", .user = user, .after = column_end, .path = path});
  if (!as_column) return fail(as_column.error());
  Expression expression;
  const SqlUsage& usage = sandbox_->usage();
  expression.constant = !usage.functions && !usage.columns;
  int column = InputTable::plain_column(as_column->get(), 0);
  if (column >= 0) expression.column = table_.column_name(static_cast<size_t>(column));
  return expression;
}

Status SqlEngine::dry_run(sqlite3_stmt* statement, const std::string& path) {
  table_.hide();
  sandbox_->start_work();
  int code;
  do {
    code = sqlite3_step(statement);
  } while (code == SQLITE_ROW);
  std::string reason = code == SQLITE_DONE ? "" : sandbox_->error_text();
  sqlite3_reset(statement);
  if (code == SQLITE_DONE) return {};
  return fail_option(path, reason);
}

void SqlEngine::report_unseen_columns(const std::string& path) {
  if (unseen_reported_) return;
  unseen_reported_ = true;
  for (const std::string& name : table_.unseen_columns())
    log::warn("leat", path + ": no record of the first batch has a field \"" + name +
                          "\" (text is written in single quotes)");
}

}  // namespace leat
