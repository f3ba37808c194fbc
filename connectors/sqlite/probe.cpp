#include "connectors/sqlite/probe.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "base/folder.h"
#include "base/text.h"
#include "base/units.h"
#include "connectors/sqlite/client.h"
#include "connectors/sqlite/columns.h"

namespace leat::sqlite {
namespace {

struct Wanted {
  std::string path;
  std::string table;
  std::vector<std::string> key;
  bool create = false;
};

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

Status may_write(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  // The log beside it is a file of its own.
  if (Status can = can_make_files(folder); !can) return can;
  if (::access(path.c_str(), F_OK) == 0 && ::access(path.c_str(), W_OK) != 0)
    return fail_errno("write " + path, errno);
  return {};
}

tl::unexpected<Error> failure(const std::string& path, sqlite3* db) {
  return fail(ErrorKind::kUnavailable, path + ": " + sqlite3_errmsg(db));
}

// Empty: there is no such table.
Result<std::vector<std::string>> columns_in(const Wanted& wanted) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(wanted.path.c_str(), &raw,
                                     SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  const Database db(raw);
  if (opened != SQLITE_OK) return failure(wanted.path, raw);
  constexpr int kPatienceMs = 1'000;
  sqlite3_busy_timeout(raw, kPatienceMs);
  const std::string sql = "PRAGMA table_xinfo(" + quoted_name(wanted.table) + ")";
  sqlite3_stmt* statement = nullptr;
  const int prepared = sqlite3_prepare_v2(raw, sql.c_str(), -1, &statement, nullptr);
  const Statement columns(statement);
  if (prepared != SQLITE_OK) return failure(wanted.path, raw);
  std::vector<std::string> out;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW)
    out.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, 1)));
  if (code != SQLITE_DONE) return failure(wanted.path, raw);
  return out;
}

Result<std::string> look_at(const Wanted& wanted) {
  if (Status writable = may_write(wanted.path); !writable) return fail(writable.error());
  const std::string table = "table " + excerpt(wanted.table);
  if (::access(wanted.path.c_str(), F_OK) != 0) {
    if (wanted.create) return wanted.path + ": is made with the first records";
    return fail_errno("open " + wanted.path, errno);
  }
  Result<std::vector<std::string>> columns = columns_in(wanted);
  if (!columns) return fail(columns.error());
  if (columns->empty() && wanted.create)
    return wanted.path + ": the " + table + " is made with the first records";
  if (columns->empty())
    return fail(ErrorKind::kUsage,
                wanted.path + ": there is no " + table + ", and createTable is false");
  for (const std::string& key : wanted.key) {
    bool found = wanted.create;
    for (const std::string& column : *columns) found = found || same_column(column, key);
    if (!found)
      return fail(ErrorKind::kUsage, wanted.path + ": the " + table + " has no column " +
                                         excerpt(key) + ", named by \"key\"");
  }
  return wanted.path + ": the " + table + " has " + format_count(columns->size(), "column");
}

}  // namespace

std::unique_ptr<PeerProbe> probe(const Options& options, const ProbeContext& context, Probed done) {
  Wanted wanted{options.string("path"), options.string("table"), options.strings("key"),
                options.boolean("createTable")};
  return probe_in_pool(
      context.loop, [wanted = std::move(wanted)] { return look_at(wanted); }, std::move(done));
}

}  // namespace leat::sqlite
